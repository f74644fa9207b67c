"""The text of a whole audit event for a selector to look in: what rules of any kind may find in its events.

Beside the records, decoded, stand the values that the taxonomy makes of several records, each in quotes, as `shown`
says of them. More text than the events will have does no harm; less would lose matches.
"""

import posixpath
from functools import lru_cache
from re import Match
from typing import NamedTuple

from daemon.events.audit_shape import CONTROLS, TITLE, Shape, path_names
from daemon.events.audit_values import to_text
from daemon.events.processes import Process
from daemon.events.sockaddr import parse_sockaddr

_ARGUMENTS = 1 + Shape._fields.index("arguments")
_ABSENT = frozenset({b"", b"?", b"(null)", b"(none)"})


def quoted(value: str) -> bytes:
    """A value as the text has it."""
    return b'"%s"' % value.encode("utf-8", "surrogatepass")


def user_text(name: bytes) -> bytes:
    """Who made a call."""
    return b'\x01%s"' % name


def title_text(title: bytes, command_line: bytes | None = None) -> bytes:
    """The end of a PROCTITLE record from its value on, and the title as it is, which the kernel may have cut; beside
    it the whole command line.
    """
    shown = title.translate(CONTROLS)
    text = b'"%s"\n' % shown
    if shown != title:
        text += b'"%s"' % title
    return text if command_line is None or command_line == title else text + b'"%s"' % command_line


class Paths(NamedTuple):
    """What the PATH records of a call say: the paths that are not written as they resolve, quoted (None where it cannot
    be said to what they do), and of an execve the program as it was called (None with several items 0).
    """

    resolved: bytes | None
    called: str | None


def read_paths(records: bytes, head: bytes, cwd: bytes | None) -> Paths:
    """The PATH records of a call with this head. Programs open the same files over and over, so it is remembered."""
    return _read_paths(records.replace(head, b""), cwd)


@lru_cache(maxsize=4096)
def _read_paths(records: bytes, cwd: bytes | None) -> Paths:
    text: bytes | None = b""
    first = []
    for item, name in path_names(records):
        if name in _ABSENT:
            continue
        plain = is_plain(name)
        if not plain:
            text = None if text is None or (name[:1] != b"/" and cwd is None) else text + b'"%s"' % resolve(name, cwd)
        if item:
            first.append(name if plain else resolve(name, cwd))
    return Paths(text, to_text(b"".join(first)) if len(first) < 2 else None)  # noqa: PLR2004 - none or one


def is_plain(name: bytes) -> bool:
    """Whether an absolute path is written as it resolves."""
    return name[:1] == b"/" and b"//" not in name and b"/." not in name and (name[-1:] != b"/" or len(name) == 1)


def resolve(name: bytes, cwd: bytes | None) -> bytes:
    """A path relative to the current directory made absolute."""
    return posixpath.normpath(posixpath.join(cwd or b"", name))


def images_of(exe: bytes, called: str) -> str | tuple[str, ...]:
    """The program of an execve as resolved, then as called if that is another path."""
    image = to_text(exe)
    return (image, called) if called.startswith("/") and called != image else image


def parent_text(parent: Process) -> bytes:
    """What rules may ask of the process that started another."""
    return b"".join(map(quoted, (*parent.images, parent.command_line, parent.user)))


@lru_cache(maxsize=4096)
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


def records_text(found: Match[bytes], shape: Shape, name: str, arguments: bytes | None = None) -> bytes:
    """The records up to the value of PROCTITLE, decoded; `arguments` as the EXECVE record shows them."""
    lines, start, end = found.string, found.start(), found.start(TITLE)
    if arguments is None:
        records = lines[start:end]
    else:
        records = lines[start : found.start(_ARGUMENTS)] + arguments + lines[found.end(_ARGUMENTS) : end]
    if shape.name is None:
        records = records.replace(b"\n", b" SYSCALL=%s\n" % name.encode(), 1)
    if shape.saddr is None:
        return records
    said = address_text(shape.saddr)
    # where auditd did not read the address, what it says stands at the end of its record
    return said + records.replace(b"saddr=%s\n" % shape.saddr, b"saddr=%s%s\n" % (shape.saddr, said), 1)
