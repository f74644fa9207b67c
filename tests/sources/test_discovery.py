"""What a configured path means."""

import errno
from pathlib import Path

import pytest

from daemon.sources.discovery import (
    closed_directory,
    find_directories,
    find_paths,
    find_targets,
    fixed_directory,
    is_meant,
)


def test_a_plain_path_means_itself_whether_it_is_there_or_not(tmp_path: Path) -> None:
    assert find_paths(str(tmp_path / "gone.log")) == [str(tmp_path / "gone.log")]


def test_a_glob_means_files_but_not_packed_or_hidden_ones(tmp_path: Path) -> None:
    for name in ("b.log", "a.log", "a.log.1", "a.log.2.gz", "c.log.xz", ".hidden.log", "other.txt"):
        (tmp_path / name).touch()
    (tmp_path / "d.log").mkdir()
    assert find_paths(f"{tmp_path}/*.log*") == [str(tmp_path / name) for name in ("a.log", "a.log.1", "b.log")]
    assert find_paths(f"{tmp_path}/nothing*") == []


def test_a_file_whose_name_looks_like_a_glob_means_itself(tmp_path: Path) -> None:
    odd = tmp_path / "app[1].log"
    odd.touch()
    (tmp_path / "app1.log").touch()
    assert find_paths(str(odd)) == [str(odd)]


def test_two_stars_reach_into_directories(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "x.log").touch()
    (tmp_path / "a" / "b" / "y.log").touch()
    pattern = f"{tmp_path}/**/*.log"
    assert find_paths(pattern) == [str(tmp_path / "a" / "b" / "y.log"), str(tmp_path / "x.log")]
    assert all(is_meant(path, pattern) for path in find_paths(pattern))


@pytest.mark.parametrize(
    ("path", "pattern", "meant"),
    [
        ("/var/log/a.log", "/var/log/a.log", True),
        ("/var/log/a.log", "/var/log/*.log", True),
        ("/var/log/*.log", "/var/log/*.log", True),
        ("/var/log/b.log", "/var/log/a.log", False),
        ("/srv/a.log", "/var/log/*.log", False),
    ],
)
def test_which_stored_paths_belong_to_a_source(path: str, pattern: str, *, meant: bool) -> None:
    assert is_meant(path, pattern) is meant


def test_the_directories_to_watch_include_those_of_targets(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "v1.log").touch()
    link = tmp_path / "app.log"
    link.symlink_to(tmp_path / "real" / "v1.log")
    (tmp_path / "by_link").symlink_to(tmp_path / "real")
    assert find_targets([str(link), str(tmp_path / "by_link" / "v1.log")]) == {str(tmp_path / "real" / "v1.log")}
    both = find_targets([str(link)]).union([str(link)])
    assert find_directories(str(link), both) == {str(tmp_path), str(tmp_path / "real")}
    assert find_directories("/nowhere/at/all.log", ["/nowhere/at/all.log"]) == set()


def test_the_fixed_part_of_a_glob() -> None:
    assert fixed_directory("/var/log/*/x[0-9].log") == "/var/log"
    assert fixed_directory("/var/log/x.log") == "/var/log"
    assert fixed_directory("/*") == "/"


def test_a_directory_that_may_not_be_listed_is_told_from_an_empty_one(tmp_path: Path) -> None:
    assert closed_directory(f"{tmp_path}/*.log") is None
    assert closed_directory(f"{tmp_path}/gone/*.log") is None
    (tmp_path / "file").touch()
    error = closed_directory(f"{tmp_path}/file/*.log")
    assert error is not None
    assert error.errno == errno.ENOTDIR
