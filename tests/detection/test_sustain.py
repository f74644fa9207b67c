import pytest

from daemon.detection.rules import parse_rules
from daemon.detection.sustain import Sustainer
from daemon.detection.view import View
from daemon.model import Value
from tests.doubles.detection import METRICS, make_event

RULE = """\
title: CPU busy
logsource: {product: linux, category: host_metrics}
detection: {s: {cpu.percent|gte: 95}, condition: s}
tellwhy: {sustain: {for: %s, resolve_after: %s}}
"""


def sustainer(hold: str = "20s", resolve: str = "10s", limit: int = 100) -> Sustainer:
    parsed = parse_rules({"r.yml": RULE % (hold, resolve)})
    assert parsed.problems == ()
    return Sustainer(parsed.rules[0], limit)


def said(one: Sustainer, samples: list[tuple[float, float]], **tags: Value) -> list[str]:
    """`fires@T` and `ends@T` for samples of (time, cpu)."""
    found = []
    for at, cpu in samples:
        fields = {"cpu.percent": cpu, **{key.replace("_", "."): value for key, value in tags.items()}}
        anomaly = one.feed(View(make_event(fields, at=at, source=METRICS)))
        if anomaly is not None:
            found.append(f"{'ends' if anomaly.ends else 'fires'}@{at:g}")
    return found


def every(start: float, stop: float, cpu: float, step: float = 5.0) -> list[tuple[float, float]]:
    return [(at * step, cpu) for at in range(int(start / step), int(stop / step))]


def test_it_fires_once_when_it_has_held_and_ends_once_it_has_not() -> None:
    samples = every(0, 60, 99) + every(60, 100, 10) + every(100, 130, 99)
    assert said(sustainer(), samples) == ["fires@20", "ends@70", "fires@120"]


def test_flapping_neither_fires_nor_ends() -> None:
    assert said(sustainer(), [(at * 5.0, 99 if at % 3 else 10) for at in range(60)]) == []
    firing = every(0, 30, 99)
    assert said(sustainer(), firing + [(30 + at * 5.0, 99 if at % 2 else 10) for at in range(60)]) == ["fires@20"]


def test_missing_samples_do_not_count_as_holding() -> None:
    assert said(sustainer(), [(0, 99), (5, 99), (100, 99), (105, 99)]) == []
    assert said(sustainer(), [(0, 99), (5, 99), (20, 99)]) == ["fires@20"]
    assert said(sustainer(), [(0, 99), (500, 99)]) == []


def test_a_slow_source_still_fires() -> None:
    assert said(sustainer("20s"), every(0, 300, 99, 60)) == ["fires@120"]


def test_a_source_that_becomes_slower_still_fires() -> None:
    samples = [(0.0, 99.0), (1.0, 99.0), (2.0, 99.0)] + [(float(at), 99.0) for at in range(60, 1200, 60)]
    assert said(sustainer("2m"), samples) != []


def test_silence_ends_nothing() -> None:
    assert said(sustainer(), [*every(0, 30, 99), (5000, 99), (5005, 10), (5010, 10), (5015, 10)]) == [
        "fires@20", "ends@5015",
    ]  # fmt: skip


def test_samples_of_other_things_say_nothing() -> None:
    one = sustainer()
    for at in (0.0, 5.0, 10.0, 15.0, 20.0):
        anomaly = one.feed(View(make_event({"cpu.percent": 99.0}, at=at, source=METRICS)))
        assert one.feed(View(make_event({"memory.percent": 1.0}, at=at, source=METRICS))) is None
    assert anomaly is not None


def test_entities_are_judged_apart() -> None:
    one = sustainer()
    for at in (0.0, 10.0, 20.0):
        assert said(one, [(at, 10)], disk_mount="/") == []
        found = said(one, [(at, 99)], disk_mount="/var")
    assert found == ["fires@20"]


