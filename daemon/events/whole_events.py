"""Audit events that stand whole in a run of lines: followed at once, made into events only where a rule may match.

What needs every event is kept up for each: the order of serials, the events already seen, the table of processes. For
the rest there is a text, the records as `decode_record` shows them and what the taxonomy makes of several records, in
which a selector looks for what rules need. Reading each record gives the same, ten times as slowly: `follow` refuses
what it is not sure of, and then leaves no trace.
"""

from collections.abc import Sequence
from re import Match

from msgspec import Struct

from daemon.events.assemble import Assembler, Group
from daemon.events.audit_shape import MARK, SERIAL, Shape, decode_title, path_names, split_arguments
from daemon.events.audit_values import to_text
from daemon.events.line_events import same_host
from daemon.events.losses import Losses
from daemon.events.processes import Process, Processes
from daemon.events.runs import Run
from daemon.events.scene import Scene
from daemon.events.syscalls import syscall_name
from daemon.events.taxonomy import Taxonomy
from daemon.events.whole_text import (
    address_text,
    images_of,
    parent_text,
    quoted,
    read_paths,
    records_text,
    title_text,
    user_text,
)
from daemon.model import Lost

_EXCEPTIONAL = frozenset({"exit_group", "clone", "clone3", "fork", "vfork", "execveat", ""})
"""Calls that change the table of processes in ways of their own, and one without a name."""
_MOST = 4096


class Started(Struct, frozen=True, gc=False):
    """A program's start: what SHAPE found, the arguments, and the parent at that time."""

    shape: Shape
    arguments: Sequence[bytes]
    parent: Process | None


class Whole(Struct, gc=False):
    """An event that was followed, of so many lines. `text` None: its lines are the text to look in."""

    found: Match[bytes]
    lines: int
    at: float
    lost: list[Lost] | None
    text: bytes | None = None
    started: Started | None = None


