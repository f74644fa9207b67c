"""Audit events as they stand in nearly every log, taken apart by one expression: whole, in the usual order, clean.

Two shapes: a system call with its records up to PROCTITLE, and a record of PAM, sshd or systemd that stands alone. All
values are quoted by the kernel (so clean), or hex where hex is usual (arguments, titles). What looks otherwise in the
least is not matched, and is read record by record: the shapes are there for speed and decide nothing.
"""

import re
from binascii import unhexlify
from functools import lru_cache
from typing import NamedTuple

from daemon.events.audit_values import argument_bytes

_STAMP = rb"msg=audit\(([0-9]{1,11}(?:\.[0-9]{1,9})?):([1-9][0-9]{0,9})\)"
_QUOTED = rb'"[^"\x00-\x1f\x7f]*"'
_WORD = rb'"[^"\x00-\x20\x7f]*"'
_BARE = rb'[^"=\x00-\x20\x7f]+'
_SAID = rb"[^'\"\x00-\x20\x7f]+"
_NAMES = rb"(?: [A-Z]+=" + _QUOTED + rb")*"
_NAMED = rb"(?:\x1d[A-Z]+=" + _QUOTED + _NAMES + rb")?\n"
_CALL = (
    rb"type=SYSCALL (" + _STAMP + rb"): arch=([0-9a-f]{1,16}) syscall=([0-9]{1,5}) success=(yes|no) exit=" + _BARE +
    rb" a0=" + _BARE + rb" a1=" + _BARE + rb" a2=" + _BARE + rb" a3=" + _BARE + rb" items=[0-9]+ "
    rb"ppid=([0-9]{1,10}) pid=([0-9]{1,10}) auid=([0-9]+) uid=([0-9]{1,10}) gid=[0-9]+ euid=([0-9]+) "
    rb"suid=[0-9]+ fsuid=[0-9]+ egid=[0-9]+ sgid=[0-9]+ fsgid=[0-9]+ "
    rb"tty=(" + _BARE + rb") ses=[0-9]+ comm=" + _QUOTED + rb' exe="(/[^"\x00-\x20\x7f]*)"'
    rb'(?: subj==?[^"=\x00-\x20\x7f]*)? key=(\(null\)|' + _WORD + rb")"
    rb"(?:\x1dARCH=[a-z0-9_]+ SYSCALL=([a-z0-9_]+) AUID=" + _QUOTED +
    rb' UID="([^"?(\x00-\x1f\x7f][^"\x00-\x1f\x7f]*)"' + _NAMES + rb")?\n"
)  # fmt: skip
_OTHERS = (
    rb"(?:\1type=EXECVE \2: argc=([0-9]{1,6}) ([^\r\n]*)\n)?"
    rb"(?:\1type=SOCKADDR \2: saddr=([0-9A-F]+)(?:\x1dSADDR=[^\r\n]*)?\n)?"
    rb'(?:\1type=CWD \2: cwd="(/[^"\x00-\x20\x7f]*)"\n)?'
    rb"((?:\1type=PATH \2: item=[0-9]+ name=(?:\(null\)|" + _WORD + rb') [^"\x00-\x1f\x7f]*' + _NAMED + rb")*)"
    rb"\1type=PROCTITLE \2: proctitle=(" + _QUOTED + rb"|[0-9A-F]+)\n"
)  # fmt: skip
_ALONE = (
    rb"type=(?:USER|CRED|SERVICE)_[A-Z]+ " + _STAMP + rb": pid=[0-9]+ uid=[0-9]+ auid=[0-9]+ ses=[0-9]+"
    rb"(?: subj=[^'\"\x00-\x20\x7f]*)? msg='(?:op=[A-Za-z:_ -]+(?: grantors=[a-z0-9_,?]+)? acct=" + _QUOTED +
    rb"|unit=" + _SAID + rb" comm=" + _QUOTED + rb") exe=" + _WORD + rb" hostname=" + _SAID + rb" addr=" + _SAID +
    rb" terminal=" + _SAID + rb" res=[a-z]+'" + _NAMED
)  # fmt: skip
SHAPE = re.compile(rb"^((?:node=[^ \n]{1,255} )?)(?:" + _CALL + _OTHERS + rb"|" + _ALONE + rb")", re.MULTILINE)
"""Matches a whole event, from the beginning of a line to the end of one."""
CONTROLS = bytes.maketrans(bytes([*range(32), 127]), b" " * 33)
"""For `bytes.translate`: control characters as decoded text shows them."""
_ARGUMENT = re.compile(rb'a([0-9]{1,6})=("[^"\n]*"|[^ "\n]*)(?: |\Z)')
_PATH = re.compile(rb" item=([0-9]+) name=(\(null\)|" + _QUOTED + rb") [^\n]*")


MARK = b"msg=audit("
"""What stands at the head of every record, and is not looked at: an event that says it elsewhere is not whole."""


class Shape(NamedTuple):
    """The groups of SHAPE, as they stand in the log. Of a record that stands alone only the last two and `node` are."""

    node: bytes
    head: bytes
    call_stamp: bytes
    call_serial: bytes
    arch: bytes
    number: bytes
    success: bytes
    ppid: bytes
    pid: bytes
    auid: bytes
    uid: bytes
    euid: bytes
    tty: bytes
    exe: bytes
    key: bytes
    name: bytes | None
    user: bytes | None
    argc: bytes | None
    arguments: bytes | None
    saddr: bytes | None
    cwd: bytes | None
    paths: bytes
    title: bytes
    stamp: bytes
    serial: bytes


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
        return parts[1::2], said.translate(CONTROLS)
    found = _ARGUMENT.findall(said)
    if b" ".join([b"a%s=%s" % one for one in found]) != said or [one[0] for one in found] != _numbers(len(found)):
        return None
    arguments = [argument_bytes(value) for _, value in found]
    return arguments, b" ".join([b'a%d="%s"' % one for one in enumerate(arguments)]).translate(CONTROLS)


def decode_title(said: bytes) -> bytes | None:
    """The value of a PROCTITLE with blanks between the arguments; None for what is neither quoted nor hex."""
    if said[:1] == b'"':
        return said[1:-1]
    return None if len(said) % 2 else unhexlify(said).rstrip(b"\0").replace(b"\0", b" ")


def path_names(paths: bytes) -> list[tuple[bool, bytes]]:
    """Of each PATH record that has a name: whether it is item 0, and the name."""
    return [(item == b"0", name[1:-1]) for item, name in _PATH.findall(paths) if name != b"(null)"]


TITLE, SERIAL = 1 + Shape._fields.index("title"), 1 + Shape._fields.index("serial")
"""The last group of SHAPE that matches a system call, and a record that stands alone."""
