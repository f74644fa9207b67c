"""Audit events as they stand in nearly every log, taken apart by one expression: whole, in the usual order, clean.

Two shapes: a system call with its records up to PROCTITLE, and a record of PAM, sshd or systemd that stands alone. All
values are quoted by the kernel (so clean), or hex where hex is usual (arguments, titles). What looks otherwise in the
least is read record by record: the shapes are there for speed and decide nothing.

SHAPE takes apart; that the parts are as they should be, is looked at behind it (`audit_caller` and others), because
they are few on any host and an expression that reads them again in every event costs more than all the rest.
"""

import re
from binascii import Error, unhexlify
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple, TypeAlias

from daemon.events.audit_values import argument_bytes
from daemon.events.shown import LONGEST_ORDINARY

_STAMP = rb"msg=audit\(([0-9]{1,11}+(?:\.[0-9]{1,9}+)?+):([1-9][0-9]{0,9}+)\)"
QUOTED = rb'"[^"\x00-\x1f\x7f]*+"'
WORD = rb'"[^"\x00-\x20\x7f]*+"'
BARE = rb'[^"=\x00-\x20\x7f]++'
_SAID = rb"[^'\"\x00-\x20\x7f]++"
NAMES = rb"(?: [A-Z]++=" + QUOTED + rb")*+"
"""Values as they stand in records, in the syntax of expressions: between quotes, without a blank, bare; and the names
of ids.
"""
_NAMED = rb"\x1d[A-Z]++=" + QUOTED + NAMES
_CALL = (
    rb"(arch=[0-9a-f]{1,16}+ syscall=[0-9]{1,5}+ success=(?:yes|no)) exit=" + BARE + rb" a0=" + BARE + rb" a1=" +
    BARE + rb" a2=" + BARE + rb" a3=" + BARE + rb" items=([0-9]{1,6}+) ppid=([0-9]{1,10}+) pid=([0-9]{1,10}+) "
    rb"(auid=[^\n]++)\n"
    rb"(?:\2type=EXECVE \4: argc=([0-9]{1,6}+) ([^\n]*+)\n)?+"
    rb"(?:\2type=SOCKADDR \4: saddr=([^\n]++)\n)?+"
    rb"(?:\2type=CWD \4: cwd=([^\n]++)\n)?+"
    rb"(?:\2type=PATH \4: ([^\n]++)\n)?+(?:\2type=PATH \4: ([^\n]++)\n)?+((?:\2type=PATH \4: [^\n]*+\n)*+)"
    rb"\2type=PROCTITLE \4: proctitle=([^\n]++)\n"
)  # fmt: skip
_ALONE = (  # with a longer program it is read as a record, which is judged whatever its text shows
    rb"pid=[0-9]++ uid=[0-9]++ auid=[0-9]++ ses=[0-9]++((?: subj=[^'\"\x00-\x20\x7f]*+)?+ msg='"
    rb"(?:op=[A-Za-z:_ -]+(?: grantors=[a-z0-9_,?]++)?+ acct=" + QUOTED + rb"|unit=" + _SAID + rb" comm=" + QUOTED +
    rb') exe="[!#-~]{0,%d}+" hostname=' % (LONGEST_ORDINARY - 1) + _SAID + rb" addr=" + _SAID +
    rb" terminal=" + _SAID + rb" res=[a-z]++')([^\n]*+)\n"
)  # fmt: skip
SHAPE = re.compile(
    rb"((node=[^ (\n]{1,255}+ |)type=(?:SYSCALL|((?:USER|CRED|SERVICE)_[A-Z]++)) (" + _STAMP + rb"): (?(3)"
    + _ALONE + rb"|" + _CALL + rb")|[^\n]*+\n)"
)  # fmt: skip
"""Matches a whole event, or else one line of whatever it is; from the beginning of a line to the end of one."""
_CONTROLS = bytes([*range(32), 127])
CONTROLS = bytes.maketrans(_CONTROLS, b" " * 33)
"""For `bytes.translate`: control characters as decoded text shows them."""
_TITLE = re.compile(rb'"[^"\x00-\x1f\x7f]*"')
_ADDRESS = re.compile(rb"([0-9A-F]+)(\x1dSADDR=[^\r]*)?")
_ARGUMENT = re.compile(rb'a([0-9]{1,6})=("[^"\n]*"|[^ "\n]*)(?: |\Z)')
_ARGUMENTS = re.compile(rb'(?:a[0-9]{1,6}+=(?:"[^"\n]*+"|[^ "\n]*+)(?: |\Z))*+')
_DIRECTORY = re.compile(rb'"(/[^"\x00-\x20\x7f]*)"')
_PATH = re.compile(rb"item=([0-9]+) name=(\(null\)|" + WORD + rb') [^"\x00-\x1f\x7f]*+(?:' + _NAMED + rb")?")
_ALONE_NAMED = re.compile(rb"(?:" + _NAMED + rb")?")
_MOST = 2048

