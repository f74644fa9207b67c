"""The system calls of a run of rows, in columns: what each says by itself, whatever was before it."""

from collections.abc import Sequence
from typing import cast

from daemon.events.audit_caller import ADDRESSES, Caller, read_caller
from daemon.events.audit_parts import ADDRESS, ARGUMENTS, CALL, TITLE
from daemon.events.audit_shape import Arguments, Shape, decode_titles, has_controls, read_arguments
from daemon.events.whole_text import Paths, otherwise_shown, read_paths, title_text

_NODE, _HEAD, _WHAT, _ITEMS, _PID, _WHO, _ARGC, _ARGUMENTS, _SADDR, _CWD, _PATH, _PATH2, _PATHS, _TITLE = map(
    Shape._fields.index,
    (
        *("node", "head", "what", "items", "pid", "who", "argc", "arguments", "saddr"),
        *("cwd", "path", "path2", "paths", "title"),
    ),
)
_PATH_HEAD = b"type=PATH : "
_SEPARATOR = b"\x1d"


class Calls:
    """Of each call (a row) who made it, its pid, paths, title and arguments (None: it has none, or not as usual), and
    the text of it that the log does not show as it is: of its title, paths and values, and of who made it.

    `usual` is how many of the calls, from the first on, are as usual; what is said of those behind them is void.
    """

    def __init__(self, rows: Sequence[tuple[bytes, ...]], news: int, stuck: int) -> None:
        """`news` and `stuck`: as `Losses.new_parts` gives them."""
        columns = list(zip(*rows, strict=True))
        self._argc, self._addresses = columns[_ARGC], columns[_SADDR]
        others = list(map(_without_heads, rows)) if any(columns[_PATHS]) else columns[_PATHS]
        callers = list(map(read_caller, columns[_WHAT], columns[_WHO]))
        paths = list(map(read_paths, columns[_ITEMS], columns[_CWD], columns[_PATH], columns[_PATH2], others))
        titles = decode_titles(columns[_TITLE])
        unusual = [column.index(None) for column in (callers, paths, titles) if None in column]
        self.usual = min(unusual, default=len(rows))
        self.callers = cast("list[Caller]", callers)
        self.paths = cast("list[Paths]", paths)
        self.titles = cast("list[bytes]", titles)
        if news or any(one.lacks for one in self.paths[: self.usual]):
            self.usual = self._first_telling(news, stuck)
        self.pids = list(map(int, columns[_PID]))
        self.arguments = _arguments_of(columns[_ARGC], columns[_ARGUMENTS])
        self.texts = self._show(columns)
        self._show_values(rows)

    def is_no_start(self, place: int) -> bool:
        """Whether a call that started no program has all that it needs, and nothing that only starts have."""
        return not self._argc[place] and (self.callers[place].kind != ADDRESSES or self._addresses[place] != b"")

    def _first_telling(self, news: int, stuck: int) -> int:
        """The first call whose records are among `news`, or that lacks others than those in `stuck`: what
        `look_for_parts` finds of them, but for what depends on the system call.
        """
        for place in range(self.usual):
            paths = self.paths[place]
            has = TITLE | CALL | paths.has
            has |= (ARGUMENTS if self._argc[place] else 0) | (ADDRESS if self._addresses[place] else 0)
            if has & news or paths.lacks & ~stuck:
                return place
        return self.usual

    def _show(self, columns: Sequence[tuple[bytes, ...]]) -> list[bytes]:
        """Of each title that is hex the record as decoded text shows it, and the title as it is where that differs; and
        behind it the paths and the user.
        """
        titles = self.titles[: self.usual]
        joined = b"".join(titles)
        if _SEPARATOR in joined:
            self.usual = next(place for place, title in enumerate(titles) if _SEPARATOR in title)
        shown = list(map(title_text, titles)) if has_controls(joined) else [b'"%s"\n' % one for one in titles]
        heads = zip(columns[_TITLE], columns[_NODE], columns[_HEAD], shown, self.paths, self.callers, strict=False)
        return [
            b"%stype=PROCTITLE %s: proctitle=%s%s%s" % (node, head, title, paths.resolved, caller.shown)
            if said[:1] != b'"'
            else paths.resolved + caller.shown
            for said, node, head, title, paths, caller in heads
        ]

    def _show_values(self, rows: Sequence[tuple[bytes, ...]]) -> None:
        """What of a call without a name, or with an address, is shown otherwise."""
        places = [place for place, address in enumerate(self._addresses[: self.usual]) if address]
        if not all(caller.named for caller in self.callers[: self.usual]):
            places = list(range(self.usual))
        for place in places:
            caller = self.callers[place]
            if self._addresses[place] or not caller.named:
                shown = otherwise_shown(Shape._make(rows[place]), "" if caller.named else caller.name)
                if shown is None:
                    self.usual = place
                    return
                self.texts[place] += shown


def _without_heads(row: tuple[bytes, ...]) -> bytes:
    """The PATH records beyond the second, without what differs in each event."""
    return row[_PATHS].replace(row[_HEAD], b"").replace(row[_NODE] + _PATH_HEAD, b"") if row[_PATHS] else b""


def _arguments_of(counts: Sequence[bytes], said: Sequence[bytes]) -> list[Arguments | None]:
    """The arguments of each call; None where it has none, whatever its `argc`."""
    some = [(count, one) for count, one in zip(counts, said, strict=True) if one]
    found = iter(read_arguments([count for count, _ in some], [one for _, one in some]))
    return [next(found) if one else None for one in said]
