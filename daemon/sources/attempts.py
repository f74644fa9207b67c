"""Readings that a kernel, a container or a missing permission may hide: said once by name, and left out."""

from collections.abc import Callable
from typing import TypeVar

from daemon.sources.host_reading import HIDDEN
from daemon.telemetry import Says, log

MOST = 1000
"""Names of missing gauges that are remembered, so that each is logged once."""

Result = TypeVar("Result")


class Attempts:
    """Of one source. Bounded: of more than a thousand names the rest is not logged."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._absent: set[str] = set()

    @property
    def absent(self) -> frozenset[str]:
        """What could not be read at least once."""
        return frozenset(self._absent)

    def take(self, what: str, read: Callable[[], Result]) -> Result | None:
        """What `read` returns; None where it is hidden."""
        try:
            return read()
        except HIDDEN as error:
            self.note(what, error)
            return None

    def note(self, what: str, error: Exception | Warning) -> None:
        """Say once that a gauge is absent, and why."""
        if what not in self._absent and len(self._absent) < MOST:
            self._absent.add(what)
            log.info(Says.gauge_absent, source=self._source, gauge=what, error=f"{type(error).__name__}: {error}")
