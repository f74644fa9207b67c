"""The text of a whole audit event for a selector to look in: what rules of any kind may find in its events.

Beside the records, decoded, stand the values that the taxonomy makes of several records, each in quotes, as `shown`
says of them. More text than the events will have does no harm; less would lose matches.
"""

import posixpath
from functools import lru_cache
from typing import NamedTuple

from daemon.events.audit_shape import CONTROLS, MARK, Shape, read_directory, split_address, split_paths
from daemon.events.audit_values import to_text
from daemon.events.processes import Process
from daemon.events.sockaddr import parse_sockaddr

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
    """What the PATH records of a call say: how many there are, whether any has a relative name, the paths that are not
    written as they resolve, quoted, and of an execve the program as it is written, and as it was called (None with
    several).
    """

    records: int
    relative: bool
    resolved: bytes
    first: bytes
    called: str | None


@lru_cache(maxsize=1024)
def read_paths(said: bytes, path: bytes, path2: bytes, others: bytes) -> Paths | None:
    """What a CWD record says (empty: there is none), and the PATH records of a call without their heads (`others` a
    line each); None for those that are not as usual, or if it cannot be said what they resolve to. Programs open the
    same files over and over, so it is remembered.
    """
    cwd = read_directory(said) if said else None
    records = [*filter(None, (path, path2)), *others.split(b"\n")[:-1]]
    names = split_paths(records)
    if names is None or (said and cwd is None):
        return None
    text, first, called = b"", [], []
    for item, name in names:
        if name in _ABSENT:
            continue
        plain = is_plain(name)
        if not plain and name[:1] != b"/" and cwd is None:
            return None
        text += b"" if plain else b'"%s"' % resolve(name, cwd)
        if item:
            first.append(name)
            called.append(name if plain else resolve(name, cwd))
    relative = any(name[:1] != b"/" for _, name in names)
    one = len(first) < 2  # noqa: PLR2004 - none or one
    return Paths(len(records), relative, text, b"".join(first), to_text(b"".join(called)) if one else None)


def is_plain(name: bytes) -> bool:
    """Whether an absolute path is written as it resolves."""
    return name[:1] == b"/" and b"//" not in name and b"/." not in name and (name[-1:] != b"/" or len(name) == 1)


@lru_cache(maxsize=1024)
def resolve(name: bytes, cwd: bytes | None) -> bytes:
    """A path relative to the current directory made absolute."""
    return posixpath.normpath(posixpath.join(cwd or b"", name))


def parent_text(parent: Process) -> bytes:
    """What rules may ask of the process that started another."""
    return b"".join(map(quoted, (*parent.images, parent.command_line, parent.user)))


@lru_cache(maxsize=1024)
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
    split = split_address(shape.saddr)
    said = address_text(split[0]) if split is not None else b"\x1d"
    if split is None or b"\x1d" in said or MARK in said:
        return None
    if not split[1]:
        text += b"%stype=SOCKADDR %s: saddr=%s%s\n" % (shape.node, shape.head, split[0], said)
    return text + said
