"""The names of gauges are those of docs/gauges.md, which is held to what is read by tests/test_gauge_names.py."""

import re

import pytest

from daemon.model.gauge_names import DERIVED, GAUGES, RUNNING_OUT, TAGS, WORDS, metric_fields
from tests.test_gauge_names import DOCUMENTED
from tests.test_gauge_names import TAGS as READ_TAGS
from tests.test_gauge_names import WORDS as READ_WORDS


def test_gauges_tags_and_words_are_those_that_are_read() -> None:
    assert GAUGES["host_metrics"] | GAUGES["gpu_metrics"] == DOCUMENTED
    assert TAGS["host_metrics"] | TAGS["gpu_metrics"] == READ_TAGS
    assert WORDS["host_metrics"] | WORDS["gpu_metrics"] == READ_WORDS


@pytest.mark.parametrize("kind", DERIVED)
def test_each_gauge_has_what_is_derived(kind: str) -> None:
    assert {f"{gauge}.{kind}" for gauge in GAUGES["gpu_metrics"]} <= metric_fields("gpu_metrics")


def test_what_runs_out_has_a_time() -> None:
    ends = {name for name in metric_fields("host_metrics") if re.search(r"\.seconds_to_zero$", name)}
    assert ends == {f"{gauge}.seconds_to_zero" for gauge in RUNNING_OUT if not gauge.startswith("gpu")}
