"""Our own rules, as they stand in the checkout."""

from pathlib import Path

from daemon.config import read_rule_files
from daemon.detection.rules import ParsedRules, parse_rules

RULES = Path(__file__).parent.parent.parent / "rules"


def rule_files() -> dict[str, str]:
    """Path below rules/ → text."""
    return {str(Path(path).relative_to(RULES)): text for path, text in read_rule_files([str(RULES)]).items()}


def parsed_rules() -> ParsedRules:
    """All of them, without a problem."""
    parsed = parse_rules(rule_files())
    assert parsed.problems == ()
    return parsed
