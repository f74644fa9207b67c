"""A circuit breaker: whom to spare a call that will fail anyway. Pure; the clock is an argument.

closed → (`threshold` failures in a row) → open → (`rest` seconds) → half open → success: closed, failure: open for
twice as long. Half open lets calls through: that only one of them is a trial is for the caller's slot to see to.
"""

from collections.abc import Callable
from enum import StrEnum


class BreakerState(StrEnum):
    """`closed` is the good one: the circuit conducts."""

    closed = "closed"
    open = "open"
    half_open = "half_open"


class Breaker:
    """Counts failures in a row. `rest` is the first pause in seconds, `longest` what doubling ends at."""

    def __init__(
        self,
        *,
        monotonic: Callable[[], float],
        threshold: int = 3,
        rest: float = 30.0,
        longest: float = 600.0,
    ) -> None:
        self._monotonic = monotonic
        self._threshold = threshold
        self._first_rest = min(rest, longest)
        self._longest = longest
        self._rest = self._first_rest
        self._failures = 0
        self._until: float | None = None

    @property
    def state(self) -> BreakerState:
        """Where it stands now."""
        if self._until is None:
            return BreakerState.closed
        return BreakerState.open if self._monotonic() < self._until else BreakerState.half_open

    @property
    def retry_in(self) -> float:
        """Seconds until a call makes sense again; 0 when one does now."""
        return 0.0 if self._until is None else max(0.0, self._until - self._monotonic())

    def succeeded(self) -> None:
        """A call came back: all is forgotten."""
        self._failures = 0
        self._rest = self._first_rest
        self._until = None

    def failed(self, retry_after: float | None = None) -> None:
        """A call failed; `retry_after` in seconds if the other side named it (bounded by `longest`)."""
        if self.state is BreakerState.open:
            return  # the late failure of a call that began before: it says nothing new
        self._failures += 1
        if self._until is None and self._failures < self._threshold:
            return
        if self._until is not None:
            self._rest = min(self._rest * 2, self._longest)
        asked = min(max(retry_after or 0.0, 0.0), self._longest)
        self._until = self._monotonic() + max(self._rest, asked)
