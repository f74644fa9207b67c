"""Columns say of every call what looking at it alone says, up to the first that is not as usual."""

import random  # noqa: TID251 - seeded logs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.events.audit_calls import Calls
from daemon.events.audit_parts import ARGUMENTS, CWD, EVERY, PATH, TITLE
from daemon.events.audit_rows import Rows
from tests.doubles.any_audit import AnyAudit
from tests.doubles.audit_lines import execve, lines_of


def rows_of(*events: list[str]) -> list[tuple[bytes, ...]]:
    rows = Rows(lines_of(*(line for event in events for line in event)).data)
    assert len(rows) == len(events)
    return rows.found


def start(serial: int, *arguments: str) -> list[str]:
    return execve(serial, *(arguments or ("ls",)), pid=serial, ppid=5, at=f"1795252500.{serial}00")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("SYSCALL=execve ", "SYSCALL=clone ", id="who"),
        pytest.param('name="/usr/bin/ls"', 'name="/usr/bin/ ls"', id="a path"),
        pytest.param("proctitle=6C73", "proctitle=6C7", id="a title"),
        pytest.param("proctitle=6C73", "proctitle=6C1D73", id="a separator in a title"),
    ],
)
def test_usual_are_those_before_the_first_that_is_not(old: str, new: str) -> None:
    events = [start(2), start(3), [line.replace(old, new) for line in start(4)], start(5)]
    assert events[2] != start(4)
    calls = Calls(rows_of(*events), 0, EVERY)
    assert calls.usual == 2
    assert Calls(rows_of(*events[:2], events[3]), 0, EVERY).usual == 3


@pytest.mark.parametrize("news", [TITLE, PATH, CWD, ARGUMENTS])
def test_a_call_that_tells_something_new_is_not_as_usual(news: int) -> None:
    assert Calls(rows_of(start(2)), news, EVERY).usual == 0


def test_a_call_that_lacks_records_is_as_usual_where_that_is_known() -> None:
    rows = rows_of(start(2), [line.replace("items=2", "items=3") for line in start(3)])
    assert Calls(rows, 0, EVERY).usual == 2
    assert Calls(rows, 0, EVERY & ~PATH).usual == 1


def test_what_is_said_of_a_start() -> None:
    calls = Calls(rows_of(start(2, "sh", "-c", "id | nc"), start(3)), 0, EVERY)
    assert calls.pids == [2, 3]
    assert [found and found[1] for found in calls.arguments] == [b"sh -c id | nc", b"ls"]
    assert calls.titles == [b"sh -c id | nc", b"ls"]
    assert b'proctitle="sh -c id | nc"\n' in calls.texts[0]
    assert not calls.is_no_start(0)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_count_without_arguments_has_none(count: int) -> None:
    empty = [f"{line.partition(' argc=')[0]} argc={count} " if " argc=" in line else line for line in start(2)]
    calls = Calls(rows_of(empty, start(3)), 0, EVERY)
    assert [found and found[1] for found in calls.arguments] == [None, b"ls"]
    assert not calls.is_no_start(0)


@given(st.integers(0, 100_000), st.integers(2, 12))
def test_together_they_are_as_each_by_itself(seed: int, events: int) -> None:
    data = b"".join(line + b"\n" for line in AnyAudit(random.Random(seed)).lines(events))  # noqa: S311 - a seeded log
    rows = Rows(data)
    found = [rows.found[number] for number in rows.calls if number not in rows.others]
    if not found:
        return
    together = Calls(found, 0, EVERY)
    for place in range(together.usual):
        alone = Calls(found[place : place + 1], 0, EVERY)
        assert alone.usual == 1
        for name in ("callers", "paths", "titles", "pids", "arguments", "texts"):
            assert getattr(alone, name)[0] == getattr(together, name)[place]
        assert alone.is_no_start(0) == together.is_no_start(place)
    if together.usual < len(found):
        assert Calls(found[together.usual : together.usual + 1], 0, EVERY).usual == 0
