"""How long to wait before the next try. Pure: the jitter is an argument."""

from collections.abc import Callable, Sequence

DELIVERY_SCHEDULE: tuple[float, ...] = (2, 5, 15, 30, 60, 120, 300, 600, 1800, 3600)
"""Seconds between attempts at a webhook; the last one repeats. A security alert cannot wait 5 minutes for its
second attempt, so this starts far below the Standard Webhooks suggestion and ends like it."""

RESTART_SCHEDULE: tuple[float, ...] = (0.5, 1, 2, 5, 10, 30)
"""Seconds before a component that failed is started again."""


def delay(schedule: Sequence[float], attempt: int, jitter: Callable[[], float]) -> float:
    """Seconds to wait after failed attempt number `attempt` (1 is the first).

    `jitter()` gives a number in [0, 1); the result lies in [half, full] of the scheduled delay, so that many
    daemons do not knock at once and none knocks at once.
    """
    base = schedule[min(max(attempt, 1), len(schedule)) - 1]
    return base * (0.5 + 0.5 * jitter())
