"""Golden files of elastic/go-libaudit: what another parser made of the same records and events."""

import errno
import json
import math
import re
import signal
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from daemon.events.auditd import decode_execve, decode_record, parse_record
from daemon.events.sockaddr import parse_sockaddr
from daemon.events.syscalls import syscall_name
from daemon.model import Event, Position, Value
from tests.doubles.audit_lines import lines_of, lost_of, reader_of

HERE = Position("/var/log/audit/audit.log", "1:2:abc", 0)
ARCHITECTURES = {"c000003e": "x86_64", "40000003": "i386", "c00000b7": "aarch64"}
FAMILIES = {"inet": "ipv4", "inet6": "ipv6", "local": "unix", "netlink": "netlink"}
RESULTS = {"yes": "success", "1": "success", "success": "success", "no": "fail", "0": "fail", "failed": "fail"}
UNSET = {"4294967295": "unset"}
SELINUX = ("user", "role", "domain", "level", "category")
IDS = re.compile(r"(old-)?auid|ses")
DIFFERENT_EVENTS: Mapping[tuple[str, str], str] = {
    (
        f"AUDIT_TIME_ADJNTPVAL {name}",
        "tags",
    ): "their copy lost the 0x1D of key=(null)ARCH=x86_64, and they take x86_64 for a key"
    for name in ("chronyd status", "chronyd freq", "freq/tick")
}
"""(case, key) of an event → why we say something else."""
DIFFERENT_RECORDS: Mapping[tuple[int, str], str] = {
    (517645, "family"): "an address of no family (AF_UNSPEC) has no name; they give its number, 0",
}
"""(serial, key) of a record → why we say something else."""


def words_of(fields: Mapping[str, Value]) -> dict[str, str]:
    """Our fields in the words of go-libaudit: it interprets numbers and renames some keys, where we keep the record's."""
    words = {key: value for key, value in fields.items() if isinstance(value, str)}
    words |= {key: UNSET.get(value, value) for key, value in words.items() if IDS.fullmatch(key)}
    for key in ("subj", "obj"):
        named = zip(SELINUX, words.get(key, "").split(":", 4), strict=False)
        words |= {f"{key}_{part}": value for part, value in named if value}
    result = RESULTS.get(words.get("success") or words.get("res") or "")
    said = {
        "result": result,
        "syscall": syscall_name(words.get("arch", ""), words.get("syscall", "")),
        "arch": ARCHITECTURES.get(words.get("arch", "")),
        "exit": errno.errorcode.get(-int(words["exit"])) if words.get("exit", "").startswith("-") else None,
        "sig": signal.Signals(int(words["sig"])).name if words.get("type") == "SECCOMP" else None,
        "new_auid": words.get("auid"),
        "old_auid": fields.get("old-auid"),
    }
    words |= {key: str(value) for key, value in said.items() if value}
    return words | address_words(words)


def address_words(words: Mapping[str, str]) -> dict[str, str]:
    address = parse_sockaddr(words["saddr"]) if "saddr" in words else None
    if address is None:
        return {}
    family = FAMILIES[address.family]
    if address.family == "local":
        return {"family": family, "path": address.host, "socket_family": family, "socket_path": address.host}
    found = {"addr": address.host, "port": str(address.port)} if address.is_remote else {}
    said = {"family": family, **found}
    return said | {f"socket_{key}": value for key, value in said.items()}


def golden_records(shared: Path) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    """(their row, our words) of each record."""
    for golden in sorted((shared / "go-libaudit/auparse/testdata").glob("*.golden")):
        for row in json.loads(golden.read_text()) or []:
            if row is None:  # a line that they could not parse; see below
                continue
            record = parse_record(f"type={row['record_type'].upper()} msg={row['raw_msg']}".encode(), HERE)
            assert record is not None
            assert record.serial == row["sequence"]
            decoded = decode_execve([record])[0] if record.kind == "EXECVE" else decode_record(record)
            yield row, words_of(decoded.fields)


def test_every_value_of_every_golden_record_is_ours(shared_data: Path) -> None:
    compared, records = 0, 0
    differences: dict[tuple[int, str], object] = {}
    for row, words in golden_records(shared_data):
        records += 1
        for key, value in row.get("data", {}).items():
            compared += 1
            if words.get(key) != value:
                differences[row["sequence"], key] = (value, words.get(key))
    assert differences.keys() == DIFFERENT_RECORDS.keys(), differences
    assert (records, compared) >= (80, 990)


def event_rows(shared: Path) -> Iterator[tuple[str, list[bytes], dict[str, Any]]]:
    """(name, lines, their event) of each golden event."""
    for golden in sorted((shared / "go-libaudit/aucoalesce/testdata").glob("*.json.golden")):
        told = {row["test_name"]: row["event"] for row in json.loads(golden.read_text())}
        cases = yaml.safe_load(golden.with_name(golden.name.replace(".json.golden", ".yaml")).read_text())["tests"]
        for name, text in cases.items():
            yield name, [line.strip().encode() for line in text.splitlines()], told[name]


