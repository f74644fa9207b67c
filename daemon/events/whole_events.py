"""Audit events that stand whole in a run of lines: followed at once, made into events only where a rule may match.

What needs every event is kept up for each: the order of serials, the events already seen, the table of processes. For
the rest there is a text, the records as `decode_record` shows them and what the taxonomy makes of several records, in
which a selector looks for what rules need. Most of it is the log itself; `Followed` has the rest.

Reading each record gives the same, many times as slowly: `follow` ends before what it is not sure of, and then leaves
no trace of that.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from msgspec import Struct

from daemon.events.assemble import Assembler, Group
from daemon.events.audit_parts import ADDRESS, ADDRESSED, ARGUMENTS, CALL, CWD, PATH, TITLE
from daemon.events.audit_rows import Rows
from daemon.events.audit_shape import MARK, Caller, Shape, decode_title, read_caller, read_directory, split_arguments
from daemon.events.audit_values import to_text
from daemon.events.line_events import same_host
from daemon.events.losses import Losses
from daemon.events.processes import Process, Processes
from daemon.events.runs import Run
from daemon.events.scene import Scene
from daemon.events.syscalls import syscall_name
from daemon.events.taxonomy import Taxonomy
from daemon.events.whole_text import (
    Paths,
    otherwise_shown,
    parent_text,
    read_paths,
    title_text,
    user_text,
)
from daemon.model import Lost

_EXCEPTIONAL = frozenset({"exit_group", "clone", "clone3", "fork", "vfork", "execveat", ""})
"""Calls that change the table of processes in ways of their own, and one without a name."""
_PATH_HEAD = b"type=PATH : "
_MOST = 4096


class Started(Struct, frozen=True, gc=False):
    """A program's start: what SHAPE found, the arguments, the program as it was called, and the parent at that time."""

    shape: Shape
    arguments: Sequence[bytes]
    called: bytes
    parent: Process | None


class Followed:
    """What is known of the events of a run that were followed, by number of the row: what was lost before them, the
    programs that they started, and of calls (`numbers`) the text that the log does not show as it is. `read` were not
    followed.
    """

    def __init__(self) -> None:
        self.lost: dict[int, list[Lost]] = {}
        self.started: dict[int, Started] = {}
        self.numbers: list[int] = []
        self.texts: list[bytes] = []
        self.read: set[int] = set()


