"""Rules and samples together: which hold, and in words why others do not."""

import pytest

from daemon.detection.rules import parse_rules
from daemon.rule_samples import SampleResult, is_as_written, parse_as_written, rule_path, run_samples

RULES = {
    "rules/a.yml": """title: A word
logsource: {product: linux, service: syslog}
detection: {selection: {Message|contains: word}, condition: selection}
---
title: Two words
logsource: {product: linux, service: syslog}
detection: {selection: {Message|contains: two words}, condition: selection}
""",
    "rules/b.yml": """title: Full
logsource: {product: linux, category: host_metrics}
detection: {selection: {disk.percent|gte: 90}, condition: selection}
tellwhy: {sustain: {for: 1m, resolve_after: 1m}, entity: disk.mount}
""",
}


def line(text: str, more: str = "") -> str:
    return f"{{name: '{text}', format: syslog, lines: '$SYSLOG web-1 app: {text}'{more}}}"


def run(hit: str, miss: str = "", path: str = "rules/a.samples.yml") -> list[SampleResult]:
    quiet = "{name: quiet, format: syslog, lines: '$SYSLOG web-1 app: hush'}"
    return run_samples(RULES, {path: f"hit:\n    - {hit}\nmiss:\n    - {miss or quiet}\n"})


def test_samples_that_hold() -> None:
    hit, miss = run(line("two words", ", repeat: 2, every: 10s, expect: 4, incidents: 2"))
    assert (hit.wrong, miss.wrong) == ("", "")
    assert hit.fired == ("A word", "Two words", "A word", "Two words")
    assert hit.because[0] == 'selection: Message contains "word" (got "two words")'
    assert (miss.name, miss.hits, miss.fired, miss.line) == ("quiet", False, (), 4)


@pytest.mark.parametrize(
    ("hit", "wrong"),
    [
        (line("hush"), "expected at least 1 anomaly (got 0)"),
        (line("a word", ", expect: 2"), "expected 2 anomalies (got 1)"),
        (line("a word", ", incidents: 2"), "expected 2 incidents (got 1)"),
        (line("a word", ", ends: 1"), "expected 1 endings (got 0)"),
        (line("a word", ", expect: 3, incidents: 0"), "expected 3 anomalies (got 1); expected 0 incidents (got 1)"),
        (line("a word", ", rule: Two words"), "expected at least 1 anomaly (got 0)"),
        (
            line("a word", ", rule: Two word"),
            "rules/a.samples.yml:2: rule: expected one of A word, Two words (got Two word) – did you mean Two words?",
        ),
    ],
)
def test_a_hit_that_does_not_hold(hit: str, wrong: str) -> None:
    result = run(hit)[0]
    assert (result.ok, result.wrong) == (False, wrong)


def test_a_miss_that_fires() -> None:
    result = run(line("a word"), line("word again"))[1]
    assert (result.wrong, result.fired) == ("expected 0 anomalies (got 1)", ("A word",))


def test_a_miss_about_one_rule_may_fire_another_of_the_file() -> None:
    result = run(line("two words"), line("a word", ", rule: Two words"))[1]
    assert (result.ok, result.fired, result.others) == (True, (), ("A word",))


def test_what_other_rules_make_of_it_is_told_but_not_judged() -> None:
    full = "{name: full, sample: {category: host_metrics, tags: {disk.mount: /}, values: {disk.percent: 95}}, repeat: 3, every: 30s"
    over = "then: [{sample: {category: host_metrics, tags: {disk.mount: /}, values: {disk.percent: 5}}, repeat: 4, every: 30s, after: 30s}]"
    hit, _ = run(f"{full}, expect: 1, ends: 1, incidents: 1, {over}}}", line("a word"), "rules/b.samples.yml")
    assert hit.wrong == ""
    assert hit.entities == ("disk.mount=/",)
    assert run(full + "}", line("a word"), "rules/b.samples.yml")[1].others == ("A word",)


def test_a_sample_file_without_its_rule() -> None:
    (result,) = run(line("a word"), path="rules/c.samples.yml")
    assert result.problem is not None
    assert result.wrong.startswith("rules/c.samples.yml:1: (file): expected a rule file beside it")
    assert run_samples(RULES, {"rules/a.yml": "hit: [x]"})[0].wrong.startswith("rules/a.yml:1: (file): expected a rule")


def test_a_rule_that_cannot_be_used_is_said_instead_of_played() -> None:
    broken = {"a.yml": RULES["rules/a.yml"].replace("condition: selection", "condition: other")}
    (result,) = run_samples(broken, {"a.samples.yml": f"hit: [{line('x')}]\nmiss: [{line('y')}]\n"})
    assert result.problem is not None
    assert result.problem.path == "a.yml"


