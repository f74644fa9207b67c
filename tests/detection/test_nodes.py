from msgspec.structs import replace

from daemon.detection.engine import Engine
from daemon.detection.nodes import AllOf, AnyOf, Not, join_all, join_any, negate
from daemon.detection.view import View
from daemon.model import Event, Value
from tests.doubles.detection import condition_of, item, make_event, rule_text, sound

SEARCHES = """\
    img:
        Image|endswith: /curl
    cli:
        CommandLine|contains|all: ['-o', '/tmp/']
    net:
        DestinationIp|cidr: 192.0.2.0/24
    filter_home:
        CurrentDirectory|startswith: /home/
    condition: """


def because(condition: str, **fields: str) -> str:
    match = condition_of(SEARCHES + condition).match(make_event(fields))
    assert match is not None
    return match.because


def test_a_match_names_the_searches_that_it_is_by_and_the_values() -> None:
    assert because("img and cli", Image="/usr/bin/curl", CommandLine="curl -o /tmp/x") == (
        'img: Image ends with "/curl" (got "/usr/bin/curl"); '
        'cli: CommandLine contains "-o" and contains "/tmp/" (got "curl -o /tmp/x")'
    )


def test_of_several_searches_all_that_hold_are_named() -> None:
    for condition in ("1 of them", "img or cli or net", "1 of them and not filter_home", "(img or net) or cli"):
        said = because(condition, Image="/curl", DestinationIp="192.0.2.9")
        assert said == 'img: Image ends with "/curl"; net: DestinationIp is in 192.0.2.0/24 (got "192.0.2.9")'


def test_inside_of_a_search_the_first_that_holds_is_enough() -> None:
    condition = condition_of("    s:\n        - a: 1\n        - b: 2\n        - c: [3, 4]\n    condition: s")
    match = condition.match(make_event({"b": "2", "c": "4"}))
    assert match is not None
    assert match.because == 's: b is "2"'


def test_what_is_excluded_has_no_words_but_where_nothing_else_has() -> None:
    assert because("img and not filter_home", Image="/curl") == 'img: Image ends with "/curl"'
    assert because("not img") == 'not Image ends with "/curl"'
    assert because("not 1 of filter_*") == 'not CurrentDirectory starts with "/home/"'


def test_a_reason_stays_short() -> None:
    values = ", ".join(f"v{n:02}" for n in range(40))
    condition = condition_of(f"    s:\n        f|contains|all: [{values}]\n    condition: s")
    match = condition.match(make_event({"f": values}))
    assert match is not None
    assert match.because.startswith('s: f contains "v00" and contains "v01" and ')
    assert 'contains "v05" and 34 more (got "v00, ' in match.because
    assert len(match.because) < 250


def test_joining_one_part_is_that_part() -> None:
    leaf = item("a", "x").node
    assert join_all([leaf]) is leaf
    assert join_any([leaf]) is leaf
    other = item("b", "y").node
    both, either, neither = join_all([leaf, other]), join_any([leaf, other]), negate(leaf)
    assert isinstance(both, AllOf)
    assert isinstance(either, AnyOf)
    assert isinstance(neither, Not)
    view = View(make_event({"a": "x"}))
    assert (both.test(view), either.test(view), neither.test(view)) == (False, True, False)
    assert [len(node.leaves()) for node in (both, either, neither)] == [2, 2, 1]
    assert (str(both), str(either), str(neither)) == (
        'a is "x" and b is "y"', 'a is "x" or b is "y"', 'not a is "x"'
    )  # fmt: skip


def test_many_parts_are_all_asked() -> None:
    parts = [item(name, "x").node for name in "abcd"]
    for missing in "abcd":
        view = View(make_event(dict.fromkeys(set("abcd") - {missing}, "x")))
        assert not join_all(parts).test(view)
        assert join_any(parts).test(view)
    assert join_all(parts).test(View(make_event(dict.fromkeys("abcd", "x"))))
    assert not join_any(parts).test(View(make_event({})))


def test_values_are_shown_as_they_are_without_their_secrets() -> None:
    """A reason quotes the event. Cleaning the quotation would come too late: what it was cut from says what is secret."""
    condition = condition_of(
        "    s:\n        CommandLine|contains: hunter2\n        Image|endswith: /curl\n    condition: s"
    )
    raw: dict[str, Value] = {"CommandLine": "curl -u bob:hunter2", "Image": ("/opt/a", "/opt/curl")}
    clean: dict[str, Value] = {"CommandLine": "curl -u bob:[redacted]", "Image": ("/opt/a", "/opt/[redacted]")}
    said = condition.because(View(make_event(raw)), View(make_event(clean)))
    assert said == (
        's: CommandLine contains "hunter2" (got "curl -u bob:[redacted]") and '
        'Image ends with "/curl" (got "/opt/[redacted]")'
    )
    assert condition.because(View(make_event(raw)), View(make_event({}))) == (
        's: CommandLine contains "hunter2" and Image ends with "/curl"'
    )


def test_an_engine_says_only_clean_values() -> None:
    parsed = sound(rule_text("    s:\n        CommandLine|contains: curl\n    condition: s"))

    def redact(event: Event) -> Event:
        line = str(event.fields["CommandLine"]).replace("hunter2", "[redacted]")
        return replace(event, fields={"CommandLine": line})

    (anomaly,) = Engine(parsed, redact=redact).feed(make_event({"CommandLine": "curl -u bob:hunter2"}))
    assert anomaly.because == 's: CommandLine contains "curl" (got "curl -u bob:[redacted]")'
