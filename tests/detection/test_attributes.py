import pytest

from daemon.detection.attributes import Attributes, Quotes, Sustain, read_attributes, suggestion
from daemon.detection.rules_document import read_documents
from daemon.model import Problem, Severity


def read(text: str) -> tuple[Attributes, list[Problem]]:
    documents, problems = read_documents("r.yml", "title: T\ntellwhy:\n" + text)
    assert problems == []
    return read_attributes(documents[0])


def test_everything() -> None:
    attributes, problems = read(
        "    entity: [src_ip, user]\n    runbook: https://wiki.example/r\n    severity_floor: high\n"
        "    sustain: {for: 2m, resolve_after: 5m}\n    title_from: rule\n    techniques_from: [tags, labels.mitre]\n"
    )
    assert problems == []
    assert attributes == Attributes(
        ("src_ip", "user"), "https://wiki.example/r", Severity.high, Sustain(120.0, 300.0),
        Quotes(("rule",), ("tags", "labels.mitre")),
    )  # fmt: skip


def test_short_forms() -> None:
    assert read("    entity: user\n")[0].entity == ("user",)
    assert read("    sustain: {for: 90}\n")[0].sustain == Sustain(90.0, 90.0)
    assert read_attributes(read_documents("r.yml", "title: T\n")[0][0]) == (Attributes(), [])


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("    entity: [a, 5]\n", "tellwhy.entity", 3),
        ("    runbook: x\n    sevrity_floor: low\n", "tellwhy.sevrity_floor", 4),
        ("    sustain: {for: 2m, resolve_after: x}\n", "tellwhy.sustain.resolve_after", 3),
        ("    sustain: {resolve_after: 2m}\n", "tellwhy.sustain", 3),
        ("    - entity\n", "tellwhy", 2),
        ("    runbook: x\n    title_from: []\n", "tellwhy.title_from", 4),
        ("    techniques_from: {a: b}\n", "tellwhy.techniques_from", 3),
        ("    title_form: rule\n", "tellwhy.title_form", 3),
    ],
)
def test_problems_have_their_line(text: str, key: str, line: int) -> None:
    _, problems = read(text)
    assert [(problem.key, problem.line) for problem in problems] == [(key, line)]


def test_a_correlation_is_of_no_one_event_that_it_could_quote() -> None:
    text = "title: T\ncorrelation: {}\ntellwhy:\n    techniques_from: tags\n    title_from: rule\n"
    (document,), _ = read_documents("r.yml", text)
    _, problems = read_attributes(document)
    assert [(one.key, one.line) for one in problems] == [("tellwhy.title_from", 5), ("tellwhy.techniques_from", 4)]


def test_suggestions_are_made_only_for_what_is_close() -> None:
    assert suggestion("entitty", ["entity", "runbook"]) == " – did you mean entity?"
    assert suggestion("colour", ["entity", "runbook"]) == ""
