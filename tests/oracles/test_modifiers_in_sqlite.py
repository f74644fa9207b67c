"""Every modifier and kind of value that SQLite can be asked about, on events made of the rule's own literals."""

import pytest

from tests.oracles.rule_events import events_for
from tests.oracles.test_rules_in_sqlite import compare, rule_documents, seeded

RULE = """title: T
id: 5f1c1a9e-5d2b-4a0e-8a53-7a2c3e3d9b12
status: test
level: low
logsource: {product: linux, category: file_event}
detection:
  selection:
    %s
  condition: %s
"""


@pytest.mark.parametrize("condition", ["selection", "not selection"])
@pytest.mark.parametrize(
    "item",
    [
        "CommandLine|base64: 'secret word'",
        "CommandLine|base64|contains: 'secret word'",
        "CommandLine|base64offset|contains: 'secret word'",
        "CommandLine|wide|base64|contains: 'word'",
        "CommandLine|wide|base64offset|contains: 'word'",
        "CommandLine|utf16|base64|contains: 'word'",
        "CommandLine|utf16be|base64|contains: 'word'",
        "CommandLine|windash|contains: ' -enc '",
        "CommandLine|windash|contains|all: [' -a ', ' -b ']",
        "Image|exists: true",
        "Image|cased: '/Usr/Bin/X'",
        "Image|contains|cased: 'Bin'",
        "Image|endswith|cased: '/X'",
        "Image|startswith|cased: '/Usr/[x]'",
        "Size|gt: 10",
        "Size|gte: 10",
        "Size|lt: 10",
        "Size|lte: 10",
        "Size|neq: 10",
        "Image|neq: '/bin/x'",
        "Image|re: '^/bin/[a-c]+$'",
        "Image|re|i: '^/BIN/x'",
        "Image|re|m: '^b$'",
        "Image|re|s: 'a.b'",
        "CommandLine|re: ['foo\\d+', '(?i)bar']",
        "User: ''",
        "User: true",
        "User: false",
        "User: 26",
        "User: '26'",
        "User: 2.5",
        "CommandLine: 'a?b*c'",
        "CommandLine: 'a\\*b'",
        "CommandLine: 'a\\?b'",
        "CommandLine: 'a\\b'",
        "CommandLine|contains: '%%_'",
        "CommandLine|contains|all: ['a', 'b', '*c']",
        "CommandLine: ['a*', '*b', 'c']",
        "Image|contains: ['[a]', '{b}', 'c''d', '\"']",
    ],
)
def test_what_a_modifier_means_is_what_sqlite_says(item: str, condition: str) -> None:
    files = {"a.yml": RULE % (item.replace("%%", "%"), condition)}
    (rule,) = rule_documents(files)
    events = events_for(rule, seeded(rule), rounds=8)
    outcome = compare(files, events)
    assert outcome.differences == []
    assert 0 < len(outcome.matched[str(rule.id)]) < len(events)


@pytest.mark.parametrize("item", ["Image|exists: false", "User: null", "CommandLine: ['a*', '*b', null]"])
def test_what_is_not_there_is_what_sqlite_says(item: str) -> None:
    files = {"a.yml": RULE % (item, "selection"), "b.yml": RULE.replace("12\n", "13\n") % (item, "not selection")}
    rule = rule_documents({"a.yml": files["a.yml"].replace("exists: false", "exists: true").replace("null", "x")})[0]
    events = events_for(rule, seeded(rule), rounds=8)
    outcome = compare(files, events)
    assert outcome.differences == []
    assert {len(ids) for ids in outcome.matched.values()} - {0, len(events)}
