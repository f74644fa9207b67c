"""What is said of the rules that a runtime begins with: in the log, in the metrics, on the board."""

from daemon.config import Config
from daemon.detection.rules import ParsedRules
from daemon.detection.wise import unwise
from daemon.other_records import reads_journal, reads_json
from daemon.telemetry import Board, HealthState, Metrics, Says, log

SHOWN_BY = "tellwhy check"
"""The command that lists what is unwise."""


def count_unwise(config: Config, rules: ParsedRules) -> int:
    """How many warnings `tellwhy check` has about these rules. Looks into the watched files: too slow for the loop."""
    return len(unwise(rules, json_lines=reads_json(config), journal=reads_journal(config)))


def tell_rules(rules: ParsedRules, warnings: int, metrics: Metrics) -> None:
    """Every rule that cannot be used, how many can, and that some are unwise."""
    for problem in rules.problems:
        log.warning(Says.rule_refused, problem=str(problem))
    metrics.rules.labels(status="loaded").set(len(rules.rules))
    metrics.rules.labels(status="refused").set(len(rules.problems))
    metrics.rule_warnings.set(warnings)
    log.info(Says.rules_loaded, rules=len(rules.rules), refused=len(rules.problems))
    if warnings:
        log.warning(Says.rules_unwise, warnings=warnings, shown_by=SHOWN_BY)


def show_rules(rules: ParsedRules, warnings: int, board: Board) -> None:
    """How the rules are. What is merely unwise leaves them well."""
    said = []
    if rules.problems:
        said.append(f"{len(rules.problems)} refused: {rules.problems[0]}")
    if warnings:
        said.append(f"{warnings} warning{'s' if warnings > 1 else ''}: {SHOWN_BY}")
    board.set("rules", HealthState.degraded if rules.problems else HealthState.ok, "; ".join(said))