def flat(row: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in row.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


class Told:
    """One event of ours: what its records and what the whole say, in the words of go-libaudit."""

    def __init__(self, events: list[Event]) -> None:
        self.records = [event for event in events if event.logsource.service == "auditd"]
        self.words = [words_of(event.fields) for event in self.records]
        self.whole = {event.logsource.category: event.fields for event in events if event.logsource.category}
        self.kinds = [words["type"] for words in self.words]

    def of(self, *kinds: str) -> dict[str, str]:
        """The words of the first record of these types."""
        return next((words for words in self.words if words["type"] in kinds), {})

    def values(self, key: str) -> set[str]:
        """What any record says under this key."""
        return {words[key] for words in self.words if key in words}


def ours_for(key: str, told: Told) -> object:
    """What we say where they say `key`; a set where any of several records may have said it."""
    section, _, name = key.partition(".")
    if key in PLAIN:
        return PLAIN[key](told)
    if section == "data":
        return told.values(name.removeprefix("socket_")) | told.values(name)
    if key.startswith("user.ids."):
        return told.values(key.removeprefix("user.ids."))
    if key.startswith("file.selinux."):
        return told.values(f"obj_{name.removeprefix('selinux.')}")
    if key.startswith("user.selinux."):
        return told.values(f"subj_{name.removeprefix('selinux.')}")
    return None


def keys_of(told: Told) -> list[str]:
    """The keys of the rules that made the event; one host's rules say `-k key=net`."""
    held = next((event.fields["key"] for event in told.records if event.fields.get("key", "(null)") != "(null)"), ())
    names = held if isinstance(held, tuple) else (str(held),)
    return [name.removeprefix("key=") for name in names]


def has_paths(told: Told, paths: list[dict[str, str]]) -> bool:
    """Whether each of their paths is, in all that it says, one of ours."""
    ours = [words.items() for words in told.words if words["type"] == "PATH"]
    return len(ours) == len(paths) and all(any(path.items() <= one for one in ours) for path in paths)


def says_the_same(key: str, value: Any, told: Told) -> bool:
    if key == "@timestamp":
        return told.records[0].at == pytest.approx(datetime.fromisoformat(value).timestamp(), abs=1e-6)
    if key == "paths":
        return has_paths(told, value)
    ours = ours_for(key, told)
    return value in ours if isinstance(ours, set) else value == ours


def network(told: Told, key: str) -> object:
    return told.whole.get("network_connection", {}).get(key) or told.values("addr") | told.values("laddr")


PLAIN: Mapping[str, Any] = {
    "sequence": lambda told: int(told.records[0].id.split(":")[2]),
    "record_type": lambda told: {kind.lower() for kind in told.kinds},
    "result": lambda told: told.values("result") or "unknown",
    "session": lambda told: told.values("ses") or "",
    "process.pid": lambda told: told.values("pid"),
    "process.ppid": lambda told: told.values("ppid"),
    "process.name": lambda told: told.values("comm"),
    "process.exe": lambda told: told.values("exe"),
    "process.title": lambda told: told.values("proctitle"),
    "process.cwd": lambda told: told.values("cwd"),
    "process.args": lambda told: [
        told.of("EXECVE")[f"a{number}"] for number in range(int(told.of("EXECVE").get("argc", "0")))
    ],
    "tags": keys_of,
    "destination.ip": lambda told: network(told, "DestinationIp"),
    "destination.port": lambda told: network(told, "DestinationPort"),
    "source.ip": lambda told: network(told, "SourceIp"),
    "source.port": lambda told: network(told, "SourcePort"),
    "file.path": lambda told: told.values("name"),
    "file.device": lambda told: told.values("rdev"),
    "file.inode": lambda told: told.values("inode"),
    "file.mode": lambda told: {mode[-4:] for mode in told.values("mode")},
    "file.uid": lambda told: told.values("ouid"),
    "file.gid": lambda told: told.values("ogid"),
}
THEIRS_ALONE = ("category", "summary.", "ecs.", "network.direction", "warnings")


def test_every_value_of_every_golden_event_is_ours(shared_data: Path) -> None:
    compared, events = 0, 0
    differences: dict[tuple[str, str], object] = {}
    for name, lines, theirs in event_rows(shared_data):
        reader = reader_of("auditd")
        outputs = [*reader.feed(lines_of(*lines)), *reader.tick(math.inf)]
        told = Told([output for output in outputs if isinstance(output, Event)])
        events += 1
        for key, value in flat(theirs):
            if key.startswith(THEIRS_ALONE):
                continue
            compared += 1
            if not says_the_same(key, value, told):
                differences[name, key] = (value, ours_for(key, told))
    assert differences.keys() == DIFFERENT_EVENTS.keys(), differences
    assert (events, compared) >= (48, 1_120)


@pytest.mark.parametrize(
    ("name", "events", "lost"),
    [
        ("normal", [58, 59, 60, 61, 62], 0),
        ("lost_messages", [49, 59, 60, 61, 62], 9),
        ("out_of_order", [58, 59, 60, 61, 62], 0),
        ("rollover", [4294967294, 4294967295, 0, 1, 2], 0),
    ],
)
def test_reassembly_finds_their_events_in_their_order_and_what_was_lost(
    shared_data: Path, name: str, events: list[int], lost: int
) -> None:
    """Their reassembler's own test: five events each, nine numbers missing, and a counter that wraps at 2**32."""
    reader = reader_of("auditd")
    lines = (shared_data / "go-libaudit/testdata" / f"{name}.log").read_bytes().split(b"\n")
    outputs = [*reader.feed(lines_of(*[line for line in lines if line])), *reader.tick(math.inf)]
    found = [int(output.id.split(":")[2]) for output in outputs if isinstance(output, Event)]
    assert list(dict.fromkeys(found)) == events
    gaps = [one for one in lost_of(outputs) if one.why == "audit_gap"]
    assert sum(one.count or 0 for one in gaps) == lost
