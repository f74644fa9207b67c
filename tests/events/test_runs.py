"""What a run remembers of the events that were passed: all of each, and nothing else."""

import zlib

from daemon.events.runs import Run

FIRST = (
    b"type=SYSCALL msg=audit(1.100:7): pid=1\n"
    b'type=CWD msg=audit(1.100:7): cwd="(1.200:8)"\n'
)  # fmt: skip
BETWEEN = b"type=AVC msg=audit(1.150:8): x\nrubbish (1.200:8)\n"
SECOND = b"node=a type=USER_LOGIN msg=audit(1.200:8): x\n"
LINES = FIRST + BETWEEN + SECOND + b"type=EOE msg=audit(1.300:9): \n"


def passed() -> Run:
    run = Run(LINES)
    run.pass_events(0, [len(FIRST)], [2], [1.1])
    start = len(FIRST + BETWEEN)
    run.pass_events(start, [start + len(SECOND)], [1], [1.2])
    return run


def test_nothing_was_passed_yet() -> None:
    run = Run(LINES)
    assert (len(run), run.lines, run.size) == (0, 0, len(LINES))
    assert run.find("1.100", 7, "", 1.1) is None


def test_an_event_is_found_by_all_of_its_name() -> None:
    run = passed()
    assert (len(run), run.lines) == (2, 3)
    assert run.find("1.100", 7, "", 1.1) == 0
    assert run.find("1.200", 8, "a", 1.2) == 1
    for stamp, serial, node, at in (
        ("1.100", 7, "a", 1.1), ("1.1", 7, "", 1.1), ("1.100", 8, "", 1.1), ("1.150", 8, "", 1.15), ("1.200", 8, "", 1.2),
        ("1.300", 9, "", 1.3), ("1.100", 7, "", 0.9),
    ):  # fmt: skip
        assert run.find(stamp, serial, node, at) is None


def test_the_records_of_an_event_are_known_and_another_is_from_then_on() -> None:
    run = passed()
    digests = [zlib.crc32(line) for line in FIRST.split(b"\n")[:-1]]
    assert not any(run.is_new(0, digest) for digest in digests)
    assert run.is_new(0, 5)
    assert not run.is_new(0, 5)
    assert run.is_new(1, 5)
    assert run.lines == 5


def test_the_oldest_are_forgotten_whole() -> None:
    run = passed()
    assert run.forget(1, 9) == 1
    assert (len(run), run.lines) == (1, 1)
    assert run.find("1.100", 7, "", 1.1) is None
    assert run.find("1.200", 8, "a", 1.2) == 1
    assert run.forget(5, 9) == 1
    assert run.forget(5, 9) == 0


def test_no_more_are_forgotten_than_may_be() -> None:
    run = passed()
    assert run.forget(3, 1) == 1
    assert len(run) == 1
