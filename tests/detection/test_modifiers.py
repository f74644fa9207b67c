"""Each modifier against each kind of value of a field: one row, one item of a rule; one column, one event.

    . no match   X match

Columns, the value of `f`: no such field, null, empty text, "abc", "ABC", "xabcx", 7, 7.5, true, several ("q", "aBc").
"""

import pytest
import yaml

from daemon.detection.rules import parse_rules
from daemon.model import Value
from tests.doubles.detection import make_event, one_rule, rule_text

ABSENT = "(absent)"
COLUMNS: tuple[Value, ...] = (ABSENT, None, "", "abc", "ABC", "xabcx", 7, 7.5, True, ("q", "aBc"))
ROWS = """
  f: abc                                | . . . X X . . . . X
  f|neq: abc                            | X X X . . X X X X .
  f: [abc, 7]                           | . . . X X . X . . X
  f|neq: [abc, 7]                       | X X X . . X . X X .
  f|all: [abc, 7]                       | . . . . . . . . . .
  f|all: ['a*', '*c']                   | . . . X X . . . . X
  f|all|neq: ['a*', '*c']               | X X X . . X X X X .
  f: ''                                 | . . X . . . . . . .
  f|neq: ''                             | X X . X X X X X X X
  f: '*'                                | . . X X X X X X X X
  f: '?*'                               | . . . X X X X X X X
  f: '???'                              | . . . X X . . X . X
  f: null                               | X X . . . . . . . .
  f|neq: null                           | . . X X X X X X X X
  f: [null, abc]                        | X X . X X . . . . X
  f: []                                 | X X . . . . . . . .
  f: true                               | . . . . . . . . X .
  f: false                              | . . . . . . . . . .
  f|neq: true                           | X X X X X X X X . X
  f: 'true'                             | . . . . . . . . X .
  f: 7                                  | . . . . . . X . . .
  f: 7.0                                | . . . . . . X . . .
  f: 7.5                                | . . . . . . . X . .
  f: '7'                                | . . . . . . X . . .
  f|neq: 7                              | X X X X X X . X X X
  f|contains: b                         | . . . X X X . . . X
  f|contains: ''                        | . . X X X X X X X X
  f|contains: '7'                       | . . . . . . X X . .
  f|contains|neq: b                     | X X X . . . X X X .
  f|contains|all: [a, b]                | . . . X X X . . . X
  f|contains|all: [q, b]                | . . . . . . . . . X
  f|contains: 'a?c'                     | . . . X X X . . . X
  f|contains: 'c*c'                     | . . . . . . . . . .
  f|startswith: ab                      | . . . X X . . . . X
  f|startswith: '7'                     | . . . . . . X X . .
  f|startswith|neq: ab                  | X X X . . X X X X .
  f|startswith|all: [a, AB]             | . . . X X . . . . X
  f|endswith: bc                        | . . . X X . . . . X
  f|endswith: [bc, x]                   | . . . X X X . . . X
  f|endswith|neq: bc                    | X X X . . X X X X .
  f|cased: abc                          | . . . X . . . . . .
  f|cased: ABC                          | . . . . X . . . . .
  f|cased|contains: BC                  | . . . . X . . . . .
  f|contains|cased: Bc                  | . . . . . . . . . X
  f|cased: '?b?'                        | . . . X . . . . . .
  f|cased|neq: abc                      | X X X . X X X X X X
  f|re: b                               | . . . X . X . . . .
  f|re: '^abc$'                         | . . . X . . . . . .
  f|re: '^$'                            | . . X . . . . . . .
  f|re: '^[0-9.]+$'                     | . . . . . . X X . .
  f|re: ['^a', '^A']                    | . . . X X . . . . X
  f|re|all: ['a', 'c']                  | . . . X . X . . . X
  f|re|neq: b                           | X X X . X . X X X X
  f|re|i: 'B'                           | . . . X X X . . . X
  f|re|i: '^abc$'                       | . . . X X . . . . X
  f|re|m|s: 'a.c'                       | . . . X . X . . . X
  f|re|contains: 'b'                    | . . . X . X . . . .
  f|exists: true                        | . X X X X X X X X X
  f|exists: false                       | X . . . . . . . . .
  f|exists|neq: true                    | X . . . . . . . . .
  f|fieldref: f                         | . . X X X X X X X X
  f|fieldref: nothing                   | . . . . . . . . . .
  f|fieldref|neq: nothing               | X X X X X X X X X X
  f|fieldref: g                         | . . . X X . . . . X
  f|fieldref|neq: g                     | X X X . . X X X X .
  f|fieldref|contains: g                | . . . X X X . . . X
  f|fieldref|startswith: g              | . . . X X . . . . X
  f|fieldref|endswith: g                | . . . X X . . . . X
  f|gt: 7                               | . . . . . . . X . .
  f|gte: 7                              | . . . . . . X X . .
  f|lt: 7.5                             | . . . . . . X . . .
  f|lte: 7.5                            | . . . . . . X X . .
  f|lt: [0, 8]                          | . . . . . . X X . .
  f|gt|neq: 7                           | X X X X X X X . X X
  f|cidr: 10.0.0.0/8                    | . . . . . . . . . .
  f|cidr|neq: 10.0.0.0/8                | X X X X X X X X X X
  f|windash: abc                        | . . . X X . . . . X
  f|windash|contains: [a, b]            | . . . X X X . . . X
  f|base64: abc                         | . . . . . . . . . .
  f|minute: 0                           | . . . . . . X X . .
  f|minute: 1                           | . . . . . . . . . .
  f|minute|neq: 0                       | X X X X X X . . X X
  f|year: 1970                          | . . . . . . X X . .
  f|year|gte: 1970                      | . . . . . . X X . .
  f|expand: '%a%'                       | . . . X X . . . . X
  F: abc                                | . . . . . . . . . .
  F: null                               | X X X X X X X X X X
"""


