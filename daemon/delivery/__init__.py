"""Alert → somebody knows.

A sink makes one attempt with one timeout. It returns when the receiver accepted. It raises `Transient` when the
receiver would accept nothing now, whatever it is given: it is left alone for a while. It raises `Refused` when the
receiver refuses this alert, which is believed when it does so again; `gone` when it asks to be left alone for good,
and `why` FORBIDDEN when the URL must not be called, are believed at once. It never retries, counts or routes: the
dispatcher does, from the outbox, which counts an attempt *before* it is made, so that an alert that
crashes its sink ends as `dead`, not as a crash loop. The same id goes with every attempt at the same alert version.

Bounded: one attempt in flight per webhook, so a slow receiver delays only itself.
"""

from typing import Protocol

from daemon.model import Delivery

FORBIDDEN = "blocked"
"""The `why` of a Refused that no attempt can change: the configured URL itself is not allowed."""


class Sink(Protocol):
    """One webhook."""

    @property
    def name(self) -> str:
        """The configured name."""
        ...

    async def send(self, delivery: Delivery, now: float) -> None:
        """One attempt; `now` (UTC seconds) is signed into it."""
        ...
