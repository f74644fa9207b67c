"""Evidence is numbered, bounded and already calculated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.enrichment.evidence import collect_evidence, left_out, spoken_count, spoken_duration, spoken_rate
from tests.doubles.told_incidents import AT, event, incident


def test_the_facts_come_first_and_need_no_calculation() -> None:
    facts = collect_evidence(incident(event(), count=42, last_at=AT + 120))[0]
    assert facts.id == "E1"
    assert facts.text == (
        "42 anomalies of “Download piped to a shell” about User=www-data on web01; first seen 2026-11-21T09:30:00Z, "
        "last seen 2026-11-21T09:32:00Z, over 120 s (2 min), 21.0 per minute; ATT&CK T1059.004; "
        "because CommandLine contains “| bash”"
    )
    assert facts.fields["count"] == "42"
    assert facts.fields["last_seen"] == "2026-11-21T09:32:00Z"


def test_events_follow_in_the_order_of_time_with_their_fields() -> None:
    items = collect_evidence(incident(event(2), event(0), event(1)))
    assert [item.id for item in items] == ["E1", "E2", "E3", "E4"]
    assert [item.at for item in items[1:]] == [AT, AT + 1, AT + 2]
    assert items[1].text.startswith("2026-11-21T09:30:00Z execve by www-data: curl -fsSL")
    assert items[1].fields["User"] == "www-data"
    assert items[1].fields["ProcessId"] == "4242"


def test_equal_events_are_told_once_with_their_number() -> None:
    same = [event(n, CommandLine="id", ProcessId=1) for n in range(3)]
    items = collect_evidence(incident(*same, same[0]))
    assert len(items) == 2
    assert items[1].text.endswith("(seen 3 times, last at 2026-11-21T09:30:02Z)")


def test_of_many_events_the_first_and_the_latest_are_kept_and_the_cut_is_said() -> None:
    many = incident(*[event(n) for n in range(1000)])
    items = collect_evidence(many)
    assert [item.id for item in items] == [f"E{n}" for n in range(1, 21)]
    assert [item.at - AT for item in items[1:]] == [0, 1, 2, 3, 4, *range(986, 1000)]
    assert "19 of 1000 distinct events are shown" in items[0].text
    assert left_out(many) == (19, 1000)


def test_exactly_as_many_as_fit_are_all_shown() -> None:
    full = incident(*[event(n) for n in range(19)])
    assert len(collect_evidence(full)) == 20
    assert left_out(full) == (19, 19)


def test_text_is_bounded_and_inert() -> None:
    items = collect_evidence(incident(event(CommandLine="\x1b]0;x\x07\u202e" + "y" * 100_000), because="z" * 100_000))
    assert all(len(item.text) <= 600 and item.text.isprintable() for item in items)
    assert all("…" in item.text for item in items)


def test_an_incident_without_events_still_has_its_facts() -> None:
    assert [item.id for item in collect_evidence(incident())] == ["E1"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "60 s (1 min)"),
        (7260, "7260 s (2 h 1 min)"),
        (90000, "90000 s (1 d 1 h)"),
        (float("nan"), "an unknown time"),
    ],
)
def test_durations(seconds: float, said: str) -> None:
    assert spoken_duration(seconds) == said


@pytest.mark.parametrize(
    ("count", "seconds", "said"),
    [(1, 60, ""), (5, 0, ""), (42, 120, "21.0 per minute"), (3, 3600, "3.0 per hour"), (2, 172800, "1.0 per day")],
)
def test_rates(count: int, seconds: float, said: str) -> None:
    assert spoken_rate(count, seconds) == said


def test_counts() -> None:
    assert (spoken_count(1), spoken_count(2)) == ("1 anomaly", "2 anomalies")


@given(st.lists(st.tuples(st.text(), st.floats(allow_nan=False, allow_infinity=False)), max_size=40), st.floats())
def test_any_incident_gives_bounded_evidence(told: list[tuple[str, float]], last_at: float) -> None:
    events = [event(n, at=at, CommandLine=text) for n, (text, at) in enumerate(told)]
    items = collect_evidence(incident(*events, last_at=last_at))
    assert 1 <= len(items) <= 20
    assert all(len(item.text) <= 600 and item.text.isprintable() for item in items)
