"""One group of audit records, taken apart: who called what, with which arguments, on which paths, to which address."""

import posixpath
from collections.abc import Mapping

from msgspec import Struct

from daemon.events.assemble import Group
from daemon.events.auditd import Decoded, Record, decode_execve, decode_record
from daemon.events.sockaddr import Address, parse_sockaddr
from daemon.events.syscalls import syscall_name
from daemon.model import Value

_ABSENT = frozenset({"", "?", "(null)", "(none)"})
_AT_FDCWD = frozenset({"", "ffffff9c", "ffffffffffffff9c"})
_DIRECTORY_ARGUMENT = {
    "openat": "a0",
    "openat2": "a0",
    "mkdirat": "a0",
    "mknodat": "a0",
    "execveat": "a0",
    "symlinkat": "a1",
    "linkat": "a2",
    "renameat": "a2",
    "renameat2": "a2",
}
"""Which argument of a call holds the directory that a relative path of a new file (or program) starts from."""
_OPEN_FLAGS = {"open": "a1", "openat": "a2"}
"""Which argument of a call holds its flags; for openat2 a record of its own tells them, in octal."""
_URING_CALLS = {
    "13": "accept",
    "16": "connect",
    "18": "openat",
    "28": "openat2",
    "35": "renameat",
    "36": "unlinkat",
    "37": "mkdirat",
    "38": "symlinkat",
    "39": "linkat",
}
"""What an operation of io_uring does (`linux/io_uring.h`), as the system call that does the same."""
_NAMED_LATER = {"UNKNOWN[1336]": "URINGOP", "UNKNOWN[1337]": "OPENAT2"}
"""Types that an auditd older than its kernel has no name for."""
_OVERWRITING = frozenset({"creat", "truncate"})
_ACCESS_MODE = 3  # O_WRONLY and O_RDWR, the same on every architecture


class Scene(Struct, frozen=True):
    """A decoded group. `call` is the SYSCALL record (else that of io_uring, else empty), `name` the name of the call,
    `cut_short` that fewer arguments came than the program got.
    """

    group: Group
    records: tuple[tuple[Record, Decoded], ...]
    call: Mapping[str, Value] = {}
    name: str = ""
    arguments: tuple[str, ...] = ()
    has_execve: bool = False
    cut_short: bool = False
    cwd: str = ""
    paths: tuple[Mapping[str, Value], ...] = ()
    title: str = ""
    address: Address | None = None
    open_flags: str = ""

    def value(self, key: str) -> str:
        """A field of the SYSCALL record as text; "" where it is absent or says that it is (`?`, `(null)`)."""
        value = self.call.get(key)
        return value if isinstance(value, str) and value not in _ABSENT else ""

    @property
    def image(self) -> str:
        """The program that made the call."""
        return self.value("exe")

    @property
    def written(self) -> tuple[Mapping[str, Value], ...]:
        """The paths that the call created, and the regular files that were there and that it opened for writing.

        A login key or a cron job is more often added to a file that exists than put into a new one.
        """
        if self.value("success") == "no":
            return ()
        over = {"NORMAL"} if self._opens_for_writing() else set()
        return tuple(
            path
            for path in self.paths
            if role_of(path) == "CREATE" or (role_of(path) in over and _is_regular(text_of(path, "mode")))
        )

    def _opens_for_writing(self) -> bool:
        try:
            flags = int(self.value(_OPEN_FLAGS.get(self.name, "")) or "0", 16) | int(self.open_flags or "0", 8)
            return self.name in _OVERWRITING or bool(flags & _ACCESS_MODE)
        except ValueError:
            return False

    @property
    def command_line(self) -> str:
        """The whole command line; the kernel's cut copy of it (128 bytes) where the arguments never came."""
        return " ".join(self.arguments) if self.has_execve else self.title

    def resolve(self, name: str) -> str:
        """A path of this call made absolute, where that can be known.

        A path relative to another directory than the current one (`openat` with a descriptor) stays relative: no
        record says which directory that was.
        """
        if name.startswith("/"):
            return posixpath.normpath(name)
        argument = _DIRECTORY_ARGUMENT.get(self.name)
        if argument is not None and self.value(argument) not in _AT_FDCWD:
            return name
        if self.cwd:
            return posixpath.normpath(posixpath.join(self.cwd, name))
        parents = {text_of(path, "item"): text_of(path, "name") for path in self.paths if role_of(path) == "PARENT"}
        last = parents[max(parents)] if parents else ""  # a log copied by ausearch has its records in reverse
        return posixpath.normpath(posixpath.join(last, posixpath.basename(name))) if last.startswith("/") else name