MARK = b"msg=audit("
"""What stands at the head of every record: an event that says it elsewhere is not whole."""


class Shape(NamedTuple):
    """What SHAPE finds, as it stands in the log; empty is what is not there. `lines` is all of it, `alone` the type of
    a record that stands alone, `said` what it says and `names` its end; a line that is none of both has no `stamp`.
    Of a call, `what` is its number and whether it succeeded, and `who` all from the `auid` on (see `audit_caller`).
    """

    lines: bytes
    node: bytes
    alone: bytes
    head: bytes
    stamp: bytes
    serial: bytes
    said: bytes
    names: bytes
    what: bytes
    items: bytes
    ppid: bytes
    pid: bytes
    who: bytes
    argc: bytes
    arguments: bytes
    saddr: bytes
    cwd: bytes
    path: bytes
    path2: bytes
    paths: bytes
    title: bytes


@lru_cache(maxsize=_MOST)
def are_names(said: bytes) -> bool:
    """Whether the end of a record that stands alone is nothing, or names of ids as auditd adds them."""
    return _ALONE_NAMED.fullmatch(said) is not None and MARK not in said


@lru_cache(maxsize=_MOST)
def read_directory(said: bytes) -> bytes | None:
    """The directory of a CWD record; None for one that is not as usual."""
    found = _DIRECTORY.fullmatch(said)
    return None if found is None or MARK in said else found[1]


Arguments: TypeAlias = tuple[Sequence[bytes], bytes, bytes]
"""The arguments of an EXECVE record; all of them as they stand in one line; and the record as its decoded text shows
it, empty if that is as it stands in the log.
"""


def read_arguments(counts: Sequence[bytes], said: Sequence[bytes]) -> list[Arguments | None]:
    """What EXECVE records say behind their `argc`, each: its arguments, if it holds so many, in order, one by one."""
    joined = b"".join(said)
    if MARK in joined or has_controls(joined):
        return list(map(_read_arguments, counts, said))
    found: list[Arguments | None] = []
    for count, one in zip(counts, said, strict=True):
        parts = one.split(b'"')
        if parts[::2] == _QUOTED_KEYS.get(count):
            values = parts[1::2]
            found.append((values, b" ".join(values), b""))
        else:
            found.append(_read_arguments(count, one))
    return found


@lru_cache(maxsize=512)
def _read_arguments(count: bytes, said: bytes) -> Arguments | None:
    """Services start the same programs over and over, so it is remembered."""
    values = _split_few(said) or _split_any(said)
    if values is None or len(values) != int(count) or b"\r" in said:
        return None
    line, shown = b" ".join(values), b" ".join([b'a%d="%s"' % one for one in enumerate(values)]).translate(CONTROLS)
    if b"\x1d" in line or MARK in shown or MARK in line:
        return None
    return values, line, b"" if shown == said else shown


def has_controls(said: bytes) -> bool:
    """Whether there is a control character in it."""
    return len(said.translate(None, _CONTROLS)) < len(said)


_FEW = 33
_KEYS = tuple(b"a%d=" % number for number in range(_FEW))


