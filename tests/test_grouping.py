"""From lines, readings and losses to incidents: whom each is about, how they count, end and come again."""

import pytest

from daemon.assembly import build_flow
from daemon.config import Config
from daemon.config import Incidents as Policy
from daemon.detection.engine import Engine
from daemon.detection.incidents import Incidents
from daemon.detection.rules import parse_rules
from daemon.enrichment.redact import Redactor
from daemon.events.readers import build_reader
from daemon.flow import Flow, Outcome
from daemon.meters import Meters
from daemon.model import Checkpoint, Decision, Incident, IncidentStatus, Lines, Lost, Position, Sample
from daemon.telemetry import Metrics
from tests.doubles.audit_lines import execve
from tests.doubles.values import T0

CALL = (
    "type=SYSCALL msg=audit(1795252500.100:{serial}): arch=c000003e syscall={number} success=yes exit=3 a0=1 a1=2 a2=3 "
    "a3=4 items=1 ppid=2 pid=9 auid=1000 uid={uid} gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=1 "
    'comm="x" exe="/usr/bin/x" key="k"'
)
FILE = [
    CALL.format(serial=7, number=257, uid=0),
    'type=CWD msg=audit(1795252500.100:7): cwd="/etc"',
    'type=PATH msg=audit(1795252500.100:7): item=0 name="/etc/x" inode=1 mode=0100644 nametype=CREATE',
    "type=PROCTITLE msg=audit(1795252500.100:7): proctitle=78",
]
CONNECT = [
    CALL.format(serial=8, number=42, uid=1000),
    "type=SOCKADDR msg=audit(1795252500.100:8): saddr=02000050CB0071090000000000000000",
    "type=PROCTITLE msg=audit(1795252500.100:8): proctitle=78",
]
LOGIN = (
    "type=USER_AUTH msg=audit(1795252500.100:9): pid=9 uid=0 auid=4294967295 ses=4294967295 "
    'msg=\'op=PAM:authentication grantors=? acct="bob" exe="/usr/sbin/sshd" hostname=? addr=203.0.113.9 res=failed\''
)
EVERY = """\
title: Every {name}
id: 00000000-0000-4000-8000-{number:012x}
logsource: {{product: linux, {source}}}
detection: {{s: {{{test}}}, condition: s}}
level: medium
"""


def rule(source: str, *, test: str = "x|exists: false", number: int = 1, more: str = "") -> str:
    return EVERY.format(name=source.replace(": ", " "), number=number, source=source, test=test) + more


def flow_of(fmt: str, *rules: str, quiet_after: float = 3600.0, max_tracked: int = 10_000) -> Flow:
    redactor = Redactor()
    reader = build_reader("log", fmt, host="web-1", now=lambda: T0, usernames=str, redact=redactor.text)
    parsed = parse_rules({f"{number}.yml": text for number, text in enumerate(rules)})
    assert parsed.problems == ()
    config = Config(
        host="web-1", incidents=Policy(quiet_after=quiet_after, repeat_every=14_400, max_tracked=max_tracked)
    )
    return build_flow(config, parsed, {"log": reader}, redactor)


def feed(flow: Flow, *texts: str, start: int = 0) -> Outcome:
    data = "".join(f"{text}\n" for text in texts).encode()
    end = Position("/log", "1:1", start + len(data))
    return flow.feed(Lines("log", data, Position("/log", "1:1", start), Checkpoint("log", end)))


SYSLOG = "Nov 21 11:{:02}:00 {} {}: {}"


def said(program: str, message: str, *, minute: int = 0, host: str = "web-1") -> str:
    return SYSLOG.format(minute, host, program, message)


