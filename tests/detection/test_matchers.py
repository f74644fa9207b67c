"""Every modifier, by hand: what matches, what does not, and how it is said."""

import pytest

from daemon.detection.view import View
from daemon.model import Value
from tests.doubles.detection import item, make_event

HIT, MISS = True, False


@pytest.mark.parametrize(
    ("key", "value", "field", "matches"),
    [
        # equality: without case, whole value, field names with case
        ("f", "curl", "CURL", HIT),
        ("f", "curl", "curl2", MISS),
        ("f", "''", "", HIT),
        ("f", "''", "x", MISS),
        ("f", "''", None, MISS),
        ("F", "curl", "curl", MISS),
        ("f", "STRASSE", "strasse", HIT),
        ("f", "'É'", "é", HIT),
        # wildcards and their escapes
        ("f", "'a*c'", "abbbC", HIT),
        ("f", "'a*c'", "abbbcd", MISS),
        ("f", "'a?c'", "abc", HIT),
        ("f", "'a?c'", "ac", MISS),
        ("f", "'a?c'", "a\nc", HIT),
        ("f", r"'a\*c'", "a*c", HIT),
        ("f", r"'a\*c'", "abc", MISS),
        ("f", r"'a\?c'", "a?c", HIT),
        ("f", r"'a\?c'", "abc", MISS),
        ("f", r"'a\\*c'", r"a\bc", HIT),
        ("f", r"'C:\dir'", r"c:\DIR", HIT),
        ("f", "'*'", "", HIT),
        ("f", "'*'", None, MISS),
        ("f", "'?*'", "", MISS),
        ("f", "'?*'", "x", HIT),
        ("f", "'**a**'", "xay", HIT),
        ("f", "'*a*b*'", "1a2b3", HIT),
        ("f", "'*a*b*'", "1b2a3", MISS),
        ("f", "'a.c'", "abc", MISS),
        # contains, startswith, endswith
        ("f|contains", "'| bash'", "curl x | BASH -", HIT),
        ("f|contains", "'| bash'", "curl x |bash", MISS),
        ("f|startswith", "/tmp/", "/TMP/x", HIT),
        ("f|startswith", "/tmp/", "x/tmp/", MISS),
        ("f|endswith", "/bash", "/bin/bash", HIT),
        ("f|endswith", "/bash", "/bin/bash2", MISS),
        ("f|contains", "'a*b'", "xxa--bxx", HIT),
        ("f|contains|all", "[a, b]", "b a", HIT),
        ("f|contains|all", "[a, b]", "a", MISS),
        ("f|contains", "[a, b]", "xbx", HIT),
        # cased
        ("f|cased", "curl", "curl", HIT),
        ("f|cased", "curl", "Curl", MISS),
        ("f|contains|cased", "Url", "cUrl", HIT),
        ("f|contains|cased", "Url", "curl", MISS),
        # regular expressions: searched, with case unless told
        ("f|re", "'c.rl'", "xcurlx", HIT),
        ("f|re", "'c.rl'", "CURL", MISS),
        ("f|re|i", "'c.rl'", "CURL", HIT),
        ("f|re", "'(?i)c.rl'", "CURL", HIT),
        ("f|re|m", "'^b$'", "a\nb\nc", HIT),
        ("f|re", "'^b$'", "a\nb\nc", MISS),
        ("f|re|s", "'a.c'", "a\nc", HIT),
        ("f|re", "'a.c'", "a\nc", MISS),
        ("f|re|i|m|s", "'^B.c'", "a\nb\nC", HIT),
        ("f|re", r"'a\*b'", "a*b", HIT),
        ("f|re", "'^2[0-9]$'", 26, HIT),
        ("f|re", "'x'", "\udcff x", HIT),
        # addresses
        ("f|cidr", "10.0.0.0/8", "10.9.8.7", HIT),
        ("f|cidr", "10.0.0.0/8", "::ffff:10.9.8.7", HIT),
        ("f|cidr", "10.0.0.0/8", "11.9.8.7", MISS),
        ("f|cidr", "[10.0.0.0/8, 2001:db8::/32]", "2001:db8::5", HIT),
        ("f|cidr", "10.0.0.0/8", 167772161, MISS),
        # numbers: as text, and as numbers
        ("f", "26", "26", HIT),
        ("f", "26", 26, HIT),
        ("f", "26", 26.0, HIT),
        ("f", "26", "026", MISS),
        ("f", "26", "0x26", MISS),
        ("f", "'26'", 26, HIT),
        ("f", "1.5", 1.5, HIT),
        ("f", "1.5", "1.5", HIT),
        ("f", "-1", "-1", HIT),
        ("f|gte", "95", 95.0, HIT),
        ("f|gte", "95", 94.9, MISS),
        ("f|gte", "95", "95.5", HIT),
        ("f|gt", "95", 95, MISS),
        ("f|lt", "0.5", 0.25, HIT),
        ("f|lte", "5", 5, HIT),
        ("f|lte", "5", "six", MISS),
        ("f|gt", "0", True, MISS),
        ("f|gt", "0", float("nan"), MISS),
        ("f|gt", "0", None, MISS),
        ("f|gte", "9007199254740992", "18446744073709551615", HIT),
        ("f", "'18446744073709551615'", 2**64 - 1, HIT),
        # boolean, null, presence
        ("f", "true", True, HIT),
        ("f", "true", "True", HIT),
        ("f", "true", False, MISS),
        ("f", "false", False, HIT),
        ("f", "'true'", True, HIT),
        ("f", "true", 1, MISS),
        ("f", "null", None, HIT),
        ("f", "null", "", MISS),
        ("g", "null", "x", HIT),
        ("f|exists", "true", None, HIT),
        ("g|exists", "true", "x", MISS),
        ("g|exists", "false", "x", HIT),
        ("f|exists", "false", "x", MISS),
        ("f|neq", "x", "y", HIT),
        ("f|neq", "x", "X", MISS),
        ("g|neq", "x", "y", HIT),
        # several values: any of them
        ("f", "b", ("a", "B"), HIT),
        ("f", "c", ("a", "b"), MISS),
        ("f|endswith", "/dash", ("/bin/sh", "/usr/bin/dash"), HIT),
        ("f|gt", "5", ("1", "9"), HIT),
        ("f", "null", (), HIT),
        # expansions
        ("f|windash|contains", "' -c'", "sh /c id", HIT),
        ("f|windash|contains", "' -c'", "sh -c id", HIT),
        ("f|windash|contains", "' -c'", "sh c id", MISS),
        ("f|base64offset|contains", "/bin/sh", "echo L2Jpbi9zaA==", HIT),
        ("f|base64offset|contains", "/bin/sh", "echo eC9iaW4vc2g= ", HIT),
        ("f|base64|contains", "id", "echo aWQ=", HIT),
        ("f|wide|base64offset|contains", "id", "aQBkAA==", HIT),
        # parts of time, in UTC
        ("f|hour", "5", "2025-03-04T05:06:07Z", HIT),
        ("f|hour", "6", "2025-03-04T05:06:07Z", MISS),
        ("f|hour|gte", "5", "2025-03-04T05:06:07Z", HIT),
        ("f|day", "4", "not a time", MISS),
    ],
)  # fmt: skip
def test_one_value(key: str, value: str, field: Value, matches: bool) -> None:
    condition = item(key, value)
    assert (condition.match(make_event({"f": field})) is not None) is matches
    assert str(condition)


