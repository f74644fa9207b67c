"""Our rules: each is complete, unique, listed in the README, and finds what its samples say, and nothing else."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from daemon.config import read_rule_files
from daemon.detection.rules import ParsedRules, Rule, parse_rules
from daemon.enrichment.attack_words import TECHNIQUES, say_tactic
from daemon.rule_samples import SampleResult, run_samples
from daemon.rule_samples.reading import read_samples

RULES = Path(__file__).parent.parent / "rules"
NEEDED = {
    *("title", "id", "status", "description", "author", "date", "level", "tags", "falsepositives", "license"),
}
FILES = {str(Path(path).relative_to(RULES)): text for path, text in read_rule_files([str(RULES)]).items()}
SAMPLES = {str(path.relative_to(RULES)): path.read_text() for path in sorted(RULES.rglob("*.samples.yml"))}
PARSED = parse_rules(FILES)
DOCUMENTS: list[dict[str, Any]] = [data for text in FILES.values() for data in yaml.safe_load_all(text)]
FIRING = [rule for rule in PARSED.rules if rule.fires]


@pytest.fixture(scope="module")
def results() -> list[SampleResult]:
    return run_samples(FILES, SAMPLES)


def test_all_parse_and_there_are_enough() -> None:
    assert PARSED.problems == ()
    assert len(FIRING) >= 24


@pytest.mark.parametrize("data", DOCUMENTS, ids=lambda data: data["title"])
def test_each_says_all_that_people_need(data: dict[str, Any]) -> None:
    assert not NEEDED - data.keys()
    assert (data["author"], data["license"]) == ("tellwhy", "Apache-2.0")
    assert data["falsepositives"]
    assert len(data["description"].split()) >= 8
    assert "product" in data.get("logsource", {"product": "of a correlation"})
    tags = [tag.removeprefix("attack.") for tag in data["tags"]]
    techniques = [tag.upper() for tag in tags if re.fullmatch(r"t\d{4}(\.\d{3})?", tag)]
    assert techniques
    assert [name for name in techniques if name not in TECHNIQUES and name[:5] not in TECHNIQUES] == []
    assert [tag for tag in tags if tag.upper() not in techniques and not say_tactic(tag)] == []


@pytest.mark.parametrize("rule", FIRING, ids=lambda rule: rule.ref.title)
def test_each_that_fires_says_what_to_do_and_about_whom(rule: Rule) -> None:
    assert len(rule.ref.runbook.splitlines()) >= 2
    assert rule.ref.runbook.startswith("1. ")
    assert rule.entity
    assert "192." not in rule.ref.runbook


def test_ids_names_and_titles_are_unique() -> None:
    for key in ("id", "title", "name"):
        found = [data[key] for data in DOCUMENTS if key in data]
        assert sorted(found) == sorted(set(found))


def test_every_rule_file_has_samples_and_every_sample_file_its_rules() -> None:
    assert [path.replace(".samples.yml", ".yml") for path in SAMPLES] == list(FILES)


def test_the_samples_hold(results: list[SampleResult]) -> None:
    assert [f"{one.path}:{one.line}: {one.name}: {one.wrong}" for one in results if not one.ok] == []


@pytest.mark.parametrize("rule", FIRING, ids=lambda rule: rule.ref.title)
def test_each_has_a_sample_that_hits_and_one_that_misses(rule: Rule, results: list[SampleResult]) -> None:
    mine = [one for one in results if one.path.replace(".samples.yml", ".yml") == rule.ref.path]
    assert [one for one in mine if one.hits and rule.ref.title in one.fired]
    assert len([one for one in mine if not one.hits]) >= 2


def test_what_must_not_fire_fires_nothing_else_either(results: list[SampleResult]) -> None:
    """A miss that sets off another rule would be noise all the same, unless it is what that rule is for."""
    meant = {
        "SSH brute force from one address",
        "New user who can log in",
        "Program run from a temporary directory",
        "Program run from a hidden or memory-backed directory",
        "Cron job written",
        "Crontab edited in a session",
        "Disk nearly full",
        "Audit records lost",
        "Log truncated or replaced",
    }
    assert {title for one in results if not one.hits for title in one.others} <= meant


def test_benign_real_logs_stay_quiet(shared_data: Path) -> None:
    """7,121 lines of a server on the Internet: what fires is guessing, and the ten accounts that somebody made."""
    text = (shared_data / "elastic-examples" / "auth.log").read_text(errors="replace")
    sample = yaml.safe_dump({"hit": [{"name": "all", "format": "syslog", "lines": text}], "miss": [QUIET]})
    real, _ = run_samples(FILES, {"ssh/brute_force.samples.yml": sample})
    assert real.ok, real.wrong
    assert set(real.fired) == {"SSH brute force from one address"}
    assert set(real.others) == {
        "SSH login after repeated failures",
        "SSH users guessed from one address",
        "New user who can log in",
    }


QUIET = {"name": "nothing", "format": "syslog", "lines": "$SYSLOG web-1 systemd[1]: Started Session 1 of User alice."}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (RULES / "README.md").read_text(), re.DOTALL)


def row(rule: Rule, parsed: ParsedRules) -> str:
    """One line of the README's table."""
    sources = [one.logsource for one in parsed.rules if one.ref.id in {rule.ref.id, *rule.inputs} and one.condition]
    looks = ", ".join(dict.fromkeys(source.category or source.service for source in sources))
    where = f"[{rule.ref.title}]({rule.ref.path})"
    return f"| {where} | {rule.ref.severity.name} | {', '.join(rule.ref.techniques)} | `{looks}` |"


def test_the_readme_lists_them_all() -> None:
    order = list(FILES)
    expected = [row(rule, PARSED) for rule in sorted(FIRING, key=lambda rule: order.index(rule.ref.path))]
    listed = [line for line in (RULES / "README.md").read_text().splitlines() if line.startswith("| [")]
    assert listed == expected, "expected these rows:\n" + "\n".join(expected)


def test_the_readme_names_every_audit_rule_that_a_rule_needs() -> None:
    """What a rule's logsource asks of auditd stands in the block that people copy."""
    block = blocks("text")[0].splitlines()
    needed = {
        line.split(" -k ")[0]
        for data in DOCUMENTS
        for line in data.get("logsource", {}).get("definition", "").splitlines()
    }
    assert needed
    assert sorted(needed - {line.split(" -k ")[0] for line in block}) == []


def test_the_examples_of_the_readme_are_right() -> None:
    quieter, samples = blocks("yaml")
    assert parse_rules({**FILES, "ours.yml": quieter}).problems == ()
    assert read_samples("x.samples.yml", samples)[1] == []


def test_the_audit_rules_that_are_shipped_are_those_of_the_readme() -> None:
    shipped = (RULES.parent / "examples" / "50-tellwhy.rules").read_text()
    lines = [line for line in shipped.splitlines() if not line.startswith("#")]
    assert any(block.splitlines() == lines for block in blocks("text"))
