"""What rules say of themselves: conditions as outlines, correlations of every kind as sentences."""

from typing import Any

import pytest

from daemon.cli.rules.words import outline, say_correlation, say_entity, say_logsource, say_sustain
from daemon.detection.attributes import Sustain
from daemon.detection.rules import Rule, parse_rules
from daemon.model import Logsource

PLAIN = """title: Login failed
name: failed
logsource: {product: linux, service: sshd}
detection: {selection: {action: login_failed}, condition: selection}
---
title: Login
name: accepted
logsource: {product: linux, service: sshd}
detection: {selection: {action: login}, condition: selection}
---
title: Sudo used
name: sudo
logsource: {product: linux, service: sudo}
detection: {selection: {action: sudo}, condition: selection}
---
"""
FIRST = PLAIN.partition("---")[0]
NAMES = {"failed": "Login failed", "accepted": "Login", "sudo": "Sudo used"}


def parsed(text: str) -> Rule:
    rules = parse_rules({"a.yml": text})
    assert rules.problems == ()
    return rules.rules[-1]


def condition(searches: str, words: str) -> list[str]:
    rule = parsed(f"title: X\nlogsource: {{product: linux}}\ndetection:\n{searches}\n  condition: {words}\n")
    assert rule.condition is not None
    return list(outline(rule.condition.node))


def test_one_comparison_is_one_line() -> None:
    assert condition("  selection: {Image|endswith: /sh}", "selection") == ['Image ends with "/sh"']


def test_what_belongs_together_is_indented_and_bears_its_name() -> None:
    searches = "  tool: {Image|endswith: [/curl, /wget], CommandLine|contains: http}\n  ours: {User: deploy}"
    assert condition(searches, "tool and not ours") == [
        "all of:",
        "  all of (tool):",
        "    any of:",
        '      Image ends with "/curl"',
        '      Image ends with "/wget"',
        '    CommandLine contains "http"',
        '  not User is "deploy"',
    ]


def test_what_must_not_be_is_an_outline_too() -> None:
    searches = "  one: {a: 1}\n  ours: {User: [deploy, root]}"
    assert condition(searches, "one and not ours")[2:] == [
        "  not any of (ours):",
        '    User is "deploy"',
        '    User is "root"',
    ]


COUNTED = [
    ("{gte: 10}", "10 or more"),
    ("{gt: 10}", "more than 10"),
    ("{lte: 3}", "3 or fewer"),
    ("{lt: 3}", "fewer than 3"),
    ("{eq: 1}", "exactly 1"),
    ("{neq: 2}", "any number but 2"),
    ("{gte: 5, lte: 9}", "5 to 9"),
    ("{gt: 5, lt: 9}", "more than 5 and fewer than 9"),
]


@pytest.mark.parametrize(("threshold", "amount"), COUNTED)
def test_so_many_events_by_the_same(threshold: str, amount: str) -> None:
    said = correlated(f"type: event_count, rules: [failed], group-by: [src_ip], timespan: 5m, condition: {threshold}")
    assert said == f'{amount} of "Login failed" by the same src_ip within 5m'


def correlated(section: str) -> str:
    rule = parsed(f"{PLAIN}title: Together\ncorrelation: {{{section}}}\n")
    assert rule.correlation is not None
    return say_correlation(rule.correlation, NAMES)


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (
            "type: event_count, rules: [failed, sudo], timespan: 90s, condition: {gte: 3}",
            '3 or more of "Login failed" or "Sudo used" within 90s',
        ),
        (
            "type: value_count, rules: [failed], group-by: [src_ip, host], timespan: 1h, condition: {gte: 5, field: user}",
            '5 or more different values of user in "Login failed" by the same src_ip and host within 1h',
        ),
        (
            "type: temporal, rules: [failed, accepted], group-by: [src_ip], timespan: 5m",
            '"Login failed" and "Login" by the same src_ip within 5m',
        ),
        (
            "type: temporal, rules: [failed, accepted, sudo], timespan: 1d",
            'all of "Login failed", "Login" and "Sudo used" within 1d',
        ),
        (
            "type: temporal, rules: [failed, accepted, sudo], timespan: 1d, condition: {gte: 2}",
            '2 or more of the rules "Login failed", "Login" and "Sudo used" within 1d',
        ),
        (
            "type: temporal, rules: [failed, accepted, sudo], timespan: 1h, condition: failed and not (accepted or sudo)",
            '"Login failed" and not ("Login" or "Sudo used") within 1h',
        ),
        (
            "type: temporal_ordered, rules: [failed, failed, failed, accepted], group-by: [src_ip], timespan: 10m",
            '3 × "Login failed" then "Login" by the same src_ip within 10m',
        ),
    ],
)
def test_every_kind_is_a_sentence(section: str, said: str) -> None:
    assert correlated(section) == said


