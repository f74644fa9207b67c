"""The logs that nobody here wrote, read by our readers as `replay` would: file → events."""

import html
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

from daemon.model import Event
from tests.doubles.audit_lines import lines_of, reader_of

_OPEN_XP = "open-xp-rules/packages/system/normalization_formulas/UNIX_like/auditd/syslog_structured"
_WHOLE_LOGS = (
    *("auditd-3.0.9/*/audit.log*", "go-libaudit/testdata/*.log", "go-libaudit/auparse/testdata/*.log"),
    *("otrf-security-datasets/*.log", "splunk-attack_data/*.log", "splunk-attack_data/*.txt"),
    "elastic-examples/auth.log",
)
_SYSMON = frozenset({"octave_sysmon_linux.txt", "linux_post_exploitation_linpeasdataset.txt"})
_SYSMON_DATA = re.compile(r'<Data Name="(\w+)">([^<]*)</Data>')
_AUDIT_LINE = re.compile(r"^\s*((?:node=\S+ )?type=\S+ msg=audit\(.*)$", re.MULTILINE)


def logs(shared: Path) -> Iterator[tuple[str, list[bytes]]]:
    """Every log there is: its name, its lines."""
    for pattern in _WHOLE_LOGS:
        for path in sorted(shared.glob(pattern)):
            lines = path.read_bytes().split(b"\n")
            yield str(path.relative_to(shared)), [_as_json(line) for line in lines] if path.name in _SYSMON else lines
    for path in sorted((shared / "go-libaudit/aucoalesce/testdata").glob("*.yaml")):
        yield str(path.relative_to(shared)), [line.encode() for line in _AUDIT_LINE.findall(path.read_text())]
    for path in open_xp_raws(shared):
        yield str(path.relative_to(shared)), open_xp_lines(json.loads(path.read_text()))


def _as_json(line: bytes) -> bytes:
    """An event of Sysmon for Linux as a collector hands it on: its data, by name."""
    found = dict(_SYSMON_DATA.findall(line.decode()))
    return json.dumps({key: html.unescape(value) for key, value in found.items()}).encode() if found else b""


def open_xp_raws(shared: Path) -> list[Path]:
    """The raw events of open-xp-rules."""
    return sorted((shared / _OPEN_XP).glob("*/tests/raw_*.txt"))


def open_xp_lines(raw: dict[str, object]) -> list[bytes]:
    """One event of open-xp-rules as auditd would have written it: their collector took the lines apart."""
    head = f"msg=audit({raw['timestamp']}.{raw['timestampfractional']}:{raw['eventid']}):"
    items = raw["items"]
    assert isinstance(items, dict)
    order = sorted(items, key=lambda kind: kind in {"PROCTITLE", "EOE"})
    return [f"type={kind} {head} {body}".encode() for kind in order for body in items[kind]]


def events_of_log(name: str, lines: list[bytes]) -> list[Event]:
    """The events of one log. Ids are made unique across logs, because some logs are copies of each other."""
    reader = reader_of("auto")
    outputs = [*reader.feed(lines_of(*lines, identity=name)), *reader.tick(math.inf)]
    return [output for output in outputs if isinstance(output, Event)]
