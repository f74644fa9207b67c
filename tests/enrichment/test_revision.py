"""How an alert grows, what can never change, and who is told."""

from typing import Literal

import msgspec
import pytest

from daemon.config.schema import Webhook
from daemon.enrichment.revision import receivers, with_explanation, with_similar
from daemon.model import Explanation, Gap, Sentence, Severity, Similar
from tests.doubles.values import T0, an_alert

PAST = Similar("inc_old", "t", 0.9, T0, 1, "e", "b")
WHY = Explanation(origin="model", sentences=(Sentence("It ran.", ("E1",)),), model="m")
TIMEOUT = Gap("explanation", "timeout", "no answer in 90 s")
Versions = Literal["base", "explained", "all"]


def hook(versions: Versions, severity: Literal["informational", "critical"] = "informational") -> Webhook:
    return Webhook(name=versions, url="https://receiver.example/", versions=versions, min_severity=severity)


HOOKS = (hook("base"), hook("explained"), hook("all"))


def test_only_similar_explanation_and_gaps_can_differ() -> None:
    base = an_alert(gaps=(Gap("evidence", "truncated"),))
    grown = with_explanation(with_similar(base, [PAST], None), WHY, [TIMEOUT])
    same = {"similar", "explanation", "gaps"}
    for field in msgspec.structs.fields(base):
        if field.name not in same:
            assert getattr(grown, field.name) == getattr(base, field.name)
    assert (grown.similar, grown.explanation) == ((PAST,), WHY)


def test_without_an_explanation_the_deterministic_one_stays() -> None:
    base = an_alert()
    assert with_explanation(base, None, [TIMEOUT]).explanation == base.explanation


def test_a_gap_replaces_the_one_of_its_part_and_no_other() -> None:
    evidence = Gap("evidence", "truncated")
    alert = an_alert(gaps=(evidence, Gap("similar", "timeout"), Gap("explanation", "budget")))
    assert with_similar(alert, [], Gap("similar", "unavailable")).gaps == (
        evidence, Gap("explanation", "budget"), Gap("similar", "unavailable"),
    )  # fmt: skip
    assert with_similar(alert, [PAST], None).gaps == (evidence, Gap("explanation", "budget"))
    assert with_explanation(alert, WHY, []).gaps == (evidence, Gap("similar", "timeout"))
    assert with_explanation(alert, None, [TIMEOUT]).gaps == (evidence, Gap("similar", "timeout"), TIMEOUT)


@pytest.mark.parametrize(
    ("similar", "explanation", "gaps", "told"),
    [
        ((), None, (), []),
        ((PAST,), None, (), ["explained", "all"]),
        ((), WHY, (), ["explained", "all"]),
        ((PAST,), None, (TIMEOUT,), ["explained", "all"]),
        ((), None, (TIMEOUT,), ["all"]),
    ],
)
def test_a_webhook_gets_the_revisions_it_asked_for(
    similar: tuple[Similar, ...], explanation: Explanation | None, gaps: tuple[Gap, ...], told: list[str]
) -> None:
    present = an_alert()
    grown = with_explanation(msgspec.structs.replace(present, similar=similar), explanation, gaps)
    assert receivers(HOOKS, grown, present) == told


def test_evidence_that_is_missing_stays_missing_whatever_the_model_left_out() -> None:
    lost, cut = Gap("evidence", "incomplete", "3 audit events never came"), Gap("evidence", "truncated", "1 of 2")
    present = an_alert(gaps=(lost, Gap("evidence", "truncated", "3 of 4"), TIMEOUT))
    assert with_explanation(present, WHY, [cut]).gaps == (lost, cut)


def test_what_is_in_the_base_alert_already_is_nothing_new() -> None:
    present = an_alert(similar=(PAST,))
    assert receivers(HOOKS, with_explanation(present, None, [TIMEOUT]), present) == ["all"]


def test_severity_filters_hold_for_revisions_too() -> None:
    hooks = (hook("all", "critical"),)
    high, critical = an_alert(severity=Severity.high), an_alert(severity=Severity.critical)
    assert receivers(hooks, with_explanation(high, WHY, []), high) == []
    assert receivers(hooks, with_explanation(critical, WHY, []), critical) == ["all"]