def text_of(fields: Mapping[str, Value], key: str) -> str:
    """A field as text; "" where it is absent, or says so (`?`, `(null)`, `(none)`)."""
    value = fields.get(key)
    return value if isinstance(value, str) and value not in _ABSENT else ""


def role_of(path: Mapping[str, Value]) -> str:
    """What a PATH was to the call: NORMAL, PARENT, CREATE, DELETE (RHEL 7 calls the key `objtype`)."""
    return text_of(path, "nametype") or text_of(path, "objtype")


def _is_regular(mode: str) -> bool:
    """Whether a mode as auditd writes it (`0100644`, octal) is of a regular file; one that is not told may be."""
    return not mode or mode.startswith(("0100", "file,"))


def build_scene(group: Group) -> Scene:
    """Decode the records of a group. All its EXECVE records become one, where the first of them stood."""
    execve = [record for record in group.records if record.kind == "EXECVE"]
    arguments: tuple[str, ...] = ()
    records: list[tuple[Record, Decoded]] = []
    paths: list[Mapping[str, Value]] = []
    of_kind: dict[str, dict[str, Value]] = {}
    for record in group.records:
        kind = record.kind
        if kind != "EXECVE":
            decoded = decode_record(record)
        elif record is execve[0]:
            decoded, arguments = decode_execve(execve)
        else:
            continue
        records.append((record, decoded))
        if kind == "PATH":
            paths.append(decoded.fields)
        else:
            of_kind.setdefault(_NAMED_LATER.get(kind, kind), decoded.fields)
    call = _call(of_kind)
    return Scene(
        group,
        tuple(records),
        call,
        _called(call),
        arguments,
        has_execve=bool(execve),
        cut_short=len(arguments) < _counted(of_kind),
        cwd=_said(of_kind, "CWD", "cwd"),
        paths=tuple(paths),
        title=_said(of_kind, "PROCTITLE", "proctitle"),
        address=parse_sockaddr(_said(of_kind, "SOCKADDR", "saddr")) if "SOCKADDR" in of_kind else None,
        open_flags=_said(of_kind, "OPENAT2", "oflag"),
    )


def _call(of_kind: Mapping[str, Mapping[str, Value]]) -> Mapping[str, Value]:
    """The fields of the call, with its name."""
    call = of_kind.get("SYSCALL")
    if call is None:
        done = of_kind.get("URINGOP", {})
        name = _URING_CALLS.get(text_of(done, "uring_op"), "")
        return {**done, "SYSCALL": name} if name else done
    name = text_of(call, "SYSCALL")
    if not name or name.startswith("unknown-syscall("):
        name = syscall_name(text_of(call, "arch"), text_of(call, "syscall")) or name
    return {**call, "SYSCALL": name} if name else call


def _called(call: Mapping[str, Value]) -> str:
    """The name alone: auditd says `socketcall(connect)` of 32-bit programs."""
    return text_of(call, "SYSCALL").partition("(")[0]


def _counted(of_kind: Mapping[str, Mapping[str, Value]]) -> int:
    """How many arguments the program got, as its EXECVE record says."""
    said = _said(of_kind, "EXECVE", "argc")
    return int(said) if said.isascii() and said.isdigit() else 0


def _said(of_kind: Mapping[str, Mapping[str, Value]], kind: str, key: str) -> str:
    return text_of(of_kind[kind], key) if kind in of_kind else ""