_QUOTED_KEYS = {
    b"%d" % count: [b"%sa%d=" % (b" " if number else b"", number) for number in range(count)] + [b""]
    for count in range(1, _FEW)
}
"""By how many quoted arguments there are, what stands before each of them and behind the last."""


def _split_few(said: bytes) -> list[bytes] | None:
    """The arguments where there are few and none has a blank within quotes; None for any other."""
    parts = said.split(b" ")
    if len(parts) >= _FEW:
        return None
    values = []
    for key, part in zip(_KEYS, parts, strict=False):
        if not part.startswith(key):
            return None
        value = part[len(key) :]
        if value[:1] != b'"':
            values.append(argument_bytes(value))
        elif value.find(b'"', 1) == len(value) - 1:
            values.append(value[1:-1])
        else:
            return None
    return values


def _split_any(said: bytes) -> list[bytes] | None:
    if _ARGUMENTS.fullmatch(said) is None:  # to look for arguments in anything else takes time that grows as a square
        return None
    found = _ARGUMENT.findall(said)
    written = b" ".join([b"a%s=%s" % one for one in found])
    if written != said or any(int(number) != place for place, (number, _) in enumerate(found)):
        return None
    return [argument_bytes(value) for _, value in found]


def decode_title(said: bytes) -> bytes | None:
    """The value of a PROCTITLE with blanks between the arguments; None for what is neither quoted nor hex."""
    if said[:1] == b'"':
        return said[1:-1] if _TITLE.fullmatch(said) and MARK not in said else None
    try:
        title = unhexlify(said).rstrip(b"\0").replace(b"\0", b" ")
    except Error:
        return None
    return None if MARK in title or said.upper() != said else title


def decode_titles(said: Sequence[bytes]) -> Sequence[bytes | None]:
    """What `decode_title` says of each, the hex of all in one step where all is as usual."""
    coded = [one for one in said if one[:1] != b'"']
    sizes = [len(one) >> 1 for one in coded]
    joined = b"".join(coded)
    try:
        text = unhexlify(joined)
    except Error:
        return list(map(decode_title, said))
    ends = list(accumulate(sizes))
    odd = 2 * sum(sizes) != len(joined) or joined.upper() != joined or MARK in text
    if odd or 0 in [text[end - 1] for end in ends]:
        return list(map(decode_title, said))
    text = text.replace(b"\0", b" ")
    titles = map(text.__getitem__, map(slice, [0, *ends], ends))
    if len(coded) == len(said):
        return list(titles)
    return [next(titles) if one[:1] != b'"' else decode_title(one) for one in said]


def split_address(said: bytes) -> tuple[bytes, bool] | None:
    """The hex of a SOCKADDR record, and whether auditd read it; None for one that is not as usual."""
    found = _ADDRESS.fullmatch(said)
    return None if found is None or MARK in said else (found[1], found[2] is not None)


@lru_cache(maxsize=_MOST)
def read_path(record: bytes) -> tuple[bool, bytes, bool] | None:
    """Whether a PATH record (without its head) is of item 0, the name (empty for none), and whether that is an absolute
    path written as it resolves; None for one that is not as usual.
    """
    found = _PATH.fullmatch(record)
    if found is None or MARK in record or found[2] == b'""':
        return None
    name = b"" if found[2] == b"(null)" else found[2][1:-1]
    return found[1] == b"0", name, is_plain(name)


def is_plain(name: bytes) -> bool:
    """Whether an absolute path is written as it resolves."""
    return name[:1] == b"/" and b"//" not in name and b"/." not in name and (name[-1:] != b"/" or len(name) == 1)


def split_paths(records: Sequence[bytes]) -> Sequence[tuple[bool, bytes, bool]] | None:
    """What `read_path` says of each PATH record that has a name. None where one is not as usual, or comes twice."""
    found = list(map(read_path, records))
    if len(records) > 1 and len(set(records)) < len(records):
        return None
    named = [one for one in found if one is not None and one[1]]
    return None if None in found else named
