"""Golden events of open-xp-rules: what another normaliser made of the same raw events."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct

from daemon.model import Event, Value
from tests.doubles.audit_lines import lines_of, reader_of
from tests.oracles.corpus import open_xp_lines, open_xp_raws

Said: TypeAlias = set[str]


class Told(Struct):
    """Our events of one of theirs: those of the records, and the fields of what the whole became, by category."""

    records: list[Event]
    whole: Mapping[str, Mapping[str, Value]]

    def of(self, *names: str) -> Said:
        """What any record says under these names."""
        found = [event.fields.get(name) for event in self.records for name in names]
        return {
            one for value in found for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, str)
        }

    def started(self, name: str) -> Said:
        """What the program start says; a refused one has none, and its records speak."""
        value = self.whole.get("process_creation", {}).get(name, ())
        return set(value) if isinstance(value, tuple) else {str(value)}

    def connected(self, name: str) -> Said:
        """What the connection says."""
        value = self.whole.get("network_connection", {}).get(name)
        return {str(value)} if value else set()


def status(told: Told) -> Said:
    words = {
        "yes": "success",
        "1": "success",
        "success": "success",
        "no": "failure",
        "0": "failure",
        "failed": "failure",
    }
    found = {words[value] for value in told.of("success", "res") if value in words}
    return found | ({"ongoing"} if "success" in found else set())  # a session that began well goes on


def terminal(told: Told) -> Said:
    """They write `pts/0` whichever way the record does: `pts0` of a system call, `/dev/pts/0` of PAM."""
    names = {value.removeprefix("/dev/") for value in told.of("tty", "terminal")}
    return names | {f"pts/{name[3:]}" for name in names if name.startswith("pts")}


OURS: Mapping[str, Callable[[Told], Said]] = {
    "chain_id": lambda told: {told.records[0].id.rsplit(":", 3)[-3]},
    "status": status,
    "msgid": lambda told: {value.upper() for value in told.of("type")} | told.of("SYSCALL"),
    "object.process.cmdline": lambda told: told.started("CommandLine") | told.of("cmd", "cmdline"),
    "object.process.cwd": lambda told: told.of("cwd"),
    "subject.process.cwd": lambda told: told.of("cwd"),
    "object.process.meta": lambda told: told.of("proctitle"),
    "subject.process.meta": lambda told: told.of("proctitle"),
    "object.process.id": lambda told: told.of("pid", "opid", "spid"),
    "object.process.parent.id": lambda told: told.of("ppid"),
    "object.process.fullpath": lambda told: told.started("Image") | told.of("exe", "name"),
    "subject.process.id": lambda told: told.of("pid", "spid"),
    "subject.process.parent.id": lambda told: told.of("ppid"),
    "subject.process.fullpath": lambda told: told.of("exe"),
    "subject.account.id": lambda told: told.of("auid", "uid", "id"),
    "subject.account.privileges": lambda told: told.of("euid", "uid"),
    "subject.account.session_id": lambda told: told.of("ses"),
    "object.account.id": lambda told: told.of("uid", "euid", "ouid", "id", "auid"),
    "object.account.group": lambda told: told.of("gid", "egid", "ogid", "GID", "EGID", "OGID"),
    "src.ip": lambda told: told.of("addr", "laddr", "hostname") | told.connected("SourceIp"),
    "src.port": lambda told: told.of("lport", "rport") | told.connected("SourcePort"),
    "dst.ip": lambda told: told.of("addr", "laddr") | told.connected("DestinationIp") | {told.records[0].host},
    "dst.port": lambda told: told.of("lport", "rport") | told.connected("DestinationPort"),
    "event_src.rule": lambda told: told.of("key"),
    "logon_service": terminal,
    "subject.account.name": lambda told: told.of("AUID", "UID", "acct", "User", "ID"),
    "object.account.name": lambda told: told.of("AUID", "UID", "acct", "User", "EUID", "OUID", "ID"),
}
"""Their key → all that we say in its place."""
REASONS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "a no-break space got into their copy of the line, before res=": (("daemon_start/raw_1.txt", "status"),),
    "they cut the domain off the name that auditd wrote": (
        ("syscall_link_remove/raw_13.txt", "object.account.name"),
        ("syscall_link_remove/raw_13.txt", "subject.account.name"),
        ("syscall_process_start/raw_21.txt", "object.account.name"),
        ("syscall_process_start/raw_21.txt", "subject.account.name"),
        ("user_start/raw_15.txt", "subject.account.name"),
    ),
    "the kernel cut the title inside a character: they drop its first byte, we show it": (
        ("syscall_process_start/raw_7.txt", "object.process.meta"),
    ),
    "the traced process is an argument of the call, in hex; records keep their numbers as they are": (
        *((f"syscall_ptrace/raw_{number}.txt", "object.process.id") for number in (1, 7, 9, 11)),
    ),
    "the end of the connection that no record names: they give the host the log came from": (
        ("syscall_sockets/raw_7.txt", "src.ip"),
        ("syscall_sockets/raw_9.txt", "dst.ip"),
        ("syscall_sockets/raw_11.txt", "src.ip"),
    ),
    "the address was made anonymous in auditd's reading of it, and is another in the record itself": (
        ("syscall_sockets/raw_9.txt", "src.ip"),
        ("syscall_sockets/raw_9.txt", "src.port"),
    ),
    "an access decision has no result; they take denied for failure and a notice for success": (
        *((f"user_avc/raw_{number}.txt", "status") for number in (1, 3, 5, 7, 9, 11, 13)),
    ),
    "the program's message names another process or user than the kernel does: the kernel is believed": (
        *((f"user_avc/raw_{number}.txt", "subject.process.id") for number in (5, 11, 13)),
        ("user_avc/raw_9.txt", "subject.account.id"),
    ),
}
"""Why we say something else → (case, key)."""
DIFFERENT = {case: why for why, cases in REASONS.items() for case in cases}


def goldens(shared: Path) -> Iterator[tuple[str, dict[str, Any], Told]]:
    """(name, their event, ours)."""
    for path in open_xp_raws(shared):
        raw = json.loads(path.read_text())
        lines = [b"node=" + str(raw.get("node", "vm")).encode() + b" " + line for line in open_xp_lines(raw)]
        reader = reader_of("auditd")
        outputs = [*reader.feed(lines_of(*lines)), *reader.tick(math.inf)]
        events = [output for output in outputs if isinstance(output, Event)]
        records = [event for event in events if event.logsource.service == "auditd"]
        whole = {event.logsource.category: event.fields for event in events if event.logsource.category}
        norm = path.with_name(path.name.replace("raw", "norm")).with_suffix(".js")
        yield f"{path.parts[-3]}/{path.name}", json.loads(norm.read_text()), Told(records, whole)


def agrees(key: str, value: object, told: Told) -> bool:
    if key == "time":
        return int(told.records[0].at) == int(datetime.fromisoformat(str(value)).timestamp())
    return str(value) in OURS[key](told)


def test_what_others_made_of_188_events_is_what_we_make(shared_data: Path) -> None:
    compared = 0
    differences: dict[tuple[str, str], object] = {}
    for name, theirs, told in goldens(shared_data):
        for key, value in theirs.items():
            if key in OURS or key == "time":
                compared += 1
                if not agrees(key, value, told):
                    differences[name, key] = (value, OURS[key](told) if key in OURS else told.records[0].at)
    assert differences.keys() == DIFFERENT.keys(), differences
    assert compared >= 2_400
    assert 1 - len(differences) / compared >= 0.97
