"""An incident about memory tells who has the memory, and the gauge that the rule read is never cut off."""

import pytest

from daemon.detection.firing import evidence
from daemon.detection.relevance import explained_by, gauge_of, most_relevant_first
from daemon.model import Value
from tests.doubles.detection import METRICS, make_event

FIELDS: dict[str, Value] = {
    "top.cpu": ("97 % of a core, pid 7 of alice: loop",),
    "top.memory": ("3 GiB, pid 8 of bob: leak",),
    "cpu.percent": 97.0,
    "cpu.percent.zscore": 8.0,
    "load.1": 4.0,
    "memory.percent": 96.0,
    "memory.percent.delta": 2.0,
    "memory.available_bytes": 100.0,
    "gpu.name": "x",
}


def test_what_the_rule_reads_comes_first_then_what_explains_it() -> None:
    assert list(most_relevant_first(FIELDS, {"memory.percent.delta"})) == [
        "memory.percent.delta", "memory.percent", "gpu.name", "top.memory", "memory.available_bytes",
        "cpu.percent", "load.1", "cpu.percent.zscore",
    ]  # fmt: skip


def test_what_explains_another_gauge_is_left_out() -> None:
    assert "top.memory" not in most_relevant_first(FIELDS, {"cpu.percent"})
    assert most_relevant_first(FIELDS, {"cpu.percent"})["top.cpu"] == FIELDS["top.cpu"]


def test_lists_that_are_no_words_of_ours_stay() -> None:
    assert "labels" in most_relevant_first({**FIELDS, "labels": ("a", "b")}, {"cpu.percent"})


def test_a_rule_that_reads_what_is_not_there_loses_no_gauge() -> None:
    kept = most_relevant_first(FIELDS, {"swap.percent"})
    assert kept.keys() == FIELDS.keys() - {"top.cpu", "top.memory"}


@pytest.mark.parametrize(
    ("gauge", "words"),
    [
        ("cpu.percent", ["top.cpu"]),
        ("cpu.iowait_percent", ["top.io"]),
        ("pressure.memory_full_percent", ["top.memory"]),
        ("pressure.cpu_percent", ["top.cpu"]),
        ("disk.latency_ms", ["top.io"]),
        ("process.zombies", ["top.zombies"]),
        ("process.cpu_percent", ["process.command"]),
        ("process.forks_per_second", ["process.command", "top.processes"]),
        ("gpu.memory_percent", ["top.gpu"]),
        ("net.errors_per_second", []),
        ("temperature.celsius", ["top.cpu"]),
        ("anything.else", ["top.cpu"]),
    ],
)
def test_every_gauge_has_its_words(gauge: str, words: list[str]) -> None:
    assert explained_by([gauge]) == words


def test_a_derived_field_is_of_its_gauge() -> None:
    assert gauge_of("disk.free_bytes.seconds_to_zero") == "disk.free_bytes"
    assert gauge_of("disk.free_bytes") == "disk.free_bytes"


def test_the_gauge_that_a_rule_read_is_kept_of_hundreds() -> None:
    """The worst bug: evidence that does not hold the number that the alert is about."""
    many: dict[str, Value] = {f"a{number}.b": float(number) for number in range(300)}
    kept = evidence(make_event({**many, "cpu.percent": 99.0}, source=METRICS), {"cpu.percent"})
    assert kept.fields["cpu.percent"] == 99.0
    assert len(kept.fields) == 64


def test_other_events_keep_their_order() -> None:
    event = make_event({"b": "1", "a": "2"})
    assert list(evidence(event, {"a"}).fields) == ["b", "a"]