@pytest.mark.parametrize(
    ("fmt", "source", "lines", "entity"),
    [
        ("syslog", "service: sshd", [said("sshd[1]", "Failed password for root from 203.0.113.9 port 4 ssh2")], "src_ip=203.0.113.9"),
        ("syslog", "service: sshd", [said("sshd[1]", "Server listening on :: port 22.")], "host=web-1"),
        ("syslog", "service: sudo", [said("sudo", "bob : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls")], "user=bob"),
        ("syslog", "service: auth", [said("su[1]", "FAILED SU (to root) bob on pts/0")], "user=bob"),
        ("syslog", "service: auth", [said("systemd-logind[1]", "Removed session 9.")], "host=web-1"),
        ("syslog", "service: cron", [said("CRON[1]", "(bob) CMD (/bin/true)")], "user=bob"),
        ("syslog", "service: syslog", [said("kernel", "[1.0] Out of memory: Killed process 9 (x)")], "program=kernel, host=web-1"),
        ("syslog", "service: clamav", [said("clamd[1]", "/tmp/x: Eicar-Signature FOUND")], "host=web-1"),
        ("auditd", "category: process_creation", execve(5, "ls", "-l"), "User=alice, host=web-1"),
        ("auditd", "category: file_event", FILE, "User=0, host=web-1"),
        ("auditd", "category: network_connection", CONNECT, "User=1000, host=web-1"),
        ("auditd", "service: auditd", [LOGIN], "acct=bob, host=web-1"),
        ("json", "service: shop", ['{"service": "shop", "user": "bob", "src_ip": "203.0.113.9"}'], "src_ip=203.0.113.9"),
        ("json", "service: shop", ['{"service": "shop", "user": "bob", "src_ip": null}'], "user=bob"),
        ("json", "service: shop", ['{"service": "shop", "order": 7}'], "host=web-1"),
        ("json", "category: process_creation", ['{"Image": "/bin/sh", "CommandLine": "sh"}'], "host=web-1"),
    ],
)  # fmt: skip
def test_whom_an_incident_is_about_by_default(fmt: str, source: str, lines: list[str], entity: str) -> None:
    outcome = feed(flow_of(fmt, rule(source)), *lines)
    assert [change.incident.entity for change in outcome.changes] == [entity]
    assert outcome.changes[0].decision is Decision.first


def test_every_record_that_says_who_is_about_that_user() -> None:
    outcome = feed(flow_of("auditd", rule("service: auditd")), *FILE)
    assert {change.incident.entity for change in outcome.changes} == {"User=0, host=web-1"}
    assert [change.decision.value for change in outcome.changes] == ["first", *["suppressed"] * (len(FILE) - 1)]


def test_readings_are_about_the_thing_measured_and_losses_about_what_was_lost() -> None:
    flow = flow_of("syslog", rule("category: host_metrics"), rule("category: gpu_metrics", number=2),
                   rule("category: evidence_loss", number=3))  # fmt: skip
    items: list[Sample | Lost] = [
        Sample("host", "host_metrics", T0, {"disk.mount": "/var", "disk.device": "sda1"}, {"disk.percent": 99.0}),
        Sample("host", "host_metrics", T0, {"net.interface": "eth0"}, {"net.errors": 9.0}),
        Sample("host", "host_metrics", T0, {}, {"cpu.percent": 99.0}),
        Sample("gpu", "gpu_metrics", T0, {"gpu.index": "0", "gpu.name": "A"}, {"gpu.celsius": 99.0}),
        Lost("log", "rotated_away", None, T0),
    ]
    entities = [change.incident.entity for item in items for change in flow.feed(item).changes]
    assert entities == [
        "disk.mount=/var",
        "net.interface=eth0",
        "host=web-1",
        "gpu.index=0",
        "source=log, why=rotated_away",
    ]


def test_the_rule_names_the_entity() -> None:
    flow = flow_of("syslog", rule("service: sshd", more="tellwhy: {entity: [user]}\n"))
    lines = [
        said("sshd[1]", f"Failed password for {user} from 203.0.113.{n} port 4 ssh2") for n, user in enumerate("aab")
    ]
    outcome = feed(flow, *lines)
    assert [(change.incident.entity, change.decision.value) for change in outcome.changes] == [
        ("user=a", "first"), ("user=a", "suppressed"), ("user=b", "first"),
    ]  # fmt: skip


def test_the_same_user_on_two_hosts_is_two_entities() -> None:
    flow = flow_of("syslog", rule("service: sudo"))
    words = "bob : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls"
    outcome = feed(
        flow, *(said("sudo", words, host=host, minute=n) for n, host in enumerate(("web-1", "db-1", "web-1")))
    )
    assert [(change.incident.host, change.decision.value) for change in outcome.changes] == [
        ("web-1", "first"), ("db-1", "first"), ("web-1", "suppressed"),
    ]  # fmt: skip
    assert [change.incident.count for change in outcome.changes] == [1, 1, 2]


