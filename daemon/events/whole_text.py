"""The text of a whole audit event for a selector to look in: what rules of any kind may find in its events.

Beside the records, decoded, stand the values that the taxonomy makes of several records, each in quotes, as `shown`
says of them. More text than the events will have does no harm; less would lose matches.
"""

import posixpath
from functools import lru_cache
from typing import NamedTuple

from daemon.events.audit_parts import CWD, PATH
from daemon.events.audit_shape import CONTROLS, MARK, Shape, is_plain, read_directory, split_address, split_paths
from daemon.events.audit_values import to_text
from daemon.events.processes import Process
from daemon.events.shown import LONG, LONGEST_ORDINARY
from daemon.events.sockaddr import parse_sockaddr

_LONG = LONG.encode()
_ABSENT = frozenset({b"", b"?", b"(null)", b"(none)"})


def quoted(value: str) -> bytes:
    """A value as the text has it."""
    return b'"%s"' % value.encode("utf-8", "surrogatepass")


@lru_cache(maxsize=1024)
def user_text(name: str, said: str) -> bytes:
    """Who made a call; `said` is the name in its record, if it has one."""
    text = b'\x01%s"' % name.encode("utf-8", "surrogatepass")
    return text if name == said else quoted(name) + text


def title_text(title: bytes) -> bytes:
    """The end of a PROCTITLE record from its value on, and the title as it is, where those are not the same."""
    shown = title.translate(CONTROLS)
    return b'"%s"\n' % shown if shown == title else b'"%s"\n"%s"' % (shown, title)


class Paths(NamedTuple):
    """What the PATH and CWD records of a call say: which of these it has and lacks (bits of `audit_parts`), the paths
    that are not written as they resolve, quoted (with LONG, if one is long), and of an execve the program as it was
    called (None with several).
    """

    has: int
    lacks: int
    resolved: bytes
    called: str | None


@lru_cache(maxsize=1024)
def read_paths(items: bytes, said: bytes, path: bytes, path2: bytes, others: bytes) -> Paths | None:
    """What a CWD record says (empty: there is none), and the PATH records of a call without their heads (`others` a
    line each), of which there should be so many `items`; None for those that are not as usual, or if it cannot be said
    what they resolve to. Programs open the same files over and over, so it is remembered.
    """
    cwd = read_directory(said) if said else None
    records = [path, path2] if path2 and not others else [*filter(None, (path, path2)), *others.split(b"\n")[:-1]]
    names = split_paths(records)
    if names is None or (said and cwd is None):
        return None
    text, called, relative, longest = b"", [], False, 0
    for item, name, plain in names:
        resolved = name
        if name[:1] != b"/":
            relative = True
            if name in _ABSENT:
                continue
            if cwd is None:
                return None
        if not plain:
            resolved = resolve(name, cwd)
            text += b'"%s"' % resolved
        longest = max(longest, _characters(name), _characters(resolved))
        if item:
            called.append(resolved)
    few = int(items) > len(records)
    has = (PATH if records and not few else 0) | (CWD if said else 0)
    lacks = (PATH if few else 0) | (CWD if relative and not said else 0)
    one = len(called) < 2  # noqa: PLR2004 - none or one
    text += _LONG if longest >= LONGEST_ORDINARY else b""
    return Paths(has, lacks, text, to_text(b"".join(called)) if one else None)


def _characters(said: bytes) -> int:
    """As many as the text of it has, or more: what is no UTF-8 is four for a byte."""
    return len(said) if said.isascii() else 4 * len(said)


@lru_cache(maxsize=1024)
def resolve(name: bytes, cwd: bytes | None) -> bytes:
    """A path relative to the current directory made absolute."""
    whole = name if name[:1] == b"/" or cwd is None else b"%s/%s" % (cwd, name)
    return whole if is_plain(whole) else posixpath.normpath(posixpath.join(cwd or b"", name))


def parent_text(parent: Process) -> bytes:
    """What rules may ask of the process that started another."""
    return b"".join(map(quoted, (*parent.images, parent.command_line, parent.user)))


def address_text(saddr: bytes) -> bytes:
    """What a socket address (hex) says, in the names of auparse and as the values of an event."""
    address = parse_sockaddr(saddr.decode())
    if address is None:
        return b""
    host, port = address.host.encode("utf-8", "surrogatepass"), b"%d" % address.port
    said = b" saddr_fam=%s" % address.family.encode()
    if address.is_remote:
        return b'%s laddr=%s lport=%s "%s" "%s"' % (said, host, port, host, port)
    return b"%s path=%s" % (said, host) if address.family == "local" else said


@lru_cache(maxsize=1024)
def read_address(saddr: bytes) -> tuple[bytes, bool, bytes] | None:
    """The hex of a SOCKADDR record, whether auditd read it, and its text; None for one that is not as usual, or could
    be shown as another.
    """
    split = split_address(saddr)
    if split is None:
        return None
    said = address_text(split[0])
    return None if b"\x1d" in said or MARK in said else (*split, said)


def otherwise_shown(shape: Shape, name: str) -> bytes | None:
    """The records of a call that decoded text shows in other words than the log, as it shows them, but for those of
    every call: one that auditd did not name (`name` is what it would have written, else empty), an address that it did
    not read; and the values of an address. None for one that is not as usual, or could be shown as another.
    """
    text = b""
    if name:
        text = b"%s SYSCALL=%s\n" % (shape.lines[: shape.lines.index(b"\n")], name.encode())
    if not shape.saddr:
        return text
    address = read_address(shape.saddr)
    if address is None:
        return None
    hexed, is_read, said = address
    if not is_read:
        text += b"%stype=SOCKADDR %s: saddr=%s%s\n" % (shape.node, shape.head, hexed, said)
    return text + said
