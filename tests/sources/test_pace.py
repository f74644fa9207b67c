"""What costs is read less often, and never too seldom."""

import pytest

from daemon.sources.pace import LONGEST, SHARE, Pace


class Thread:
    """CPU time of a thread, spent by reading."""

    def __init__(self) -> None:
        self.time = 5.0

    def spend(self, seconds: float) -> str:
        self.time += seconds
        return "read"


@pytest.mark.parametrize(("cost", "pause"), [(0.0, 0.0), (0.01, 0.01 / SHARE), (3600.0, LONGEST)])
def test_the_pause_is_a_multiple_of_the_cost(cost: float, pause: float) -> None:
    thread = Thread()
    pace = Pace(spent=lambda: thread.time)
    assert pace.due(0.0)
    assert pace.take(100.0, lambda: thread.spend(cost)) == "read"
    assert pace.due(100.0 + pause)
    assert pause == 0.0 or not pace.due(100.0 + pause - 0.01)


def test_there_is_a_shortest_pause() -> None:
    pace = Pace(60.0, spent=lambda: 0.0)
    pace.take(0.0, str)
    assert (pace.due(59.0), pace.due(60.0)) == (False, True)


def test_what_fails_costs_as_well() -> None:
    """The worst bug: a reading that always fails after a second is tried again at once."""
    thread = Thread()
    pace = Pace(spent=lambda: thread.time)

    def fail() -> None:
        thread.spend(1.0)
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        pace.take(0.0, fail)
    assert not pace.due(1.0)
