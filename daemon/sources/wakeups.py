"""Changes in directories → a call. Only to be woken early: what changed is always found by looking.

watchdog reads inotify. What it cannot tell (a directory that was itself renamed, an overflow, a target behind a
symbolic link elsewhere, no inotify instance left) costs at most one look per second.
"""

import contextlib
import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from watchdog.events import (
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch

# its own words on stderr (a thread ended while it read) would stand in the middle of our log, and ask nothing of anyone
logging.getLogger("watchdog").addHandler(logging.NullHandler())
logging.getLogger("watchdog").propagate = False

# opening and closing files raises events too; without this filter our own reading would wake us
_EVENTS: list[type[FileSystemEvent]] = [FileModifiedEvent, FileCreatedEvent, FileDeletedEvent, FileMovedEvent]
MAX_DIRECTORIES = 64


class Wakeups(FileSystemEventHandler):
    """Calls `wake`, from a thread, when a watched path was written or any name in its directory changed.

    Bounded: at most 64 directories; further ones are only looked at every second.
    """

    def __init__(self, wake: Callable[[], object], observer: Callable[[], BaseObserver] = Observer) -> None:
        self._wake = wake
        self._build = observer
        self._observer: BaseObserver | None = None
        self._watches: dict[str, tuple[tuple[int, int], ObservedWatch]] = {}
        self._paths: frozenset[str] = frozenset()

    @property
    def active(self) -> bool:
        """Whether anything is watched."""
        return bool(self._watches)

    def watch(self, directories: Iterable[str], paths: Iterable[str]) -> None:
        """Watch exactly these directories for changes of these paths; one that was recreated is watched anew."""
        self._paths = frozenset(paths)
        wanted = dict(_identities(sorted(directories)[:MAX_DIRECTORIES]))
        for directory, (identity, _) in list(self._watches.items()):
            if wanted.get(directory) != identity:
                self._unwatch(directory)
        for directory, identity in wanted.items():
            if directory not in self._watches:
                self._schedule(directory, identity)

    def pause(self) -> None:
        """Watch nothing until the next `watch`: one event per line would cost more than to look."""
        for directory in list(self._watches):
            self._unwatch(directory)

    def stop(self) -> None:
        """End the thread."""
        observer, self._observer = self._observer, None
        self._watches.clear()
        if observer is not None:
            observer.stop()
            observer.join()

    def dispatch(self, event: FileSystemEvent) -> None:
        """Called by watchdog's thread."""
        if isinstance(event, FileModifiedEvent) and event.src_path not in self._paths:
            return
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to be woken
            self._wake()

    def _schedule(self, directory: str, identity: tuple[int, int]) -> None:
        try:
            if self._observer is None:
                observer = self._build()
                observer.start()
                self._observer = observer
            watch = self._observer.schedule(self, directory, event_filter=_EVENTS, follow_symlink=True)
        except OSError:
            return  # no inotify instance or watch left, or gone: we look, and try again
        self._watches[directory] = identity, watch

    def _unwatch(self, directory: str) -> None:
        _, watch = self._watches.pop(directory)
        if self._observer is not None:
            with contextlib.suppress(KeyError):
                self._observer.unschedule(watch)


def _identities(directories: Iterable[str]) -> Iterable[tuple[str, tuple[int, int]]]:
    for directory in directories:
        with contextlib.suppress(OSError):
            stat = Path(directory).stat()
            yield directory, (stat.st_dev, stat.st_ino)
