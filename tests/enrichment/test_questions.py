"""Questions in plain English, and what is made of incidents without a model."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.enrichment.questions import (
    Wanted,
    best_first,
    incident_evidence,
    list_incidents,
    named_in,
    of_what_is_named,
    read_question,
    take_turns,
)
from daemon.model import IncidentStatus, Severity, Similar
from tests.doubles.values import T0, an_incident

NOW = T0
HOUR = 3600.0
DAY = 86_400.0


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("What did www-data do last night?", Wanted(("www-data",), since=NOW - DAY)),
        ("why did curl run as root?", Wanted(("curl", "run", "root"))),
        ("Show me critical incidents of the past 2 hours", Wanted((), since=NOW - 2 * HOUR, severity=4)),
        ("any open incidents with high severity today?", Wanted((), since=NOW - DAY, severity=3, status="open")),
        ("Which alerts about /etc/shadow were resolved alerts?", Wanted(("etc/shadow",), status="closed")),
        ("is 203.0.113.9 still active", Wanted(("203.0.113.9",), status="open")),
        ("T1059.004?", Wanted(("t1059.004",))),
        ("what happened?", Wanted(())),
        ("", Wanted(())),
        ("CPU is high", Wanted(("cpu",))),
        ("a b c d e f gg hh ii jj kk ll mm nn", Wanted(("gg", "hh", "ii", "jj", "kk", "ll"))),
        ("within the last week nginx nginx NGINX", Wanted(("nginx",), since=NOW - 7 * DAY)),
    ],
)
def test_a_question_is_words_and_filters(question: str, wanted: Wanted) -> None:
    assert read_question(question, NOW) == wanted


@given(st.text(max_size=3000))
def test_any_text_is_a_question(question: str) -> None:
    wanted = read_question(question, NOW)
    assert len(wanted.words) <= 6
    assert 0 <= wanted.since <= NOW


def test_filters_hold() -> None:
    incident = an_incident(1, severity=Severity.high, status=IncidentStatus.open)
    assert Wanted(()).fits(incident)
    assert Wanted((), severity=3, status="open", since=incident.last_at).fits(incident)
    assert not Wanted((), severity=4).fits(incident)
    assert not Wanted((), status="closed").fits(incident)
    assert not Wanted((), since=incident.last_at + 1).fits(incident)


def test_who_has_most_words_is_first_then_the_newest() -> None:
    old, new, both = (an_incident(n, last_at=T0 + n) for n in (1, 2, 0))
    assert best_first([[old, new, both], [both]]) == [both, new, old]


def test_who_has_less_than_half_of_the_words_does_not_fit() -> None:
    one, two, three = (an_incident(n, last_at=T0 + n) for n in (1, 2, 3))
    assert best_first([[one, two, three], [one, two], [one]]) == [one, two]


@pytest.mark.parametrize(
    ("word", "is_name"),
    [
        ("203.0.113.9", True), ("2001:db8::7", True), ("etc/shadow", True), ("web-1", True), ("t1059.004", True),
        ("bob", False), ("log4j", False), ("reverse-shell", False), ("brute", False), ("e.g", False),
        ("10:30", False), ("2026-11-21", False), ("2026-11-21t10:00", False), ("1.5", False), ("and/or", False),
        ("24-hour", False), ("cve-2026-1234", True), ("tmp/.x", True), ("nginx.service", False),
    ],
)  # fmt: skip
def test_what_looks_like_the_name_of_one_thing(word: str, *, is_name: bool) -> None:
    assert (named_in([word]) == [word]) is is_name


def test_only_what_is_named_counts_where_something_is() -> None:
    one, two = (an_incident(n) for n in (1, 2))
    assert of_what_is_named(["db-7", "bob"], [[one], [one, two]]) == [[one], [one]]
    assert of_what_is_named(["db-7", "bob"], [[], [one, two]]) == [[], []]
    assert of_what_is_named(["bob", "shell"], [[one], [two]]) == [[one], [two]]


def test_two_rankings_take_turns_and_nobody_comes_twice() -> None:
    a, b, c, d = (an_incident(n) for n in range(1, 5))
    assert take_turns([a, b, c], [d, a], 10) == [a, d, b, c]
    assert take_turns([a, b, c], [d, a], 2) == [a, d]
    assert take_turns([], [], 3) == []


PAST = Similar("inc_gone", "Old one", 0.8, T0, 1, "User=x", "y", outcome="fixed")


def test_every_incident_is_one_sentence_that_cites_it() -> None:
    evidence = incident_evidence([an_incident(1), an_incident(2)], [PAST])
    sentences = list_incidents(evidence)
    assert [item.id for item in evidence] == ["E1", "E2", "E3"]
    assert [one.cites for one in sentences] == [("E1",), ("E2",), ("E3",)]
    for text in ("1 anomaly of “Download piped to a shell”", "high, open", "User=www-data", "web-1", "2026-11-21T"):
        assert text in sentences[0].text
    assert "outcome: fixed" in sentences[2].text
    assert evidence[2].source == "memory"
    assert evidence[0].fields == {"incident": an_incident(1).id}


def test_hostile_and_endless_text_becomes_one_bounded_line() -> None:
    hostile = an_incident(1, entity="\x1b[31m\n" * 1000, because="x" * 100_000, host="h\u202e")
    hostile = msgspec.structs.replace(hostile, rule=msgspec.structs.replace(hostile.rule, title="t\r\n" * 500))
    (item,) = incident_evidence([hostile], [])
    assert len(item.text) <= 600
    assert item.text.isprintable()