@pytest.mark.parametrize("row", ROWS.strip().splitlines(), ids=str.strip)
def test_each_kind_of_value(row: str) -> None:
    item, _, expected = row.rpartition("|")
    parsed = parse_rules(
        {"r.yml": rule_text(f"    s:\n        {item.strip()}\n    condition: s")}, placeholders={"a": ["abc"]}
    )
    assert parsed.problems == ()
    condition = parsed.rules[0].condition
    assert condition is not None
    found = []
    for value in COLUMNS:
        event = make_event({"g": "aBC"} if value is ABSENT else {"f": value, "g": "aBC"})
        match = condition.match(event)
        assert match is None or match.because
        found.append("X" if match is not None else ".")
    assert " ".join(found) == expected.strip()


@pytest.mark.parametrize(
    ("item", "field", "expected"),
    [
        ("f|windash: ' -c /x'", [" -c /x", " /c -x", " \u2013c \u2015x", " +c /x", " -c x"], "XXX.."),
        ("f|windash|contains|all: [' -a', ' /b']", ["x /b \u2014a", " -a -b", " -a b", "-a -b"], "XX.."),
        ("f|base64|contains: 'foo bar'", ["x Zm9vIGJhcg==", "x zm9vigjhcg==", "xZm9vIGJhc"], "XX."),
        ("f|base64offset|contains: http://", ["aHR0cDovL", "h0dHA6Ly", "odHRwOi8v", "HR0cDovL"], "XXX."),
        ("f|wide|base64offset|contains: 'id'", ["aQBkA", "kAZA", "pAGQA", "aWQ="], "XXX."),
        ("f|utf16le|base64offset|contains: 'id'", ["aQBkA", "kAZA", "pAGQA", "aWQ="], "XXX."),
        ("f|utf16be|base64|contains: 'id'", ["AGkAZA==", "aQBkAA=="], "X."),
        ("f|utf16|base64|contains: 'id'", ["//5pAGQA", "/v8AaQBk"], "X."),
        ("f|wide|contains: 'id'", ["i\0d\0", "xI\0D\0", "id"], "XX."),
        ("f|utf16be|contains: 'id'", ["\0i\0d", "i\0d\0x"], "X."),
        ("f|cidr: 192.0.2.0/24", ["192.0.2.255", "192.0.3.0", "::ffff:192.0.2.1", " 192.0.2.1", "192.0.2", ""], "X.XX.."),
        ("f|cidr: [192.0.2.0/24, '2001:db8::/32']", ["2001:DB8::1", "[2001:db8::1]", "2001:db9::1", "192.0.2.9"], "XX.X"),
        ("f|cidr: 192.0.2.7/32", ["192.0.2.7", "192.0.2.8", "192.0.2.70"], "X.."),
        ("f|cidr: '::/0'", ["::1", "fe80::1", "192.0.2.1"], "XX."),
        ("f|cidr: 0.0.0.0/0", ["192.0.2.1", "::1", "::ffff:192.0.2.1"], "X.X"),
        ("f|re: '(?i)^ab.c$'", ["AB\u00e9C", "ab\nc", "abc"], "X.."),
        ("f|re|s: '^ab.c$'", ["ab\nc", "AB-C"], "X."),
        ("f|re|m: '^b$'", ["a\nb\nc", "abc"], "X."),
        ("f|re|i|m|s: '^B.C$'", ["a\nb\nc", "xb\nc"], "X."),
        ("f|hour: 5", ["2025-03-04T05:06:07Z", "2025-03-04T07:06:07+02:00", "2025-03-04 05:59", "2025-03-04", "5"], "XXX.."),
        ("f|minute|gte: 30", ["2025-03-04T05:30:00Z", "2025-03-04T05:29:59Z"], "X."),
        ("f|day: 4", ["2025-03-04T23:59:59Z", "2025-03-05T00:30:00+01:00", "2025-03-05"], "XX."),
        ("f|week: 10", ["2025-03-04T05:06:07Z", "2025-03-10T00:00:00Z"], "X."),
        ("f|month: [3, 4]", ["2025-03-04", "2025-04-30", "2025-05-01"], "XX."),
        ("f|year|lt: 2025", ["2024-12-31T23:59:59Z", "2025-01-01T00:00:00Z", "1700000000"], "X.X"),
        ("f|gte: 1000", ["1000", "1e3", "999.9", " 1000 ", "1_000", "0x3e8"], "XX.X.."),
        ("f|lt: -1", ["-1.5", "-1", "-inf", "nan"], "X..."),
    ],
)  # fmt: skip
def test_texts(item: str, field: list[str], expected: str) -> None:
    condition = one_rule(rule_text(f"    s:\n        {item}\n    condition: s")).condition
    assert condition is not None
    assert "".join(".X"[condition.match(make_event({"f": text})) is not None] for text in field) == expected


