"""What a run remembers of the lines that were passed: all of an event, and nothing else."""

from daemon.events.runs import Run

LINES = (
    b"type=SYSCALL msg=audit(1.100:7): pid=1\n"
    b'node=a type=CWD msg=audit(1.100:7): cwd="(1.100:7)"\n'
    b'type=PATH msg=audit(1.100:70): name="msg=audit(1.100:7):"\r\n'
    b"type=EOE msg=audit(1.100:7): \n"
    b"rubbish (1.100:7)\n"
    b"type=PROCTITLE msg=audit(1.1:7): proctitle=61\n"
)


def test_it_counts_lines_and_long_lines_as_several() -> None:
    assert Run(LINES).lines == 6
    assert Run(b"x" * 10_240 + b"\n").lines == 10


def test_nothing_was_passed_yet() -> None:
    run = Run(LINES)
    assert list(run.records("1.100", 7)) == []
    assert not run.holds(1.1)


def test_the_records_of_an_event_are_found_whatever_node_they_are_of() -> None:
    run = Run(LINES)
    run.pass_until(len(LINES), 1.1)
    assert [(one.node, one.kind) for one in run.records("1.100", 7)] == [("", "SYSCALL"), ("a", "CWD")]
    assert [one.line[-1:] for one in run.records("1.100", 70)] == [b'"']
    assert [one.kind for one in run.records("1.1", 7)] == ["PROCTITLE"]
    assert list(run.records("1.100", 8)) == []


def test_what_comes_behind_was_not_passed() -> None:
    run = Run(LINES)
    run.pass_until(LINES.index(b"node=a"), 1.1)
    assert [one.kind for one in run.records("1.100", 7)] == ["SYSCALL"]


def test_the_times_between_which_it_lies() -> None:
    run = Run(LINES)
    run.pass_until(10, 5.0)
    run.pass_until(20, 3.0)
    assert [run.holds(at) for at in (2.9, 3.0, 4.0, 5.0, 5.1)] == [False, True, True, True, False]
