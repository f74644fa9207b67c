"""Audit events as they stand in nearly every log, taken apart by one expression: whole, in the usual order, clean.

Two shapes: a system call with its records up to PROCTITLE, and a record of PAM, sshd or systemd that stands alone. All
values are quoted by the kernel (so clean), or hex where hex is usual (arguments, titles). What looks otherwise in the
least is read record by record: the shapes are there for speed and decide nothing.

SHAPE takes apart; that the parts are as they should be, is looked at behind it (`read_caller` and the others), because
they are few on any host and an expression that reads them again in every event costs more than all the rest.
"""

import re
from binascii import Error, unhexlify
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from daemon.events.audit_values import argument_bytes, to_text

_STAMP = rb"msg=audit\(([0-9]{1,11}+(?:\.[0-9]{1,9}+)?+):([1-9][0-9]{0,9}+)\)"
_QUOTED = rb'"[^"\x00-\x1f\x7f]*+"'
_WORD = rb'"[^"\x00-\x20\x7f]*+"'
_BARE = rb'[^"=\x00-\x20\x7f]++'
_SAID = rb"[^'\"\x00-\x20\x7f]++"
_NAMES = rb"(?: [A-Z]++=" + _QUOTED + rb")*+"
_NAMED = rb"\x1d[A-Z]++=" + _QUOTED + _NAMES
_CALL = (
    rb"arch=([0-9a-f]{1,16}+) syscall=([0-9]{1,5}+) success=(yes|no) exit=" + _BARE + rb" a0=" + _BARE + rb" a1=" +
    _BARE + rb" a2=" + _BARE + rb" a3=" + _BARE + rb" items=([0-9]{1,6}+) ppid=([0-9]{1,10}+) pid=([0-9]{1,10}+) "
    rb'(auid=[^"]{1,400}+"[^"\n]*+") exe="([^"\n]*+)"([^\n]*+)\n'
    rb"(?:\2type=EXECVE \4: argc=([0-9]{1,6}+) ([^\n]*+)\n)?+"
    rb"(?:\2type=SOCKADDR \4: saddr=([^\n]++)\n)?+"
    rb"(?:\2type=CWD \4: cwd=([^\n]++)\n)?+"
    rb"(?:\2type=PATH \4: ([^\n]++)\n)?+(?:\2type=PATH \4: ([^\n]++)\n)?+((?:\2type=PATH \4: [^\n]*+\n)*+)"
    rb"\2type=PROCTITLE \4: proctitle=([^\n]++)\n"
)  # fmt: skip
_ALONE = (
    rb"pid=[0-9]++ uid=[0-9]++ auid=[0-9]++ ses=[0-9]++((?: subj=[^'\"\x00-\x20\x7f]*+)?+ msg='"
    rb"(?:op=[A-Za-z:_ -]+(?: grantors=[a-z0-9_,?]++)?+ acct=" + _QUOTED + rb"|unit=" + _SAID + rb" comm=" + _QUOTED +
    rb") exe=" + _WORD + rb" hostname=" + _SAID + rb" addr=" + _SAID + rb" terminal=" + _SAID +
    rb" res=[a-z]++')([^\n]*+)\n"
)  # fmt: skip
SHAPE = re.compile(
    rb"((node=[^ (\n]{1,255}+ |)type=(?:SYSCALL|((?:USER|CRED|SERVICE)_[A-Z]++)) (" + _STAMP + rb"): (?(3)"
    + _ALONE + rb"|" + _CALL + rb")|[^\n]*+\n)"
)  # fmt: skip
"""Matches a whole event, or else one line of whatever it is; from the beginning of a line to the end of one."""
CONTROLS = bytes.maketrans(bytes([*range(32), 127]), b" " * 33)
"""For `bytes.translate`: control characters as decoded text shows them."""
_IDS = re.compile(
    rb"auid=([0-9]+) uid=([0-9]{1,10}) gid=[0-9]+ euid=([0-9]+) suid=[0-9]+ fsuid=[0-9]+ egid=[0-9]+ sgid=[0-9]+ "
    rb"fsgid=[0-9]+ tty=(" + _BARE + rb") ses=[0-9]+ comm=" + _QUOTED
)
_PROGRAM = re.compile(rb'/[^"\x00-\x20\x7f]*')
_REST = re.compile(
    rb'(?: subj==?[^"=\x00-\x20\x7f]*+)? key=(\(null\)|' + _WORD + rb")"
    rb"(?:\x1dARCH=[a-z0-9_]+ SYSCALL=([a-z0-9_]+) AUID=" + _QUOTED +
    rb' UID="([^"?(\x00-\x1f\x7f][^"\x00-\x1f\x7f]*+)"' + _NAMES + rb")?"
)  # fmt: skip
_TITLE = re.compile(rb'"[^"\x00-\x1f\x7f]*"')
_ADDRESS = re.compile(rb"([0-9A-F]+)(\x1dSADDR=[^\r]*)?")
_ARGUMENT = re.compile(rb'a([0-9]{1,6})=("[^"\n]*"|[^ "\n]*)(?: |\Z)')
_DIRECTORY = re.compile(rb'"(/[^"\x00-\x20\x7f]*)"')
_PATH = re.compile(rb"item=([0-9]+) name=(\(null\)|" + _WORD + rb') [^"\x00-\x1f\x7f]*+(?:' + _NAMED + rb")?")
_ALONE_NAMED = re.compile(rb"(?:" + _NAMED + rb")?")
_MOST = 2048

