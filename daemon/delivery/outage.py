"""How long a receiver is left alone that did not accept the last request. Pure: instants are arguments.

What one delivery met, the next would meet too: a receiver that is down gets one request for each step of the schedule,
whatever it is owed, and the first one that it accepts ends that. Between two steps it is asked only for the sake of
what cannot wait, and then seldom.
"""

from daemon.backoff import DELIVERY_SCHEDULE, delay
from daemon.model import Delivery, Severity

CRITICAL_PAUSE = 1.0
"""Seconds from one request to the next on behalf of a new critical alert."""
NEW_PAUSE = 60.0
"""Seconds on behalf of any other new alert, so that it does not wait out the hour of an outage that is over."""
OVERDUE_PAUSE = 10.0
"""Seconds on behalf of what is owed for too long: it is given up only after attempts of its own, yet it ends."""
_LONG = 3
"""Failures in a row after which a receiver was away, and what was put off meanwhile need not wait any longer."""


class Outage:
    """Of one receiver: its failures since it last accepted. `due` instants are of a clock that never goes back."""

    def __init__(self) -> None:
        self.failures = 0
        self.since = 0.0
        """When the last failed attempt was begun, in UTC seconds: what is owed since then is new."""
        self._not_before = 0.0
        self._failed_at = 0.0
        self._named = False

    def failed(self, begun_at: float, now: float, *, retry_after: float | None, jitter: float) -> None:
        """An attempt, begun at `begun_at` (UTC), met a receiver that accepts nothing; `now` is of the steady clock."""
        self.failures += 1
        self.since = begun_at
        self._failed_at = now
        self._named = retry_after is not None
        wait = delay(DELIVERY_SCHEDULE, self.failures, lambda: jitter) if retry_after is None else retry_after
        self._not_before = now + wait

    def end(self) -> bool:
        """The receiver accepts again; True when it had been away for long."""
        long = self.failures >= _LONG
        self.failures = 0
        return long

    @property
    def probing(self) -> bool:
        """More than a hiccup: what is tried next must be another delivery, for the first one may be what ails it."""
        return self.failures > 1

    def opens_at(self, delivery: Delivery, *, overdue: bool) -> float:
        """When the receiver may be asked to take this delivery, on the steady clock.

        A wait that the receiver named holds for all but what is overdue, however urgent.
        """
        if not self.failures:
            return 0.0
        if overdue:
            return min(self._not_before, self._failed_at + OVERDUE_PAUSE)
        if self._named or delivery.attempts or delivery.created_at <= self.since:
            return self._not_before
        critical = delivery.alert.severity is Severity.critical
        return min(self._not_before, self._failed_at + (CRITICAL_PAUSE if critical else NEW_PAUSE))
