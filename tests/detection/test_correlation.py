import pytest

from daemon.detection.engine import Engine
from daemon.detection.rules import parse_rules
from daemon.model import Value
from tests.doubles.detection import SSHD, Alone, make_event

FAIL = """\
title: SSH login failed
name: fail
logsource: {product: linux, service: sshd}
detection: {s: {result: failed}, condition: s}
---
title: SSH login worked
name: good
logsource: {product: linux, service: sshd}
detection: {s: {result: accepted}, condition: s}
---
title: C
id: 99999999-1111-4111-8111-111111111111
correlation: {%s}
"""


def correlator(section: str, more: str = "", limit: int = 100) -> tuple[Alone, str, str]:
    """The correlator, and the ids of the rules that it is built upon."""
    parsed = parse_rules({"r.yml": FAIL % section + more})
    assert parsed.problems == ()
    ids = {rule.ref.title: rule.ref.id for rule in parsed.rules}
    return Alone(parsed.rules[-1], limit), ids["SSH login failed"], ids["SSH login worked"]


COUNT = "type: event_count, rules: fail, group-by: src_ip, timespan: 2m, condition: {gte: 3}"


def test_a_burst_per_group_says_what_was_counted() -> None:
    one, fail, _ = correlator(COUNT)
    for n in range(3):
        anomaly = one.feed(fail, make_event({"src_ip": "203.0.113.9"}, at=1000.0 + n, source=SSHD))
        assert one.feed(fail, make_event({"src_ip": f"198.51.100.{n}"}, at=1000.0 + n, source=SSHD)) is None
        assert (anomaly is not None) is (n == 2)
    assert anomaly is not None
    assert anomaly.because == '3 × "SSH login failed" within 2m by src_ip=203.0.113.9 (threshold 3)'
    assert anomaly.entity == "src_ip=203.0.113.9"
    assert [event.at for event in anomaly.events] == [1000.0, 1001.0, 1002.0]
    assert (anomaly.at, anomaly.host, anomaly.rule.title) == (1002.0, "web1", "C")


def test_evidence_of_a_large_burst_is_the_first_and_the_last() -> None:
    one, fail, _ = correlator(COUNT.replace("gte: 3", "gte: 50"))
    anomalies = [one.feed(fail, make_event({"src_ip": "x"}, at=float(n))) for n in range(50)]
    anomaly = anomalies[-1]
    assert anomaly is not None
    assert [event.at for event in anomaly.events] == [0, 46, 47, 48, 49]
    assert anomaly.because.startswith("50 × ")


def test_what_fires_is_told_even_when_none_of_its_events_was_kept() -> None:
    """An entry with a wrong date re-arms it, and the chain that is found then has no event left."""
    one, fail, good = correlator("type: temporal_ordered, rules: [fail, good], group-by: src_ip, timespan: 60s")
    fed = [(fail, -1), (fail, 0), (good, 1), *((fail, n) for n in range(2, 9)), (fail, -62), (fail, 9)]
    found = [one.feed(rule, make_event({"src_ip": "x"}, at=float(at))) for rule, at in fed]
    told = [anomaly for anomaly in found if anomaly is not None]
    assert [anomaly.at for anomaly in told] == [1, 9]
    assert [[event.at for event in anomaly.events] for anomaly in told] == [[0, 1], [9]]


def test_a_burst_that_goes_on_is_told_every_time_span_each_time_anew() -> None:
    one, fail, _ = correlator(COUNT)
    anomalies = [one.feed(fail, make_event({"src_ip": "x"}, at=8.0 * n)) for n in range(60)]
    found = [anomaly for anomaly in anomalies if anomaly is not None]
    assert [anomaly.at for anomaly in found] == [16, 136, 256, 376]
    assert len({anomaly.id for anomaly in found}) == 4
    assert [anomaly.because.split()[0] for anomaly in found] == ["3", "16", "16", "16"]
    assert 256 <= found[-1].events[0].at < found[-1].events[-1].at == 376


def test_of_more_than_can_be_counted_it_says_at_least() -> None:
    one, fail, _ = correlator(COUNT)
    anomalies = [one.feed(fail, make_event({"src_ip": "x"}, at=n / 10)) for n in range(1300)]
    assert anomalies[2] is not None
    assert anomalies[2].because.startswith('3 × "')
    last = [anomaly for anomaly in anomalies if anomaly is not None][-1]
    assert last.because.startswith('at least 65 × "SSH login failed" within 2m by src_ip=x')


def test_the_same_events_give_the_same_id() -> None:
    ids = []
    for _ in range(2):
        one, fail, _ = correlator(COUNT)
        anomalies = [one.feed(fail, make_event({"src_ip": "x"}, at=float(n))) for n in range(3)]
        ids.append(anomalies[-1].id if anomalies[-1] else "")
    assert ids[0] == ids[1] != ""