MARK = b"msg=audit("
"""What stands at the head of every record: an event that says it elsewhere is not whole."""


class Shape(NamedTuple):
    """What SHAPE finds, as it stands in the log; empty is what is not there. `lines` is all of it, `alone` the type of
    a record that stands alone, `said` what it says and `names` its end; a line that is none of both has no `stamp`.
    """

    lines: bytes
    node: bytes
    alone: bytes
    head: bytes
    stamp: bytes
    serial: bytes
    said: bytes
    names: bytes
    arch: bytes
    number: bytes
    success: bytes
    items: bytes
    ppid: bytes
    pid: bytes
    ids: bytes
    exe: bytes
    rest: bytes
    argc: bytes
    arguments: bytes
    saddr: bytes
    cwd: bytes
    path: bytes
    path2: bytes
    paths: bytes
    title: bytes


class Caller(NamedTuple):
    """Who made a system call, and what its record says behind the program. `name` is that of the call; it and `user`
    are empty in a RAW log.
    """

    auid: str
    uid: str
    euid: str
    tty: str
    image: str
    key: str
    name: str
    user: str


@lru_cache(maxsize=_MOST)
def read_caller(ids: bytes, exe: bytes, rest: bytes) -> Caller | None:
    """The parts of a SYSCALL record of which a host has few; None for those that are not as usual."""
    found, said = _IDS.fullmatch(ids), _REST.fullmatch(rest)
    if found is None or said is None or _PROGRAM.fullmatch(exe) is None or MARK in ids + exe + rest:
        return None
    auid, uid, euid, tty = map(to_text, found.groups())
    key, name, user = map(to_text, said.groups(b""))
    return Caller(auid, uid, euid, tty, to_text(exe), key.strip('"'), name, user)


@lru_cache(maxsize=_MOST)
def are_names(said: bytes) -> bool:
    """Whether the end of a record that stands alone is nothing, or names of ids as auditd adds them."""
    return _ALONE_NAMED.fullmatch(said) is not None and MARK not in said


@lru_cache(maxsize=_MOST)
def read_directory(said: bytes) -> bytes | None:
    """The directory of a CWD record; None for one that is not as usual."""
    found = _DIRECTORY.fullmatch(said)
    return None if found is None or MARK in said else found[1]


@lru_cache(maxsize=256)
def _keys(count: int) -> list[bytes]:
    return [b"%sa%d=" % (b" " if number else b"", number) for number in range(count)] + [b""]


@lru_cache(maxsize=256)
def _numbers(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


def split_arguments(said: bytes) -> tuple[list[bytes], bytes] | None:
    """The arguments of an EXECVE record that holds all of them in order, and the record as its decoded text shows them.
    None for any other.
    """
    parts = said.split(b'"')
    if parts[::2] == _keys(len(parts) // 2):
        arguments, shown = parts[1::2], said.translate(CONTROLS)
    else:
        found = _ARGUMENT.findall(said)
        if b" ".join([b"a%s=%s" % one for one in found]) != said or [one[0] for one in found] != _numbers(len(found)):
            return None
        arguments = [argument_bytes(value) for _, value in found]
        shown = b" ".join([b'a%d="%s"' % one for one in enumerate(arguments)]).translate(CONTROLS)
    return None if b"\r" in said or MARK in shown else (arguments, shown)


def decode_title(said: bytes) -> bytes | None:
    """The value of a PROCTITLE with blanks between the arguments; None for what is neither quoted nor hex."""
    if said[:1] == b'"':
        return said[1:-1] if _TITLE.fullmatch(said) and MARK not in said else None
    try:
        title = unhexlify(said).rstrip(b"\0").replace(b"\0", b" ")
    except Error:
        return None
    return None if MARK in title or said.upper() != said else title


@lru_cache(maxsize=_MOST)
def split_address(said: bytes) -> tuple[bytes, bool] | None:
    """The hex of a SOCKADDR record, and whether auditd read it; None for one that is not as usual."""
    found = _ADDRESS.fullmatch(said)
    return None if found is None or MARK in said else (found[1], found[2] is not None)


@lru_cache(maxsize=_MOST)
def _read_path(record: bytes) -> tuple[bool, bytes] | None:
    """Whether a PATH record (without its head) is of item 0, and the name, empty for none; None for one that is not as
    usual.
    """
    found = _PATH.fullmatch(record)
    if found is None or MARK in record or found[2] == b'""':
        return None
    return found[1] == b"0", b"" if found[2] == b"(null)" else found[2][1:-1]


def split_paths(records: Sequence[bytes]) -> Sequence[tuple[bool, bytes]] | None:
    """Of each PATH record (without its head) that has a name: whether it is item 0, and the name. None where one is not
    as usual, or comes twice.
    """
    found = [one for one in map(_read_path, records) if one is not None]
    if len(found) < len(records) or (len(records) > 1 and len(set(records)) < len(records)):
        return None
    return [one for one in found if one[1]]
