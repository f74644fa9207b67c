"""Derived fields: present and absent where they should be, through gaps, clock jumps, restarts and at the bound."""

import random  # noqa: TID251 - seeded
from collections.abc import Iterator, Mapping
from math import inf, isfinite, nan

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.detection.baseline import (
    STEP,
    STORED_EVERY,
    Baselines,
    derived_reads,
    floor_of,
)
from daemon.detection.rules import parse_rules
from daemon.model import Sample, Snapshot
from tests.doubles.unusual_rule import UNUSUAL

T0 = 1_795_305_600.0


def sample(at: float, values: Mapping[str, float], **tags: str) -> Sample:
    named = {name.replace("_", ".", 1): value for name, value in tags.items()}
    return Sample("host", "host_metrics", T0 + at, named, values)


def fed(baselines: Baselines, ats: list[float], value: float = 40.0) -> list[dict[str, float]]:
    return [baselines.feed(sample(at, {"cpu.percent": value}), "web-1") for at in ats]


def test_difference_and_rate_are_those_to_the_reading_before() -> None:
    baselines = Baselines()

    first = baselines.feed(sample(0, {"load.1": 1.5}), "web-1")
    second = baselines.feed(sample(5, {"load.1": 4.0}), "web-1")

    assert first == {}
    assert second == {"load.1.delta": 2.5, "load.1.rate": 0.5}


def test_every_thing_has_its_own_series() -> None:
    baselines = Baselines()
    baselines.feed(sample(0, {"disk.percent": 10.0}, disk_mount="/"), "web-1")
    baselines.feed(sample(0, {"disk.percent": 90.0}, disk_mount="/var"), "web-1")
    baselines.feed(sample(0, {"disk.percent": 50.0}, disk_mount="/"), "db-1")

    found = baselines.feed(sample(5, {"disk.percent": 91.0}, disk_mount="/var"), "web-1")

    assert found["disk.percent.delta"] == 1.0
    assert len(baselines) == 3


@pytest.mark.parametrize(
    "at", [20.0, 3600.0, 86_400.0 * 400, 11.0, 10.0, 4.0, -3600.0, -86_400.0 * 400],
    ids=["gap", "hour", "year ahead", "too soon", "same instant", "back", "hour back", "year back"],
)  # fmt: skip
def test_after_missing_readings_and_clock_jumps_there_is_no_difference(at: float) -> None:
    baselines = Baselines()
    fed(baselines, [0, 5, 10])

    jumped = baselines.feed(sample(10 + at if at >= 20 else at, {"cpu.percent": 99.0}), "web-1")

    assert "cpu.percent.delta" not in jumped
    assert "cpu.percent.rate" not in jumped


def test_three_intervals_are_no_gap_and_it_goes_on_after_one() -> None:
    baselines = Baselines()

    *_, late, gap, next_one = fed(baselines, [0, 5, 10, 25, 300, 305])

    assert "cpu.percent.delta" in late
    assert "cpu.percent.delta" not in gap
    assert "cpu.percent.delta" in next_one


def test_what_is_no_number_is_left_out_and_changes_nothing() -> None:
    baselines = Baselines()
    for at, value in enumerate((1.0, nan, inf, -inf, 1e300, -1e300)):
        assert baselines.feed(sample(5 * at, {"load.1": value}), "web-1") == {}

    assert baselines.feed(sample(10, {"load.1": 2.0}), "web-1")["load.1.delta"] == 1.0


def test_processes_have_no_baseline() -> None:
    baselines = Baselines()
    for at in (0, 5):
        assert baselines.feed(sample(at, {"process.cpu_percent": 50.0}, process_pid="4711"), "web-1") == {}

    assert len(baselines) == 0


def test_only_what_rules_read_is_made_and_all_is_learned() -> None:
    some, every = Baselines({"cpu.percent.zscore"}), Baselines()
    for at in range(0, 7200, 60):
        narrow = some.feed(sample(at, {"cpu.percent": 40.0 + at % 7}), "web-1")
        wide = every.feed(sample(at, {"cpu.percent": 40.0 + at % 7}), "web-1")

    assert set(narrow) == {"cpu.percent.zscore"}
    assert set(wide) == {f"cpu.percent.{kind}" for kind in ("delta", "rate", "zscore", "shift")}
    assert narrow["cpu.percent.zscore"] == wide["cpu.percent.zscore"]


def test_a_day_later_there_are_jumps_where_rules_read_them() -> None:
    some, none = Baselines({"cpu.percent.spike"}), Baselines({"cpu.percent.zscore"})
    for minute in range(26 * 60):
        calm, unread = (one.feed(sample(60 * minute, {"cpu.percent": 40.0}), "web-1") for one in (some, none))
    jump = some.feed(sample(60 * 26 * 60, {"cpu.percent": 50.0}), "web-1")
    fall = some.feed(sample(60 * 26 * 60 + 60, {"cpu.percent": 30.0}), "web-1")

    assert calm == {"cpu.percent.spike": 0.0}
    assert jump == {"cpu.percent.spike": 5.0}, "in twice the least spread"
    assert fall == {"cpu.percent.spike": -5.0}
    assert "cpu.percent.spike" not in unread


