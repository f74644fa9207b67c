"""One rule as JSON and for people."""

from daemon.cli.rules.card import brief, card, condition_of, state_of, whole
from daemon.cli.rules.catalogue import Catalogue, read_catalogue
from daemon.config import Config, Rules
from daemon.rule_samples.reading import RuleSample, read_samples

FILES = {
    "ssh/login.yml": """title: Login failed
id: 0000000a-0000-4000-8000-000000000000
name: failed
status: test
description: |
    One wrong
    password.
author: A. Author
license: DRL-1.1
tags: [attack.t1110.001, attack.credential-access]
falsepositives: [Everybody mistypes]
references: [https://example.org/x]
level: low
logsource: {product: linux, service: sshd}
detection: {selection: {action: login_failed, src_ip|exists: true}, condition: selection}
---
title: Many failed
id: 0000000b-0000-4000-8000-000000000000
correlation: {type: event_count, rules: [failed], group-by: [src_ip], timespan: 5m, condition: {gte: 5}}
level: high
tellwhy:
    entity: [src_ip]
    runbook: |
        1. Look.
        2. Block.
""",
    "host/full.yml": """title: Full
logsource: {product: linux, category: host_metrics}
detection: {selection: {disk.percent|gte: 90}, condition: selection}
tellwhy: {sustain: {for: 2m, resolve_after: 5m}}
""",
    "ours.yml": """title: Our scanner
logsource: {product: linux, service: sshd}
filter: {rules: [failed], selection: {src_ip: 192.0.2.7}, condition: not selection}
""",
}
SAMPLES = """hit:
    - {name: guesses, format: syslog, lines: x, rule: Many failed}
miss:
    - {name: a login, format: syslog, lines: y}
"""


def catalogue(*disabled: str) -> Catalogue:
    return read_catalogue(Config(rules=Rules(disabled=disabled)), None, FILES)


def samples() -> list[RuleSample]:
    found, problems = read_samples("ssh/login.samples.yml", SAMPLES)
    assert problems == []
    return found


def test_the_brief_has_exactly_the_documented_keys() -> None:
    found = catalogue("Full")
    assert brief(found, found.find("failed")[0]) == {
        "id": "0000000a-0000-4000-8000-000000000000",
        "title": "Login failed",
        "level": "low",
        "logsource": {"product": "linux", "category": None, "service": "sshd"},
        "techniques": ["T1110.001"],
        "author": "A. Author",
        "path": "ssh/login.yml",
        "enabled": True,
    }
    many = brief(found, found.find("Many failed")[0])
    assert (many["logsource"], many["author"]) == ({"product": "linux", "category": None, "service": "sshd"}, "")
    assert brief(found, found.find("full")[0])["enabled"] is False


def test_the_whole_adds_everything_else() -> None:
    found = catalogue()
    many = whole(found, found.find("0000000b")[0], samples())
    assert list(many)[:8] == list(brief(found, found.find("0000000b")[0]))
    assert many["condition"] == '5 or more of "Login failed" by the same src_ip within 5m'
    assert many["built_upon"] == [{"id": "0000000a-0000-4000-8000-000000000000", "title": "Login failed"}]
    assert many["filters"] == [{"title": "Our scanner", "path": "ours.yml", "line": 1}]
    assert many["samples"] == [
        {"name": "guesses", "kind": "hit", "path": "ssh/login.samples.yml", "line": 2},
        {"name": "a login", "kind": "miss", "path": "ssh/login.samples.yml", "line": 4},
    ]
    assert (many["line"], many["entity"], many["runbook"]) == (17, "src_ip", "1. Look.\n2. Block.\n")
    failed = whole(found, found.find("failed")[0], [])
    assert failed["counts_for"] == [{"id": "0000000b-0000-4000-8000-000000000000", "title": "Many failed"}]
    assert (failed["speaks"], failed["status"], failed["license"]) == (False, "test", "DRL-1.1")
    assert whole(found, found.find("full")[0], [])["sustain"] == {"for": "2m", "resolve_after": "5m"}


def test_the_condition_of_a_plain_rule_is_what_it_says_of_itself() -> None:
    found = catalogue()
    full = found.find("full")[0]
    assert condition_of(found, full) == str(full.rule.condition) == "disk.percent >= 90"


def test_for_people() -> None:
    found = catalogue()
    assert card(found, found.find("failed")[0], []).splitlines() == [
        "Login failed",
        "  id          0000000a-0000-4000-8000-000000000000",
        "  name        failed",
        "  level       low",
        "  status      test",
        "  state       on, counts for others",
        "  author      A. Author – DRL-1.1",
        "  techniques  T1110.001",
        "  says        One wrong password.",
        "  looks at    lines of sshd on Linux (product linux, service sshd)",
        "  fires on    all of:",
        "                all of (selection):",
        '                  action is "login_failed"',
        "                  src_ip exists",
        '                not src_ip is "192.0.2.7"',
        "  about       src_ip, src_host (as is usual for such events)",
        "  counts for  Many failed (ssh/login.yml:17)",
        "  filtered by Our scanner (ours.yml:1)",
        "  harmless if Everybody mistypes",
        "  see         https://example.org/x",
        "  samples     none: nothing shows that it fires",
        "  file        ssh/login.yml:1",
    ]
    assert card(found, found.find("many failed")[0], samples()).splitlines()[5:] == [
        '  fires on    5 or more of "Login failed" by the same src_ip within 5m',
        "  about       src_ip",
        "  built upon  Login failed (ssh/login.yml:1)",
        "  filtered by Our scanner (ours.yml:1)",
        "  runbook     1. Look.",
        "              2. Block.",
        "  samples     hit  guesses (login.samples.yml:2)",
        "              miss a login (login.samples.yml:4)",
        "  file        ssh/login.yml:17",
    ]
    full = card(found, found.find("full")[0], []).splitlines()
    assert full[5:7] == [
        "  fires on    disk.percent >= 90",
        "              once this has held for 2m; it is over once it has not for 5m",
    ]


def test_what_an_author_wrote_cannot_move_the_cursor() -> None:
    files = {
        "a.yml": 'title: "Evil\\e[2J"\nlogsource: {product: linux}\ndetection: {s: {a: "\\e[31m"}, condition: s}\n'
    }
    found = read_catalogue(Config(), None, files)
    assert "\x1b" not in card(found, found.entries[0], [])


def test_states() -> None:
    def states(*disabled: str) -> dict[str, str]:
        found = catalogue(*disabled)
        return {one.title: state_of(found, one) for one in found.entries}

    assert states() == {"Login failed": "on, counts for others", "Many failed": "on", "Full": "on"}
    assert states("failed")["Login failed"] == "off, counts for others"
    assert states("failed", "Many failed")["Login failed"] == "off"
    assert states("Many failed") == {"Login failed": "on", "Many failed": "off", "Full": "on"}


def test_techniques_that_the_event_names_are_told_as_such() -> None:
    text = FILES["host/full.yml"].replace("{sustain:", "{techniques_from: [tags, labels.mitre], sustain:")
    catalogue = read_catalogue(Config(), None, {"full.yml": text})
    shown = card(catalogue, catalogue.entries[0], [])
    assert "techniques  those that the event names in tags, those that the event names in labels.mitre" in shown
    assert brief(catalogue, catalogue.entries[0])["techniques"] == []
