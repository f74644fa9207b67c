from daemon.detection.rules_draft import canonical, read_drafts
from daemon.model import Severity
from tests.doubles.detection import rule_text

DETECTION = "    s: {a: 1}\n    condition: s"
FULL = """\
name: full
status: test
level: low
description: |
    Why it matters.
author: Jo Doe
license: DRL-1.1
references:
    - https://example.org/a
falsepositives:
    - Admins
tags:
    - attack.execution
    - attack.credential-access
    - attack.t1059.004
    - attack.T1018
    - attack.g0007
    - attack.s0363
    - cve.2021-44228
tellwhy:
    runbook: Call Jo.
    severity_floor: high
"""


def test_a_rule_carries_what_people_need() -> None:
    drafts, problems = read_drafts({"r.yml": rule_text(DETECTION, more=FULL)})
    assert problems == []
    ref = drafts[0].ref
    assert (ref.title, ref.severity, ref.author, ref.license) == ("T", Severity.high, "Jo Doe", "DRL-1.1")
    assert ref.description == "Why it matters."
    assert ref.techniques == ("T1059.004", "T1018")
    assert ref.tactics == ("execution", "credential-access")
    assert (ref.references, ref.falsepositives) == (("https://example.org/a",), ("Admins",))
    assert (ref.runbook, ref.path) == ("Call Jo.", "r.yml")
    assert drafts[0].names == ("11111111-1111-4111-8111-111111111111", "full")


def test_what_is_not_stated_is_not_invented() -> None:
    ref = read_drafts({"r.yml": rule_text(DETECTION)})[0][0].ref
    assert (ref.severity, ref.license, ref.author, ref.techniques) == (Severity.medium, "", "", ())


def test_a_rule_without_an_id_has_the_same_one_on_every_start() -> None:
    def id_of(path: str, title: str) -> str:
        text = f"title: {title}\nlogsource: {{product: linux}}\ndetection:\n{DETECTION}\n"
        return read_drafts({path: text})[0][0].ref.id

    assert id_of("a.yml", "T") == id_of("a.yml", "T")
    assert len({id_of("a.yml", "T"), id_of("b.yml", "T"), id_of("a.yml", "U")}) == 3


def test_an_id_or_name_taken_twice_is_a_problem_of_the_later() -> None:
    text = rule_text(DETECTION, more="name: n\n")
    other = text.replace("11111111-", "22222222-")
    drafts, problems = read_drafts({"a.yml": text, "b.yml": text, "c.yml": other})
    assert [draft.ref.path for draft in drafts] == ["a.yml"]
    assert [(p.path, p.line, p.key) for p in problems] == [
        ("b.yml", 2, "id"),
        ("b.yml", 3, "name"),
        ("c.yml", 3, "name"),
    ]
    assert "as in a.yml:1" in problems[0].expected


def test_ids_may_be_written_in_any_case() -> None:
    assert canonical("AAAAAAAA-1111-4111-8111-111111111111") == "aaaaaaaa-1111-4111-8111-111111111111"
    assert canonical("Some_Name") == "Some_Name"