def test_an_alias_tells_what_it_means_in_each_rule() -> None:
    aliases = "aliases: {who: {failed: user, sudo: run_by}}"
    said = correlated(f"type: temporal, rules: [failed, sudo], group-by: [who], timespan: 5m, {aliases}")
    both = 'who (user in "Login failed", run_by in "Sudo used")'
    assert said == f'"Login failed" and "Sudo used" by the same {both} within 5m'


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("failed and accepted and sudo", '"Login failed" then "Login" then "Sudo used"'),
        ("(failed or accepted) and sudo", '("Login failed" then "Sudo used") or ("Login" then "Sudo used")'),
        (
            "(failed or accepted) and (sudo or accepted)",
            '("Login failed" or "Login") and ("Sudo used" or "Login") in this order',
        ),
    ],
)
def test_an_order_in_words_is_said_as_its_sequences_while_they_are_few(condition: str, said: str) -> None:
    section = f"type: temporal_ordered, rules: [failed, accepted, sudo], timespan: 5m, condition: {condition}"
    assert correlated(section) == f"{said} within 5m"


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (
            "type: value_sum, rules: [sudo], group-by: [user], timespan: 1h, condition: {gte: 1000, field: bytes}",
            'the sum of bytes in "Sudo used" is at least 1000 by the same user within 1h',
        ),
        (
            "type: value_avg, rules: [sudo], timespan: 1h, condition: {gt: 5, lt: 9, field: bytes}",
            'the average of bytes in "Sudo used" is more than 5 and less than 9 within 1h',
        ),
        (
            "type: value_median, rules: [sudo], timespan: 1h, condition: {lte: 9, field: bytes}",
            'the median of bytes in "Sudo used" is at most 9 within 1h',
        ),
        (
            "type: value_percentile, rules: [sudo], timespan: 1h, condition: {gte: 9, field: bytes, percentile: 95}",
            'the 95th percentile of bytes in "Sudo used" is at least 9 within 1h',
        ),
    ],
)
def test_measures_are_sentences_too(section: str, said: str) -> None:
    assert correlated(section) == said


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (Logsource("linux", "process_creation"), "programs that are started on Linux (product linux, category process_creation)"),
        (Logsource("linux", "", "sshd"), "lines of sshd on Linux (product linux, service sshd)"),
        (Logsource("linux"), "lines of every log on Linux (product linux)"),
        (Logsource(""), "lines of every log"),
        (Logsource("", "webserver", "nginx"), "events of the category webserver by nginx (category webserver, service nginx)"),
    ],
)  # fmt: skip
def test_where_it_looks(source: Logsource, said: str) -> None:
    assert say_logsource(source) == said


def test_whom_it_is_about() -> None:
    told: list[Any] = [
        say_entity(parsed(PLAIN.rstrip("-\n") + "\ntellwhy: {entity: [a, b]}\n")),
        say_entity(parsed(FIRST)),
        say_entity(parsed(FIRST.replace("service: sshd", "category: host_metrics"))),
        say_entity(parsed(PLAIN + "title: T\ncorrelation: {type: temporal, rules: [sudo, failed], timespan: 1h}\n")),
        say_entity(
            parsed(
                PLAIN + "title: T\ncorrelation: {type: temporal, rules: [sudo, failed], group-by: x, timespan: 1h}\n"
            )
        ),
    ]
    assert told == [
        "a, b",
        "src_ip, src_host (as is usual for such events)",
        "what is measured (as is usual for such events)",
        "host",
        "x",
    ]


def test_how_long_it_must_hold() -> None:
    assert say_sustain(Sustain(120.0, 300.0)) == "once this has held for 2m; it is over once it has not for 5m"
