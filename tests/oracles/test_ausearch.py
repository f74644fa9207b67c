"""Our reading of audit logs against auditd's own: libauparse (Debian's python3-audit) and ausearch (auditd)."""

import csv
import io
import ipaddress
import json
import math
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from daemon.events.assemble import Assembler, Group
from daemon.events.auditd import Record, parse_record
from daemon.events.scene import build_scene
from daemon.events.sockaddr import parse_sockaddr
from daemon.model import Event, Position, Value
from tests.doubles.audit_lines import lines_of, reader_of
from tests.oracles.audit_logs import Log, logs, torn_logs
from tests.oracles.corpus import logs as real_logs

HERE = Position("/var/log/audit/audit.log", "1:2:abc", 0)
PYTHON = Path("/usr/bin/python3")
DUMP = Path(__file__).with_name("auparse_dump.py")
pytestmark = pytest.mark.system
Identity: TypeAlias = tuple[str, str, int]
Texts: TypeAlias = tuple[str, ...]
bounded = partial(
    settings,
    max_examples=60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # each try is a process: making a failure smaller would take minutes
)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file for logs, where libauparse is there to read it."""
    if (
        not PYTHON.exists()
        or subprocess.run([PYTHON, "-c", "import auparse"], capture_output=True, check=False).returncode
    ):
        pytest.skip("needs Debian's python3-audit")
    return tmp_path_factory.mktemp("auparse") / "audit.log"


def theirs(lines: Sequence[bytes], path: Path) -> list[dict[str, Any]]:
    """The events that libauparse finds in a log."""
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    done = subprocess.run([PYTHON, DUMP, path], capture_output=True, check=True, timeout=30)
    return [json.loads(line) for line in done.stdout.splitlines()]


def ours(lines: Sequence[bytes]) -> list[Group]:
    """The groups that we find in it."""
    assembler = Assembler("a")
    records = [parse_record(line, HERE) for line in lines]
    groups = [group for record in records if record is not None for group in assembler.feed(record)]
    return [*groups, *assembler.tick(math.inf)]


def text_of(record: Record) -> str:
    """A record as libauparse holds it: without what auditd added."""
    return record.line.split(b"\x1d")[0].decode()


def their_groups(events: Sequence[Mapping[str, Any]]) -> dict[Identity, list[Texts]]:
    """Identity → the records of each event of it, in the order of the events. An EOE is no record."""
    found: dict[Identity, list[Texts]] = {}
    for event in events:
        node, seconds, milliseconds, serial = event["id"]
        texts = sorted(record["text"] for record in event["records"] if record["type"] != "EOE")
        if texts:
            found.setdefault((node or "", f"{seconds}.{milliseconds:03}", serial), []).append(tuple(texts))
    return found


def our_groups(groups: Sequence[Group]) -> dict[Identity, list[Texts]]:
    found: dict[Identity, list[Texts]] = {}
    for group in groups:
        found.setdefault((group.node, group.stamp, group.serial), []).append(tuple(sorted(map(text_of, group.records))))
    return found


def whole_or_parts(found: Mapping[Identity, list[Texts]]) -> dict[Identity, tuple[bool, Counter[str]]]:
    """Whether an event came in one piece, and all of its records. What comes late libauparse makes one more event of, and
    hands out in an order of its own; we make one of each record.
    """
    return {identity: (len(texts) == 1, Counter(sum(texts, ()))) for identity, texts in found.items()}


@bounded()
@given(log=logs())
def test_interleaved_records_come_together_as_libauparse_has_them(log: Log, workplace: Path) -> None:
    assert our_groups(ours(log.lines)) == their_groups(theirs(log.lines, workplace))


@bounded()
@given(log=logs(order="ended"))
def test_records_in_any_order_before_the_end_come_together(log: Log, workplace: Path) -> None:
    assert our_groups(ours(log.lines)) == their_groups(theirs(log.lines, workplace))


@bounded()
@given(log=torn_logs())
def test_torn_lines_join_the_event_that_their_head_names(log: Log, workplace: Path) -> None:
    assert our_groups(ours(log.lines)) == their_groups(theirs(log.lines, workplace))


@bounded()
@given(log=logs(steps=(0, 5, 150, 3000, 9000), nodes=False))
def test_time_closes_what_nothing_else_does(log: Log, workplace: Path) -> None:
    """Steps of less than one second or more than two: libauparse compares whole seconds, we the exact time."""
    assert whole_or_parts(our_groups(ours(log.lines))) == whole_or_parts(their_groups(theirs(log.lines, workplace)))


@bounded()
@given(log=logs(order="any"))
def test_no_order_of_records_loses_or_mixes_any(log: Log, workplace: Path) -> None:
    """Where a PROCTITLE comes first, libauparse closes the event with it; we wait for the rest, and so hold more."""
    mine, known = our_groups(ours(log.lines)), their_groups(theirs(log.lines, workplace))
    assert {identity: Counter(sum(texts, ())) for identity, texts in mine.items()} == {
        identity: Counter(sum(texts, ())) for identity, texts in known.items()
    }
    assert all(any(set(texts[0]) >= set(other) for other in known[identity]) for identity, texts in mine.items())


INTERPRETED = frozenset({"comm", "exe", "key", "name", "cwd", "proctitle", "acct", "cmd", "path"})
"""What libauparse shows decoded and we do, too; all other fields we keep as the record has them."""


def said_by(record: Mapping[str, Any]) -> dict[str, str]:
    """The fields of a record of theirs, as ours should be; without those that its binding cannot hand over."""
    found = {}
    for name, (written, interpreted) in record["fields"].items():
        argument = record["type"] == "EXECVE" and ARGUMENT.fullmatch(name)
        value = interpreted if name in INTERPRETED or argument else written
        if name not in {"node", "msg"} and not CHUNK.match(name) and value is not None:
            found[name] = value if name in INTERPRETED or argument else value.strip('"')
    return found


ARGUMENT, CHUNK = re.compile(r"a[0-9]+"), re.compile(r"a[0-9]+(_len|\[)")


def fields_of(group: Group) -> dict[str, dict[str, Value]]:
    """The fields of each record of a group, by its text; all EXECVE records of one event are one."""
    scene = build_scene(group)
    return {text_of(record): decoded.fields for record, decoded in scene.records}


def comparable(name: str, value: Value) -> Value:
    """The kernel takes unprintable characters off the end of a title (`audit_proctitle_rtrim`), and so do we."""
    return value.rstrip(" ") if name == "proctitle" and isinstance(value, str) else value


def disagreements(groups: Sequence[Group], events: Sequence[Mapping[str, Any]]) -> tuple[int, list[tuple[Any, ...]]]:
    """How many values were compared, and those that differ as (type, field, theirs, ours)."""
    mine = {text: fields for group in groups for text, fields in fields_of(group).items()}
    arguments = {text_of(record): fields_of(group) for group in groups for record in group.records}
    compared, different = 0, []
    for record in (record for event in events for record in event["records"] if record["type"] != "EOE"):
        fields = mine.get(record["text"])
        if fields is None:  # a later EXECVE record: its arguments are in the first
            found = arguments.get(record["text"], {})
            fields = next((one for one in found.values() if one["type"] == "EXECVE"), {})
        for name, value in said_by(record).items():
            compared += 1
            got = fields.get(name)
            if comparable(name, value) != comparable(name, got[0] if isinstance(got, tuple) else got):
                different.append((record["type"], name, value, got))
    return compared, different


@bounded()
@given(log=logs())
def test_every_field_says_what_libauparse_says(log: Log, workplace: Path) -> None:
    compared, different = disagreements(ours(log.lines), theirs(log.lines, workplace))
    assert different == []
    assert compared


@bounded()
@given(log=logs())
def test_what_a_group_says_is_what_libauparse_interprets(log: Log, workplace: Path) -> None:
    """Names of users and calls, addresses, and the arguments: those that the program was given, chunked or not."""
    groups = {(group.node, group.stamp, group.serial): group for group in ours(log.lines)}
    for event in theirs(log.lines, workplace):
        node, seconds, milliseconds, serial = event["id"]
        scene = build_scene(groups[node or "", f"{seconds}.{milliseconds:03}", serial])
        fields = {text_of(record): decoded.fields for record, decoded in scene.records}
        for record in event["records"]:
            assert wrong_names(record["fields"], fields.get(record["text"], {})) == []
            said = {name: interpreted for name, (_, interpreted) in record["fields"].items()}
            if record["type"] == "SYSCALL":
                assert scene.name == said["syscall"]
            if record["type"] == "SOCKADDR":
                assert address_words(str(fields[record["text"]]["saddr"])) == their_address(said["saddr"])
    for made in log.made:
        assert build_scene(groups[made.node, made.stamp, made.serial]).arguments == made.arguments


def wrong_names(said: Mapping[str, Sequence[str]], fields: Mapping[str, Value]) -> list[tuple[str, Value, str]]:
    """The ids whose name, as auditd wrote it, we have otherwise than libauparse reads it."""
    named = [
        (name, fields.get(name.upper()), said[name][1]) for name in ("auid", "uid", "euid", "ouid") if name in said
    ]
    return [(name, ours, theirs) for name, ours, theirs in named if ours is not None and ours != theirs]


def address_words(saddr: str) -> dict[str, str]:
    address = parse_sockaddr(saddr)
    if address is None:
        return {}
    if address.family == "local":
        return {"saddr_fam": "local", "path": address.host}
    host = {"laddr": address.host, "lport": str(address.port)} if address.is_remote else {}
    return {"saddr_fam": address.family, **host}


def their_address(said: str) -> dict[str, str]:
    """`{ saddr_fam=inet laddr=192.0.2.1 lport=80 }`; an IPv4 address in an IPv6 socket is that address to us."""
    found = dict(
        pair.split("=", 1)
        for pair in said.strip("{} ").split()
        if pair.startswith(("saddr_fam=", "laddr=", "lport=", "path="))
    )
    if found["saddr_fam"] in {"inet", "inet6"} and "laddr" not in found:  # cut short
        return {}
    if "laddr" in found:
        address = ipaddress.ip_address(found["laddr"])
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        found["laddr"] = str(mapped or address)
    return found


REASONS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "they take the closing bracket of 1(0x1) off the value": (("MAC_IPSEC_EVENT", "spi"),),
    "we decode what was typed, as all untrusted strings; they write key strokes out": (
        ("USER_TTY", "data"),
        ("TTY", "data"),
    ),
    "one line of go-libaudit's has a stray quote after the hex": (("SYSCALL", "key"),),
    "old kernels wrote old auid=… new auid=…: they give the first, we the new one, as newer kernels do": (
        ("LOGIN", "auid"),
    ),
    "a copy lost the 0x1D: they take keys out of SADDR={…}, which a socket's path may forge; we decode the address": (
        *(("SOCKADDR", name) for name in ("path", "SADDR", "fam", "nlnk-fam", "nlnk-pid", "laddr", "lport")),
    ),
    "they cut what a program says at the first blank": (
        *((f"{verb}_{what}", "op") for verb in ("ADD", "DEL") for what in ("USER", "GROUP")),
        *(("USER_ACCT", "op"), ("USER_CHAUTHTOK", "op"), ("USER_AVC", "cmdline"), ("ANOM_ABEND", "reason")),
    ),
    "a name with a blank in it: auditd writes it as hex, which they show only with the number": (
        *(("SYSCALL", name) for name in ("GID", "EGID", "SGID", "FSGID")),
        ("PATH", "OGID"),
    ),
}
"""Why we say something else than libauparse of the real logs → (type, field) of the records."""
OTHERWISE = {case for cases in REASONS.values() for case in cases}


def audit_logs(shared: Path) -> list[tuple[str, list[bytes]]]:
    """The real logs that are audit logs, without blank lines."""
    found = [(name, [line.strip() for line in lines if line.strip()]) for name, lines in real_logs(shared)]
    return [(name, lines) for name, lines in found if all(parse_record(line, HERE) is not None for line in lines[:9])]


def test_every_field_of_every_real_record_says_what_libauparse_says(shared_data: Path, workplace: Path) -> None:
    """16,600 values of all the audit logs that there are; events are at least as whole as theirs."""
    compared = 0
    different: dict[tuple[str, str], tuple[str, Value]] = {}
    for name, lines in audit_logs(shared_data):
        groups, events = ours(lines), theirs(lines, workplace)
        mine, known = our_groups(groups), their_groups(events)
        assert {one: set(sum(texts, ())) for one, texts in mine.items()} == {
            one: set(sum(texts, ())) for one, texts in known.items()
        }, name
        assert all(set(mine[one][0]) == set(texts[0]) for one, texts in known.items() if len(texts) == 1), name
        count, found = disagreements(groups, events)
        compared += count
        different |= {(kind, field): (value, got) for kind, field, value, got in found}
    assert different.keys() == OTHERWISE, different
    assert compared > 16_000


@pytest.mark.parametrize("name", ["auditd-3.0.9/run1/audit.log", "auditd-3.0.9/run2/audit.log"])
def test_ausearch_lists_the_same_events_with_the_same_results(shared_data: Path, name: str) -> None:
    if shutil.which("ausearch") is None:
        pytest.skip("needs ausearch of Debian's package auditd")
    path = shared_data / name
    done = subprocess.run(
        ["ausearch", "-if", path, "--format", "csv"], capture_output=True, check=True, timeout=30, text=True
    )
    rows = [(row["NODE"], int(row["SERIAL_NUM"]), row["RESULT"]) for row in csv.DictReader(io.StringIO(done.stdout))]
    assert len(rows) >= 9
    assert Counter(rows) == Counter(
        (group.node, group.serial, result_of(group)) for group in ours(path.read_bytes().split(b"\n"))
    )


def result_of(group: Group) -> str:
    """How an event ended, in the words of ausearch's csv."""
    words = {"yes": "success", "1": "success", "success": "success", "no": "failed", "0": "failed", "failed": "failed"}
    said = [fields.get(key) for fields in fields_of(group).values() for key in ("success", "res")]
    return next((words[str(value)] for value in said if value in words), "")


