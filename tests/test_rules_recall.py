"""Attacks as their authors do them, several ways for each family of rules: at least one rule of the family fires."""

import pytest

from daemon.detection.rules import ParsedRules
from tests.doubles.attack_steps import Step
from tests.doubles.attacks_after_entry import AFTERMATH_ATTACKS
from tests.doubles.attacks_in_other_words import MORE_ATTACKS
from tests.doubles.attacks_in_third_words import STILL_MORE_ATTACKS
from tests.doubles.attacks_on_defences import DEFENCE_ATTACKS
from tests.doubles.attacks_on_hosts import HOST_ATTACKS
from tests.doubles.attacks_on_logins import LOGIN_ATTACKS
from tests.doubles.host_story import Story
from tests.doubles.our_rules import parsed_rules
from tests.doubles.rule_families import FAMILIES, PROMISED

ATTACKS = {**LOGIN_ATTACKS, **HOST_ATTACKS, **DEFENCE_ATTACKS, **AFTERMATH_ATTACKS}
CASES = [
    pytest.param(family, step, id=f"{family}-{book}-{number}")
    for book, attacks in enumerate((ATTACKS, MORE_ATTACKS, STILL_MORE_ATTACKS))
    for family, steps in attacks.items()
    for number, step in enumerate(steps)
]


@pytest.fixture(scope="module")
def rules() -> ParsedRules:
    return parsed_rules()


@pytest.mark.parametrize("enriched", [True, False], ids=["enriched", "raw"])
@pytest.mark.parametrize(("family", "attack"), CASES)
def test_an_attack_is_seen(family: str, attack: Step, *, enriched: bool, rules: ParsedRules) -> None:
    story = Story(enriched=enriched)
    attack(story)
    assert {fired.title for fired in story.fired(rules)} & set(FAMILIES[family])


def test_every_promised_family_is_attacked_in_several_ways() -> None:
    assert [family for family in PROMISED if len(ATTACKS.get(family, ())) < 2] == []
