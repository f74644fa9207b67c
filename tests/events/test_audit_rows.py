"""Columns say of every row what looking at it alone says."""

import random  # noqa: TID251 - seeded logs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.events.audit_nodes import FORWARD
from daemon.events.audit_rows import Rows
from daemon.events.audit_shape import are_names
from tests.doubles.any_audit import AnyAudit


def alone(serial: int, at: str = "100.000", *, node: str = "", acct: str = "x", names: str = "") -> bytes:
    head = f"node={node} " if node else ""
    said = f'acct="{acct}" exe="/bin/l" hostname=? addr=? terminal=ssh res=failed'
    return f"{head}type=USER_LOGIN msg=audit({at}:{serial}): pid=8 uid=0 auid=1 ses=1 msg='op=login {said}'{names}\n".encode()


def ends_of(*lines: bytes) -> list[int]:
    """The end of the run that each row begins or is in."""
    rows = Rows(b"".join(lines))
    assert len(rows) == len(lines)
    return [rows.end_of_run(number) for number in range(len(rows))]


def test_nothing_has_no_rows() -> None:
    assert len(Rows(b"")) == 0


def test_events_in_order_are_one_run() -> None:
    assert ends_of(alone(1), alone(2), alone(5, "100.001"), alone(6, "103.000")) == [4, 4, 4, 4]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(alone(2, node="a"), id="another node"),
        pytest.param(alone(1), id="the same serial"),
        pytest.param(alone(1 + FORWARD), id="a serial of another boot"),
        pytest.param(alone(2, "99.999"), id="an earlier time"),
        pytest.param(b"rubbish\n", id="no record"),
        pytest.param(b"\n", id="an empty line"),
        pytest.param(b"type=AVC msg=audit(100.000:2): x\n", id="a record of another shape"),
        pytest.param(alone(2, acct="msg=audit(1"), id="a mark in a value"),
        pytest.param(alone(2, names=" x"), id="an end that is not usual"),
    ],
)
def test_a_run_ends_before_what_does_not_follow(line: bytes) -> None:
    assert ends_of(alone(1), line)[0] == 1


def test_other_lines_are_counted_together() -> None:
    rows = Rows(alone(1) + b"a\nb\n" + alone(2) + b"c\n")
    assert rows.others == {1, 2, 4}
    assert (rows.end_of_others(1), rows.end_of_others(0), rows.end_of_others(4)) == (3, 3, 5)
    assert (rows.start(0), rows.start(2), rows.lines) == (0, len(alone(1)) + 2, [1] * 5)


@settings(deadline=None)
@given(st.integers(0, 100_000))
def test_columns_are_those_of_each_row(seed: int) -> None:
    data = b"".join(line + b"\n" for line in AnyAudit(random.Random(seed)).lines(12))  # noqa: S311 - a seeded log
    rows = Rows(data)
    texts = [found[0] for found in rows.found]
    assert b"".join(texts) == data
    for number, text in enumerate(texts):
        alone_in_rows = Rows(text)
        assert len(alone_in_rows) == 1
        assert (0 in alone_in_rows.others) == (number in rows.others)
        assert data[rows.start(number) : rows.ends[number]] == text
        assert rows.lines[number] == text.count(b"\n")
        assert (alone_in_rows.at, alone_in_rows.serials) == ([rows.at[number]], [rows.serials[number]])
    for first in range(len(texts)):
        last = rows.end_of_run(first)
        for number in range(first + 1, last):
            assert rows.nodes[number] == rows.nodes[first]
            assert rows.serials[number - 1] < rows.serials[number] < rows.serials[number - 1] + FORWARD
            assert rows.at[number - 1] <= rows.at[number]
            assert number not in rows.others
    calls = [number for number, found in enumerate(rows.found) if b"type=SYSCALL" in found[0][:270] and found[4]]
    assert [number for number in rows.calls_of(0, len(rows)) if number not in rows.others] == [
        number for number in calls if not rows.found[number][2]
    ]


def test_a_long_event_is_read_record_by_record() -> None:
    """The worst bug: of forged lines each leaves its long parts in what is remembered, hundreds of megabytes in all."""
    rows = Rows(alone(1) + alone(2, acct="x" * 9000) + alone(3))
    assert rows.others == {1}
    assert Rows(alone(1) + alone(2, acct="x" * 7000)).others == set()


def test_of_an_event_that_is_too_long_nothing_is_remembered() -> None:
    Rows(alone(1))
    before = are_names.cache_info().currsize
    assert Rows(alone(1) + alone(2, names='\x1dUID="' + "y" * 9000 + '"')).others == {1}
    assert are_names.cache_info().currsize == before