@pytest.mark.parametrize("how", [[], ["--format", "raw"]])
@pytest.mark.parametrize(
    "name",
    [
        "auditd-3.0.9/run1/audit.log",
        "auditd-3.0.9/run2/audit.log",
        "go-libaudit/auparse/testdata/audit-rhel7.log",
        "otrf-security-datasets/sh_arp_cache_2020-11-10074812.log",
    ],
)
def test_a_log_that_ausearch_copied_tells_the_same(shared_data: Path, name: str, how: list[str]) -> None:
    """It turns the records of an event round, and puts `----` and `time->` between events."""
    if shutil.which("ausearch") is None:
        pytest.skip("needs ausearch of Debian's package auditd")
    path = shared_data / name
    done = subprocess.run(["ausearch", "-if", path, *how], capture_output=True, check=False, timeout=30)
    written, copied = (told_by(data.split(b"\n")) for data in (path.read_bytes(), done.stdout))
    assert written == copied
    assert written


def told_by(lines: Sequence[bytes]) -> Counter[tuple[str, ...]]:
    """The events of a log, by what they are and say; those of lines that are no records aside."""
    reader = reader_of("auditd")
    outputs = [*reader.feed(lines_of(*lines)), *reader.tick(math.inf)]
    named = ("type", "CommandLine", "Image", "TargetFilename", "DestinationIp", "SYSCALL", "User", "name")
    return Counter(
        (event.id.rsplit(":", 1)[0], event.logsource.category, *(str(event.fields.get(key)) for key in named))
        for event in outputs
        if isinstance(event, Event) and event.fields
    )
