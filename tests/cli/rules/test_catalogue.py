"""Every rule with what belongs to it: found by any of its names, linked in both directions, on or off as configured."""

from pathlib import Path

import pytest

from daemon.cli.rules.catalogue import Catalogue, read_catalogue
from daemon.config import Config, Rules
from daemon.detection.rules import parse_rules
from daemon.model import Logsource

FILES = {
    "login.yml": """title: Many failed
id: 0000000b-0000-4000-8000-000000000000
correlation: {type: event_count, rules: [failed, refused], group-by: [src_ip], timespan: 5m, condition: {gte: 5}}
---
title: Login failed
id: 0000000a-0000-4000-8000-000000000000
name: failed
status: Test
logsource: {product: linux, service: sshd}
detection: {selection: {action: login_failed}, condition: selection}
---
title: Refused
id: 0000000c-0000-4000-8000-000000000000
name: refused
logsource: {product: Linux, category: process_creation}
detection: {selection: {Image: x}, condition: selection}
""",
    "chain.yml": """title: Chain
correlation: {type: temporal, rules: [Many, failed], timespan: 1h}
---
title: Many (inner)
name: Many
correlation: {type: event_count, rules: [failed], timespan: 5m, condition: {gte: 2}}
""",
    "ours.yml": """title: Our scanner
logsource: {product: linux, service: sshd}
filter: {rules: [failed], selection: {src_ip: 192.0.2.7}, condition: not selection}
---
title: Nothing of sshd
logsource: {product: linux, service: sshd}
filter: {rules: any, selection: {src_ip: 192.0.2.8}, condition: not selection}
---
title: Of no rule
logsource: {product: linux, service: nginx}
filter: {rules: any, selection: {src_ip: 192.0.2.8}, condition: not selection}
""",
    "broken.yml": "title: Broken\ndetection: {a: {b: c}}\n",
}


def catalogue(*disabled: str) -> Catalogue:
    return read_catalogue(Config(rules=Rules(disabled=disabled)), None, FILES)


def titles(found: object) -> list[str]:
    assert isinstance(found, list)
    return [one.title for one in found]


def test_rules_stand_in_the_order_of_their_files_and_what_is_broken_is_a_problem() -> None:
    found = catalogue()
    assert titles(list(found.entries)) == ["Many failed", "Login failed", "Refused", "Chain", "Many (inner)"]
    assert {problem.path for problem in found.problems} == {"broken.yml"}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("0000000A-0000-4000-8000-000000000000", ["Login failed"]),
        ("failed", ["Login failed"]),
        ("refused", ["Refused"]),
        (" many FAILED ", ["Many failed"]),
        ("0000000c", ["Refused"]),
        ("0000000", ["Many failed", "Login failed", "Refused"]),
        ("Many", ["Many (inner)"]),
        ("", []),
        ("nothing", []),
    ],
)
def test_a_rule_has_many_names(name: str, meant: list[str]) -> None:
    assert titles(catalogue().find(name)) == meant


def test_what_may_have_been_meant() -> None:
    found = catalogue()
    assert found.near("mani failed")[0] == "Many failed"
    assert found.near("refuse") == ["Refused"]
    assert found.near("inner") == ["Many (inner)"]
    assert found.near("") == []
    assert found.near("zzz") == []


def test_links_lead_both_ways_and_through() -> None:
    found = catalogue()
    many, failed, refused, chain, inner = found.entries
    assert titles(found.inputs(many)) == ["Login failed", "Refused"]
    assert titles(found.built_on(failed)) == ["Many failed", "Chain", "Many (inner)"]
    assert titles(found.built_on(inner)) == ["Chain"]
    assert titles(found.plain(chain)) == ["Login failed"]
    assert titles(found.plain(refused)) == ["Refused"]


def test_filters_are_told_of_the_rules_they_are_for_and_of_what_counts_those() -> None:
    found = catalogue()
    told = {one.title: [of.draft.ref.title for of in found.filters_of(one)] for one in found.entries}
    both = ["Our scanner", "Nothing of sshd"]
    assert told == {"Many failed": both, "Login failed": both, "Refused": [], "Chain": both, "Many (inner)": both}


def test_the_filters_that_are_told_are_those_that_are_at_work() -> None:
    """A rule is another one with a filter than without, and the same where none is told."""
    bare = {
        rule.ref.id: rule.revision for rule in parse_rules({p: t for p, t in FILES.items() if p != "ours.yml"}).rules
    }
    found = catalogue()
    for entry in found.entries:
        assert bool(found.filters_of(entry)) is (entry.rule.revision != bare[entry.rule.ref.id])


def test_a_filter_that_is_off_is_not_told() -> None:
    found = catalogue("Our scanner")
    assert [one.draft.ref.title for one in found.filters_of(found.find("failed")[0])] == ["Nothing of sshd"]


def test_a_correlation_looks_where_all_that_it_counts_do() -> None:
    found = catalogue()
    told = {one.title: found.logsource(one) for one in found.entries}
    assert told["Many failed"] == Logsource("linux", "", "")
    assert told["Chain"] == Logsource("linux", "", "sshd")
    assert told["Refused"] == Logsource("linux", "process_creation", "")


def test_on_and_off_and_who_speaks() -> None:
    def standing(*disabled: str) -> dict[str, tuple[bool, bool]]:
        return {one.title: (one.enabled, one.speaks) for one in catalogue(*disabled).entries}

    assert standing() == {
        "Many failed": (True, True),
        "Login failed": (True, False),
        "Refused": (True, False),
        "Chain": (True, True),
        "Many (inner)": (True, False),
    }
    off = standing("Chain", "Many failed", "refused")
    assert off["Chain"] == (False, False)
    assert off["Many (inner)"] == (True, True)
    assert off["Refused"] == (False, False)


def test_where_and_how_mature() -> None:
    found = catalogue().find("failed")[0]
    assert (found.where, found.status) == ("login.yml:5", "test")


def test_ours_and_the_public_ones_are_all_there(shared_data: Path) -> None:
    texts = {str(path): path.read_text() for path in sorted((shared_data / "sigma-rules").rglob("*.yml"))}
    found = read_catalogue(Config(), None, texts)
    assert (len(found.entries), found.problems) == (248, ())
    for entry in found.entries:
        assert found.find(entry.rule.ref.id) == [entry]
        assert entry in found.find(entry.title)
