"""The table of processes: learnt, forgotten, bounded, redacted, restored."""

from daemon.events.processes import Process, Processes
from daemon.model import Snapshot


def table(limit: int = 100) -> Processes:
    return Processes("a", redact=lambda text: text.replace("secret", "***"), limit=limit)


def process(pid: int, image: str = "/bin/sh", command_line: str = "", node: str = "") -> Process:
    return Process(pid, image, command_line, 1, "alice", node)


def test_a_started_program_is_found_with_its_secrets_gone() -> None:
    processes = table()
    processes.started(process(5, command_line="login secret"))
    found = processes.find("", 5)
    assert found is not None
    assert (found.image, found.command_line, found.user) == ("/bin/sh", "login ***", "alice")
    assert processes.find("", 6) is None
    assert processes.find("other", 5) is None


def test_a_fork_is_a_copy_until_it_starts_something() -> None:
    processes = table()
    processes.started(process(5, command_line="sh -c x"))
    processes.forked("", 5, 6)
    processes.forked("", 99, 100)
    child = processes.find("", 6)
    assert child is not None
    assert (child.pid, child.ppid, child.command_line) == (6, 5, "sh -c x")
    assert processes.find("", 100) is None


def test_it_is_known_which_program_a_pid_is() -> None:
    processes = table()
    processes.started(Process(5, ("/usr/bin/dash", "/bin/sh")))
    running = [processes.is_running("", 5, image) for image in ("/bin/sh", "/usr/bin/dash", "/bin/bash")]
    assert running == [True, True, False]
    assert not processes.is_running("", 6, "/bin/sh")
    assert not processes.is_running("other", 5, "/bin/sh")


def test_exit_and_reboot_forget() -> None:
    processes = table()
    processes.seed([process(1, "/sbin/init")])
    for pid, node in ((5, ""), (6, ""), (7, "other")):
        processes.started(process(pid, node=node))
    processes.exited("", 5)
    processes.exited("", 5)
    processes.rebooted("")
    known = [processes.find(node, pid) is not None for node, pid in (("", 5), ("", 6), ("other", 7), ("", 1))]
    assert known == [False, False, True, True]


def test_a_seed_fills_in_but_does_not_overwrite() -> None:
    processes = table()
    processes.started(process(5, "/bin/old"))
    processes.seed([process(5, "/bin/new"), process(6, "/bin/new")])
    assert [p.image for p in (processes.find("", 5), processes.find("", 6)) if p] == ["/bin/old", "/bin/new"]


def test_the_least_recently_used_goes_first_and_is_counted() -> None:
    processes = table(limit=3)
    for pid in (1, 2, 3):
        processes.started(process(pid))
    processes.find("", 1)
    processes.started(process(4))
    assert [pid for pid in range(1, 5) if processes.find("", pid)] == [1, 3, 4]
    assert processes.evictions == 1
    for pid in range(10, 5000):
        processes.started(process(pid))
    assert len(processes) == 3
    assert len(processes.changes()) == 3


def test_a_restart_gives_the_same_table() -> None:
    before, after = table(), table()
    before.started(Process(5, ("/usr/bin/dash", "/bin/sh"), "sh -c 'é secret'", 1, "alice", "n1"))
    before.started(process(6))
    rows = before.changes()
    assert b"secret" not in b"".join(row.value or b"" for row in rows)
    after.restore(rows)
    assert after.find("n1", 5) == before.find("n1", 5)
    assert after.changes() == []


def test_rows_follow_every_coming_and_going() -> None:
    processes = table()
    processes.started(process(5))
    processes.exited("", 5)
    assert processes.changes() == []
    processes.started(process(5))
    assert [row.key for row in processes.changes()] == ["5"]
    processes.exited("", 5)
    processes.started(process(5, "/bin/other"))
    processes.exited("", 5)
    assert processes.changes() == [Snapshot("processes:a", "5", None)]
    assert processes.changes() == []


def test_foreign_and_broken_rows_are_ignored() -> None:
    processes = table()
    processes.restore(
        [Snapshot("processes:b", "5", b"{}"), Snapshot("processes:a", "5", b"{"), Snapshot("processes:a", "6", None)]
    )
    assert len(processes) == 0
