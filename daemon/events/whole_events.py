"""Audit events that stand whole in a run of lines: followed at once, made into events only where a rule may match.

What needs every event is kept up for each: the order of serials, the events already seen, the table of processes. For
the rest there is a text, the records as `decode_record` shows them and what the taxonomy makes of several records, in
which a selector looks for what rules need. Most of it is the log itself; `Followed` has the rest.

Reading each record gives the same, many times as slowly: `follow` ends before what it is not sure of, and then leaves
no trace of that.
"""

from bisect import bisect_left, bisect_right

from daemon.events.assemble import Assembler
from daemon.events.audit_caller import STARTS
from daemon.events.audit_calls import Calls
from daemon.events.audit_rows import Rows
from daemon.events.audit_shape import MARK, Shape
from daemon.events.audit_values import to_text
from daemon.events.line_events import same_host
from daemon.events.losses import Losses
from daemon.events.processes import Process, Processes
from daemon.events.runs import Run
from daemon.events.start_event import Started
from daemon.events.taxonomy import Taxonomy
from daemon.events.whole_text import parent_text, user_text
from daemon.model import Lost

_NODE, _HEAD, _PPID, _ARGC = map(Shape._fields.index, ("node", "head", "ppid", "argc"))
_MOST, _LONGEST_KEPT = 4096, 2048
_FEWEST, _MOST_AT_ONCE = 8, 512
"""Calls taken apart at once: few while many are not as usual, since those behind such a one are taken apart again."""


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
        self._batch = _FEWEST
        self._nodes: dict[bytes, tuple[str, str]] = {}
        self._parents: dict[tuple[str, int], tuple[Process, bytes | None]] = {}

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
        numbers = rows.calls_of(first, last)
        start = 0
        while start < len(numbers):
            batch = numbers[start : start + self._batch]
            told = self._tell_batch(rows, batch, names, followed)
            if told < len(batch):
                self._batch = _FEWEST
                return batch[told]
            self._batch = min(2 * self._batch, _MOST_AT_ONCE)
            start += len(batch)
        return last

    def _tell_batch(self, rows: Rows, numbers: list[int], names: tuple[str, str], followed: Followed) -> int:
        """Look at these calls in their order; gives how many are as usual before the first that is not."""
        calls = Calls([rows.found[number] for number in numbers], *self._losses.new_parts(names[0]))
        node, running = names[1], self._processes.is_running
        for place, (number, caller, text) in enumerate(
            zip(numbers[: calls.usual], calls.callers, calls.texts, strict=False)
        ):
            user, more = caller.user, b""
            if not caller.known:
                user = self._taxonomy.user_name(caller.user, caller.uid, node)
                more = user_text(user, caller.user)
            if caller.kind == STARTS:
                started = self._start(rows.found[number], calls, place, (node, user))
                if started is None:
                    return place
                more, followed.started[number] = more + started[0], started[1]
            elif not (calls.is_no_start(place) and running(node, calls.pids[place], caller.image)):
                return place
            followed.numbers.append(number)
            followed.texts.append(text + more)
        return calls.usual

    def _start(
        self, row: tuple[bytes, ...], calls: Calls, place: int, whose: tuple[str, str]
    ) -> tuple[bytes, Started] | None:
        """The text of a program's start; the table of processes learns of it. None for one that is not as usual."""
        arguments, paths, (node, user) = calls.arguments[place], calls.paths[place], whose
        called = paths.called
        if arguments is None or called is None:
            return None
        ppid = int(row[_PPID])
        parent = self._processes.find(node, ppid)
        text = self._parent_text((node, ppid), parent) if parent is not None else b""
        if text is None:
            return None
        _, line, shown = arguments
        if line != calls.titles[place]:
            text += b'"%s"' % line
        if shown:
            text += b"%stype=EXECVE %s: argc=%s %s\n" % (row[_NODE], row[_HEAD], row[_ARGC], shown)
        caller = calls.callers[place]
        images = caller.image if called == caller.image or called[:1] != "/" else (caller.image, called)
        process = Process(calls.pids[place], images, to_text(line), ppid, user, node)
        self._processes.started(process)
        return text, Started(row, caller, process, parent)

    def _parent_text(self, key: tuple[str, int], parent: Process) -> bytes | None:
        """The text of a parent; None for one that could be shown as something else."""
        known = self._parents.get(key)
        if known is None or known[0] is not parent:
            if len(self._parents) >= _MOST:
                self._parents.clear()
            text = parent_text(parent)
            known = (parent, None if b"\x1d" in text or MARK in text else text)
            if len(text) <= _LONGEST_KEPT:
                self._parents[key] = known
        return known[1]