@pytest.mark.parametrize(("hold", "resolve", "expected"), [("0s", "0s", ["fires@0", "ends@5"]), ("5s", "0s", [])])
def test_at_once(hold: str, resolve: str, expected: list[str]) -> None:
    assert said(sustainer(hold, resolve), [(0, 99), (5, 10), (10, 10)]) == expected


def test_late_samples_are_left_aside() -> None:
    assert said(sustainer(), [*every(0, 15, 99), (2, 10), (15, 99), (20, 99)]) == ["fires@20"]


def test_a_clock_that_was_set_back_does_not_mute_it() -> None:
    """The worst bug: a wrong date, once stored, silences a rule for as long as it says."""
    year = 31_536_000.0
    ahead = [(year + at, cpu) for at, cpu in every(0, 30, 99)]
    assert said(sustainer(), [*ahead, *every(0, 30, 99)]) == [f"fires@{year + 20:g}", "fires@20"]
    assert said(sustainer(), [(year, 99), *every(0, 30, 99)]) == ["fires@20"]
    assert said(sustainer(), [*every(0, 30, 99), (year, 10), *every(30, 60, 99), *every(60, 80, 10)]) == [
        "fires@20", "fires@50", "ends@70",
    ]  # fmt: skip


@pytest.mark.parametrize("back", [60.0, 1800.0, 3599.0])
def test_a_clock_that_was_set_back_a_little_does_not_mute_it(back: float) -> None:
    """The worst bug: for as long as it was set back, nothing is seen, and nothing ends."""
    before = [(10_000 + at, cpu) for at, cpu in every(0, 15, 99)]
    after = [(10_015 - back + at, cpu) for at, cpu in every(0, 60, 99)]
    assert said(sustainer(), before + after) == [f"fires@{10_015 - back + 30:g}"]
    fired = [(10_000 + at, cpu) for at, cpu in every(0, 25, 99)]
    calm = [(10_025 - back + at, cpu) for at, cpu in every(0, 60, 10)]
    assert said(sustainer(), fired + calm) == ["fires@10020", f"ends@{10_025 - back + 20:g}"]


def test_late_samples_between_others_are_left_aside_however_many() -> None:
    mixed = [sample for at in range(40) for sample in ((at * 5.0, 99.0), (at * 5.0 - 2, 10.0))]
    assert said(sustainer(), mixed) == ["fires@20"]


def test_what_fired_at_a_wrong_date_still_ends() -> None:
    year = 31_536_000.0
    ahead = [(year + at, cpu) for at, cpu in every(0, 30, 99)]
    assert said(sustainer(), [*ahead, *every(0, 30, 10)]) == [f"fires@{year + 20:g}", "ends@10"]


def test_what_was_gone_for_long_begins_anew() -> None:
    day = 86_400.0
    assert said(sustainer(), every(0, 30, 99) + every(2 * day, 2 * day + 30, 99)) == [
        "fires@20",
        f"fires@{2 * day + 20:g}",
    ]
    assert said(sustainer(), every(0, 30, 99) + every(day, day + 30, 99)) == ["fires@20"]


def test_what_it_says() -> None:
    one, anomalies = sustainer(), []
    for at, cpu in [*every(0, 25, 97.5), (25, 12.0), (35, 12.0)]:
        anomalies.append(one.feed(View(make_event({"cpu.percent": cpu}, at=at, source=METRICS))))
    fires, ends = (anomaly for anomaly in anomalies if anomaly is not None)
    assert fires.because == "s: cpu.percent >= 95 (got 97.5) for 20s"
    assert [event.at for event in fires.events] == [0, 20]
    assert ends.because == "no longer: cpu.percent >= 95, for 10s"
    assert (ends.ends, ends.entity) == (True, fires.entity)


def test_only_what_holds_is_remembered_and_that_is_bounded() -> None:
    one = sustainer(limit=10)
    for n in range(100):
        said(one, [(float(n), 10)], disk_mount=str(n))
    assert len(one.memory) == 0
    for n in range(100):
        said(one, [(float(n), 99)], disk_mount=str(n))
    assert (len(one.memory), one.memory.evictions) == (10, 90)