def test_what_falls_has_a_time_to_zero() -> None:
    baselines = Baselines()
    for at in range(0, 1800, 5):
        found = baselines.feed(
            sample(at, {"disk.free_bytes": 9e9 - 1e6 * at, "disk.percent": 50.0}, disk_mount="/"), "web-1"
        )

    assert found["disk.free_bytes.seconds_to_zero"] == pytest.approx(9e3 - 1795, rel=0.01)
    assert "disk.percent.seconds_to_zero" not in found


def test_a_trend_outlasts_a_restart_but_no_clock_jump() -> None:
    def falling(at: float) -> Sample:
        return sample(at, {"disk.free_bytes": 9e9 - 1e6 * at}, disk_mount="/")

    for resumes, told in ((1860.0, True), (1860.0 + 86_400, False), (-5.0, False)):
        baselines = Baselines()
        for at in range(0, 1800, 60):
            baselines.feed(falling(at), "web-1")
        again = restarted(baselines, 60.0)

        assert ("disk.free_bytes.seconds_to_zero" in again.feed(falling(resumes), "web-1")) is told


def restarted(baselines: Baselines, every: float) -> Baselines:
    """Another process with all that there is to store."""
    rows = [
        Snapshot(STEP, one.key, msgspec.msgpack.encode(one.row()))
        for thing in baselines._things.values()
        for one in thing.values()
    ]
    again = Baselines()
    again.restore(rows)
    assert len(again) == len(rows)
    return again


def test_a_restart_does_not_forget() -> None:
    rng = random.Random(2)  # noqa: S311 - seeded, no secret
    baselines = Baselines()
    for minute in range(3 * 1440):
        baselines.feed(sample(60 * minute, {"cpu.percent": rng.gauss(40, 2)}), "web-1")
    again = restarted(baselines, 60.0)

    at = 60 * 3 * 1440 + 600
    found = again.feed(sample(at, {"cpu.percent": 70.0}), "web-1")
    expected = baselines.feed(sample(at, {"cpu.percent": 70.0}), "web-1")

    assert found["cpu.percent.zscore"] == expected["cpu.percent.zscore"]
    assert "cpu.percent.delta" not in found


def test_jumps_outlast_a_restart_and_rows_of_the_build_before_have_none_of_them() -> None:
    rng = random.Random(2)  # noqa: S311 - seeded, no secret
    baselines = Baselines()
    for minute in range(2 * 1440):
        baselines.feed(sample(60 * minute, {"cpu.percent": rng.gauss(40, 2)}), "web-1")
    again, old = restarted(baselines, 60.0), Baselines()
    (thing,) = baselines._things.values()
    form, seen, interval, gauge, *rest = msgspec.msgpack.decode(msgspec.msgpack.encode(thing["cpu.percent"].row()))
    row = msgspec.msgpack.encode([form, seen, interval, gauge[:-1], *rest])
    old.restore([Snapshot(STEP, thing["cpu.percent"].key, row)])
    assert len(old) == 1

    for minute in range(2 * 1440, 2 * 1440 + 20):
        found, less = (one.feed(sample(60 * minute, {"cpu.percent": 40.0}), "web-1") for one in (again, old))

    assert abs(found["cpu.percent.spike"]) < 1
    assert "cpu.percent.spike" not in less
    assert less["cpu.percent.zscore"] == pytest.approx(found["cpu.percent.zscore"], abs=0.2), "the rest is known"


def stored(baselines: Baselines, seconds: float, every: float = 5.0, series: int = 20) -> Iterator[list[Snapshot]]:
    for number in range(int(seconds / every)):
        for name in range(series):
            baselines.feed(sample(number * every, {"net.errors": 0.0}, net_interface=f"eth{name}"), "web-1")
        yield baselines.changes()


def test_each_row_is_stored_every_ten_minutes_and_not_all_at_once() -> None:
    batches = [batch for batch in stored(Baselines(), 3600) if batch]

    written: dict[str, int] = {}
    for batch in batches:
        assert all(row.step == STEP and row.value is not None for row in batch)
        for row in batch:
            written[row.key] = written.get(row.key, 0) + 1
    assert len(written) == 20
    assert set(written.values()) <= {5, 6, 7}
    assert len(batches) <= 61, "at most once a minute"
    assert max(len(batch) for batch in batches) < 15
    assert 3600 / STORED_EVERY == 6


