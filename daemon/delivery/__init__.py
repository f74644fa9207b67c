"""Alert → somebody knows.

A sink makes one attempt with one timeout. It returns when the receiver accepted, raises `Transient` (try again
later) or `Refused` (never again; `gone` when the receiver asks to be left alone for good). It never retries, counts
or routes: the dispatcher does, from the outbox, which counts an attempt *before* it is made, so that an alert that
crashes its sink ends as `dead`, not as a crash loop. The same id goes with every attempt at the same alert version.

Bounded: one attempt in flight per webhook, so a slow receiver delays only itself.
"""

from typing import Protocol

from daemon.model import Delivery


class Sink(Protocol):
    """One webhook."""

    @property
    def name(self) -> str:
        """The configured name."""
        ...

    async def send(self, delivery: Delivery, now: float) -> None:
        """One attempt; `now` (UTC seconds) is signed into it."""
        ...
