"""The tables of fields are true: every field that is read is in them, and every field in them is read somewhere."""

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from daemon.events import Output
from daemon.events.gauges import lost_event
from daemon.events.readers import build_reader, detect_format
from daemon.model import Checkpoint, Event, Lines, Position
from daemon.model.audit_keys import AUDIT_KEYS
from daemon.model.fields import CATEGORIES, SERVICES
from daemon.rule_samples.reading import read_samples
from tests.doubles.fields_page import PAGE, page
from tests.doubles.our_rules import RULES

TESTS = Path(__file__).parents[1]
FILLED = {"AUDIT": "audit(1700000000.000:1)", "SYSLOG": "Nov 21 09:20:00", "ISO": "2026-11-21T09:20:00Z", "GS": "\x1d"}
PLACEHOLDER = re.compile(r"\$\{?(AUDIT|SYSLOG|ISO|GS)\}?")
ARGUMENT = re.compile(r"a[0-9]{1,7}")
ACTOR = frozenset({"User", "Image", "ProcessId", "ParentProcessId", "LogonId"})
REAL_LOGS = ("elastic-examples", "auditd-3.0.9/run2", "go-libaudit/auparse")
UNSEEN = {"out_interface", "SourcePort"}
"""Beside others that are seen: of packets `OUT=` as `interface` of `IN=`, of connections the port of `SourceIp`."""
SAID = re.compile(r"\"([A-Za-z_]+)\"")


def outputs_of(fmt: str, data: bytes) -> Iterator[Output]:
    reader = build_reader(
        "x",
        fmt,
        host="web-1",
        now=lambda: 1.7e9,
        usernames=lambda uid: "root" if uid == 0 else "",
        redact=str,
        live=False,
    )
    whole = data if data.endswith(b"\n") else data + b"\n"
    yield from reader.feed(Lines("x", whole, Position("x", "x", 0), Checkpoint("x", Position("x", "x", len(whole)))))
    yield from reader.tick(math.inf)


def by_logsource(outputs: Iterator[Output]) -> dict[str, set[str]]:
    seen: dict[str, set[str]] = defaultdict(set)
    for output in outputs:
        event = output if isinstance(output, Event) else lost_event(output, "web-1")
        source = event.logsource
        seen[source.category or source.service].update(event.fields)
    return seen


def of_samples() -> Iterator[Output]:
    """What the text logs of our rules' samples are read as."""
    for path in sorted(RULES.rglob("*.samples.yml")):
        samples, problems = read_samples(str(path), path.read_text(encoding="utf-8"))
        assert problems == []
        for step in (step for sample in samples for step in sample.steps):
            if step.format in {"auditd", "syslog"}:
                text = PLACEHOLDER.sub(lambda match: FILLED[match[1]], step.lines)
                yield from outputs_of(step.format, text.encode("utf-8", "surrogatepass"))


def of_logs(top: Path) -> Iterator[Output]:
    for path in sorted(path for place in REAL_LOGS for path in (top / place).rglob("*.log*") if path.is_file()):
        head = path.read_bytes()[:4_000_000].rpartition(b"\n")[0]
        fmt = detect_format(head)
        if fmt in {"auditd", "syslog"}:
            yield from outputs_of(fmt, head)


def unlisted(seen: Mapping[str, set[str]]) -> dict[str, set[str]]:
    known = {name: set(of) for name, of in (*SERVICES.items(), *CATEGORIES.items())}
    known["auditd"] = {*AUDIT_KEYS, *ACTOR, *SERVICES["clamav"]}
    known[""] = set()  # lines that nobody understands have no field
    return {
        name: more
        for name, fields in seen.items()
        if (more := {field for field in fields - known[name] if not (name == "auditd" and ARGUMENT.fullmatch(field))})
    }


@pytest.fixture(scope="module")
def of_our_samples() -> dict[str, set[str]]:
    return by_logsource(of_samples())


def test_what_our_samples_have_is_in_the_tables(of_our_samples: dict[str, set[str]]) -> None:
    assert unlisted(of_our_samples) == {}
    assert {
        "process_creation",
        "file_event",
        "sshd",
        "sudo",
        "auth",
        "cron",
        "syslog",
        "auditd",
    } <= of_our_samples.keys()


def test_what_real_logs_have_is_in_the_tables(shared_data: Path) -> None:
    seen = by_logsource(of_logs(shared_data))
    assert unlisted(seen) == {}
    assert len(seen["auditd"]) > 100


def test_every_field_in_the_tables_is_read_somewhere(of_our_samples: dict[str, set[str]]) -> None:
    """In an event of our samples, or in what a test of the readers expects."""
    files = [*(TESTS / "events").rglob("*.py"), *(TESTS / "test_rules.py",)]
    expected = {name for path in files for name in SAID.findall(path.read_text(encoding="utf-8"))}
    expected |= {name for path in (TESTS.parent / "daemon" / "events").glob("*.py") for name in groups_of(path)}
    for name, table in (*SERVICES.items(), *CATEGORIES.items()):
        assert sorted(set(table) - of_our_samples.get(name, set()) - expected - UNSEEN) == [], name


def groups_of(path: Path) -> list[str]:
    """The named groups of a reader's patterns: each becomes a field."""
    return re.findall(r"\(\?P<([a-z_]+)>", path.read_text(encoding="utf-8"))


def test_the_page_is_made_of_the_tables() -> None:
    """After a change of the tables: `python -m tests.doubles.fields_page`."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_action_that_the_readers_know_is_on_the_page() -> None:
    events = TESTS.parent / "daemon" / "events"
    said = {
        action
        for path in ("sshd", "sshd_connections", "sudo", "vsftpd", "logins", "accounts", "pam")
        for action in re.findall(r"\"action\": \"([a-z_]+)\"", (events / f"{path}.py").read_text(encoding="utf-8"))
    }
    listed = {one for of in SERVICES.values() for one in of.get("action", ("", ""))[1].split(", ")}
    assert said - listed == set()


def test_every_action_in_our_samples_is_listed_for_its_service() -> None:
    for event in of_samples():
        if isinstance(event, Event) and event.logsource.service in SERVICES and "action" in event.fields:
            listed = SERVICES[event.logsource.service]["action"][1].split(", ")
            assert str(event.fields["action"]) in listed, (event.logsource, event.text)
            assert all(re.fullmatch("[a-z_]+", one) for one in listed)
