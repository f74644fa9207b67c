"""Health, metrics and log of the memory."""

from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from daemon.enrichment.memory_report import MemoryReport
from daemon.model import Refused, Similar, Transient
from daemon.telemetry import Board, HealthState, Metrics

FOUND = Similar(incident_id="i", title="t", score=0.9, at=0, count=1, entity="e", because="b")


@pytest.fixture
def board() -> Board:
    return Board(lambda: 0.0)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def test_a_failure_is_logged_once_and_its_end_once(board: Board, metrics: Metrics) -> None:
    report = MemoryReport(board, metrics)
    with capture_logs() as logs:
        report.starting("loading")
        report.well()
        report.unwell("down")
        report.unwell("still down")
        report.starting("loading again")
        report.well()
        report.well()
    assert [line["log_level"] for line in logs] == ["warning", "info"]
    assert logs[0]["detail"] == "down"


def test_a_restart_after_a_failure_stays_degraded_until_it_works(board: Board, metrics: Metrics) -> None:
    report = MemoryReport(board, metrics)
    report.starting("loading")
    assert board.rows()[0].state is HealthState.starting
    report.unwell("down")
    report.starting("loading")
    row = board.get("memory")
    assert row is not None
    assert (row.state, row.detail) == (HealthState.degraded, "down")


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        ([FOUND], "found"),
        ([], "none"),
        (Transient("x", why="timeout"), "timeout"),
        (Refused("x"), "refused"),
    ],
    ids=["found", "none", "timeout", "refused"],
)
async def test_searches_are_counted_by_outcome(
    board: Board, metrics: Metrics, result: Sequence[Similar] | Exception, outcome: str
) -> None:
    async def search() -> Sequence[Similar]:
        if isinstance(result, Exception):
            raise result
        return result

    report = MemoryReport(board, metrics)
    if isinstance(result, Exception):
        with pytest.raises(type(result)):
            await report.searched(search)
    else:
        assert await report.searched(search) is result
    assert metrics.registry.get_sample_value("tellwhy_memory_searches_total", {"outcome": outcome}) == 1


def test_what_is_kept_and_evicted_is_a_metric(board: Board, metrics: Metrics) -> None:
    report = MemoryReport(board, metrics)
    report.kept(7)
    assert metrics.registry.get_sample_value("tellwhy_memory_incidents") == 7
    assert metrics.registry.get_sample_value("tellwhy_evictions_total", {"state": "memory"}) is None
    report.kept(6, evicted=2)
    assert metrics.registry.get_sample_value("tellwhy_evictions_total", {"state": "memory"}) == 2
