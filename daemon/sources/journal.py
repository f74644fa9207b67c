"""The source that follows systemd's journal: journalctl's entries, from cursor to cursor.

    first run: where is the end? ─▶ journalctl --follow --cursor=LAST ─▶ is LAST still there? ─▶ emit

What was emitted last is asked for again, and left out when it comes: where another entry comes in its place, the
journal was vacuumed behind our back, and what lay between is lost. Reading pauses by not reading the pipe.
"""

import hashlib
from collections.abc import Awaitable, Callable, Sequence

from daemon.config import JournalSource
from daemon.model import Checkpoint, Lines, Lost, Position
from daemon.sources import Emit
from daemon.sources.journal_child import Cutter, Entries, JournalChild, arguments, find_cursor, own_machine
from daemon.sources.obstacle import name_of_user
from daemon.telemetry import Board, HealthState, Says, log

RETRY = 10.0
"""Seconds until a journal that cannot be read, or a journalctl that is not there, is tried again."""
_CLOSED = ("insufficient permissions", "not seeing messages", "Permission denied")
_NO_CURSOR = "Failed to seek to cursor: Invalid argument"
_NONE_YET = ("No journal files were found", "No journal files were opened")
_LARGEST = (1 << 63) - 1


class JournalTail:
    """Follows one journal. `checkpoints` are the stored ones of this source.

    Bounded: one piece of journalctl's output, and one entry of `max_line` bytes.
    """

    def __init__(
        self,
        config: JournalSource,
        checkpoints: Sequence[Checkpoint],
        *,
        board: Board,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._config = config
        self._board = board
        self._now = now
        self._sleep = sleep
        self._path = "journal:" + str(config.directory or ",".join(config.files))
        self._marker = hashlib.blake2b(repr((config.units, config.matches)).encode(), digest_size=8).hexdigest()
        self._reached = next((one for one in checkpoints if one.position.path == self._path), None)
        self._machine = own_machine()
        self._said = HealthState.starting

    @property
    def name(self) -> str:
        """The configured name."""
        return self._config.name

    async def run(self, emit: Emit) -> None:
        """Read until cancelled. Raises Transient, with journalctl's words, when it ends."""
        while await self._follow(emit):
            detail = "journalctl does not take the stored cursor for one: reading begins anew, as at the first start"
            await emit(Lost(self.name, "journal_vacuumed", None, self._now(), detail))
            self._reached = None

    async def _follow(self, emit: Emit) -> bool:
        """Read on from the last entry; True when what is stored of it is no cursor."""
        while self._reached is None and self._config.start == "end":
            await self._find_end(emit)
        begin = "" if self._reached is None else self._reached.position.identity
        child = await self._start(arguments(self._config, begin=begin, machine=self._machine))
        try:
            self._hear(child.said)
            await self._take(child, emit, begin)
            ended = await child.ended()
        finally:
            await child.close()
        if begin and _NO_CURSOR in child.said:
            return True
        if ended is not None:
            raise ended
        return False

    async def _find_end(self, emit: Emit) -> None:
        """Note where the journal ends, so that what comes while we are down is read later."""
        child = await self._start(arguments(self._config, begin=None, machine=self._machine))
        try:
            self._hear(child.said)
            printed = b""
            while data := await child.read():
                printed = (printed + data)[-2 * self._config.max_line :]
            ended = await child.ended()
        finally:
            await child.close()
        cursor = find_cursor(printed)
        if cursor or not is_closed(child.said):
            if ended is not None:
                raise ended
            await self._emit(emit, Entries(b"", cursor))
            return
        await self._sleep(RETRY)

    async def _start(self, command: Sequence[str]) -> JournalChild:
        """Start journalctl, as soon as there is one."""
        while True:
            try:
                return await JournalChild.start(command, self._hear)
            except OSError as error:
                mend = "install systemd, or watch the files of this host's syslog daemon instead (type: file)"
                self._tell(HealthState.degraded, f"{command[0]}: {error.strerror or error}; {mend}")
            await self._sleep(RETRY)

    async def _take(self, child: JournalChild, emit: Emit, begin: str) -> None:
        cutter, waited_for = Cutter(self._config.max_line), begin
        while data := await child.read():
            for entries in cutter.feed(data):
                rest = entries
                if waited_for:
                    rest, waited_for = await self._behind(entries, waited_for, emit), ""
                await self._emit(emit, rest)

    async def _behind(self, entries: Entries, last: str, emit: Emit) -> Entries:
        """The entries behind the one that was emitted last; a loss if that is no longer there."""
        if entries.left_out == last:  # and it was told when it was left out
            return Entries(entries.data, entries.cursor, entries.too_long - 1)
        first, _, after = entries.data.partition(b"\n")
        cursor = entries.left_out or find_cursor(first) or entries.cursor
        if cursor == last:
            return Entries(after, entries.cursor, entries.too_long)
        same_filter = self._reached is not None and self._reached.marker == self._marker
        if same_filter and not _follows(last, cursor):
            detail = "the journal no longer has the entry that was read last; what came after it may be gone, too"
            await emit(Lost(self.name, "journal_vacuumed", None, self._now(), detail))
        return entries

    async def _emit(self, emit: Emit, entries: Entries) -> None:
        before = self._reached.position if self._reached is not None else Position(self._path, "", 0)
        cursor = entries.cursor or before.identity
        if self._reached is not None and not entries.data and cursor == before.identity:
            return
        if entries.too_long:
            detail = f"an entry of more than {self._config.max_line} bytes"
            await emit(Lost(self.name, "line_too_long", entries.too_long, self._now(), detail))
        checkpoint = Checkpoint(self.name, Position(self._path, cursor, _sequence(cursor)), self._marker)
        await emit(Lines(self.name, entries.data, before, checkpoint))
        self._reached = checkpoint

    # how it is

    def _hear(self, said: str) -> None:
        """Tell the board what journalctl says."""
        if is_closed(said):
            user = name_of_user()
            mend = f"run: sudo usermod -aG systemd-journal {user} (and restart us)"
            self._tell(HealthState.degraded, f"the journal: {user} may not read all of it; {mend}")
        elif any(words in said for words in _NONE_YET):
            self._tell(HealthState.starting, f"{self._path} no journal yet, waiting for it")
        elif said:
            self._tell(HealthState.degraded, f"journalctl: {said}")
        else:
            self._tell(HealthState.ok, "")

    def _tell(self, state: HealthState, detail: str) -> None:
        self._board.set(f"source:{self.name}", state, detail)
        if state is self._said:
            return
        said, self._said = self._said, state
        if state is HealthState.degraded:
            log.warning(Says.source_unreadable, source=self.name, detail=detail)
        elif state is HealthState.ok and said is HealthState.degraded:
            log.info(Says.source_readable, source=self.name, path=self._path)


def is_closed(said: str) -> bool:
    """Whether journalctl says that we may not read all of it."""
    return any(words in said for words in _CLOSED)


def _parts(cursor: str) -> dict[str, str]:
    return dict(part.partition("=")[::2] for part in cursor.split(";"))


def _sequence(cursor: str) -> int:
    """The entry's number in its journal (64 bits, of which the store takes 63)."""
    try:
        return min(int(_parts(cursor).get("i", "0"), 16), _LARGEST)
    except ValueError:
        return 0


def _follows(last: str, cursor: str) -> bool:
    """Whether an entry is the very next of the one that was read last: then nothing lay between."""
    return _parts(last).get("s") == _parts(cursor).get("s") and _sequence(cursor) == _sequence(last) + 1


__all__ = ["JournalTail", "is_closed"]
