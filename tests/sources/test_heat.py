"""Hot after a hundred reads with lines within a second, no longer after forty without."""

from daemon.sources.heat import BUSY, QUIET, Heat


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_lines_that_pour_in_make_it_hot_until_they_stop() -> None:
    heat = Heat(Clock())
    assert [heat.note(moved=True) for _ in range(BUSY)] == [False] * (BUSY - 1) + [True]
    assert all(heat.note(moved=False) for _ in range(QUIET - 1))
    assert not heat.note(moved=False)
    assert not heat.note(moved=True)


def test_a_line_now_and_then_never_does() -> None:
    clock = Clock()
    heat = Heat(clock)
    for _ in range(10 * BUSY):
        clock.now += 0.02
        assert not heat.note(moved=True)


def test_one_line_restarts_the_quiet() -> None:
    heat = Heat(Clock())
    for _ in range(BUSY):
        heat.note(moved=True)
    for _ in range(5):
        for _ in range(QUIET - 1):
            assert heat.note(moved=False)
        assert heat.note(moved=True)
