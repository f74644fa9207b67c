"""Who made a system call, and which: what SYSCALL records of a host say over and over, so that it is remembered."""

import re
from functools import lru_cache
from typing import NamedTuple

from daemon.events.audit_parts import ADDRESSED
from daemon.events.audit_shape import BARE, MARK, NAMES, QUOTED, WORD
from daemon.events.audit_values import to_text
from daemon.events.shown import LONG, LONGEST_ORDINARY
from daemon.events.syscalls import syscall_name
from daemon.events.whole_text import user_text

STARTS, ADDRESSES = 1, 2
"""Kinds of calls: one that started a program, one that succeeded with an address; 0 is any other."""
_EXCEPTIONAL = frozenset({"exit_group", "clone", "clone3", "fork", "vfork", "execveat", ""})
"""Calls that change the table of processes in ways of their own, and one without a name."""
_WHAT = re.compile(rb"arch=([0-9a-f]+) syscall=([0-9]+) success=(yes|no)")
_WHO = re.compile(
    rb"auid=([0-9]+) uid=([0-9]{1,10}) gid=[0-9]+ euid=([0-9]+) suid=[0-9]+ fsuid=[0-9]+ egid=[0-9]+ sgid=[0-9]+ "
    rb"fsgid=[0-9]+ tty=(" + BARE + rb") ses=[0-9]+ comm=" + QUOTED +
    rb' exe="(/[^"\x00-\x20\x7f]*)"(?: subj==?[^"=\x00-\x20\x7f]*+)? key=(\(null\)|' + WORD + rb")"
    rb"(?:\x1dARCH=[a-z0-9_]+ SYSCALL=([a-z0-9_]+) AUID=" + QUOTED +
    rb' UID="([^"?(\x00-\x1f\x7f][^"\x00-\x1f\x7f]*+)"' + NAMES + rb")?"
)  # fmt: skip


class Caller(NamedTuple):
    """`name` is that of the call, `named` whether auditd wrote it, `kind` STARTS, ADDRESSES or 0. `user` is empty in a
    RAW log; `known` says that auditd knew it. `shown` is the text of the user (`whole_text.user_text`) where it is
    known, and LONG if the program has so long a name.
    """

    auid: str
    uid: str
    euid: str
    tty: str
    image: str
    key: str
    name: str
    named: bool
    kind: int
    user: str
    known: bool
    shown: bytes


@lru_cache(maxsize=2048)
def read_caller(what: bytes, who: bytes) -> Caller | None:
    """The parts of a SYSCALL record of which a host has few; None for those that are not as usual."""
    call, found = _WHAT.fullmatch(what), _WHO.fullmatch(who)
    if call is None or found is None or MARK in who:
        return None
    auid, uid, euid, tty, image, key, said, user = map(to_text, found.groups(b""))
    arch, number, success = map(to_text, call.groups())
    name = said or syscall_name(arch, number)
    if name in _EXCEPTIONAL:
        return None
    kind = 0 if success == "no" else STARTS if name == "execve" else ADDRESSES if name in ADDRESSED else 0
    known = user != "" and not user.startswith("unknown(")
    shown = (LONG.encode() if len(image) >= LONGEST_ORDINARY else b"") + (user_text(user, user) if known else b"")
    return Caller(auid, uid, euid, tty, image, key.strip('"'), name, bool(said), kind, user, known, shown)
