"""Ids and times of lines."""

import msgspec
import pytest

from daemon.events.line_events import MOST_COPIES, MOST_FOLDED, LineEvents, same_host
from daemon.model import Logsource
from tests.doubles.audit_lines import lines_of


@pytest.mark.parametrize(
    ("name", "host", "same"),
    [
        ("", "vm", True),
        ("vm", "vm", True),
        ("VM", "vm", True),
        ("vm", "vm.example.org", True),
        ("vm.a", "vm", True),
        ("Vm.A", "vM", True),
        ("vm2", "vm", False),
        ("vm", "", False),
        ("web.staging.x", "web.prod.x", False),
        ("web.prod", "web.prod.x", False),
        ("10.0.0.2", "10.0.0.1", False),
        ("10", "10.0.0.1", False),
        ("10.0.0.1", "10.0.0.1", True),
        ("2001:DB8::1", "2001:db8::1", True),
        ("2001:db8::1", "2001:db8::2", False),
        ("10", "10.example.org", True),
    ],
)
def test_whose_name_it_is(name: str, host: str, *, same: bool) -> None:
    assert same_host(name, host) is same


def test_an_id_is_of_the_file_and_not_of_its_name() -> None:
    maker = LineEvents("src", host="vm", now=lambda: 9.0)
    ids = [
        maker.event(lines_of("x", identity=identity, path=path), offset, Logsource(), "x").id
        for identity, path, offset in (("1:2:a", "/l", 0), ("1:2:a", "/l.1", 0), ("1:3:a", "/l", 0), ("1:2:a", "/l", 5))
    ]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
    assert ids[3].startswith("src:")
    assert ids[3].endswith(":5")


def test_a_line_without_a_stamp_is_as_old_as_the_one_before() -> None:
    maker = LineEvents("src", host="vm", now=lambda: 9.0)
    event = maker.event(lines_of("x"), 0, Logsource(), "x")
    assert (event.at, event.host, event.fields) == (9.0, "vm", {})
    maker.moment(5.0)
    assert maker.event(lines_of("x"), 0, Logsource(), "x").at == 5.0


def test_a_line_that_stands_for_several_is_several_with_ids_of_their_own() -> None:
    maker = LineEvents("src", host="vm", now=lambda: 9.0)
    event = maker.event(lines_of("x"), 0, Logsource(), "x", at=5.0, fields={"a": 1})
    assert maker.copies(event, 1) == [event]
    copies = maker.copies(event, 3)
    assert [one.id for one in copies] == [event.id, f"{event.id}:1", f"{event.id}:2"]
    assert {(one.at, one.text, one.position) for one in copies} == {(5.0, "x", event.position)}
    assert all(one.fields == {"a": 1, "repeat": 3} for one in copies)


def test_what_a_line_and_a_run_may_become_is_bounded_and_said() -> None:
    maker = LineEvents("src", host="vm", now=lambda: 9.0)
    event = maker.event(lines_of("x"), 0, Logsource(), "x")
    copies = maker.copies(event, MOST_COPIES)
    assert (len(copies), copies[-1].fields) == (MOST_COPIES, {"repeat": MOST_COPIES})
    copies = maker.copies(event, 999_999_999)
    omitted = 999_999_999 - MOST_COPIES
    assert (len(copies), copies[-1].fields) == (MOST_COPIES, {"repeat": 999_999_999, "repeat_omitted": omitted})
    maker.begin()
    made = [len(maker.copies(event, MOST_COPIES)) for _ in range(MOST_FOLDED)]
    assert sum(made) == 2 * MOST_FOLDED
    assert maker.copies(event, 5) == [msgspec.structs.replace(event, fields={"repeat": 5, "repeat_omitted": 4})]
    maker.begin()
    assert len(maker.copies(event, 5)) == 5
