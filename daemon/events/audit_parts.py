"""Which records of a system call's event came, and which the others say should have: what an event lacks is counted.

What the kernel always writes together (kernel/auditsc.c, `audit_log_exit`; so it is in every real log that we have):
SYSCALL first and PROCTITLE last, `items=` PATH records, EXECVE with `argc=` arguments of a program that started,
SOCKADDR of a `connect` or `bind` that succeeded. CWD stands beside every PATH with a name, but is missed only where
that name is relative: of others it tells nothing. Of other kinds nobody can say whether they lack.
"""

import re
from collections.abc import Sequence

from msgspec import Struct

from daemon.events.auditd import Record
from daemon.events.syscalls import syscall_name

TITLE, CALL, PATH, CWD, ARGUMENTS, ADDRESS = 1, 2, 4, 8, 16, 32
"""Bits, one for each kind of record."""
EVERY = 63
KINDS = ("PROCTITLE", "SYSCALL", "PATH", "CWD", "EXECVE", "SOCKADDR")
"""The names of the bits, lowest first."""
ADDRESSED = frozenset({"connect", "bind"})
HIDING = frozenset({"mq_open", "mq_unlink"})
STARTS = frozenset({"execve", "execveat"})
_BITS = {kind: 1 << number for number, kind in enumerate(KINDS)} | {"URINGOP": CALL}
_NUMBERED = re.compile(rb" arch=([0-9a-f]{1,16}) syscall=([0-9]{1,5}) ")
_ITEMS = re.compile(rb" items=([0-9]{1,6})(?: |$)")
_CALLED = re.compile(rb"arch=([0-9a-f]{1,16}) syscall=([0-9]{1,5})(?: per=[0-9a-f]{1,16})? success=yes ")
_RELATIVE = re.compile(rb' name=(?:"[^/"]|2[0-9A-E]|[013-9A-F])')  # quoted, or in hex
_ARGC = re.compile(rb"argc=([0-9]{1,7})(?: |$)")
_ARGUMENT = re.compile(rb" a([0-9]{1,7})(?:\[[0-9]{1,7}\])?=")


def bit_of(kind: str) -> int:
    """The bit of a record's type; 0 for one of which nobody can say whether it lacks."""
    return _BITS.get(kind, 0)


class Parts(Struct):
    """The kinds that came whole, and by kind how many records are known to lack: both as bits, the numbers by kind."""

    has: int
    lacks: int
    missing: dict[int, int]


def look_for_parts(records: Sequence[Record]) -> Parts | None:
    """What of one event is there and what is not; None for an event that is no system call's."""
    kinds = [record.kind for record in records]
    has = 0
    for kind in kinds:
        has |= _BITS.get(kind, 0)
    if not has:
        return None
    missing = {bit: 1 for bit in (TITLE, CALL) if not has & bit}
    call = next((record.line for record in records if record.kind in {"SYSCALL", "URINGOP"}), b"")
    found = _ITEMS.search(call)
    paths = kinds.count("PATH")
    if found is not None and int(found[1]) > paths and not _hides_a_path(call):
        missing[PATH] = int(found[1]) - paths
    if not has & CWD and any(r.kind == "PATH" and _RELATIVE.search(r.line, r.body - 1) for r in records):
        missing[CWD] = 1
    missing |= _lacking_by_name(call, has, records)
    lacks = sum(missing)
    return Parts(has & ~lacks, lacks, missing)


def _hides_a_path(call: bytes) -> bool:
    """Whether the kernel counts a name that it does not tell (AUDIT_INODE_HIDDEN, in ipc/mqueue.c)."""
    found = _NUMBERED.search(call)
    return found is not None and syscall_name(found[1].decode(), found[2].decode()) in HIDING


def _lacking_by_name(call: bytes, has: int, records: Sequence[Record]) -> dict[int, int]:
    """What depends on which system call it was; nothing of one that failed."""
    found = _CALLED.search(call)
    name = syscall_name(found[1].decode(), found[2].decode()) if found is not None else ""
    if has & ARGUMENTS:
        said = b"".join(record.line[record.body - 1 :] for record in records if record.kind == "EXECVE")
        argc = _ARGC.search(said)
        return {ARGUMENTS: 1} if argc is None or int(argc[1]) > len(set(_ARGUMENT.findall(said))) else {}
    if name in STARTS:
        return {ARGUMENTS: 1}
    return {ADDRESS: 1} if name in ADDRESSED and not has & ADDRESS else {}
