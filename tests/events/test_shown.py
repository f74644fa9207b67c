"""What `shown` says of a field must stand in the text, whatever the field's value, the part asked for and the way."""

import random  # noqa: TID251 - seeded logs
import re
from collections.abc import Iterator, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.detection.folding import fold
from daemon.detection.view import texts_of
from daemon.events.shown import (
    ACTIVITY,
    AUDIT_EXPRESSIONS,
    LONG,
    LONGEST_ORDINARY,
    SYSLOG_SPECIAL,
    WORD,
    audit_shows,
    show_records,
    syslog_shows,
)
from daemon.events.surely_syslog import odd_lines
from daemon.model import Event
from tests.doubles.any_audit import AnyAudit
from tests.doubles.any_syslog import AnySyslog
from tests.doubles.both_ways import all_events, make_reader, runs_of

ALL = frozenset({"", "process_creation", "file_event", "network_connection"})
KEY = re.compile(rb"(?:node=([^ ]+) )?type=[^ ]+ msg=audit\(([0-9.]+:[0-9]+)\)")


class Everything:
    """A selector that says yes to every text, and keeps them; or to none."""

    everything = False

    def __init__(self, categories: frozenset[str] = ALL, *, nothing: bool = False) -> None:
        self.texts: list[bytes] = []
        self._categories = categories
        self._nothing = nothing

    def find(self, text: bytes, ends: Sequence[int], numbers: Sequence[int]) -> Mapping[int, frozenset[str]]:
        """Every text, in its categories."""
        texts = dict.fromkeys(numbers, b"")
        for number, start, end in zip(numbers, (0, *ends), ends, strict=False):
            texts[number] += text[start:end]
        self.texts += texts.values()
        return {} if self._nothing else dict.fromkeys(numbers, self._categories)

    def lines(self, text: bytes) -> list[int]:
        """Not asked here."""
        raise AssertionError


def folded(text: bytes) -> str:
    return fold(text.decode("utf-8", "backslashreplace"))


def parts_of(rng: random.Random, value: str) -> Iterator[tuple[str, str]]:
    """(literal, way) for some parts of a value, as rules ask for them."""
    start, end = sorted((rng.randrange(len(value) + 1), rng.randrange(len(value) + 1)))
    found = (("is", value), ("contains", value[start:end]), ("starts", value[:end]), ("ends", value[start:]))
    return ((fold(literal), way) for way, literal in found if literal)


def stands(one: str, text: str) -> bool:
    """Whether it stands in the text; the names that are no literals are looked for as the prefilter does."""
    if one in AUDIT_EXPRESSIONS:
        return re.search(AUDIT_EXPRESSIONS[one].decode(), text) is not None
    if one.startswith(WORD):
        name = re.escape(one.removeprefix(WORD))
        return re.search(rf"(?s)[^a-z0-9_/.-]{name}[^a-z0-9_/-]", text) is not None
    return one in text


def whole_events(seed: int) -> Iterator[tuple[str, Event]]:
    """(text as it is looked through, event) of every event that was followed whole."""
    data = b"".join(line + b"\n" for line in AnyAudit(random.Random(seed)).lines(10))  # noqa: S311 - a seeded log
    selector = Everything()
    events, others = (events_of(data, one) for one in (selector, Everything(nothing=True)))
    texts: dict[str, str] = {}
    for text in selector.texts:
        key = KEY.match(text)
        node = ((key[1] if key else None) or b"").decode("utf-8", "backslashreplace")
        if key is not None:
            name = f"audit:{node}:{key[2].decode()}:" if node else f"audit:{key[2].decode()}:"
            texts[name] = texts.get(name, "") + folded(text)
    read = {event.id for event in others}
    for event in events:
        found = [text for start, text in texts.items() if event.id.startswith(start)]
        if found and event.id not in read:
            yield found[0], event


def events_of(data: bytes, selector: Everything) -> list[Event]:
    reader = make_reader("auditd", {"auditd": selector})
    return [one for lines in runs_of(data) for one in reader.feed(lines) if isinstance(one, Event)]


