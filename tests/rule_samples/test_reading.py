"""Sample files: what they may say, and every mistake with its line."""

import pytest

from daemon.rule_samples.reading import RuleSample, Step, read_samples

MISS = "miss:\n    - {name: quiet, format: syslog, lines: x}\n"


def read(text: str) -> list[RuleSample]:
    samples, problems = read_samples("a.samples.yml", text)
    assert problems == []
    return samples


def problems_of(text: str) -> list[str]:
    samples, problems = read_samples("a.samples.yml", text)
    assert samples == []
    return [str(problem).removeprefix("a.samples.yml:") for problem in problems]


def test_a_sample_with_all_that_it_may_say() -> None:
    hit, miss = read(
        """hit:
    - name: guessing
      rule: Brute force
      format: syslog
      lines: |
          one
          two
      repeat: 9
      every: 7s
      expect: 2
      ends: 0
      incidents: 1
      then:
          - lines: three
            after: 2m
          - sample: {category: host_metrics, tags: {disk.mount: /}, values: {disk.percent: 91.5}}
          - lost: {source: audit, why: gap, count: 3, detail: x}
"""
        + MISS
    )
    assert hit == RuleSample(
        path="a.samples.yml",
        line=2,
        name="guessing",
        hits=True,
        rule="Brute force",
        expect=2,
        ends=0,
        incidents=1,
        steps=(
            Step("syslog", lines="one\ntwo\n", repeat=9, every=7.0),
            Step("syslog", lines="three", after=120.0),
            Step(
                "sample",
                sample={"category": "host_metrics", "tags": {"disk.mount": "/"}, "values": {"disk.percent": 91.5}},
            ),
            Step("lost", lost={"source": "audit", "why": "gap", "count": 3, "detail": "x"}),
        ),
    )
    assert (miss.hits, miss.line, miss.expect, miss.ends, miss.incidents) == (False, 19, None, None, None)


HIT = "hit:\n    - {name: loud, format: syslog, lines: y}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1: (file): expected one YAML document (got 0)"),
        (HIT + MISS + "---\n" + HIT, "1: (file): expected one YAML document (got 2)"),
        (HIT, "1: miss: expected a list of samples that the rule must not fire on (the key is missing)"),
        (MISS, "1: hit: expected a list of samples that the rule fires on (the key is missing)"),
        (HIT + MISS.replace("miss", "mis"), "3: mis: expected one of hit, miss – did you mean miss?"),
        (HIT.replace("hit", "hits") + MISS, "1: hits: expected one of hit, miss – did you mean hit?"),
        (HIT + "miss: []\n", "3: miss: expected a list of samples"),
        (HIT + MISS + "mis: []\n", "5: mis: expected one of hit, miss – did you mean miss?"),
        ("hit: [x]\n" + MISS, "1: hit.0: expected keys and values (got 'x')"),
    ],
)
def test_the_file_as_a_whole(text: str, expected: str) -> None:
    assert problems_of(text) == [expected]


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        ("{format: syslog, lines: x}", "hit.0: expected a name that says what happens"),
        ("{name: ' ', format: syslog, lines: x}", "hit.0.name: expected a name that says what happens"),
        ("{name: a, format: syslog, lines: x, rule: 3}", "hit.0.rule: expected the title of a rule (got 3)"),
        ("{name: a, format: syslog}", "hit.0: expected exactly one of lines, sample and lost (got none)"),
        (
            "{name: a, format: syslog, lines: x, lost: {source: a, why: b}}",
            "hit.0: expected exactly one of lines, sample and lost (got lines and lost)",
        ),
        ("{name: a, format: syslog, lines: ' '}", "hit.0.lines: expected the raw lines as text (`lines: |`)"),
        ("{name: a, format: syslog, lines: [x]}", "hit.0.lines: expected the raw lines as text (`lines: |`)"),
        ("{name: a, lines: x}", "hit.0: expected a format of auditd, syslog or json (got '')"),
        (
            "{name: a, format: sislog, lines: x}",
            "hit.0.format: expected a format of auditd, syslog or json (got 'sislog') – did you mean syslog?",
        ),
        ("{name: a, format: lost, lines: x}", "hit.0.format: expected a format of auditd, syslog or json (got 'lost')"),
        (
            "{name: a, format: sample, lost: {source: a, why: b}}",
            "hit.0.format: expected a format of lost (got 'sample')",
        ),
        ("{name: a, format: syslog, lines: x, repeat: 0}", "hit.0.repeat: expected a whole number from 1 to 10000 (got 0)"),
        ("{name: a, format: syslog, lines: x, expect: true}", "hit.0.expect: expected a whole number from 1 to 10000 (got True)"),
        ("{name: a, format: syslog, lines: x, repeat: 1e9}", "hit.0.repeat: expected a whole number from 1 to 10000 (got '1e9')"),
        ("{name: a, format: syslog, lines: x, every: 400d}", "hit.0.every: expected a duration of at most a year (got '400d')"),
        ("{name: a, format: syslog, lines: x, after: 1m}", "hit.0.after: expected one of name, rule, format, lines"),
        ("{name: a, format: syslog, lines: x, then: y}", "hit.0.then: expected a list of steps (got 'y')"),
        ("{name: a, format: syslog, lines: x, then: [y]}", "hit.0.then.0: expected keys and values (got 'y')"),
        ("{name: a, format: syslog, lines: x, then: [{line: y}]}", "hit.0.then.0.line: expected one of format, lines"),
        ("{name: a, sample: x}", "hit.0.sample: expected category, tags, values (got 'x')"),
        ("{name: a, sample: {category: 1, values: {a: 1}}}", "hit.0.sample.category: expected a category such as"),
        ("{name: a, sample: {category: a, values: {}}}", "hit.0.sample.values: expected names with numbers"),
        ("{name: a, sample: {category: a, values: {a: true}}}", "hit.0.sample.values: expected names with numbers"),
        ("{name: a, sample: {category: a, tags: {a: 1}, values: {a: 1}}}", "hit.0.sample.tags: expected names with text"),
        ("{name: a, lost: {why: b}}", "hit.0.lost: expected text (got None)"),
        ("{name: a, lost: {source: a, why: b, count: x}}", "hit.0.lost.count: expected a whole number or nothing"),
        ("{name: a, lost: {source: a, why: b, reason: x}}", "hit.0.lost.reason: expected one of source, why, count, detail"),
    ],
)  # fmt: skip
def test_one_sample(sample: str, expected: str) -> None:
    problems = problems_of(f"hit:\n    - {sample}\n{MISS}")
    assert problems[0].startswith(f"2: {expected.split(': ', 1)[0]}")
    assert expected.split(": ", 1)[1] in problems[0]


def test_a_miss_has_no_number() -> None:
    text = HIT + "miss:\n    - {name: a, format: syslog, lines: x, expect: 1}\n"
    assert problems_of(text) == ["4: miss.0.expect: expected no number in a miss (it means none)"]


def test_everything_wrong_is_told_at_once() -> None:
    text = "hit:\n    - {name: a}\n    - name: b\n      format: syslog\n      lines: x\n      every: soon\n"
    lines = [problem.split(":")[0] for problem in problems_of(text)]
    assert lines == ["2", "6", "1"]
