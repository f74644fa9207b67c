"""Our rules: each is complete, unique, documented, of a family, and finds what its samples say, and nothing else."""

import re
from typing import Any

import pytest
import yaml
from msgspec.structs import replace
from sigma.conditions import ConditionAND, ConditionNOT, ConditionOR
from sigma.rule import SigmaRule
from sigma.types import SigmaString

from daemon.detection.rules import Rule, parse_rules
from daemon.enrichment.attack_words import TECHNIQUES, say_tactic
from daemon.rule_samples import SampleResult, run_samples
from daemon.rule_samples.reading import read_samples
from tests.doubles.our_rules import RULES, rule_files
from tests.doubles.rule_families import FAMILIES, PROMISED

NEEDED = {
    *("title", "id", "status", "description", "author", "date", "level", "tags", "falsepositives", "license"),
}
TOOLS = {"falco", "suricata", "alertmanager"}
"""Whose alerts our rules pass on, knowing nothing of them but what they say."""
FILES = rule_files()
SAMPLES = {str(path.relative_to(RULES)): path.read_text() for path in sorted(RULES.rglob("*.samples.yml"))}
PARSED = parse_rules(FILES)
DOCUMENTS: list[dict[str, Any]] = [data for text in FILES.values() for data in yaml.safe_load_all(text)]
FIRING = [rule for rule in PARSED.rules if rule.fires]


@pytest.fixture(scope="module")
def results() -> list[SampleResult]:
    return run_samples(FILES, SAMPLES)


def test_all_parse_and_there_are_enough() -> None:
    assert PARSED.problems == ()
    assert len(FIRING) >= 70


@pytest.mark.parametrize("family", PROMISED)
def test_every_promised_family_has_a_rule_that_people_hear_of(family: str) -> None:
    """Low is what is there when somebody asks; guessing passwords from outside, and what people do anyway, is no more."""
    rules = [rule for rule in FIRING if rule.ref.title in PROMISED[family]]
    assert sorted(rule.ref.title for rule in rules) == sorted(PROMISED[family])
    outside = family.startswith("SSH ") or family in {"new user", "at jobs", "DNS and hosts changed"}
    assert outside or max(rule.ref.severity for rule in rules).name in {"medium", "high", "critical"}


def test_every_rule_that_fires_is_of_one_family() -> None:
    listed = [title for titles in FAMILIES.values() for title in titles]
    assert sorted(listed) == sorted(rule.ref.title for rule in FIRING)


@pytest.mark.parametrize("data", DOCUMENTS, ids=lambda data: data["title"])
def test_each_says_all_that_people_need(data: dict[str, Any]) -> None:
    assert not NEEDED - data.keys()
    assert (data["author"], data["license"]) == ("tellwhy", "Apache-2.0")
    assert data["falsepositives"]
    assert len(data["description"].split()) >= 8
    assert "product" in data.get("logsource", {"product": "of a correlation"})
    tags = [tag.removeprefix("attack.") for tag in data["tags"]]
    if data.get("logsource", {}).get("product") in TOOLS:  # what it means is for the tool to say
        assert all(tag.startswith("d3fend.") for tag in tags)
        assert data["tellwhy"]["title_from"]
        return
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


def test_what_check_plays_without_the_other_rules_comes_to_the_same(results: list[SampleResult]) -> None:
    alone = run_samples(FILES, SAMPLES, PARSED, others=False)
    assert all(set(one.others) <= set(whole.others) for one, whole in zip(alone, results, strict=True))
    assert [replace(one, others=()) for one in alone] == [replace(one, others=()) for one in results]


@pytest.mark.parametrize("rule", FIRING, ids=lambda rule: rule.ref.title)
def test_each_has_samples_that_hit_and_that_miss(rule: Rule, results: list[SampleResult]) -> None:
    mine = [one for one in results if one.path.replace(".samples.yml", ".yml") == rule.ref.path]
    assert len([one for one in mine if one.hits and rule.ref.title in one.fired]) >= 2
    assert len([one for one in mine if not one.hits]) >= 3


def test_what_must_not_fire_fires_nothing_else_either(results: list[SampleResult]) -> None:
    """A miss that sets off another rule would be noise all the same, unless it is what that rule is for."""
    meant = {
        "SSH brute force from one address",
        "SSH passwords guessed slowly from one address",
        "SSH passwords sprayed over accounts that exist",
        "SSH account guessed from many addresses",
        "Root login over SSH with a key",
        "New user who can log in",
        "Program run from a temporary directory",
        "Program run from a hidden or memory-backed directory",
        "Cron job written",
        "Crontab edited in a session",
        "Disk nearly full",
        "Audit records lost",
        "Audit log truncated, deleted or replaced",
        "Change of locked auditing refused",
        "Log truncated or replaced",
        "Falco warning",
        "Suricata alert",
    }
    assert {title for one in results if not one.hits for title in one.others} <= meant


def _needs_a_word(node: Any) -> bool:
    """Whether a condition can hold only where some text of three characters or more stands in the event."""
    if isinstance(node, ConditionAND):
        return any(_needs_a_word(arg) for arg in node.args)
    if isinstance(node, ConditionOR):
        return all(_needs_a_word(arg) for arg in node.args)
    if isinstance(node, ConditionNOT) or not isinstance(node.value, SigmaString):
        return False
    return any(isinstance(part, str) and len(part) >= 3 for part in node.value.s)


@pytest.mark.parametrize(
    "data",
    [
        data
        for data in DOCUMENTS
        if not data.get("logsource", {"category": "_loss"}).get("category", "").endswith(("_metrics", "_loss"))
    ],
    ids=lambda data: data["title"],
)
def test_no_rule_looks_at_every_event(data: dict[str, Any]) -> None:
    """A regex without a word beside it would run on all that happens."""
    assert _needs_a_word(SigmaRule.from_dict(data).detection.parsed_condition[0].parsed)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (RULES / "README.md").read_text(), re.DOTALL)


def row(rule: Rule, family: str) -> str:
    """One line of the table in docs/rules.md."""
    sources = [one.logsource for one in PARSED.rules if one.ref.id in {rule.ref.id, *rule.inputs} and one.condition]
    looks = ", ".join(dict.fromkeys(source.category or source.service for source in sources))
    where = f"[{rule.ref.title}](../rules/{rule.ref.path})"
    techniques = ", ".join(rule.ref.techniques) or "what the tool says"
    return f"| {family} | {where} | {rule.ref.severity.name} | {techniques} | `{looks}` |"


def test_the_documentation_lists_them_all() -> None:
    of_title = {rule.ref.title: rule for rule in FIRING}
    expected = [row(of_title[title], family) for family, titles in FAMILIES.items() for title in titles]
    text = (RULES.parent / "docs" / "rules.md").read_text()
    listed = [line for line in text.splitlines() if line.startswith("| ") and "](../rules/" in line]
    assert listed == expected, "expected these rows:\n" + "\n".join(expected)
    assert f"{len(FIRING)} rules that fire" in text
    assert f"{len([rule for rule in PARSED.rules if not rule.fires])} building blocks" in text


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