class WholeEvents:
    """Matches of `audit_shape.SHAPE` → what was followed, None for one that must be read record by record."""

    def __init__(
        self, *, host: str, assembler: Assembler, losses: Losses, processes: Processes, taxonomy: Taxonomy
    ) -> None:
        self._host = host
        self._assembler = assembler
        self._losses = losses
        self._processes = processes
        self._taxonomy = taxonomy
        self._nodes: dict[bytes, tuple[str, str]] = {}
        self._parents: dict[tuple[str, int], tuple[Process, bytes]] = {}

    def follow(self, found: Match[bytes], run: Run) -> Whole | None:
        """Bring everything that needs every event up to this one."""
        if found.lastindex == SERIAL:
            shape, (head, stamp, number) = None, found.group(1, SERIAL - 1, SERIAL)
        else:
            shape = Shape(*found.groups())
            head, stamp, number = shape.node, shape.call_stamp, shape.call_serial
        node, ours = self._nodes.get(head) or self._named(head)
        at, serial = float(stamp), int(number)
        start, end = found.span()
        if not self._assembler.expects(node, at, serial, end - start):
            return None
        if not self._losses.expects(node, serial, titled=shape is not None):
            return None
        if shape is None:
            self._assembler.closed.pass_whole(run, end, node, at, serial)
            return Whole(found, 1, at, self._losses.pass_whole(node, serial, at))
        told = self._tell(found, shape, ours)
        if told is None:
            return None
        self._assembler.closed.pass_whole(run, end, node, at, serial)
        lines = found.string.count(b"\n", start, end)
        return Whole(found, lines, at, self._losses.pass_whole(node, serial, at), *told)

    def _named(self, head: bytes) -> tuple[str, str]:
        """The node of `node=… `, and the same as the table of processes has it: empty for this host."""
        node = to_text(head[5:-1])
        if len(self._nodes) >= _MOST:
            self._nodes.clear()
        names = self._nodes[head] = node, "" if same_host(node, self._host) else node
        return names

    def _tell(self, found: Match[bytes], shape: Shape, node: str) -> tuple[bytes, Started | None] | None:
        """The text of a call, and what is known of the program that it started; the table of processes learns it."""
        name = shape.name.decode() if shape.name else syscall_name(shape.arch.decode(), shape.number.decode())
        title, paths = decode_title(shape.title), read_paths(shape.paths, shape.head, shape.cwd)
        more = paths.resolved
        if name in _EXCEPTIONAL or title is None or more is None or _separated(title, shape.saddr):
            return None
        if shape.user is None or shape.user[:8] == b"unknown(":
            name_of_user = self._user(shape, node)
            more += quoted(name_of_user) + user_text(name_of_user.encode("utf-8", "surrogatepass"))
        else:
            more += user_text(shape.user)
        if name == "execve" and shape.success == b"yes":
            return self._start(found, shape, (title, more, paths.called), node)
        if shape.arguments is not None or not self._processes.is_running(node, int(shape.pid), to_text(shape.exe)):
            return None
        return records_text(found, shape, name) + title_text(title) + more, None

    def _start(
        self, found: Match[bytes], shape: Shape, said: tuple[bytes, bytes, str | None], node: str
    ) -> tuple[bytes, Started | None] | None:
        title, more, called = said
        split = split_arguments(shape.arguments) if shape.arguments is not None else None
        if split is None or called is None:
            return None
        line, ppid = b" ".join(split[0]), int(shape.ppid)
        parent = self._processes.find(node, ppid)
        if parent is not None:
            more += self._parent_text((node, ppid), parent)
        if b"\x1d" in line or b"\x1d" in more:
            return None
        user = self._user(shape, node)
        images = images_of(shape.exe, called)
        self._processes.started(Process(int(shape.pid), images, to_text(line), ppid, user, node))
        text = records_text(found, shape, "execve", split[1]) + title_text(title, line) + more
        return text, Started(shape, split[0], parent)

    def _user(self, shape: Shape, node: str) -> str:
        return self._taxonomy.user_name(to_text(shape.user) if shape.user else "", shape.uid.decode(), node)

    def _parent_text(self, key: tuple[str, int], parent: Process) -> bytes:
        known = self._parents.get(key)
        if known is None or known[0] is not parent:
            if len(self._parents) >= _MOST:
                self._parents.clear()
            known = self._parents[key] = (parent, parent_text(parent))
        return known[1]


def _separated(title: bytes, saddr: bytes | None) -> bool:
    """Whether a value holds auditd's separator, which the text shows as a blank: of these the kernel writes hex."""
    return b"\x1d" in title or (saddr is not None and b"\x1d" in address_text(saddr))


def says_more(whole: Whole) -> bool:
    """Whether MARK stands elsewhere in the text of an event than at the heads of its records."""
    return (whole.found[0] if whole.text is None else whole.text).count(MARK) != whole.lines


def start_scene(group: Group, started: Started) -> Scene:
    """The scene of a program's start, for the event of that kind alone: as `build_scene` makes it of all records."""
    shape = started.shape
    name = (shape.name or b"execve").decode()
    call = {
        "ppid": shape.ppid.decode(), "pid": shape.pid.decode(), "auid": shape.auid.decode(), "uid": shape.uid.decode(),
        "euid": shape.euid.decode(), "tty": to_text(shape.tty), "success": shape.success.decode(),
        "exe": to_text(shape.exe), "key": to_text(shape.key.strip(b'"')), "SYSCALL": name,
    }  # fmt: skip
    if shape.user is not None:
        call["UID"] = to_text(shape.user)
    return Scene(
        group,
        (),
        call,
        name,
        tuple(map(to_text, started.arguments)),
        has_execve=True,
        cut_short=len(started.arguments) < int(shape.argc or b"0"),
        cwd=to_text(shape.cwd or b""),
        paths=tuple({"item": "0", "name": to_text(name)} for first, name in path_names(shape.paths) if first),
    )