@pytest.mark.parametrize(
    ("value", "other", "matches"), [("Bob", "bob", HIT), ("bob", "eve", MISS), ("7", 7, HIT), ("x", None, MISS)]
)
def test_a_field_compared_with_another(value: Value, other: Value, matches: bool) -> None:
    assert (item("f|fieldref", "g").match(make_event({"f": value, "g": other})) is not None) is matches


def test_a_field_that_holds_another() -> None:
    event = make_event({"f": "/home/bob/x", "g": "BOB", "h": "/home", "i": "x"})
    for key, other, matches in (
        ("f|fieldref|contains", "g", HIT), ("f|fieldref|startswith", "h", HIT), ("f|fieldref|endswith", "i", HIT),
        ("f|fieldref|startswith", "g", MISS), ("f|fieldref|endswith", "h", MISS), ("g|fieldref|contains", "f", MISS),
    ):  # fmt: skip
        assert (item(key, other).match(event) is not None) is matches, key


@pytest.mark.parametrize(
    ("key", "value", "field", "because"),
    [
        ("CommandLine|contains", "curl", "CURL x", 'CommandLine contains "curl" (got "CURL x")'),
        ("Image|endswith", "/Bash", "/bin/bash", 'Image ends with "/Bash" (got "/bin/bash")'),
        ("Image|startswith", "/tmp/", "/tmp/x", 'Image starts with "/tmp/" (got "/tmp/x")'),
        ("Image|startswith", "/tmp/", "/TMP/", 'Image starts with "/tmp/"'),
        ("type", "execve", "EXECVE", 'type is "execve"'),
        ("a0", "26", "26", 'a0 is "26"'),
        ("cpu.percent|gte", "95", 97.25, "cpu.percent >= 95 (got 97.25)"),
        ("f|re|i", "'a.c'", "xABCx", 'f matches /a.c/i (got "xABCx")'),
        ("f", "'a*b?c'", "axxb-c", 'f is like "a*b?c" (got "axxb-c")'),
        ("ip|cidr", "10.0.0.0/8", "10.1.1.1", 'ip is in 10.0.0.0/8 (got "10.1.1.1")'),
        ("f|cased|contains", "aB", "xaB", 'f contains "aB" (case-sensitive) (got "xaB")'),
        ("f", "'*'", "x", 'f has a value (got "x")'),
        ("Image|endswith", "/sh", ("/bin/dash", "/bin/SH", "/sh"), 'Image ends with "/sh" (got "/bin/SH")'),
        ("f|contains", "a", "a b " + "c" * 80, f'f contains "a" (got "a b {"c" * 55}…")'),
        ("f|contains", "a", f"{'a' * 30} secret={'b' * 80}", f'f contains "a" (got "{"a" * 30} …")'),
        ("f", "true", True, "f is true"),
        ("f", "null", None, "f has no value"),
        ("f|exists", "true", "x", "f exists"),
        ("f|hour", "5", "2025-03-04T05:06:07Z", 'f has the hour 5 (got "2025-03-04T05:06:07Z")'),
    ],
)
def test_what_a_match_says(key: str, value: str, field: Value, because: str) -> None:
    match = item(key, value).match(make_event({key.split("|", maxsplit=1)[0]: field}))
    assert match is not None
    assert match.because == f"s: {because}"