def test_it_counts_turns_quiet_and_comes_again_as_another() -> None:
    """A new silence of `quiet_after` ends it; what is dated within it still joins, and opens it again."""
    flow = flow_of("syslog", rule("service: cron"), quiet_after=600)
    first = feed(flow, *(said("CRON[1]", "(bob) CMD (x)", minute=minute) for minute in (0, 5, 14))).changes[-1]
    assert (first.incident.count, first.incident.status) == (3, IncidentStatus.open)
    (quiet,) = flow.advance(first.incident.last_at + 601).changes
    assert (quiet.decision, quiet.incident.status, quiet.incident.id) == (
        Decision.quiet, IncidentStatus.closed, first.incident.id,
    )  # fmt: skip
    assert flow.advance(first.incident.last_at + 9999).changes == []
    (late,) = feed(flow, said("CRON[1]", "(bob) CMD (x)", minute=20), start=500).changes
    assert (late.incident.id, late.incident.status, late.incident.count, late.decision.value) == (
        first.incident.id, IncidentStatus.open, 4, "suppressed",
    )  # fmt: skip
    (again,) = feed(flow, said("CRON[1]", "(bob) CMD (x)", minute=40), start=900).changes
    assert (again.decision, again.incident.count) == (Decision.first, 1)
    assert again.incident.id != first.incident.id


@pytest.mark.parametrize("cut", range(1, 7))
def test_after_a_restart_it_goes_on_counting(cut: int) -> None:
    texts = [said("CRON[1]", f"({user}) CMD (x)", minute=minute) for minute, user in enumerate("ababaab")]
    whole = feed(flow_of("syslog", rule("service: cron")), *texts).changes
    first, second = flow_of("syslog", rule("service: cron")), flow_of("syslog", rule("service: cron"))
    stored: dict[str, Incident] = {}
    before = feed(first, *texts[:cut]).changes
    stored |= {change.incident.id: change.incident for change in before}
    second.restore(first.changes())
    second.resume(stored.values())
    after = feed(second, *texts[cut:], start=sum(len(text) + 1 for text in texts[:cut])).changes
    assert [*before, *after] == whole


def test_at_its_bound_a_flow_hides_nobody_and_says_who_was_let_go() -> None:
    flow, most, users = flow_of("syslog", rule("service: cron"), max_tracked=100), 100, 250
    lines = [said("CRON[1]", f"(user{n}) CMD (x)", minute=n * 50 // users) for n in range(users)]
    changes = feed(flow, *lines).changes
    told = [change.incident.entity for change in changes if change.decision is Decision.first]
    assert told == [f"user=user{n}" for n in range(users)]
    gone = {change.incident.entity for change in changes if change.decision is Decision.quiet}
    assert len(gone) == users - most
    assert all(change.incident.status is IncidentStatus.closed for change in changes if change.incident.entity in gone
               and change.decision is Decision.quiet)  # fmt: skip
    assert (flow.tallies().evictions["incidents"], flow.tallies().open_incidents) == (users - most, most)
    (again,) = [change for change in feed(flow, said("CRON[1]", "(user0) CMD (x)", minute=51), start=20_000).changes
                if change.decision.notifies]  # fmt: skip
    assert (again.incident.entity, again.decision, again.incident.count) == ("user=user0", Decision.first, 1)


BURST = """\
title: Failed
name: failed
logsource: {product: linux, service: sshd}
detection: {s: {action: login_failed}, condition: s}
---
title: Burst
id: 00000000-0000-4000-8000-000000000002
correlation: {type: event_count, rules: [failed], group-by: [src_ip], timespan: 1h, condition: {gte: 2}}
"""


def test_windows_are_bounded_for_each_rule_and_each_that_goes_is_counted() -> None:
    """Of five addresses three are remembered; the metric says that two were not."""
    redactor, metrics = Redactor(), Metrics()
    reader = build_reader("log", "syslog", host="web-1", now=lambda: T0, usernames=str, redact=redactor.text)
    other = (
        BURST.replace("Burst", "Other")
        .replace("0002", "0003")
        .replace("failed\n", "failed2\n")
        .replace("[failed]", "[failed2]")
    )
    parsed = parse_rules({"r.yml": BURST, "o.yml": other})
    assert parsed.problems == ()
    engine = Engine(parsed, max_groups=3)
    incidents = Incidents(quiet_after=60, repeat_every=60, max_tracked=9)
    flow = Flow({"log": reader}, engine, incidents, redact=redactor.anomaly, host="web-1")
    meters = Meters(metrics, flow)
    words = "Failed password for root from 203.0.113.{} port 4 ssh2"

    feed(flow, *(said("sshd[1]", words.format(n), minute=n) for n in range(5)))
    meters.note()
    assert metrics.registry.get_sample_value("tellwhy_evictions_total", {"state": "detection"}) == 2 * 2
    stored = {(row.step, row.key): row for row in flow.changes()}
    assert sum(row.value is not None for row in stored.values() if row.step == "detection") == 3 * 2

    outcome = feed(flow, *(said("sshd[1]", words.format(n), minute=10 + n) for n in (4, 0)), start=5000)
    assert {anomaly.entity for anomaly in outcome.anomalies} == {"src_ip=203.0.113.4"}  # the first was forgotten
