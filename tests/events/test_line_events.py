"""Ids and times of lines."""

import pytest

from daemon.events.line_events import LineEvents, same_host
from daemon.model import Logsource
from tests.doubles.audit_lines import lines_of


@pytest.mark.parametrize(
    ("name", "host", "same"),
    [("", "vm", True), ("vm", "vm", True), ("vm", "vm.example.org", True), ("vm.a", "vm", True), ("vm2", "vm", False)],
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
