"""Audit events as a kernel writes them, whole, for tests that take something away: numbered, of several nodes and boots."""

from hypothesis import strategies as st
from msgspec import Struct

T0 = 1_795_000_000.0
LEAST = 40
"""Numbers that a node has reached before it begins anew."""
_ADDRESS = "02000050CB0071090000000000000000"
_LOADER = "/lib64/ld-linux-x86-64.so.2"


class Written(Struct, frozen=True):
    """One line, and what it belongs to: (node, boot, serial), serial None for auditd's own records."""

    text: str
    node: str
    boot: int
    serial: int | None
    kind: str
    at: float


def _head(node: str, kind: str, at: float, serial: int) -> str:
    return f"{f'node={node} ' if node else ''}type={kind} msg=audit({at:.3f}:{serial}): "


def _call(number: int, name: str, items: int) -> str:
    return (
        f"arch=c000003e syscall={number} success=yes exit=0 a0=4 a1=7ffe a2=10 a3=0 items={items} ppid=200 pid=300 "
        "auid=1000 uid=1000 gid=1000 euid=1000 suid=1000 fsuid=1000 egid=1000 sgid=1000 fsgid=1000 tty=pts0 ses=7 "
        f'comm="tar" exe="/usr/bin/tar" key="watch"\x1dARCH=x86_64 SYSCALL={name} AUID="alice" UID="alice" GID="alice" '
        'EUID="alice" SUID="alice" FSUID="alice" EGID="alice" SGID="alice" FSGID="alice"'
    )


def _path(item: int, name: str) -> str:
    return f'item={item} name="{name}" inode=7 dev=08:01 mode=0100644 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL'


_TITLE = ("PROCTITLE", 'proctitle="tar"')
_CWD = ("CWD", 'cwd="/srv"')
_LOGIN = (
    'pid=9 uid=0 auid=1000 ses=3 msg=\'op=login acct="alice" exe="/usr/sbin/sshd" hostname=? addr=192.0.2.7 '
    'terminal=ssh res=success\'\x1dUID="root" AUID="alice"'
)
BODIES = {
    "start": (
        ("SYSCALL", _call(59, "execve", 2)),
        ("EXECVE", 'argc=2 a0="tar" a1="x"'),
        _CWD,
        ("PATH", _path(0, "/usr/bin/tar")),
        ("PATH", _path(1, _LOADER)),
        _TITLE,
    ),
    "open": (
        ("SYSCALL", _call(257, "openat", 2)),
        _CWD,
        ("PATH", _path(0, "/srv")),
        ("PATH", _path(1, "x")),
        _TITLE,
    ),
    "connect": (("SYSCALL", _call(42, "connect", 0)), ("SOCKADDR", f"saddr={_ADDRESS}"), _TITLE),
    "login": (("USER_LOGIN", _LOGIN),),
}
_DAEMON = "op=start ver=3.0.9 format=enriched auid=0 pid=1 uid=0 ses=1 res=success"


def event(name: str, node: str, boot: int, serial: int, at: float) -> list[Written]:
    """The lines of one event."""
    return [Written(_head(node, kind, at, serial) + body, node, boot, serial, kind, at) for kind, body in BODIES[name]]


def daemon_record(kind: str, node: str, boot: int, serial: int, at: float) -> Written:
    """What auditd says of itself, with a number of its own."""
    return Written(_head(node, kind, at, serial) + _DAEMON, node, boot, None, kind, at)


class _Author:
    """Writes a log event by event."""

    def __init__(self, draw: st.DrawFn, nodes: tuple[str, ...]) -> None:
        self._draw = draw
        self._at = T0
        self._boot = dict.fromkeys(nodes, 0)
        self._serial = {node: draw(st.sampled_from([1, 3000, 90_000, 2**32 - 12])) for node in nodes}
        self.lines: list[Written] = []

    def begin(self) -> None:
        """One event of each shape and node, so that it is known what the log has."""
        for node in self._boot:
            for name in BODIES:
                self.lines += self._event(name, node)

    def go_on(self, node: str) -> None:
        """Some events whose records stand mixed, perhaps after a reboot."""
        self._at += self._draw(st.sampled_from([0.001, 0.4, 30.0]))
        if self._serial[node] > LEAST and self._draw(st.integers(0, 3)) == 0:
            self._reboot(node)
        mixed = [
            self._event(name, node)
            for name in self._draw(st.lists(st.sampled_from(sorted(BODIES)), min_size=1, max_size=5))
        ]
        if self._draw(st.booleans()):
            self.lines.append(daemon_record("DAEMON_ROTATE", node, self._boot[node], 815, self._at))
        while any(mixed):
            open_ones = [rest for rest in mixed if rest][:3]
            self.lines.append(open_ones[self._draw(st.integers(0, len(open_ones) - 1))].pop(0))

    def _event(self, name: str, node: str) -> list[Written]:
        found = event(name, node, self._boot[node], self._serial[node], self._at)
        self._serial[node] = (self._serial[node] + 1) % 2**32
        self._at += 0.001
        return found

    def _reboot(self, node: str) -> None:
        """The host begins anew, and its numbers too; auditd may have had no time to say that it ended."""
        if self._draw(st.booleans()):
            self.lines.append(daemon_record("DAEMON_END", node, self._boot[node], 77, self._at))
        self._at += 60.0
        self._boot[node] += 1
        self._serial[node] = self._draw(st.integers(2, LEAST // 2))
        self.lines.append(daemon_record("DAEMON_START", node, self._boot[node], 4711, self._at))


@st.composite
def whole_logs(draw: st.DrawFn) -> tuple[list[Written], int]:
    """A log of one or two nodes with reboots, and how many lines of it are its beginning, of which nothing is to be
    taken if it is to be known what the log has.
    """
    nodes = draw(st.sampled_from([("",), ("", "web-2"), ("web-1", "web-2")]))
    author = _Author(draw, nodes)
    author.begin()
    known = len(author.lines)
    for _ in range(draw(st.integers(2, 6))):
        author.go_on(draw(st.sampled_from(nodes)))
    return author.lines, known