@pytest.mark.parametrize(
    "item",
    [
        *(f"{key}: {value}" for key in ("f|contains", "f|startswith", "f|endswith", "f|cased", "f|windash", "f|base64",
                                        "f|base64offset", "f|wide", "f|utf16be", "f|utf16", "f|fieldref", "f|cidr", "f|re")
          for value in ("7", "true", "null", "1.5")),
        *(f"{key}: {value}" for key in ("f|lt", "f|gte", "f|minute", "f|year") for value in ("x", "'7'", "true", "null")),
        *(f"f|exists: {value}" for value in ("x", "1", "null", "'true'")),
        *(f"{key}: 'a*b'" for key in ("f|base64", "f|base64offset", "f|fieldref")),
        "f|wide: 'é'", "f|cidr: 10.0.0.1/8", "f|cidr: x", "f|i: x", "f|contains|re: x", "f|contains|cidr: 10.0.0.0/8",
        "f|re|cidr: x", "'|exists': true", "'|gt': 5", "'|cidr': 10.0.0.0/8", "'|fieldref': g", "'|hour': 5", "'|all': [null]",
        "f|windash: '-a -b -c -d'", "f|re: '(?<=a)b'", "f|re: '(a)\\1'", "f: {g: 1}", "f: [[1]]", "f: .nan", "f: .inf",
        "f: 2025-01-31", "f|nonsense: x", "f|: x",
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_problem_at_its_line(item: str, capfd: pytest.CaptureFixture[str]) -> None:
    parsed = parse_rules({"r.yml": rule_text(f"    s:\n        {item}\n    condition: s")})
    assert parsed.rules == ()
    (problem,) = parsed.problems
    assert (problem.line, problem.expected.startswith("expected ")) == (5 if problem.key == "detection.s" else 6, True)
    assert capfd.readouterr() == ("", "")


def test_the_columns_are_what_the_rows_have() -> None:
    for row in ROWS.strip().splitlines():
        item, _, expected = row.rpartition("|")
        assert len(expected.split()) == len(COLUMNS), row
        assert isinstance(yaml.safe_load(item), dict), row