@given(st.integers(0, 100_000))
def test_every_part_of_every_field_of_an_audit_event_is_shown(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - seeded cuts
    for text, event in whole_events(seed):
        for field, value in ((field, value) for field, values in event.fields.items() for value in texts_of(values)):
            for literal, way in parts_of(rng, value):
                shown = audit_shows(field, literal, way)
                assert shown is None or any(stands(one, text) for one in shown), (field, way, literal, text)
            shown = audit_shows(field, str(len(value)), "long")
            assert shown is None or any(stands(one, text) for one in shown), (field, value)


@given(st.integers(0, 100_000))
def test_every_part_of_the_text_of_an_audit_event_is_shown(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - seeded cuts
    for text, event in whole_events(seed):
        field = ACTIVITY if event.logsource.category else None
        for literal, _ in (one for _ in range(8) for one in parts_of(rng, event.text)):
            shown = audit_shows(field, literal, "contains")
            assert shown is None or any(stands(one, text) for one in shown), (field, literal, text)


def test_there_are_whole_events_to_look_at() -> None:
    found = [event.logsource.category for seed in range(60) for _, event in whole_events(seed)]
    assert {category: found.count(category) > 20 for category in ALL - {"network_connection"}} == dict.fromkeys(
        ALL - {"network_connection"}, True
    )
    assert "network_connection" in found


@given(st.integers(0, 100_000), st.booleans())
def test_every_part_of_every_field_of_a_syslog_event_is_shown(seed: int, live: bool) -> None:
    rng = random.Random(seed)  # noqa: S311 - seeded cuts
    for line in AnySyslog(random.Random(seed)).lines(10):  # noqa: S311 - a seeded log
        text = folded(line + b"\n")
        if b"\n" in line or not line or list(odd_lines(line + b"\n")) or any(one in text for one in SYSLOG_SPECIAL):
            continue
        for event in all_events("syslog", line + b"\n", live=live):
            for field, value in [
                (None, event.text),
                *((field, one) for field, values in event.fields.items() for one in texts_of(values)),
            ]:
                for literal, way in parts_of(rng, value):
                    shown = syslog_shows(field, literal, way)
                    assert shown is None or any(stands(one, text) for one in shown), (field, way, literal, line)


def test_a_line_that_stands_for_others_or_holds_a_record_is_read_for_itself() -> None:
    for line in (
        b"Nov 21 09:30:00 h sshd[7]: message repeated 2 times: [ Failed password for x from 192.0.2.7 port 1 ssh2]",
        b"Nov 21 09:30:00 h last: message repeated 3 times",
        b"Nov 21 09:30:00 h kernel: audit: audit_lost=3 audit_rate_limit=0",
        b"Nov 21 09:30:00 h kernel: audit: type=1400 audit(1.1:1): apparmor=x",
        b"Nov 21 09:30:00 h audispd: type=EXECVE msg=audit(1.1:1): argc=1 a0=6C73",
    ):
        assert any(one in folded(line) for one in SYSLOG_SPECIAL)


@pytest.mark.parametrize(
    ("field", "literal", "way", "shown"),
    [
        ("Image", "/curl", "ends", {'/curl"'}), ("Image", "/bin/", "starts", {'"/bin/'}), ("Image", "/x", "is", {'"/x"'}),
        ("CommandLine", "a b", "contains", {"a b"}), ("Initiated", "true", "is", None), ("incomplete", "true", "is", None),
        ("ProcessId", "7", "is", {'pid="7"', "pid=7"}), ("nametype", "create", "is", {'nametype="create"', "nametype=create", 'objtype="create"', "objtype=create"}),
        ("res", "success", "is", {"success"}), ("a0", "x\ty", "is", {"x\ty"}), (None, "audit", "contains", None), (None, "msg=audit(17", "contains", None),
        (None, "=au", "contains", None), (None, "it(17", "contains", None), (None, "auditctl", "contains", {"auditctl"}), (None, "/audit/", "contains", {"/audit/"}),
        ("name", "64", "long", {LONG}), ("name", "63", "long", None), ("ParentImage", "900", "long", None), ("CommandLine", "900", "long", None),
        (ACTIVITY, 'commandline="cur', "contains", None), (ACTIVITY, '/curl" processid="3', "contains", {"/curl"}), (ACTIVITY, "/a /bcd", "contains", {"/bcd"}),
    ],
)  # fmt: skip
def test_audit_shows(field: str | None, literal: str, way: str, shown: set[str] | None) -> None:
    assert audit_shows(field, literal, way) == (None if shown is None else frozenset(shown))


@pytest.mark.parametrize(
    ("field", "literal", "way", "shown"),
    [
        ("result", "failure", "is", None), ("action", "nothing known", "is", None), ("action", "login", "contains", None), ("invalid_user", "true", "is", {"invalid user ", "illegal user "}),
        ("action", "sudo", "is", {" ; command="}), ("src_ip", "192.0.2.7", "is", {"192.0.2.7"}), (None, "failed", "contains", {"failed"}), ("Message", "64", "long", None),
        ("repeat", "3", "is", None), ("severity", "err", "is", None), ("user", "roo", "starts", {"roo"}), ("user", "root", "is", {WORD + "root"}),
    ],
)  # fmt: skip
def test_syslog_shows(field: str | None, literal: str, way: str, shown: set[str] | None) -> None:
    assert syslog_shows(field, literal, way) == (None if shown is None else frozenset(shown))


def test_records_are_shown_at_their_length() -> None:
    text = b'type=CWD msg=audit(1.1:7): cwd="/r"\x1dX=1\n'
    assert len(show_records(text)) == len(text)
    assert b'"/r" X=1' in show_records(text)


def test_what_is_ordinary_is_not_long() -> None:
    assert len("/usr/lib/x86_64-linux-gnu/libc.so.6") < LONGEST_ORDINARY
