"""What runs here is seen as an audit log would have told it."""

import os
import subprocess
import sys

import psutil

from daemon.events.processes import Processes
from daemon.running_processes import running_processes


def test_a_process_is_seen_with_program_command_line_parent_and_user() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        try:
            seen = {process.pid: process for process in running_processes()}
        finally:
            child.kill()
    me = seen[os.getpid()]
    assert me.image == os.path.realpath(f"/proc/{os.getpid()}/exe")
    assert sys.argv[0] in me.command_line or "pytest" in me.command_line
    assert seen[child.pid].ppid == os.getpid()
    assert seen[child.pid].user == psutil.Process().username()
    assert seen[child.pid].node == ""
    assert 2 not in seen or seen[2].command_line  # kthreadd, where it can be seen, is no program


def test_bytes_that_are_no_text_are_shown_and_can_be_stored() -> None:
    """Anybody may start a program with such an argument: it must not end us at the next commit."""
    with subprocess.Popen([b"sl\xffeep", b"60"], executable="/bin/sleep") as child:
        try:
            seen = {process.pid: process for process in running_processes()}
        finally:
            child.kill()
    assert seen[child.pid].command_line == r"sl\xffeep 60"
    table = Processes("audit", redact=str)
    table.seed(seen.values())
    assert len(table.changes()) == len(seen)