class WholeEvents:
    """Rows of whole events → what was followed."""

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

    def follow(self, rows: Rows, first: int, run: Run, followed: Followed) -> int:
        """Bring everything that needs every event up to the rows from `first` on; gives the number of the first row
        that must be read record by record (or of none).
        """
        node, ours = self._nodes.get(rows.nodes[first]) or self._named(rows.nodes[first])
        last = self._in_order(rows, first, node)
        if last == first or not self._losses.expects(node, rows.serials[first]):
            return first
        last = self._tell_calls(rows, first, last, (node, ours), followed)
        if last == first:
            return first
        at, serials = rows.at[first:last], rows.serials[first:last]
        ends, lines = rows.ends[first:last], rows.lines[first:last]
        self._assembler.closed.pass_run(run, rows.start(first), ends, lines, at, (node, serials[-1]))
        for place, lost in self._losses.pass_run(node, serials, at).items():
            followed.lost[first + place] = lost
        return last

    def _in_order(self, rows: Rows, first: int, node: str) -> int:
        """The end of the rows that come and close one after the other, and do nothing else to records in flight."""
        if first in rows.others:
            return first
        until, room = self._assembler.room(node, rows.at[first], rows.serials[first])
        last = bisect_right(rows.ends, rows.start(first) + room, first, rows.end_of_run(first))
        return bisect_left(rows.at, until, first, last)

    def _named(self, head: bytes) -> tuple[str, str]:
        """The node of `node=… `, and the same as the table of processes has it: empty for this host."""
        node = to_text(head[5:-1])
        if len(self._nodes) >= _MOST:
            self._nodes.clear()
        names = self._nodes[head] = node, "" if same_host(node, self._host) else node
        return names

    def _tell_calls(self, rows: Rows, first: int, last: int, names: tuple[str, str], followed: Followed) -> int:
        """Look at the calls among these rows, in their order; gives the first that is not as usual, else `last`."""
        node = names[1]
        news, stuck = self._losses.new_parts(names[0])
        for number in rows.calls_of(first, last):
            row = rows.found[number]
            shape = Shape._make(row)
            caller = read_caller(shape.ids, shape.exe, shape.rest)
            others = shape.paths.replace(shape.head, b"").replace(shape.node + _PATH_HEAD, b"") if shape.paths else b""
            paths = read_paths(shape.cwd, shape.path, shape.path2, others)
            if caller is None or paths is None or tells_of_parts(shape, paths, news, stuck):
                return number
            text = self._tell(number, shape, caller, paths, node, followed)
            if text is None:
                return number
            followed.numbers.append(number)
            followed.texts.append(text)
        return last

    def _tell(
        self, number: int, shape: Shape, caller: Caller, paths: Paths, node: str, followed: Followed
    ) -> bytes | None:
        """The text of a call that the log does not show as it is; the table of processes learns of the program that it
        started. None for one that is not as usual.
        """
        name = caller.name or syscall_name(shape.arch.decode(), shape.number.decode())
        title, user = decode_title(shape.title), self._taxonomy.user_name(caller.user, caller.uid, node)
        done = shape.success == b"yes"
        lacks_address = not shape.saddr and done and name in ADDRESSED
        if title is None or lacks_address or name in _EXCEPTIONAL or b"\x1d" in title:
            return None
        shown = otherwise_shown(shape, "" if caller.name else name) if shape.saddr or not caller.name else b""
        if shown is None:
            return None
        if shape.title[:1] != b'"':
            shown += b"%stype=PROCTITLE %s: proctitle=%s" % (shape.node, shape.head, title_text(title))
        if name == "execve" and done:
            started = self._start(shape, caller, paths, title, (node, user))
            if started is None:
                return None
            shown, followed.started[number] = shown + started[0], started[1]
        elif shape.argc or not self._processes.is_running(node, int(shape.pid), caller.image):
            return None
        return shown + paths.resolved + user_text(user, caller.user)

    def _start(
        self, shape: Shape, caller: Caller, paths: Paths, title: bytes, whose: tuple[str, str]
    ) -> tuple[bytes, Started] | None:
        node, user = whose
        called, split = paths.called, split_arguments(shape.arguments) if shape.argc else None
        if split is None or called is None or len(split[0]) != int(shape.argc):
            return None
        line, ppid, shown = b" ".join(split[0]), int(shape.ppid), b""
        parent = self._processes.find(node, ppid)
        if parent is not None:
            shown = self._parent_text((node, ppid), parent)
        if line != title:
            shown += b'"%s"' % line
        if b"\x1d" in shown or MARK in shown:
            return None
        if split[1] != shape.arguments:
            shown += b"%stype=EXECVE %s: argc=%s %s\n" % (shape.node, shape.head, shape.argc, split[1])
        image = caller.image
        images = image if called == image or called[:1] != "/" else (image, called)
        self._processes.started(Process(int(shape.pid), images, to_text(line), ppid, user, node))
        return shown, Started(shape, split[0], paths.first, parent)

    def _parent_text(self, key: tuple[str, int], parent: Process) -> bytes:
        known = self._parents.get(key)
        if known is None or known[0] is not parent:
            if len(self._parents) >= _MOST:
                self._parents.clear()
            known = self._parents[key] = (parent, parent_text(parent))
        return known[1]


def tells_of_parts(shape: Shape, paths: Paths, news: int, stuck: int) -> bool:
    """Whether the records that the event has are among `news`, or those that it lacks are not among `stuck`, as bits:
    what `look_for_parts` finds of them, but for what depends on the system call, of which `follow` refuses an event
    that lacks it.
    """
    few = int(shape.items) > paths.records
    lacks = (PATH if few else 0) | (CWD if paths.relative and not shape.cwd else 0)
    if not news:
        return lacks & ~stuck != 0
    has = TITLE | CALL | (PATH if paths.records and not few else 0) | (CWD if shape.cwd else 0)
    has |= (ARGUMENTS if shape.argc else 0) | (ADDRESS if shape.saddr else 0)
    return has & news != 0 or lacks & ~stuck != 0


def start_scene(group: Group, started: Started) -> Scene:
    """The scene of a program's start, for the event of that kind alone: as `build_scene` makes it of all records."""
    shape = started.shape
    caller = read_caller(shape.ids, shape.exe, shape.rest)
    assert caller is not None
    name = caller.name or "execve"
    call = {
        "ppid": shape.ppid.decode(), "pid": shape.pid.decode(), "auid": caller.auid, "uid": caller.uid,
        "euid": caller.euid, "tty": caller.tty, "success": "yes", "exe": caller.image, "key": caller.key,
        "SYSCALL": name,
    }  # fmt: skip
    if caller.user:
        call["UID"] = caller.user
    return Scene(
        group,
        (),
        call,
        name,
        tuple(map(to_text, started.arguments)),
        has_execve=True,
        cwd=to_text(read_directory(shape.cwd) or b""),
        paths=({"item": "0", "name": to_text(started.called)},) if started.called else (),
    )