def test_without_group_by_all_is_one_group_named_by_its_host() -> None:
    one, fail, _ = correlator(COUNT.replace("group-by: src_ip, ", ""))
    anomalies = [one.feed(fail, make_event({"src_ip": str(n)}, at=float(n))) for n in range(3)]
    assert anomalies[-1] is not None
    assert anomalies[-1].entity == "host=web1"
    assert anomalies[-1].because == '3 × "SSH login failed" within 2m (threshold 3)'


def test_events_without_the_group_field_are_a_group_of_their_own() -> None:
    one, fail, _ = correlator(COUNT.replace("group-by: src_ip", "group-by: [src_ip, user]"))
    fields: list[dict[str, Value]] = [{"user": "a"}, {"src_ip": "x", "user": "a"}, {"user": "a"}, {"user": "a"}]
    anomalies = [one.feed(fail, make_event(f, at=float(n))) for n, f in enumerate(fields)]
    assert [anomaly is not None for anomaly in anomalies] == [False, False, False, True]
    assert anomalies[-1] is not None
    assert anomalies[-1].entity == "user=a"


def test_the_rule_may_name_another_entity() -> None:
    one, fail, _ = correlator(COUNT, "tellwhy: {entity: [user]}\n")
    anomalies = [one.feed(fail, make_event({"src_ip": "x", "user": "bob"}, at=float(n))) for n in range(3)]
    assert anomalies[-1] is not None
    assert anomalies[-1].entity == "user=bob"


@pytest.mark.parametrize(
    ("section", "steps", "because"),
    [
        (
            "type: value_count, rules: fail, group-by: src_ip, timespan: 1h, condition: {gte: 2, field: user}",
            [("fail", "a"), ("fail", "a"), ("fail", "b")],
            '2 different values of user in "SSH login failed" within 1h by src_ip=x (threshold 2)',
        ),
        (
            "type: temporal, rules: [good, fail], group-by: src_ip, timespan: 90s",
            [("fail", "a"), ("good", "a")],
            '"SSH login worked" and "SSH login failed" within 90s by src_ip=x',
        ),
        (
            "type: temporal_ordered, rules: [fail, fail, good], group-by: src_ip, timespan: 5m",
            [("good", "a"), ("fail", "a"), ("fail", "a"), ("good", "a")],
            '2 × "SSH login failed" then "SSH login worked" within 5m by src_ip=x',
        ),
        (
            "type: temporal, group-by: src_ip, timespan: 5m, condition: good and not fail",
            [("good", "a")],
            '"SSH login worked" within 5m by src_ip=x (good and not fail)',
        ),
        (
            "type: event_count, rules: [fail, good], timespan: 1m, condition: {gt: 1}",
            [("fail", "a"), ("good", "b")],
            '2 × "SSH login failed" or "SSH login worked" within 1m (threshold more than 1)',
        ),
    ],
)
def test_every_kind_says_why(section: str, steps: list[tuple[str, str]], because: str) -> None:
    one, fail, good = correlator(section)
    anomalies = [
        one.feed(fail if name == "fail" else good, make_event({"src_ip": "x", "user": user}, at=float(n)))
        for n, (name, user) in enumerate(steps)
    ]
    assert [anomaly is not None for anomaly in anomalies] == [False] * (len(steps) - 1) + [True]
    assert anomalies[-1] is not None
    assert anomalies[-1].because == because


def test_events_without_the_counted_field_do_not_count() -> None:
    one, fail, _ = correlator("type: value_count, rules: fail, timespan: 1h, condition: {gte: 1, field: user}")
    assert one.feed(fail, make_event({"src_ip": "x"})) is None
    assert one.feed(fail, make_event({"user": "x"})) is not None


MEASURED = "type: %s, rules: [fail, good], group-by: src_ip, timespan: 5m, condition: {%s, field: n}"


