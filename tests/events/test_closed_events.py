"""What is known of events that are closed."""

from daemon.events.auditd import parse_record
from daemon.events.closed_events import ClosedEvents
from daemon.model import Position


def lines_of(serial: int, at: float = 100.0, *, node: str = "") -> bytes:
    head = f"node={node} " if node else ""
    return "".join(
        f"{head}type={kind} msg=audit({at:.3f}:{serial}): x={kind}\n" for kind in ("CWD", "PROCTITLE")
    ).encode()


def digest_of(line: bytes) -> int:
    record = parse_record(line, Position("", "", 0))
    assert record is not None
    return record.digest


def test_an_event_of_a_run_is_known_as_far_as_the_run_was_passed() -> None:
    closed = ClosedEvents(100)
    data = lines_of(1) + lines_of(2)
    run = closed.begin_run(data)
    closed.pass_whole(run, len(lines_of(1)), "", 100.0, 1)
    assert closed.is_closed(("", "100.000", 1), 100.0)
    assert not closed.is_closed(("", "100.000", 2), 100.0)
    closed.pass_whole(run, len(data), "", 100.0, 2)
    assert closed.is_closed(("", "100.000", 2), 100.0)


def test_the_very_records_are_known_and_others_are_not() -> None:
    closed = ClosedEvents(100)
    data = lines_of(1)
    closed.pass_whole(closed.begin_run(data), len(data), "", 100.0, 1)
    assert closed.is_closed(("", "100.000", 1), 100.0)
    first = digest_of(data.split(b"\n")[0])
    assert not closed.is_new(("", "100.000", 1), first)
    assert closed.is_new(("", "100.000", 1), first + 1)
    assert not closed.is_new(("", "100.000", 1), first + 1)


def test_the_same_serial_of_another_node_or_time_is_another_event() -> None:
    closed = ClosedEvents(100)
    data = lines_of(1, node="a") + lines_of(1, 101.0, node="a")
    run = closed.begin_run(data)
    closed.pass_whole(run, len(lines_of(1, node="a")), "a", 100.0, 1)
    closed.pass_whole(run, len(data), "a", 101.0, 1)
    closed.note("b", 200.0, 9)
    assert not closed.is_closed(("b", "100.000", 1), 100.0)
    assert not closed.is_closed(("a", "100.500", 1), 100.5)
    assert closed.is_closed(("a", "101.000", 1), 101.0)


def test_an_end_of_event_alone_closes_nothing() -> None:
    closed = ClosedEvents(100)
    data = b"type=EOE msg=audit(100.000:1): \n" + lines_of(2)
    closed.pass_whole(closed.begin_run(data), len(data), "", 100.0, 2)
    assert not closed.is_closed(("", "100.000", 1), 100.0)


def test_what_is_remembered_is_bounded_in_lines_and_the_oldest_goes_first() -> None:
    closed = ClosedEvents(20)
    for serial in range(1, 31):
        data = lines_of(serial, 100.0 + serial)
        closed.pass_whole(closed.begin_run(data), len(data), "", 100.0 + serial, serial)
    assert not closed.is_closed(("", "101.000", 1), 101.0)
    assert closed.is_closed(("", "130.000", 30), 130.0)
    assert len(closed._runs) == 10


def test_long_lines_count_for_more() -> None:
    closed = ClosedEvents(20)
    for _ in range(5):
        closed.begin_run(b"x" * 20_000 + b"\n")
    assert len(closed._runs) == 1


def test_of_nodes_that_were_forgotten_nothing_is_taken_for_new_that_may_be_old() -> None:
    closed = ClosedEvents(100)
    for number in range(1030):
        closed.note(f"n{number}", 100.0 + number, 7)
    assert len(closed._newest) == 1024
    assert not closed.is_newest("n0", 100.0, 7)
    assert not closed.is_newest("new", 105.0, 7)
    assert closed.is_newest("new", 106.0, 7)
    assert closed.is_newest("n1029", 1129.0, 8)
