"""What is valid and surely not meant."""

import pytest

from daemon.detection.rules import parse_rules
from tests.doubles.detection import rule_text

DETECTION = "    s:\n        a: x\n    condition: s"


def doubts(text: str) -> list[str]:
    parsed = parse_rules({"r.yml": text}, placeholders={"admins": ["root"]})
    assert parsed.problems == ()
    return [str(one).removeprefix("r.yml:") for one in parsed.doubts]


@pytest.mark.parametrize(
    ("key", "near"), [("levle", "level"), ("tellwy", "tellwhy"), ("tag", "tags"), ("falsepositive", "falsepositives")]
)
def test_a_key_that_is_nearly_one_of_sigma_s(key: str, near: str) -> None:
    expected = f"expected a key of Sigma: this one does nothing – did you mean {near}?"
    assert doubts(rule_text(DETECTION, more=f"{key}: x\n")) == [f"3: {key}: {expected}"]


@pytest.mark.parametrize("key", ["regression_tests_path", "simulation", "x-team", "owner", "ruletype", "custom"])
def test_a_key_of_somebody_s_own_is_right(key: str) -> None:
    assert doubts(rule_text(DETECTION, more=f"{key}: x\n")) == []


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("a|expand: '%admins%'", ""),
        ("a|expand: ['x', '%admins%']", ""),
        ("a|expand: x", "7: detection.s.a|expand: expected a placeholder such as %admins%: expand does nothing here"),
        ("a|expand: '100\\%'", "7: detection.s.a|expand: expected a placeholder such as %admins%: expand does nothing"),
        ("a|base64offset|contains: x", ""),
        ("a|wide|base64offset|contains: x", ""),
        ("a: '%admins%'", "7: detection.s.a: expected expand: without it %admins% is taken as it stands"),
        ("a|contains: ['x', '/%admins%/']", "7: detection.s.a|contains: expected expand: without it %admins% is"),
        ("a: '%users%'", ""),
        ("a|windash|contains: ' -f '", ""),
        ("a|windash|contains: ['x', '/f']", ""),
        ("a|windash|contains: abc", "7: detection.s.a|windash|contains: expected a dash such as in -f: windash does"),
        ("a|expand|windash|contains: '%admins%'", ""),
        ("a|base64offset: x", "7: detection.s.a|base64offset: expected base64offset with contains"),
    ],
)
def test_modifiers_that_do_nothing(item: str, expected: str) -> None:
    found = doubts(rule_text(f"    s:\n        {item}\n    condition: s", more="status: test\n"))
    assert [line[: len(expected)] for line in found] == [expected] * (expected != "")


def test_a_rule_without_an_id_forgets() -> None:
    (found,) = doubts("title: T\nlogsource: {product: linux}\ndetection: {s: {a: 1}, condition: s}\n")
    assert found.startswith("1: id: expected an id, a UUID")
    assert doubts("title: F\nlogsource: {product: linux}\nfilter: {rules: any, s: {a: 1}, condition: s}\n") == [
        "3: filter.rules: expected a logsource of some rule: this filters nothing"
    ]


def test_the_rule_is_named_where_a_file_holds_several() -> None:
    text = rule_text(DETECTION, more="levle: low\n")
    more = text.replace("1111", "2222").replace("title: T", "title: U")
    found = doubts(f"{text}---\n{more}")
    assert [(line.partition(":")[0], line[-4:]) for line in found] == [("3", " [T]"), ("12", " [U]")]
