"""Syslog and JSON files as events."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from daemon.events import Output
from daemon.events.line_events import MOST_FOLDED
from daemon.model import Event, Logsource
from tests.doubles.audit_lines import NOW, events_of, lines_of, lost_of, read_all, reader_of

FAILED = "Nov 21 09:30:00 vm sshd[1]: Failed password for root from 192.0.2.1 port 4 ssh2"


def only(outputs: list[Output]) -> Event:
    (event,) = outputs
    assert isinstance(event, Event)
    return event


def test_a_syslog_line_is_an_event() -> None:
    event = only(read_all("syslog", FAILED))
    assert (event.logsource, event.host, event.text, event.source) == (Logsource(service="sshd"), "vm", FAILED, "src")
    assert event.fields["Message"] == "Failed password for root from 192.0.2.1 port 4 ssh2"
    assert event.position is not None
    assert event.position.offset == 0


def test_lines_of_other_hosts_keep_their_host() -> None:
    assert only(read_all("syslog", FAILED.replace(" vm ", " web7 "))).host == "web7"


def test_a_line_that_is_none_becomes_text_and_is_counted() -> None:
    reader = reader_of("syslog")
    outputs = reader.feed(lines_of(FAILED, b"\xff\x1b[31m torn", "", "  x"))
    events = [output for output in outputs if isinstance(output, Event)]
    assert [event.text for event in events] == [FAILED, "\\xff\x1b[31m torn", "  x"]
    assert (events[1].fields, events[1].logsource, events[1].at) == ({}, Logsource(), events[0].at)
    assert reader.unparsed == 2


def test_ids_do_not_depend_on_how_lines_are_handed_over() -> None:
    lines = [FAILED, FAILED.replace("root", "bob"), "x"]
    whole = [e.id for e in reader_of("syslog").feed(lines_of(*lines)) if isinstance(e, Event)]
    reader, offset, parts = reader_of("syslog"), 0, []
    for line in lines:
        piece = lines_of(line, offset=offset)
        parts += [e.id for e in reader.feed(piece) if isinstance(e, Event)]
        offset += len(piece.data)
    assert parts == whole
    assert len(set(whole)) == 3


@pytest.mark.parametrize("stamp", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2031-01-01T00:00:00Z"])
def test_a_line_with_a_date_that_nobody_can_mean_is_as_old_as_the_one_before(stamp: str) -> None:
    silly = f"{stamp} vm sshd[1]: Failed password for root from 192.0.2.1 port 4 ssh2"
    events = events_of(read_all("syslog", silly, FAILED, silly), service="sshd")
    assert [event.at for event in events] == [NOW, NOW - 6600.0, NOW - 6600.0]
    assert {event.fields["src_ip"] for event in events} == {"192.0.2.1"}


FOLDED = FAILED.replace("Failed", "message repeated 19 times: [ Failed") + "]"


def test_a_folded_line_is_as_many_events_as_it_stands_for() -> None:
    events = events_of(read_all("syslog", FAILED, FOLDED, FAILED), service="sshd")
    assert len(events) == len({event.id for event in events}) == 21
    folded = events[1:-1]
    assert {(event.at, event.text) for event in folded} == {(events[0].at, FOLDED)}
    assert all(event.fields == {**events[0].fields, "repeat": 19} for event in folded)
    assert folded[0].id == only(read_all("syslog", "x" * len(FAILED), FOLDED)[1:2]).id


def test_a_short_line_that_claims_to_stand_for_many_costs_little() -> None:
    line = "Nov 21 09:30:00 vm a: message repeated 999999999 times: [ x]"
    outputs = events_of(read_all("syslog", *[line] * 1000), service="syslog")
    assert len(outputs) == 1000 + MOST_FOLDED
    assert all(event.fields["repeat_omitted"] for event in outputs)


def test_a_folded_journal_line_is_several_events() -> None:
    said = FOLDED.partition("]: ")[2]
    line = json.dumps({"SYSLOG_IDENTIFIER": "sshd", "MESSAGE": said})
    assert len(events_of(read_all("json", line), service="sshd")) == 19


def test_a_full_audit_backlog_is_a_loss() -> None:
    line = "Nov 21 09:30:00 vm kernel: [  12.3] audit: audit_lost={} audit_rate_limit=0 audit_backlog_limit=20"
    reader = reader_of("syslog")
    outputs = reader.feed(lines_of(line.format(59), line.format(73)))
    assert [(lost.why, lost.count) for lost in lost_of(outputs)] == [("audit_backlog", 59), ("audit_backlog", 14)]
    after = reader_of("syslog")
    after.restore(reader.changes())
    assert [lost.count for lost in lost_of(after.feed(lines_of(line.format(80))))] == [7]


def test_only_the_kernel_speaks_for_the_kernel() -> None:
    assert lost_of(read_all("syslog", "Nov 21 09:30:00 vm bob: audit: audit_lost=9 x")) == []


def test_a_real_auth_log(shared_data: Path) -> None:
    raw = (shared_data / "elastic-examples" / "auth.log").read_bytes()
    reader = reader_of("syslog", host="ip-10-77-20-248", now=1492733000.0)
    events = [event for event in reader.feed(lines_of(*raw.split(b"\n")[:-1])) if isinstance(event, Event)]
    folded = Counter(int(times) for times in re.findall(rb"message repeated ([0-9]+) times: ", raw))
    assert folded == {5: 77, 4: 4, 3: 1, 2: 3}
    more = sum((times - 1) * lines for times, lines in folded.items())
    assert (len(events), reader.unparsed) == (raw.count(b"\n") + more, 0)
    assert len({event.id for event in events}) == len(events)
    programs = Counter(str(event.fields["program"]) for event in events)
    assert (programs["sshd"], programs["CRON"], programs["sudo"], programs["systemd-logind"]) == (
        4095 + more,
        1264,
        557,
        452,
    )
    assert Counter(event.logsource.service for event in events) == {
        "sshd": 4095 + more,
        "auth": 967 + 1264 + 238,  # what PAM says in the name of cron and of systemd's user sessions is in auth.log
        "sudo": 557,
    }
    failed = [e for e in events if e.fields.get("action") == "login_failed" and e.fields.get("method") == "password"]
    assert (len(failed), raw.count(b"Failed password"), more) == (713 + more, 713, 325)
    assert all("src_ip" in event.fields for event in failed)
    tried: Counter[bytes] = Counter()
    for times, address in re.findall(
        rb"sshd\[[0-9]+\]: (?:message repeated ([0-9]+) times: \[ )?Failed password for .*? from ([0-9.]+) port", raw
    ):
        tried[address] += int(times or 1)
    assert Counter(str(event.fields["src_ip"]).encode() for event in failed) == tried
    assert (sum(tried.values()), len(tried)) == (1038, 105)
    assert sum(1 for event in failed if "repeat" in event.fields) == 410
    assert sum(1 for event in events if event.fields.get("action") == "invalid_user") == 178
    assert sum(1 for event in events if event.fields.get("action") == "login") == 226
    assert sum(1 for event in events if "COMMAND" in event.fields) == 186


def test_a_json_line_is_an_event() -> None:
    event = only(read_all("json", '{"time": 1795259999, "host": "web7", "CommandLine": "id", "Image": "/bin/id"}'))
    assert (event.at, event.host, event.logsource.category) == (NOW - 1.0, "web7", "process_creation")
    assert event.fields["CommandLine"] == "id"


def test_a_json_line_without_a_time_happened_now() -> None:
    outputs = read_all("json", '{"time": 1795259999}', '{"a": 1}', '{"time": 5}', '{"time": "2031-01-01T00:00:00Z"}')
    assert [event.at for event in events_of(outputs)] == [NOW - 1.0, NOW, NOW, NOW]


def test_bad_json_becomes_text_and_is_counted() -> None:
    reader = reader_of("json")
    outputs = reader.feed(lines_of('{"a": 1}', '{"a": ', "", " \t", b"\xff"))
    assert [event.text for event in events_of(outputs)] == ["a=1", '{"a": ', "\\xff"]
    assert reader.unparsed == 2
    assert (reader.tick(1.0), reader.changes()) == ([], [])
    reader.restore([])


def test_sysrq_abuse_as_json_is_auditd(shared_data: Path) -> None:
    raw = (shared_data / "splunk-attack_data" / "linux_sysrq_abuse_linux_sysrq_abuse.log").read_bytes()
    events = events_of(read_all("json", *raw.split(b"\n")), service="auditd")
    assert {event.fields["name"] for event in events} == {"/proc/sysrq-trigger"}
    assert len(events) == sum(1 for line in raw.split(b"\n") if line.strip())
