"""Time goes on, whatever is done to the wall clock."""

from daemon.delivery.steady_clock import SteadyClock


def test_it_follows_the_wall_clock_but_never_back() -> None:
    wall = [100.0]
    clock = SteadyClock(lambda: wall[0])
    seen = []
    for wall[0] in (105.0, 20.0, 104.0, 106.0):
        seen.append(clock.now())
    assert seen == [105.0, 105.0, 105.0, 106.0]


def test_what_was_slept_counts_where_the_wall_clock_was_set_back() -> None:
    wall = [100.0]
    clock = SteadyClock(lambda: wall[0])
    wall[0] = 10.0
    clock.reach(130.0)
    clock.reach(120.0)
    assert clock.now() == 130.0
