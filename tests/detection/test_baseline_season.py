"""Hours of the week: learned, guessed from other days, packed."""

import pytest

from daemon.detection.baseline_season import HOURS, Season


def week_of(season: Season, weeks: int = 1) -> Season:
    for hour in range(HOURS * weeks):
        season.learn(hour, float(hour % 24), 0.8, 1.0)
    return season


def test_an_hour_is_what_it_was() -> None:
    season = week_of(Season(), 2)

    assert season.level(9) == pytest.approx(9.0)
    assert season.level(9 + HOURS) == pytest.approx(9.0)
    assert season.level(-1) == pytest.approx(23.0)


def test_an_hour_that_was_never_seen_is_guessed_from_other_days() -> None:
    season = Season()
    assert season.level(33) is None
    season.learn(9, 40.0, 0.8, 1.0)

    assert season.level(9) == 40.0
    assert season.level(33) == 40.0
    assert season.level(34) is None


def test_the_weekend_becomes_its_own_with_the_weeks() -> None:
    season = Season()
    for hour in range(HOURS * 3):
        season.learn(hour, 5.0 if hour % HOURS // 24 >= 5 else 50.0, 0.8, 1.0)

    saturday = season.level(5 * 24 + 11)
    assert saturday is not None
    assert saturday < 18
    assert season.level(24 + 11) == pytest.approx(50.0)


def test_one_strange_hour_changes_little() -> None:
    season = week_of(Season(), 2)
    season.learn(9, 1000.0, 0.8, 30.0)
    after = Season()
    week_of(after, 2)

    tomorrow = season.level(9 + 24)
    assert tomorrow == pytest.approx(9.0)
    assert season.restless(9 + 24) == pytest.approx(1.0, rel=0.05)


def test_what_two_of_three_days_had_is_usual() -> None:
    season = Season()
    for day in range(3):
        season.learn(day * 24 + 2, 5.0, 0.8, 20.0 if day else 1.0)

    assert season.restless(3 * 24 + 2) == pytest.approx(20.0, rel=0.05)
    assert season.restless(3 * 24 + 3) == 0.0


def test_what_was_a_week_ago_is_usual() -> None:
    season = week_of(Season())
    season.learn(6 * 24 + 4, 4.0, 0.8, 12.0)

    assert season.restless(13 * 24 + 4) == pytest.approx(12.0, rel=0.05)


def test_roughness_needs_three_days() -> None:
    season = Season()
    season.learn(2, 1.0, 3.0, 1.0)
    season.learn(26, 1.0, 3.0, 1.0)
    assert season.rough(50) is None
    season.learn(50, 1.0, 4.0, 1.0)
    assert season.rough(74) == pytest.approx(3.0, rel=0.05)


def test_packed_and_taken_back_it_is_the_same() -> None:
    season = week_of(Season())

    again = Season(season.packed())

    assert [again.level(hour) for hour in range(HOURS)] == [season.level(hour) for hour in range(HOURS)]
    assert [again.restless(hour) for hour in range(HOURS)] == [season.restless(hour) for hour in range(HOURS)]
    assert len(season.packed()) == 7 * HOURS
    assert Season(b"damaged").level(3) is None
