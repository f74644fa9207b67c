"""Nothing at a path: since when, known to whom, and how often it is searched for."""

from daemon.sources.absence import AGAIN, Absence


class Clock:
    seconds = 100.0
    wall = 5000.0


def build(clock: Clock, last: float | None = None) -> Absence:
    return Absence(lambda: clock.seconds, lambda: clock.wall, last)


def seconds(absence: Absence) -> float | None:
    return absence.seconds


def due(absence: Absence) -> bool:
    return absence.due


def test_it_begins_once_and_ends_when_something_is_there() -> None:
    clock = Clock()
    absence = build(clock)
    assert seconds(absence) is None
    assert absence.begin() is True
    clock.seconds += 7
    assert not absence.begin()
    assert seconds(absence) == 7
    absence.end()
    assert seconds(absence) is None
    assert absence.begin()


def test_the_last_moment_of_nothing_is_kept_for_whoever_finds_something() -> None:
    clock = Clock()
    absence = build(clock, 1.0)
    assert absence.last == 1.0
    absence.begin()
    clock.wall += 3
    absence.begin()
    absence.end()
    assert absence.last == 5003.0


def test_a_search_in_vain_is_repeated_after_half_a_minute_and_at_once_when_something_came() -> None:
    clock = Clock()
    absence = build(clock)
    assert due(absence)
    absence.begin()
    absence.note_search()
    clock.seconds += AGAIN - 1
    assert not due(absence)
    clock.seconds += 1
    assert due(absence)
    absence.note_search()
    absence.end()
    assert due(absence)
    absence.note_search()
    assert due(absence)