def test_a_hostile_value_stays_on_one_line_and_short() -> None:
    match = item("f|re", "'evil'").match(make_event({"f": "evil\n\x1b[2J" + "x" * 10_000}))
    assert match is not None
    assert match.because.isprintable()
    assert len(match.because) < 200


def test_keywords_search_the_whole_text() -> None:
    for keyword, text, matches in (
        ("'Rooted'", "we ROOTED it", HIT), ("rooted", "roo ted", MISS),
        ("'a*b'", "x a then b y", HIT), ("'a*b'", "b a", MISS), ("'a*b'", "a\nb", HIT),
        ("'*x'", "axb", HIT), ("'x*'", "axb", HIT), ("'a?c'", "xabcx", HIT),
        ("0", 'a0="init" a1="0"', HIT), ("6", "10.0.0.6", MISS), ("6", "a1=6", HIT), ("true", "it is TRUE", HIT),
        (r"'50\*'", "has 50* in it", HIT), (r"'50\*'", "has 500 in it", MISS),
    ):  # fmt: skip
        condition = item("'|contains'" if keyword == "never" else "'|all'", f"[{keyword}]")
        assert (condition.match(make_event(text=text)) is not None) is matches, (keyword, text)


def test_keywords_with_modifiers() -> None:
    event = make_event(text="Alpha beta")
    for key, value, matches in (
        ("'|all'", "[alpha, beta]", HIT), ("'|all'", "[alpha, gamma]", MISS), ("'|re'", "'A.pha'", HIT),
        ("'|re'", "'a.pha'", MISS), ("'|cased'", "Alpha", HIT), ("'|cased'", "alpha", MISS),
    ):  # fmt: skip
        assert (item(key, value).match(event) is not None) is matches, (key, value)


def test_a_view_is_lowered_once_for_all_comparisons() -> None:
    view = View(make_event({"f": "ABC"}))
    assert item("f|contains", "b").test(view)
    assert item("f", "abc").test(view)
    assert dict(view.lowered) == {"f": ("abc",)}
