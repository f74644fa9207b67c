"""What a start forgives and a reload does not; where a problem is said to stand; what tells rule files apart."""

from pathlib import Path

import pytest

from daemon.loading import digest_of, load, refuse
from daemon.model import ProblemsError

RULE = """title: A shell
id: 00000000-0000-4000-8000-000000000001
logsource: {product: linux, category: process_creation}
detection: {selection: {Image|endswith: /sh}, condition: selection}
"""


def configured(top: Path, more: str = "") -> Path:
    (top / "rules").mkdir()
    (top / "rules" / "good.yml").write_text(RULE)
    (top / "c.yaml").write_text(f"host: web-1\nrules:\n  directories: [{top}/rules]\n{more}")
    return top / "c.yaml"


def test_a_broken_rule_is_left_out_and_is_what_a_reload_refuses(tmp_path: Path) -> None:
    path = configured(tmp_path)
    refuse(load(path).rules.problems)
    (tmp_path / "rules" / "bad.yml").write_text("title: Bad\ndetection: {a: {b: c}, condition: d}\n")

    started = load(path)

    assert [rule.ref.title for rule in started.rules.rules] == ["A shell"]
    assert {problem.path for problem in started.rules.problems} == {f"{tmp_path}/rules/bad.yml"}
    with pytest.raises(ProblemsError) as refused:
        refuse(started.rules.problems)
    assert refused.value.problems == started.rules.problems


def test_everything_that_is_wrong_with_the_configuration_is_said_at_once(tmp_path: Path) -> None:
    path = configured(tmp_path, "redaction:\n  patterns: ['(']\n")
    path.write_text(path.read_text().replace("/rules]", "/rules, /nowhere/rules]"))

    with pytest.raises(ProblemsError) as refused:
        load(path)

    assert [problem.line for problem in refused.value.problems] == [3, 5]


def test_a_name_that_no_rule_has_is_said_at_its_place_in_the_configuration(tmp_path: Path) -> None:
    path = configured(tmp_path, "  disabled: [A shel]\n")

    (problem,) = load(path).rules.problems

    assert str(problem) == f"{path}:4: rules.disabled: expected a rule (got A shel) – did you mean A shell?"


def test_without_a_file_the_defaults_are_whole() -> None:
    assert load(None).rules.problems == ()


def test_the_digest_tells_any_other_files_from_these(tmp_path: Path) -> None:
    path = configured(tmp_path)
    before = load(path).digest
    assert load(path).digest == before
    (tmp_path / "rules" / "good.yml").rename(tmp_path / "rules" / "best.yml")
    moved = load(path).digest
    (tmp_path / "rules" / "best.yml").write_text(RULE + "# a remark\n")
    assert len({before, moved, load(path).digest}) == 3


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": "bc"}, {"ab": "c"}),
        ({"a": "b", "c": "d"}, {"a": "bcd"}),
        ({"a": "1:b"}, {"a": "b"}),
        ({"a": "b", "c": ""}, {"a": "b"}),
        ({"a": "\udcff"}, {"a": "\ufffd"}),
    ],
)
def test_the_digest_knows_where_a_text_ends(one: dict[str, str], other: dict[str, str]) -> None:
    assert digest_of(one) != digest_of(other)
    assert digest_of(one) != digest_of(one, "x")
    assert digest_of({}, "a", "b") != digest_of({}, "ab")
