"""Routing, and the promise that a restart at any point changes nothing."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.detection.engine import Engine
from daemon.detection.incidents import Incidents
from daemon.detection.rules import ParsedRules, parse_rules
from daemon.enrichment.redact import Redactor
from daemon.model import Anomaly, Event, Incident, Logsource, Snapshot, Value
from tests.doubles.detection import METRICS, SSHD, make_event, sound

RULES = """\
title: Failed
name: failed
logsource: {product: linux, service: sshd}
detection: {s: {result: failed}, condition: s}
---
title: Worked
name: worked
logsource: {product: linux, service: sshd}
detection: {s: {result: accepted}, condition: s}
---
title: Burst
name: burst
correlation: {type: event_count, rules: failed, group-by: src_ip, timespan: 20s, condition: {gte: 3}}
---
title: Spray
correlation: {type: value_count, rules: failed, group-by: src_ip, timespan: 30s, condition: {gte: 3, field: user}}
---
title: Broken in
correlation: {type: temporal_ordered, rules: [burst, worked], group-by: src_ip, timespan: 1m}
---
title: Both
correlation: {type: temporal, rules: [failed, worked], group-by: user, timespan: 10s, generate: true}
---
title: Busy
logsource: {product: linux, category: host_metrics}
detection: {s: {cpu.percent|gte: 95}, condition: s}
tellwhy: {sustain: {for: 10s, resolve_after: 5s}}
"""


def engine(text: str = RULES, *, max_groups: int = 10_000) -> Engine:
    return Engine(sound(text), max_groups=max_groups)


def titles(anomalies: list[Anomaly]) -> list[str]:
    return [anomaly.rule.title for anomaly in anomalies]


def login(at: float, result: str = "failed", user: str = "root", ip: str = "203.0.113.9") -> Event:
    fields = {"result": result, "user": user, "src_ip": ip}
    return make_event(fields, at=at, source=SSHD, event_id=f"l{at}{user}{ip}{result}")


def test_one_event_one_anomaly_with_its_reason() -> None:
    rules = (
        "title: Shell\nlogsource: {category: process_creation}\ndetection: {s: {Image|endswith: /nc}, condition: s}\n"
    )
    event = make_event({"Image": "/bin/nc", "User": "eve"})
    (anomaly,) = engine(rules).feed(event)
    assert (anomaly.rule.title, anomaly.entity, anomaly.because) == (
        "Shell", "User=eve, host=web1", 's: Image ends with "/nc" (got "/bin/nc")',
    )  # fmt: skip
    assert (anomaly.events, anomaly.at, anomaly.ends) == ((event,), event.at, False)
    assert engine(rules).feed(event)[0].id == anomaly.id


def test_building_blocks_are_silent_unless_asked_to_speak() -> None:
    one = engine()
    assert titles(one.feed(login(0))) == ["Failed"]
    assert titles(one.feed(login(1, "accepted", "bob"))) == ["Worked"]
    silent = engine(RULES.replace(", generate: true", ""))
    assert silent.feed(login(0)) == []


def test_correlations_build_upon_correlations() -> None:
    one = engine(RULES.replace(", generate: true", ""))
    found = [titles(one.feed(event)) for event in (*map(login, range(3)), login(30, "accepted", "bob"))]
    assert found == [[], [], [], ["Broken in"]]


def test_one_event_feeds_the_rules_of_a_correlation_in_their_order() -> None:
    text = (
        "title: A\nname: a\nlogsource: {product: linux}\ndetection: {k: [x], condition: k}\n---\n"
        "title: B\nname: b\nlogsource: {product: linux}\ndetection: {k: [y], condition: k}\n---\n"
        "title: C\ncorrelation: {type: temporal_ordered, rules: [b, a], timespan: 1m}\n"
    )
    assert titles(engine(text).feed(make_event(text="x y", source=Logsource()))) == ["C"]


def test_the_clock_alone_makes_nothing_fire() -> None:
    one = engine()
    for event in (login(0), login(1)):
        one.feed(event)
    assert one.tick(1e12) == []


def test_routes_of_hostile_services_are_bounded() -> None:
    one = engine()
    for n in range(5000):
        one.feed(make_event(source=Logsource("linux", "", f"evil{n}")))
    assert len(one._routes) <= 1024


def test_groups_are_bounded_and_evictions_counted() -> None:
    one = engine(max_groups=5)
    for n in range(50):
        one.feed(login(n, ip=f"198.51.100.{n}"))
    assert one.evictions == 45 * 2
    assert sum(row.value is not None for row in one.changes()) <= 5 * 4


def test_what_the_engine_tells_of_its_rules() -> None:
    one = engine()
    assert [rule.title for rule in one.rules] == [
        "Failed", "Worked", "Busy", "Burst", "Spray", "Both", "Broken in",
    ]  # fmt: skip


BUSY = RULES.rsplit("---\n", maxsplit=1)[-1]


def grouped(anomaly: Anomaly) -> Incident:
    return Incidents(quiet_after=1, repeat_every=1, max_tracked=1).feed(anomaly).incident


def busy(at: float, percent: float = 99.0) -> Event:
    return make_event({"cpu.percent": percent}, at=at, source=METRICS)


def test_it_knows_which_incidents_their_rule_will_end() -> None:
    """The worst bug: an incident that nothing will ever close."""
    one = engine()
    (opening,) = [anomaly for at in (0.0, 5.0, 10.0, 15.0) for anomaly in one.feed(busy(at))]
    incident = grouped(opening)
    assert one.sustained(incident, 20)
    assert not one.sustained(incident, 15 + 2 * 86_400)  # what was measured is gone
    assert not one.sustained(grouped(one.feed(login(16))[0]), 20)
    again = engine()
    again.restore(one.changes())
    assert again.sustained(incident, 20)
    for other in (RULES.replace("gte: 95", "gte: 96"), RULES.replace("title: Busy", "title: Busier")):
        edited = engine(other)
        edited.restore(again.changes() or one.changes())
        assert not edited.sustained(incident, 20)
    assert [anomaly.ends for at in (20.0, 25.0) for anomaly in one.feed(busy(at, 1.0))] == [True]
    assert not one.sustained(incident, 26)


def test_what_was_evicted_is_no_longer_watched() -> None:
    one = engine(BUSY, max_groups=1)
    (opening,) = [anomaly for at in (0.0, 5.0, 10.0) for anomaly in one.feed(busy(at))]
    one.feed(make_event({"cpu.percent": 99.0}, at=11.0, source=METRICS, host="db1"))
    assert not one.sustained(grouped(opening), 12)


def test_a_correlation_is_built_upon_one_that_goes_on() -> None:
    one = engine(RULES.replace(", generate: true", ""))
    found = [titles(one.feed(login(5.0 * n, user="root"))) for n in range(60)]
    assert not any(found)
    assert titles(one.feed(login(300, "accepted", "bob"))) == ["Broken in"]


LONG = "title: Long\nlogsource: {product: linux}\ndetection: {k: [needle], condition: k}\n"


def test_what_an_anomaly_keeps_of_an_event_is_bounded_and_its_reason_is_of_the_whole() -> None:
    text = "x" * 60_000 + " needle"
    fields: dict[str, Value] = {"m": text, **{f"f{n}": text for n in range(200)}}
    (anomaly,) = engine(LONG).feed(make_event(fields, text=text, source=Logsource(), event_id="e"))
    assert anomaly.because == 'k: text contains "needle"'
    assert len(msgspec.json.encode(anomaly)) < 100_000


@pytest.mark.parametrize("place", range(2030, 2052))
def test_a_secret_is_gone_before_an_event_is_cut(place: int) -> None:
    """The worst bug: a secret cut in two, whose first half nobody recognises any more."""
    secret = "Zx9Qq17Hunter2"

    def redact(event: Event) -> Event:
        return msgspec.structs.replace(event, text=event.text.replace(secret, "***"))

    text = f"needle {'x' * (place - 7 - len(secret) // 2)}{secret} and more"
    (anomaly,) = Engine(sound(LONG), redact=redact).feed(make_event(text=text, source=Logsource()))
    assert not any(part in anomaly.events[0].text for part in (secret[:3], secret[-3:]))


def test_a_reason_is_cleaned_while_the_event_still_tells_what_is_secret_in_it() -> None:
    rules = "title: A\nlogsource: {product: linux}\ndetection: {s: {a2|re: Zx.*}, condition: s}\n"
    fields: dict[str, Value] = {"a0": "tool", "a1": "--password", "a2": "Zx9Qq17Hunter2"}
    redactor = Redactor()
    (anomaly,) = Engine(sound(rules), redact=redactor.event).feed(make_event(fields, source=Logsource(), event_id="e"))
    assert "Zx9Qq17Hunter2" not in str(anomaly)
    assert redactor.anomaly(anomaly) == anomaly


def test_neither_does_a_sustained_rule_keep_a_secret() -> None:
    one = Engine(sound(BUSY), redact=lambda event: msgspec.structs.replace(event, text="clean"))
    found = []
    for at in (0.0, 5.0, 10.0):
        event = make_event({"cpu.percent": 99.0}, at=at, source=METRICS, text="secret", event_id=str(at))
        found = one.feed(event)
    assert [event.text for anomaly in found for event in anomaly.events] == ["clean", "clean"]
    assert not any(b"secret" in (row.value or b"") for row in one.changes())


def test_rows_of_rules_that_changed_or_went_are_not_used_and_cleaned_up() -> None:
    one = engine()
    for n in range(2):
        one.feed(login(n))
    rows = one.changes()
    assert rows
    changed = engine(RULES.replace("timespan: 20s", "timespan: 21s"))
    changed.restore([*rows, Snapshot("assembler", "x", b"y"), Snapshot("detection", "odd", b"z")])
    gone = {row.key for row in changed.changes()}
    assert "odd" in gone
    assert gone < {row.key for row in rows} | {"odd"}
    assert "Burst" not in titles(changed.feed(login(2)))


def test_a_row_that_cannot_be_read_is_dropped() -> None:
    one = engine()
    one.feed(login(0))
    rows = [Snapshot(row.step, row.key, b"\xc1") for row in one.changes()]
    again = engine()
    again.restore(rows)
    assert again.changes() == [Snapshot(row.step, row.key, None) for row in rows]
    assert titles(again.feed(login(1))) == ["Failed"]


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.integers(-8, 12), st.sampled_from(["failed", "accepted"]), st.sampled_from("abc"), st.sampled_from("xyz")),
        st.tuples(st.integers(0, 6), st.just("cpu"), st.sampled_from([99.0, 10.0]), st.sampled_from(["h1", "h2"])),
    ),
    max_size=60,
)  # fmt: skip
PARSED: ParsedRules = parse_rules({"r.yml": RULES})


@settings(max_examples=150, deadline=None)
@given(EVENTS, st.sets(st.integers(0, 59), max_size=6), st.sampled_from([2, 100]))
def test_a_restart_at_any_point_changes_nothing(
    steps: list[tuple[int, str, str | float, str]], cuts: set[int], max_groups: int
) -> None:
    """The worst bug: a daemon that was killed tells of other incidents than one that was not."""
    events, at = [], 1000.0
    for n, (gap, kind, what, who) in enumerate(steps):
        at += gap
        if kind == "cpu":
            events.append(make_event({"cpu.percent": what}, at=at, source=METRICS, host=who, event_id=str(n)))
        else:
            fields = {"result": kind, "user": what, "src_ip": who, "odd": "\udcff", "list": ("a", "b")}
            events.append(make_event(fields, at=at, source=SSHD, event_id=str(n)))
    whole, pieces = Engine(PARSED, max_groups=max_groups), Engine(PARSED, max_groups=max_groups)
    stored: dict[str, bytes] = {}
    for n, event in enumerate(events):
        if n in cuts:
            _store(stored, pieces)
            pieces = Engine(PARSED, max_groups=max_groups)
            pieces.restore([Snapshot("detection", key, value) for key, value in stored.items()])
        assert pieces.feed(event) == whole.feed(event)


def _store(stored: dict[str, bytes], one: Engine) -> None:
    for row in one.changes():
        if row.value is None:
            stored.pop(row.key, None)
        else:
            stored[row.key] = row.value


@pytest.fixture(scope="session")
def linux_rules(shared_data: Path) -> ParsedRules:
    paths = sorted((shared_data / "sigma-rules").rglob("*.yml"))
    return parse_rules({str(path): path.read_text(encoding="utf-8") for path in paths})


@pytest.mark.parametrize(
    ("event", "title"),
    [
        (
            make_event({"Image": "/usr/bin/base64", "CommandLine": "base64 -d x"}),
            "Decode Base64 Encoded Text",
        ),
        (make_event({"type": "SYSCALL", "a0": "26", "SYSCALL": "socket"}, source=Logsource("linux", "", "auditd")), ""),
        (
            make_event({"type": "EXECVE", "a0": "init", "a1": "0"}, text='type=EXECVE a0="init" a1="0"',
                       source=Logsource("linux", "", "auditd")),
            "System Shutdown/Reboot - Linux",
        ),
        (
            make_event({"type": "EXECVE", "a0": "init", "a1": "10"}, text='type=EXECVE a0="init" a1="10"',
                       source=Logsource("linux", "", "auditd")),
            "",
        ),
    ],
)  # fmt: skip
def test_rules_of_sigmahq_on_events_of_ours(linux_rules: ParsedRules, event: Event, title: str) -> None:
    found = titles(Engine(linux_rules).feed(event))
    assert title in found if title else "System Shutdown/Reboot - Linux" not in found
