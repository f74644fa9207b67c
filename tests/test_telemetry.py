import json

import pytest
from prometheus_client import generate_latest

from daemon.telemetry import Board, HealthState, Metrics, Says, configure_logging, log


def test_a_state_is_news_only_when_it_changes() -> None:
    at = [1.0]
    board = Board(lambda: at[0])

    assert board.set("model", HealthState.degraded, "down")
    at[0] = 2.0
    assert not board.set("model", HealthState.degraded, "still down")

    health = board.get("model")
    assert health is not None
    assert (health.since, health.detail) == (1.0, "still down")
    assert board.set("model", HealthState.ok)
    board.remove("model")
    assert board.rows() == ()


def test_the_log_is_json_for_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")

    log.info(Says.ready, sources="audit\x1b[31m")
    log.debug(Says.ready)

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    entry = json.loads(lines[0])
    assert (entry["event"], entry["level"], entry["sources"]) == ("ready", "info", "audit\x1b[31m")
    assert "\x1b" not in lines[0]


def test_the_log_is_key_value_for_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "console")

    log.warning(Says.file_rotated, path="/var/log/x\x1b[31m\ny")

    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "event='file rotated'" in line
    assert "\x1b" not in line


def test_metrics_have_the_prefix_and_help() -> None:
    for family in Metrics().registry.collect():
        assert family.name.startswith("tellwhy_")
        assert family.documentation.endswith(".")
    assert b"tellwhy_outbox_depth 0.0" in generate_latest(Metrics().registry)
