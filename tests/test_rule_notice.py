"""What is unwise is counted where the daemon starts, and listed where somebody asks."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from daemon.config import Config
from daemon.detection.rules import ParsedRules, parse_rules
from daemon.rule_notice import count_unwise, show_rules, tell_rules
from daemon.telemetry import Board, HealthState, Metrics, Says

GOOD = """title: A shell
id: 6a1c9b52-8f7d-4a58-9b44-2b9d1f2f0a10
logsource: {product: linux, category: process_creation}
detection: {selection: {Image|endswith: /sh}, condition: selection}
"""
WINDOWS = GOOD.replace("/sh", r"\sh").replace("6a1c", "6a1d")
FOREIGN = GOOD.replace("Image|endswith: /sh", "src_ip: 192.0.2.7").replace("6a1c", "6a1e")


def rules(*texts: str) -> ParsedRules:
    return parse_rules({f"{number}.yml": text for number, text in enumerate(texts)})


def reading(path: Path, form: str = "auto") -> Config:
    return Config.model_validate({"sources": [{"type": "file", "name": "x", "path": str(path), "format": form}]})


def test_it_is_counted_by_what_is_read_here_as_check_does(tmp_path: Path) -> None:
    both = rules(GOOD, WINDOWS, FOREIGN)
    assert count_unwise(reading(tmp_path / "audit.log", "auditd"), both) == 2
    assert count_unwise(reading(tmp_path / "x.log", "json"), both) == 1
    assert count_unwise(reading(tmp_path / "audit.log", "auditd"), rules(GOOD)) == 0


@pytest.mark.parametrize(
    ("parsed", "warnings", "state", "detail"),
    [
        (rules(GOOD), 0, HealthState.ok, ""),
        (rules(GOOD, WINDOWS), 1, HealthState.ok, "1 warning: tellwhy check"),
        (rules("title: ["), 0, HealthState.degraded, "1 refused: 0.yml:1: (yaml): expected"),
        (rules(GOOD, "title: ["), 2, HealthState.degraded, "; 2 warnings: tellwhy check"),
    ],
)
def test_what_is_unwise_leaves_the_rules_well(
    parsed: ParsedRules, warnings: int, state: HealthState, detail: str
) -> None:
    board = Board(lambda: 0.0)
    show_rules(parsed, warnings, board)
    row = board.get("rules")
    assert row is not None
    assert row.state is state
    assert (detail in row.detail) if detail else row.detail == ""


def test_the_log_has_one_line_with_the_count_and_the_command() -> None:
    metrics = Metrics()
    with capture_logs() as logs:
        tell_rules(rules(GOOD, WINDOWS, "title: ["), 1, metrics)
        tell_rules(rules(GOOD), 0, metrics)
    said = [(row["event"], row["log_level"]) for row in logs]
    assert said == [
        (Says.rule_refused, "warning"), (Says.rules_loaded, "info"), (Says.rules_unwise, "warning"), (Says.rules_loaded, "info"),
    ]  # fmt: skip
    assert (logs[2]["warnings"], logs[2]["shown_by"]) == (1, "tellwhy check")
    assert metrics.registry.get_sample_value("tellwhy_rule_warnings") == 0


def test_the_number_is_a_metric() -> None:
    metrics = Metrics()
    tell_rules(rules(GOOD, WINDOWS), 7, metrics)
    assert metrics.registry.get_sample_value("tellwhy_rule_warnings") == 7
    assert metrics.registry.get_sample_value("tellwhy_rules", {"status": "loaded"}) == 2
