from pathlib import Path

from daemon.detection.rules import parse_rules
from daemon.model import Logsource, Severity
from tests.doubles.detection import make_event, rule_text, sound

ID = "11111111-1111-4111-8111-111111111111"
BASE = rule_text("    s: {a: 1}\n    condition: s", more="name: base\n")
COUNT = "title: C\nname: count\ncorrelation: {type: event_count, rules: base, timespan: 1m, condition: {gte: 3}%s}\n"


def test_all_the_linux_rules_of_sigmahq_load(shared_data: Path) -> None:
    files = {
        str(path): path.read_text(encoding="utf-8") for path in sorted((shared_data / "sigma-rules").rglob("*.yml"))
    }
    parsed = parse_rules(files)
    assert parsed.problems == ()
    assert len(parsed.rules) == 248
    assert all(rule.ref.author and rule.ref.path and rule.fires for rule in parsed.rules)
    levels = [rule.ref.severity for rule in parsed.rules]
    assert [levels.count(level) for level in Severity] == [6, 57, 82, 98, 5]
    assert len({technique for rule in parsed.rules for technique in rule.ref.techniques}) == 106


def test_a_rule_is_compiled_with_its_logsource_and_attributes() -> None:
    more = "tellwhy: {entity: [User], sustain: {for: 1m}}\n"
    rule = sound(
        rule_text("    s: {a: 1}\n    condition: s", more=more, logsource="{product: Linux, service: SSHD}")
    ).rules[0]
    assert rule.logsource == Logsource("linux", "", "sshd")
    assert rule.entity == ("User",)
    assert rule.sustain is not None
    assert rule.sustain.hold == 60


def test_a_bad_rule_does_not_stop_the_others() -> None:
    worse = rule_text("    s: {a: 1}\n    condition: t").replace(ID, ID.replace("1", "2"))
    parsed = parse_rules({"bad.yml": "title: [", "a.yml": BASE, "worse.yml": worse})
    assert [rule.ref.path for rule in parsed.rules] == ["a.yml"]
    assert [problem.path for problem in parsed.problems] == ["bad.yml", "worse.yml"]


def test_base_rule_and_correlation_in_one_file() -> None:
    rules = sound(BASE + "---\n" + COUNT % "").rules
    assert [(rule.ref.title, rule.fires) for rule in rules] == [("T", False), ("C", True)]
    assert rules[1].inputs == (ID,)
    assert [rule.fires for rule in sound(BASE + "---\n" + COUNT % ", generate: true").rules] == [True, True]


def test_correlations_stand_behind_what_they_are_built_upon() -> None:
    chain = "title: X\ncorrelation: {type: temporal, rules: [count, base], timespan: 1m}\n"
    rules = parse_rules({"a.yml": chain, "b.yml": COUNT % "", "c.yml": BASE}).rules
    assert [rule.ref.title for rule in rules] == ["T", "C", "X"]


def test_a_reference_by_id_in_any_case() -> None:
    text = (COUNT % "").replace("rules: base", f"rules: [{ID.upper()}]")
    assert sound(BASE + "---\n" + text).rules[1].inputs == (ID,)


def test_a_circle_is_a_problem_of_each() -> None:
    one = "title: A\nname: a\ncorrelation: {type: temporal, rules: [b], timespan: 1m}\n"
    parsed = parse_rules(
        {"a.yml": one, "b.yml": one.replace("A", "B").replace("name: a", "name: b").replace("[b]", "[a]")}
    )
    assert parsed.rules == ()
    assert len(parsed.problems) == 2


def test_a_correlation_over_a_bad_rule_is_a_problem_too() -> None:
    parsed = parse_rules({"a.yml": BASE.replace("condition: s", "condition: t"), "b.yml": COUNT % ""})
    assert [problem.path for problem in parsed.problems] == ["a.yml", "b.yml"]


def test_disabled_rules_by_id_name_title_or_path() -> None:
    for name in (ID, ID.upper(), "base", "T", "a.yml"):
        parsed = parse_rules({"a.yml": BASE}, [name])
        assert (parsed.rules, parsed.problems) == ((), ()), name
        assert [ref.id for ref in parsed.disabled] == [ID]


def test_disabling_what_is_not_there_is_a_problem() -> None:
    parsed = parse_rules({"a.yml": BASE}, ["bsae"])
    assert [str(p) for p in parsed.problems] == [
        "(configuration):1: rules.disabled: expected a rule (got bsae) – did you mean base?"
    ]
    assert len(parsed.rules) == 1


def test_a_disabled_rule_stays_as_the_building_block_of_another() -> None:
    parsed = parse_rules({"a.yml": BASE, "b.yml": COUNT % ", generate: true"}, ["base"])
    assert [(rule.ref.title, rule.fires) for rule in parsed.rules] == [("T", False), ("C", True)]
    parsed = parse_rules({"a.yml": BASE, "b.yml": COUNT % ""}, ["count"])
    assert [(rule.ref.title, rule.fires) for rule in parsed.rules] == [("T", True)]


FILTER = """\
title: F
logsource: {product: linux, category: process_creation}
filter:
    rules: %s
    known: {User: backup}
    condition: not known
"""


def test_a_filter_adds_its_condition_to_the_rules_it_names() -> None:
    for named, filtered in (("any", True), ("[base]", True), (f"[{ID}]", True), ("[other]", False), ("base", True)):
        files = {"a.yml": BASE, "f.yml": FILTER % named, "o.yml": rule_text("    s: {b: 1}\n    condition: s",
                 more="name: other\n").replace(ID, ID.replace("1", "2"))}  # fmt: skip
        parsed = parse_rules(files)
        assert parsed.problems == ()
        condition = parsed.rules[0].condition
        assert condition is not None
        assert condition.match(make_event({"a": "1", "User": "root"})) is not None
        assert (condition.match(make_event({"a": "1", "User": "backup"})) is None) is filtered


def test_a_filter_of_another_logsource_or_a_disabled_one_does_nothing() -> None:
    other = (FILTER % "any").replace("process_creation", "file_event")
    for files, off in (({"a.yml": BASE, "f.yml": other}, []), ({"a.yml": BASE, "f.yml": FILTER % "any"}, ["f.yml"])):
        condition = parse_rules(files, off).rules[0].condition
        assert condition is not None
        assert condition.match(make_event({"a": "1", "User": "backup"})) is not None


def test_the_revision_changes_with_all_that_gives_memory_its_meaning() -> None:
    def revisions(*texts: str) -> dict[str, str]:
        parsed = parse_rules({f"{i}.yml": text for i, text in enumerate(texts)})
        return {rule.ref.title: rule.revision for rule in parsed.rules}

    plain = revisions(BASE, COUNT % "")
    assert plain == revisions(BASE, COUNT % "")
    changed = revisions(BASE.replace("a: 1", "a: 2"), COUNT % "")
    assert (changed["T"] != plain["T"], changed["C"] != plain["C"]) == (True, True)
    filtered = revisions(BASE, COUNT % "", FILTER % "any")
    assert (filtered["T"] != plain["T"], filtered["C"] != plain["C"]) == (True, True)
    recounted = revisions(BASE, (COUNT % "").replace("gte: 3", "gte: 4"))
    assert (recounted["T"] == plain["T"], recounted["C"] != plain["C"]) == (True, True)