def test_a_row_stays_small() -> None:
    baselines = Baselines()
    rng = random.Random(2)  # noqa: S311 - seeded, no secret
    for minute in range(10 * 1440):
        values = {"memory.available_bytes": 8e9 + rng.gauss(0, 1e8)}
        baselines.feed(sample(60 * minute, values, disk_mount="/"), "web-1")

    (row,) = [row.value for row in baselines.changes() if row.value]

    assert len(row) < 2800


def test_what_cannot_be_read_is_dropped() -> None:
    good = next(batch for batch in stored(Baselines(), 700, series=1) if batch)[0]
    assert good.value is not None
    other = msgspec.msgpack.encode([99, *msgspec.msgpack.decode(good.value)[1:]])

    baselines = Baselines()
    rows = [Snapshot(STEP, "torn", b"\x93\x01"), Snapshot(STEP, "newer", other), Snapshot("detection", "x", b"y"), good]
    baselines.restore(rows)

    assert {(row.key, row.value) for row in baselines.changes()} == {("torn", None), ("newer", None)}
    assert len(baselines) == 1


def test_at_the_bound_what_was_not_seen_for_long_gives_way() -> None:
    baselines = Baselines(limit=50)
    for number in range(200):  # interfaces that come and go
        baselines.feed(sample(100.0 * number, {"net.errors": 0.0}, net_interface=f"veth{number}"), "web-1")

        assert len(baselines) <= 50
    gone = [row.key for row in baselines.changes() if row.value is None]
    assert baselines.evictions == 150
    assert len(set(gone)) == 150


def test_at_the_bound_those_that_are_seen_stay() -> None:
    baselines = Baselines(limit=10)
    for at in range(0, 600, 5):
        for number in range(15):
            found = baselines.feed(sample(at, {"net.errors": 1.0 * at}, net_interface=f"eth{number}"), "web-1")
            assert ("net.errors.delta" in found) == (at > 0 and number < 10)

    assert len(baselines) == 10
    assert baselines.evictions == 5 * 120


def test_stored_series_that_are_not_seen_again_give_way_first() -> None:
    rows = [row for batch in stored(Baselines(), 1300, every=60, series=10) for row in batch]
    baselines = Baselines(limit=10)
    baselines.restore(rows)
    for at in (2000.0, 2005.0):
        for number in range(10):
            baselines.feed(sample(at, {"net.errors": 0.0}, net_interface=f"other{number}"), "web-1")

    assert len(baselines) == 10
    assert baselines.evictions == 10
    assert len([row for row in baselines.changes() if row.value is None]) == 10


@given(
    st.lists(
        st.tuples(
            st.floats(-1e9, 1e9, allow_nan=False), st.floats(allow_nan=True), st.sampled_from(["", "a", "b", "c", "d"])
        ),
        max_size=60,
    )
)
def test_whatever_comes_the_fields_are_finite_and_the_bound_holds(readings: list[tuple[float, float, str]]) -> None:
    baselines = Baselines(limit=3)
    for at, value, tag in readings:
        fields = baselines.feed(sample(at, {"swap.free_bytes": value}, disk_mount=tag), "web-1")
        assert all(isfinite(one) for one in fields.values())
        assert len(baselines) <= 3
    again = Baselines(limit=3)
    again.restore(baselines.changes())
    assert again.changes() == []


def test_floors_follow_the_unit() -> None:
    assert floor_of("cpu.iowait_percent") == 1.0
    assert floor_of("net.sent_bytes_per_second") == 32_768.0
    assert floor_of("memory.available_bytes") == 1_048_576.0
    assert floor_of("load.15") == 0.1
    assert floor_of("something.new") == 1.0


RULE = UNUSUAL + "tellwhy: {entity: [host, cpu.percent.rate]}\n"


def test_fields_that_rules_read_are_found_wherever_they_stand() -> None:
    parsed = parse_rules({"a.yml": RULE})

    assert not parsed.problems
    assert {"cpu.percent.zscore", "cpu.percent.rate", "host"} <= derived_reads(parsed)


def test_another_interval_is_learned_after_two_readings() -> None:
    found = fed(Baselines(), [0, 5, 10, 70, 130, 190, 195, 200, 205])

    assert ["cpu.percent.delta" in one for one in found[1:]] == [True, True, False, False, True, False, False, True]


def test_a_series_of_one_reading_survives_too() -> None:
    baselines = Baselines()
    baselines.feed(sample(0, {"cpu.percent": 40.0}), "web-1")
    again = restarted(baselines, 5.0)

    assert again.feed(sample(5, {"cpu.percent": 41.0}), "web-1") == {}
    assert again.feed(sample(10, {"cpu.percent": 42.0}), "web-1")["cpu.percent.delta"] == 1.0


def test_a_clock_that_stands_still_is_no_trouble() -> None:
    assert fed(Baselines(), [0.0] * 100) == [{}] * 100