@pytest.mark.parametrize(
    ("kind", "condition", "numbers", "because"),
    [
        (
            "value_sum", "gte: 100", [60, "30.5", 9.5],
            'sum of n 100 in 3 × "SSH login failed" or "SSH login worked" within 5m by src_ip=x (threshold 100)',
        ),
        (
            "value_avg", "lt: 2", [3, 2, 0],
            'average of n 1.66667 in 3 × "SSH login failed" or "SSH login worked" within 5m by src_ip=x (threshold less than 2)',
        ),
        (
            "value_median", "gt: 4", [1, 5, 9],
            'median of n 5 in 3 × "SSH login failed" or "SSH login worked" within 5m by src_ip=x (threshold more than 4)',
        ),
        (
            "value_percentile", "gte: 9, percentile: 90", [0, 5, 10],
            'percentile 90 of n 9 in 3 × "SSH login failed" or "SSH login worked" within 5m by src_ip=x (threshold 9)',
        ),
        (
            "value_sum", "gt: 10, lte: 12", [1, 50, -40],
            'sum of n 11 in 3 × "SSH login failed" or "SSH login worked" within 5m by src_ip=x (threshold more than 10, at most 12)',
        ),
    ],
)  # fmt: skip
def test_numbers_are_measured(kind: str, condition: str, numbers: list[Value], because: str) -> None:
    one, fail, good = correlator(MEASURED % (kind, condition))
    readings: list[Value] = [None, "no number", float("nan"), True, numbers[0], "", numbers[1], "0x10", numbers[2]]
    anomalies = [
        one.feed((fail, good)[n % 2], make_event({"src_ip": "x", "n": value}, at=float(n), event_id=str(n)))
        for n, value in enumerate(readings)
    ]
    assert [anomaly is not None for anomaly in anomalies] == [False] * 8 + [True]
    assert anomalies[-1] is not None
    assert anomalies[-1].because == because
    assert [event.id for event in anomalies[-1].events] == ["4", "6", "8"]


def test_a_field_with_several_values_counts_as_the_first_that_is_a_number() -> None:
    one, fail, _ = correlator(MEASURED % ("value_sum", "gte: 7"))
    assert one.feed(fail, make_event({"src_ip": "x", "n": ("a", "7", "8")})) is not None


def test_what_is_measured_may_be_an_alias() -> None:
    one, fail, good = correlator(
        "type: value_sum, rules: [fail, good], timespan: 5m, condition: {gte: 5, field: size},"
        " aliases: {size: {fail: a, good: b}}"
    )
    assert one.feed(fail, make_event({"a": 2, "b": 9}, at=0)) is None
    assert one.feed(good, make_event({"a": 9, "b": 3}, at=1)) is not None


def test_the_largest_sum_is_said() -> None:
    one, fail, _ = correlator(MEASURED % ("value_sum", "gte: 5"))
    one.feed(fail, make_event({"src_ip": "x", "n": "-1.7e308"}, at=0))
    one.feed(fail, make_event({"src_ip": "x", "n": "-1.7e308"}, at=1))
    anomaly = None
    for n in range(9):
        anomaly = one.feed(fail, make_event({"src_ip": "x", "n": "1.7e308"}, at=2.0 + n, event_id=str(n))) or anomaly
    assert anomaly is not None
    assert anomaly.because.startswith("sum of n ")


@pytest.mark.parametrize(
    ("condition", "fires_at"),
    [("gte: 2, lte: 3", [1]), ("gt: 1, lt: 3", [1]), ("gte: 3, neq: 3", [3]), ("gt: 2, lte: 4", [2])],
)
def test_a_range_of_events(condition: str, fires_at: list[int]) -> None:
    one, fail, _ = correlator(f"type: event_count, rules: fail, timespan: 1h, condition: {{{condition}}}")
    fired = [one.feed(fail, make_event({"n": n}, at=float(n))) is not None for n in range(6)]
    assert [n for n, yes in enumerate(fired) if yes] == fires_at


def test_a_range_is_said() -> None:
    one, fail, _ = correlator("type: event_count, rules: fail, timespan: 1h, condition: {gte: 2, lte: 3}")
    anomalies = [one.feed(fail, make_event({"n": n}, at=float(n))) for n in range(2)]
    assert anomalies[1] is not None
    assert anomalies[1].because == '2 × "SSH login failed" within 1h (threshold 2, at most 3)'


def test_a_range_left_and_entered_again() -> None:
    one, fail, _ = correlator("type: event_count, rules: fail, timespan: 10s, condition: {gte: 2, lte: 3}")
    ats = [0, 1, 2, 3, 4, 13, 13.5, 13.6, 13.7]  # 2 at 1; 5 at 4; 3 at 13 (with 3 and 4); 4 at 13.5
    fired = [at for at in ats if one.feed(fail, make_event({}, at=at, event_id=str(at))) is not None]
    assert fired == [1, 13]


def test_a_range_of_values_and_of_rules() -> None:
    one, fail, _ = correlator("type: value_count, rules: fail, timespan: 1h, condition: {gt: 1, lt: 3, field: user}")
    fired = [one.feed(fail, make_event({"user": user}, at=float(n))) is not None for n, user in enumerate("aabbc")]
    assert fired == [False, False, True, False, False]
    one, fail, good = correlator("type: temporal, rules: [fail, good], timespan: 1h, condition: {gte: 1, lt: 2}")
    assert one.feed(fail, make_event({}, at=0)) is not None
    assert one.feed(good, make_event({}, at=1)) is None


