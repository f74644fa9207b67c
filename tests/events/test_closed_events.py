"""What is known of events that are closed."""

import random  # noqa: TID251 - seeded choices

from hypothesis import given
from hypothesis import strategies as st

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


def passed(closed: ClosedEvents, *serials: int, node: str = "", at: float = 100.0) -> None:
    """Events of two lines, in a run of their own."""
    events = [lines_of(serial, at, node=node) for serial in serials]
    run = closed.begin_run(b"".join(events))
    ends = [sum(map(len, events[: number + 1])) for number in range(len(events))]
    closed.pass_run(run, 0, ends, [2] * len(events), [at] * len(events), (node, serials[-1]))


def test_an_event_of_a_run_is_known_as_far_as_the_run_was_passed() -> None:
    closed = ClosedEvents(100)
    data = lines_of(1) + lines_of(2)
    run = closed.begin_run(data)
    closed.pass_run(run, 0, [len(lines_of(1))], [2], [100.0], ("", 1))
    assert closed.is_closed(("", "100.000", 1), 100.0)
    assert not closed.is_closed(("", "100.000", 2), 100.0)
    closed.pass_run(run, len(lines_of(1)), [len(data)], [2], [100.0], ("", 2))
    assert closed.is_closed(("", "100.000", 2), 100.0)


def test_the_very_records_are_known_and_others_are_not() -> None:
    closed = ClosedEvents(100)
    passed(closed, 1)
    identity = ("", "100.000", 1)
    first = digest_of(lines_of(1).split(b"\n")[0])
    assert not closed.is_new(identity, 100.0, first)
    assert closed.is_new(identity, 100.0, first + 1)
    assert not closed.is_new(identity, 100.0, first + 1)


def test_the_same_serial_of_another_node_or_time_is_another_event() -> None:
    closed = ClosedEvents(100)
    passed(closed, 1, node="a")
    passed(closed, 1, node="a", at=101.0)
    closed.note("b", 200.0, 9)
    assert not closed.is_closed(("b", "100.000", 1), 100.0)
    assert not closed.is_closed(("a", "100.500", 1), 100.5)
    assert closed.is_closed(("a", "101.000", 1), 101.0)


def test_what_is_remembered_is_bounded_in_lines_and_the_oldest_goes_first() -> None:
    closed = ClosedEvents(20)
    for serial in range(1, 31):
        passed(closed, serial, at=100.0 + serial)
    assert not closed.is_closed(("", "120.000", 20), 120.0)
    assert closed.is_closed(("", "121.000", 21), 121.0)
    assert len(closed._runs) == 10


def test_runs_are_bounded_in_bytes_too() -> None:
    closed = ClosedEvents(20)
    for serial in range(5):
        data = lines_of(serial, 100.0 + serial)
        run = closed.begin_run(data + b"x" * 9000 + b"\n")
        closed.pass_run(run, 0, [len(data)], [2], [100.0 + serial], ("", serial))
    assert closed._size <= 20 * 1024
    assert not closed.is_closed(("", "100.000", 0), 100.0)
    assert closed.is_closed(("", "104.000", 4), 104.0)


def test_of_runs_without_whole_events_nothing_is_kept() -> None:
    closed = ClosedEvents(20)
    for _ in range(5):
        closed.begin_run(b"x\n")
    assert len(closed._runs) == 1


@given(st.integers(0, 2**32), st.integers(4, 40))
def test_what_is_forgotten_does_not_depend_on_how_events_were_read(seed: int, limit: int) -> None:
    """Whole events and others in any order: the newest lines are remembered, whatever way they came."""
    rng = random.Random(seed)  # noqa: S311 - seeded choices
    some, every = ClosedEvents(limit), ClosedEvents(limit)
    serial = 0
    for _ in range(rng.randrange(30)):
        count = rng.choice((1, 1, 2, 5, 30))
        serials = range(serial + 1, serial + 1 + count)
        serial += count
        if rng.random() < 0.7:
            passed(some, *serials)
        for number in serials:
            digests = {digest_of(line) for line in lines_of(number).split(b"\n")[:-1]}
            every.note("", 100.0, number)
            every.close(("", "100.000", number), set(digests))
            if some._newest.get("", (0.0, 0)) < (100.0, number):
                some.note("", 100.0, number)
                some.close(("", "100.000", number), set(digests))
        old = ("", "100.000", max(1, serial - rng.randrange(limit)))
        assert some.is_closed(old, 100.0) == every.is_closed(old, 100.0)
        if every.is_closed(old, 100.0):
            digest = rng.choice((5, 6, digest_of(lines_of(old[2]).split(b"\n")[0])))
            assert some.is_new(old, 100.0, digest) == every.is_new(old, 100.0, digest)
    known = [number for number in range(1, serial + 1) if every.is_closed(("", "100.000", number), 100.0)]
    assert [number for number in range(1, serial + 1) if some.is_closed(("", "100.000", number), 100.0)] == known


def test_of_nodes_that_were_forgotten_nothing_is_taken_for_new_that_may_be_old() -> None:
    closed = ClosedEvents(100)
    for number in range(1030):
        closed.note(f"n{number}", 100.0 + number, 7)
    assert len(closed._newest) == 1024
    assert not closed.is_newest("n0", 100.0, 7)
    assert not closed.is_newest("new", 105.0, 7)
    assert closed.is_newest("new", 106.0, 7)
    assert closed.is_newest("n1029", 1129.0, 8)