def test_filters_in_files_of_their_own_do_not_count() -> None:
    ours = {
        "ours.yml": "title: Ours\nlogsource: {product: linux}\nfilter: {rules: any, x: {Message|contains: word}, condition: not x}\n"
    }
    samples = {"rules/a.samples.yml": f"hit: [{line('a word')}]\nmiss: [{line('hush')}]\n"}
    assert [result.wrong for result in run_samples({**RULES, **ours}, samples)] == ["", ""]
    inside = {"rules/a.yml": RULES["rules/a.yml"] + "---\n" + ours["ours.yml"]}
    assert run_samples(inside, samples)[0].wrong == "expected at least 1 anomaly (got 0)"


FILTER_ALONE = "title: F\nlogsource: {product: linux}\nfilter: {rules: any, x: {Message: word}, condition: not x}\n"


@pytest.mark.parametrize(
    ("more", "disabled", "same"),
    [
        ({}, (), True),
        ({"named.yml": RULES["rules/a.yml"].replace("selection", "filter").replace(" word", " third")}, (), True),
        ({}, ("Full",), False),
        ({"f.yml": FILTER_ALONE}, (), False),
        ({"f.yml": FILTER_ALONE.replace("filter:", "'filter' :")}, (), False),
        ({"f.yml": '{"title": "F", "logsource": {"product": "linux"}, "filter": {"rules": "any", "x": {"a": 1}, "condition": "not x"}}'}, (), False),
        ({"both.yml": RULES["rules/b.yml"].replace("Full", "Fuller") + "---\n" + FILTER_ALONE}, (), True),
    ],
)  # fmt: skip
def test_rules_to_run_are_parsed_once_more_only_where_they_are_not_as_written(
    more: dict[str, str], disabled: tuple[str, ...], *, same: bool
) -> None:
    files = {**RULES, **more}
    running = parse_rules(files, disabled)
    assert is_as_written(running, files) is same
    written = [(rule.ref, rule.revision, rule.fires) for rule in parse_as_written(files).rules]
    assert ([(rule.ref, rule.revision, rule.fires) for rule in running.rules] == written) is same


def test_without_the_others_a_correlation_still_has_what_it_is_built_upon() -> None:
    files = {
        **RULES,
        "rules/c.yml": """title: Words
correlation: {type: event_count, rules: word, timespan: 1m, group-by: [host], condition: {gte: 2}}
""",
        "rules/d.yml": RULES["rules/a.yml"].split("---")[0].replace("title: A word", "title: Word\nname: word"),
    }
    samples = {"rules/c.samples.yml": f"hit: [{line('a word', ', repeat: 2, every: 1s')}]\nmiss: [{line('a word')}]\n"}
    alone, whole = (run_samples(files, samples, others=others) for others in (False, True))
    assert [one.wrong for one in alone] == [one.wrong for one in whole] == ["", ""]
    assert alone[0].fired == whole[0].fired == ("Words",)
    assert (alone[0].others, whole[0].others) == ((), ("A word",))


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("x/a.samples.yml", "x/a.yml"),
        ("x/a.samples.yaml", "x/a.yaml"),
        ("x.samples.yml/a.yml", "x.samples.yml/a.yml"),
        ("a.samples.yml.bak", "a.samples.yml.bak"),
    ],
)
def test_which_rule_a_sample_file_is_of(path: str, rule: str) -> None:
    assert rule_path(path) == rule


def test_samples_do_not_see_one_another() -> None:
    """Each has a clock, windows and incidents of its own."""
    twice = f"hit:\n    - {line('a word', ', incidents: 1')}\n    - {line('a word', ', incidents: 1')}\nmiss: [{line('y')}]\n"
    assert [result.wrong for result in run_samples(RULES, {"rules/a.samples.yml": twice})] == ["", "", ""]


@pytest.mark.parametrize(
    ("lines", "fmt", "said"),
    [
        ("rubbish", "auditd", "; expected lines of auditd (its line was not understood)"),
        ("rubbish\\nmore", "syslog", "; expected lines of syslog (none of its 2 lines was understood)"),
        ("rubbish\\n$SYSLOG web-1 app: hush", "syslog", ""),
        ("$SYSLOG web-1 app: hush", "syslog", ""),
    ],
)
def test_that_no_line_was_understood_is_said(lines: str, fmt: str, said: str) -> None:
    hit = run(f'{{name: x, format: {fmt}, lines: "{lines}"}}')[0]
    assert hit.wrong == f"expected at least 1 anomaly (got 0){said}"