def test_so_many_rules_in_order_and_an_order_in_words() -> None:
    for section, steps in (
        ("type: temporal_ordered, rules: [fail, good, fail], timespan: 1m, condition: {gte: 2}", "gf"),
        ("type: temporal_ordered, rules: [fail, good], timespan: 1m, condition: good and fail", "gf"),
        ("type: temporal_ordered, timespan: 1m, condition: fail and good or good", "g"),
    ):
        one, fail, good = correlator(section)
        rules = {"f": fail, "g": good}
        fired = [one.feed(rules[step], make_event({}, at=float(n))) is not None for n, step in enumerate(steps)]
        assert fired == [False] * (len(steps) - 1) + [True], section


def test_a_condition_in_words_may_name_rules_by_id() -> None:
    _, fail, good = correlator("type: temporal, rules: [fail, good], timespan: 5m")
    one, fail, good = correlator(f"type: temporal, timespan: 5m, condition: ({good.upper()}) and not fail")
    assert one.feed(good, make_event({}, at=0)) is not None
    assert one.feed(fail, make_event({}, at=1)) is None


UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "M": 2629746, "y": 31556952}


@pytest.mark.parametrize("unit", UNITS)
def test_units_of_time_spans(unit: str) -> None:
    section = f"type: event_count, rules: fail, timespan: 2{unit}, condition: {{gte: 2}}"
    for apart, fires in ((2 * UNITS[unit], True), (2 * UNITS[unit] + 1, False)):
        one, fail, _ = correlator(section)
        assert one.feed(fail, make_event({}, at=0)) is None
        assert (one.feed(fail, make_event({}, at=float(apart))) is not None) is fires


def test_aliases_bring_different_fields_together() -> None:
    one, fail, good = correlator(
        "type: temporal, rules: [fail, good], group-by: ip, timespan: 1m, aliases: {ip: {fail: src_ip, good: addr}}"
    )
    assert one.feed(fail, make_event({"src_ip": "x"}, at=0)) is None
    assert one.feed(good, make_event({"src_ip": "x", "addr": "y"}, at=1)) is None
    anomaly = one.feed(good, make_event({"addr": "x"}, at=2))
    assert anomaly is not None
    assert anomaly.entity == "ip=x"


def test_groups_are_bounded() -> None:
    one, fail, _ = correlator(COUNT, limit=10)
    for n in range(100):
        one.feed(fail, make_event({"src_ip": str(n)}, at=float(n), text="x" * 100_000, event_id=str(n)))
    assert (len(one.memory), one.memory.evictions) == (10, 90)
    assert all(row.value is None or len(row.value) < 20_000 for row in one.memory.changes())


def test_hostile_group_values_are_no_trouble() -> None:
    one, fail, _ = correlator(COUNT)
    for value in ("x" * 1_000_000, "a\nb", "\udcff", '", "'):
        anomalies = [one.feed(fail, make_event({"src_ip": value}, at=float(n), event_id=str(n))) for n in range(3)]
        assert anomalies[-1] is not None
        assert anomalies[-1].because.isprintable()
        assert len(anomalies[-1].because) < 500
    assert all(len(row.key) < 300 for row in one.memory.changes())


CHAIN = """\
title: Many failures
name: many
correlation: {type: event_count, rules: fail, group-by: src_ip, timespan: 1m, condition: {gte: 3, lte: 5}}
---
title: Then a login
name: then
correlation:
    type: temporal_ordered
    rules: [many, good]
    group-by: address
    timespan: 10m
    aliases: {address: {many: src_ip, good: peer}}
---
title: And much was read
correlation: {type: value_sum, rules: [then, good], group-by: peer, timespan: 1h, generate: true,
              condition: {gte: 10, field: bytes}}
"""


def test_correlations_upon_correlations() -> None:
    """Counted, then ordered, then measured; each has its own groups, and an alias means a field in the last event."""
    base = FAIL.split("title: C\n", maxsplit=1)[0]
    parsed = parse_rules({"chain.yml": CHAIN, "base.yml": base.removesuffix("---\n")})
    assert parsed.problems == ()
    assert {rule.ref.title: rule.fires for rule in parsed.rules} == {
        "SSH login failed": False, "SSH login worked": True, "Many failures": False, "Then a login": True,
        "And much was read": True,
    }  # fmt: skip
    one = Engine(parsed)
    for n in range(3):
        event = make_event({"result": "failed", "src_ip": "x"}, at=float(n), source=SSHD)
        assert one.feed(event) == []
    said = []
    for n in range(3, 6):
        fields: dict[str, Value] = {"result": "accepted", "peer": "x", "bytes": 3}
        said.append([anomaly.because for anomaly in one.feed(make_event(fields, at=float(n), source=SSHD))])
    worked = 's: result is "accepted"'
    assert said == [
        [worked, '"Many failures" then "SSH login worked" within 10m by address=x'],
        [worked],
        [worked, 'sum of bytes 12 in 4 × "Then a login" or "SSH login worked" within 1h by peer=x (threshold 10)'],
    ]
