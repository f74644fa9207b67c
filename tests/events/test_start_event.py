"""The event of a start is the one that the taxonomy makes of all records."""

import pytest

from daemon.model import Event
from tests.doubles.audit_lines import execve, lines_of
from tests.doubles.both_ways import make_reader
from tests.events.test_shown import Everything

SHELL = execve(1, "bash", pid=5, ppid=1, at="1795252500.100")


def starts(lines: list[str], *, all_records: bool) -> list[Event]:
    """The starts of programs in lines behind that of a shell, from what following leaves or from all records."""
    reader = make_reader("auditd", {} if all_records else {"auditd": Everything(frozenset({"process_creation"}))})
    node = lines[0][: lines[0].index("type=")]
    reader.feed(lines_of(*(node + line for line in SHELL)))
    found = [one for one in reader.feed(lines_of(*lines, offset=9000)) if isinstance(one, Event)]
    return [one for one in found if one.logsource.category == "process_creation"]


def changed(old: str = "", new: str = "", *, node: str = "") -> list[str]:
    lines = execve(2, "curl", "-o", "a b", "é", pid=6, ppid=5, at="1795252500.200")
    assert any(old in line for line in lines)
    return [node + line.replace(old, new) if old else node + line for line in lines]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(changed(), id="as usual"),
        pytest.param(changed(node="node=db1 "), id="another host"),
        pytest.param(changed(node="node=vm "), id="this host by name"),
        pytest.param(changed('name="/usr/bin/curl"', 'name="/opt/other"'), id="by another name"),
        pytest.param(changed('key="', 'key="a'), id="another key"),
        pytest.param(changed("tty=pts0", "tty=(none)"), id="without a terminal"),
        pytest.param(changed("ppid=5", "ppid=77"), id="of an unknown parent"),
        pytest.param([line for line in changed() if "CWD" not in line], id="without a directory"),
    ],
)
def test_both_ways_give_the_same(lines: list[str]) -> None:
    (event,) = starts(lines, all_records=False)
    (expected,) = starts(lines, all_records=True)
    assert event == expected
    assert list(event.fields) == list(expected.fields)
    assert event.fields["CommandLine"] == "curl -o a b é"
