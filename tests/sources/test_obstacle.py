"""What an operator reads when a log cannot be read: the reason and one command, safe to paste."""

import errno
import grp
import os
import shlex

import pytest

from daemon.sources.obstacle import describe_obstacle, name_of_user
from tests.doubles.unprivileged import as_nobody, open_directory


def test_a_closed_file_is_opened_by_an_access_list() -> None:
    with open_directory() as directory:
        path = directory / "app.log"
        path.touch()
        path.chmod(0)
        with as_nobody(), pytest.raises(PermissionError) as raised:
            path.open()
        with as_nobody():
            said = describe_obstacle(str(path), raised.value)
            user = name_of_user()
    assert said == f"{path}: {user} may not read it; run: sudo setfacl -m u:{user}:r {path}"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a file to a group")
def test_a_group_that_may_read_it_is_to_be_joined() -> None:
    group = next(entry for entry in grp.getgrall() if entry.gr_name == "adm")
    with open_directory() as directory:
        path = directory / "app.log"
        path.touch()
        os.chown(path, 0, group.gr_gid)
        path.chmod(0o640)
        with as_nobody():
            said = describe_obstacle(str(path), PermissionError(errno.EACCES, "Permission denied"))
            user = name_of_user()
    assert said == f"{path}: {user} may not read it; run: sudo usermod -aG adm {user} (and restart us)"


def test_the_directory_in_the_way_is_named_and_hostile_names_are_quoted() -> None:
    with open_directory() as directory:
        closed = directory / "a; rm -rf $HOME"
        closed.mkdir()
        path = closed / "app.log"
        path.touch()
        closed.chmod(0)
        with as_nobody():
            said = describe_obstacle(str(path), PermissionError(errno.EACCES, "Permission denied"))
        closed.chmod(0o755)
    command = said.split("run: ")[1]
    assert shlex.split(command)[-1] == str(closed)
    assert ":rx " in command


def test_other_trouble_is_named_as_the_system_names_it() -> None:
    error = OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    assert describe_obstacle("/x", error) == "/x: Too many levels of symbolic links"
