"""Every invalid fixture states its own error on its first line: `# error: LINE: KEY: EXPECTED`."""

from pathlib import Path

import pytest

from daemon.detection.rules import parse_rules
from daemon.model import Problem
from tests.doubles.detection import rule_text

INVALID = sorted((Path(__file__).parent / "data" / "invalid").glob("*.yml"))


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_an_invalid_rule_says_what_was_expected_and_where(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text = path.read_text(encoding="utf-8")
    stated = text.split("\n", 1)[0].removeprefix("# error: ")
    parsed = parse_rules({"r.yml": text, "good.yml": rule_text("    s: {a: 1}\n    condition: s")})
    assert [str(problem).removeprefix("r.yml:") for problem in parsed.problems] == [stated]
    assert "T" in {rule.ref.title for rule in parsed.rules if rule.ref.path == "good.yml"}
    assert capfd.readouterr() == ("", "")


def test_every_problem_of_a_rule_is_told_at_once() -> None:
    text = "title: T\nlevel: x\nstatus: y\nlogsource: {}\ndetection:\n    s:\n        a|foo: 1\n        b|re: '('\n    t: []\n"
    lines = [(problem.line, problem.key) for problem in parse_rules({"r.yml": text}).problems]
    assert lines == [
        (2, "level"), (3, "status"), (4, "logsource"), (5, "detection.condition"), (7, "detection.s.a|foo"),
        (8, "detection.s.b|re"), (9, "detection.t"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "more",
    ["level: [high]\n", "tags: x\n", "related: 5\n", "related: [{id: 1}]\n", "taxonomy: 5\n", "scope: x\n", "name: ''\n",
     "description: [x]\n", "author: 5\n", "license: 5\n", "falsepositives: x\n", "fields: x\n", "modified: 5\n",
     "related: [{id: [], type: []}]\n", "tellwhy: 5\n", "tellwhy: {entity: [5]}\n", "tellwhy: {entity: []}\n",
     "tellwhy: {runbook: 5}\n", "tellwhy: {sustain: {for: -1}}\n", "tellwhy: {sustain: {for: .inf}}\n"],
)  # fmt: skip
def test_odd_values_are_problems_never_errors(more: str) -> None:
    parsed = parse_rules({"r.yml": rule_text("    s: {a: 1}\n    condition: s", more=more)})
    assert parsed.rules == ()
    assert [type(problem) for problem in parsed.problems] == [Problem]
    assert parsed.problems[0].line == 3
    assert parsed.problems[0].expected.startswith("expected ")


@pytest.mark.parametrize(
    "detection",
    ["    s: {a: 1}\n    condition: 5", "    s: {a: 1}\n    condition: []", "    s: {a: 1}\n    condition: [s, 5]",
     "    s: {a: 1}\n    condition: 's and'", "    s: {a: 1}\n    condition: '(s'", "    s: 2024-01-01\n    condition: s",
     "    s: {a: 2024-01-01}\n    condition: s", "    s: [[[]]]\n    condition: s", "    s:\n    condition: s",
     "    s: {a|all|contains|re: x}\n    condition: s", "    s: {a|exists: 5}\n    condition: s",
     "    s: {a|cidr: '10.*'}\n    condition: s", "    s: {a|base64: 'x*'}\n    condition: s",
     "    s: {a|windash|contains: ' -a -b -c -d -e'}\n    condition: s", "    s: {a|wide: é}\n    condition: s",
     "    s: {a: 1}\n    condition: " + "not " * 3000 + "s"],
)  # fmt: skip
def test_odd_detections_are_problems_never_errors(detection: str) -> None:
    parsed = parse_rules({"r.yml": rule_text(detection)})
    assert parsed.rules == ()
    assert parsed.problems
    assert all(problem.expected.startswith("expected ") and problem.line >= 4 for problem in parsed.problems)


def test_many_brackets_around_nothing_much_are_no_trouble() -> None:
    detection = "    s: {a: 1}\n    condition: " + "(" * 500 + "s" + ")" * 500
    parsed = parse_rules({"r.yml": rule_text(detection)})
    assert len(parsed.rules) + len(parsed.problems) == 1
