"""What is selected: by which rules there is a selector, and which texts it names, in which categories."""

import json
import math
from typing import Any

import pytest

from daemon.detection import prefilter
from daemon.detection.rules import ParsedRules, parse_rules
from daemon.events.shown import show_records
from daemon.model import Event
from daemon.selection import build_selectors
from tests.doubles.both_ways import flow_both_ways, make_reader, read_both_ways, runs_of

AUDIT = {"product": "linux", "service": "auditd"}
STARTS = {"product": "linux", "category": "process_creation"}
FILES = {"product": "linux", "category": "file_event"}
CONNECTIONS = {"product": "linux", "category": "network_connection"}
LINES = {"product": "linux", "service": "auth"}


def rules_of(*searches: tuple[dict[str, str], Any], **more: Any) -> ParsedRules:
    """One rule for each (logsource, search)."""
    documents = [
        {
            "title": f"R{number}", "id": f"00000000-0000-4000-8000-{number:012}", "logsource": source,
            "detection": {"s": search, "condition": "s"}, "level": "low", **more,
        }
        for number, (source, search) in enumerate(searches)
    ]  # fmt: skip
    parsed = parse_rules({f"r{number}.yml": json.dumps(one) for number, one in enumerate(documents)})
    assert parsed.problems == ()
    return parsed


def call(
    serial: int, *parts: str, name: str = "execve", number: int = 59, exe: str = "/usr/bin/curl", title: bytes = b"curl",
    pid: int = 300, ppid: int = 200, user: str = "alice", comm: str = "curl", ms: int = 0, ok: str = "yes",
) -> list[str]:  # fmt: skip
    """The lines of one whole event, in the usual order."""
    stamp = f"msg=audit(1795252500.{ms or serial:03}:{serial})"
    items = sum(part.startswith("type=PATH") for part in parts)
    head = (
        f"type=SYSCALL {stamp}: arch=c000003e syscall={number} success={ok} exit=0 a0=ffffff9c a1=2 a2=241 a3=8 items={items} ppid={ppid} "
        f"pid={pid} auid=1000 uid=1000 gid=1000 euid=1000 suid=1000 fsuid=1000 egid=1000 sgid=1000 fsgid=1000 tty=pts0 "
        f'ses=7 comm="{comm}" exe="{exe}" key=(null)\x1dARCH=x86_64 SYSCALL={name} AUID="alice" UID="{user}" GID="x"'
    )
    return [
        head,
        *(part.replace("@", stamp, 1) for part in parts),
        f"type=PROCTITLE {stamp}: proctitle={title.hex().upper()}",
    ]


def start(serial: int, *arguments: str, **how: Any) -> list[str]:
    """A program's start; arguments as they stand in the record."""
    said = " ".join(f"a{number}={value}" for number, value in enumerate(arguments))
    parts = (
        f"type=EXECVE @: argc={len(arguments)} {said}",
        'type=CWD @: cwd="/home/alice"',
        f'type=PATH @: item=0 name="{how.get("exe", "/usr/bin/curl")}" inode=1 nametype=NORMAL',
    )
    return call(serial, *parts, **how)


def write(serial: int, path: str, **how: Any) -> list[str]:
    """A file is made."""
    part = f'type=PATH @: item=1 name="{path}" inode=1 mode=0100644 nametype=CREATE'
    return call(serial, 'type=CWD @: cwd="/home/alice"', part, name="openat", number=257, **how)


FIRST = [*start(1, '"curl"'), *start(2, '"bash"', exe="/bin/bash", pid=400)]


def log(*events: list[str]) -> bytes:
    """A log in which these events are followed whole."""
    return "".join(f"{line}\n" for event in (FIRST, *events) for line in event).encode("utf-8", "surrogateescape")


def found(data: bytes, rules: ParsedRules) -> tuple[list[str], int]:
    """The titles of the rules that match, the same with a selection as without, and how many events were left out."""
    every, some = read_both_ways("auditd", data, rules)
    assert some == every
    return [one[0] for one in some.found if isinstance(one, tuple)], some.left_out


def test_there_is_a_selector_for_audit_logs_and_for_syslog_and_for_no_other_format() -> None:
    selectors = build_selectors(rules_of((STARTS, {"Image|endswith": "/curl"}), (LINES, ["stopping"])))
    assert sorted(selectors) == ["auditd", "syslog"]
    assert not any(one.everything for one in selectors.values())


def test_a_log_of_one_format_makes_no_selector_of_another() -> None:
    rules = rules_of((STARTS, {"Image|endswith": "/curl"}), (LINES, ["stopping"]))
    for fmt, made in (("auditd", ["auditd"]), ("syslog", ["syslog"]), ("json", []), ("auto", ["auditd", "syslog"])):
        selectors = build_selectors(rules)
        make_reader(fmt, selectors)
        assert sorted(selectors._made) == made  # type: ignore[attr-defined]
    assert (len(selectors), "auditd" in selectors, "json" in selectors) == (2, True, False)


def test_with_patience_all_is_let_through_until_enough_was_seen() -> None:
    rules = rules_of((STARTS, {"CommandLine|contains": "nowhere"}), (FILES, {"TargetFilename": "/x"}))
    selector = build_selectors(rules, patient=True)["auditd"]
    if selector.everything:
        pytest.skip("needs an engine that finds literals")
    text = b"nothing of interest\n"
    assert selector.find(text, [8, len(text)], [4, 7]) == dict.fromkeys(
        (4, 7), frozenset({"process_creation", "file_event"})
    )
    selector.find(text * 4000, [len(text) * 4000], [0])
    assert selector.find(text, [8, len(text)], [4, 7]) == {}


def test_a_rule_that_needs_nothing_makes_everything_a_candidate() -> None:
    rules = rules_of((STARTS, {"Image|endswith": "/curl"}), (STARTS, {"ParentImage": None}))
    assert build_selectors(rules)["auditd"].everything
    assert not build_selectors(rules)["syslog"].everything


def test_a_rule_that_wants_to_see_every_event_is_a_reason_to_have_no_selector() -> None:
    sustain = {"sustain": {"for": "1m", "resolve_after": "1m"}}
    rules = rules_of((STARTS, {"Image|endswith": "/curl"}), tellwhy=sustain)
    assert "auditd" not in build_selectors(rules)


def test_rules_of_other_logsources_are_not_looked_for() -> None:
    selectors = build_selectors(rules_of(({"product": "windows", "category": "process_creation"}, {"Image": "x"})))
    assert not any(one.everything for one in selectors.values())
    assert selectors["auditd"].find(b'"x" exe="x"', [11], [0]) == {}


def test_texts_are_named_with_the_categories_of_the_rules() -> None:
    rules = rules_of(
        (STARTS, {"Image|endswith": "/curl"}), (AUDIT, {"exe|endswith": "/curl"}), (FILES, {"TargetFilename": "/x"})
    )
    texts = (b'exe="/usr/bin/curl"\n', b'name="/x"\n', b"nothing\n")
    ends = [len(b"".join(texts[: number + 1])) for number in range(3)]
    selector = build_selectors(rules)["auditd"]
    if selector.everything:
        pytest.skip("needs an engine that finds literals")
    assert selector.find(show_records(b"".join(texts)), ends, range(len(ends))) == {
        0: {"process_creation", ""},
        1: {"file_event"},
    }


@pytest.mark.parametrize(
    ("logsource", "search", "event"),
    [
        pytest.param(STARTS, {"CommandLine|contains": "e b"}, start(9, '"one"', '"bee"'), id="two arguments"),
        pytest.param(STARTS, {"CommandLine|contains": "é ü"}, start(9, "C3A9", "C3BC"), id="hex"),
        pytest.param(STARTS, {"CommandLine|contains": "É"}, start(9, "C3A9"), id="case that is not ASCII"),
        pytest.param(STARTS, {"CommandLine|contains": "audit(17"}, start(9, '"msg=audit(17"'), id="the mark of a head"),
        pytest.param(STARTS, {"CommandLine|contains": "udit("}, start(9, "6D73673D617564697428"), id="the mark in hex"),
        pytest.param(STARTS, {"CommandLine|contains": "x\x1dy"}, start(9, "781D79"), id="a separator in an argument"),
        pytest.param(STARTS, ['CommandLine="cur'], start(9, '"curl"'), id="a keyword across a name and a value"),
        pytest.param(STARTS, ["ParentProcessId"], start(9, '"curl"'), id="a keyword that is a name"),
        pytest.param(STARTS, ['/curl" ProcessId="3'], start(9, '"curl"'), id="a keyword across two values"),
        pytest.param(STARTS, ["/bin/dash /bin/sh"], [line.replace('name="/bin/dash"', 'name="/bin/sh"') for line in start(9, '"sh"', exe="/bin/dash")], id="a keyword across two images"),
        pytest.param(STARTS, {"Image": "/bin/sh"}, [line.replace('name="/bin/dash"', 'name="../../bin/sh"') for line in start(9, '"sh"', exe="/bin/dash")], id="as called, relative"),
        pytest.param(STARTS, {"ParentCommandLine": "bash"}, start(9, '"id"', ppid=400), id="a parent"),
        pytest.param(STARTS, {"ParentImage|endswith": "/bash"}, start(9, '"id"', ppid=400), id="the image of a parent"),
        pytest.param(STARTS, {"ParentUser": "alice", "User": "root"}, start(9, '"id"', ppid=400, user="root"), id="its user"),
        pytest.param(STARTS, {"User": "alice"}, start(9, '"id"', user="unknown(1000)"), id="a user that auditd did not know"),
        pytest.param(STARTS, {"User": "alice"}, [line.partition("\x1d")[0] for line in start(9, '"id"')], id="a user that is looked up"),
        pytest.param(STARTS, {"Image|re": "^.{70,}$"}, start(9, '"x"', exe="/" + "x" * 80), id="a long image"),
        pytest.param(FILES, {"TargetFilename": "/home/x"}, write(9, "../x"), id="a relative path"),
        pytest.param(FILES, {"TargetFilename|endswith": "/a/c"}, write(9, "/a/./b/..//c"), id="a path with dots"),
        pytest.param(FILES, {"CommandLine|contains": "x\x1dy"}, write(9, "/a", title=b"x\x1dy"), id="a separator in a title"),
        pytest.param(FILES, {"CommandLine|contains": "x\ty"}, write(9, "/a", title=b"x\ty"), id="a control in a title"),
        pytest.param(FILES, {"CommandLine|re": "b+.{0,3}x[\x1d]y"}, write(9, "/a", title=b"bx\x1dy"), id="a separator in an expression"),
        pytest.param(FILES, {"TargetFilename|re": "^/.{69,}$"}, write(9, "x" * 70), id="a long path"),
        pytest.param(FILES, {"nametype": "create"}, [line.replace("nametype", "objtype") for line in write(9, "/a")], id="objtype"),
        pytest.param(AUDIT, ["msg=audit(1795252500.0"], write(9, "/a"), id="a keyword in a head"),
        pytest.param(AUDIT, {"|re": r"=a[a-z]+\(179"}, write(9, "/a"), id="an expression in a head"),
        pytest.param(AUDIT, {"SYSCALL": "openat"}, [line.partition("\x1d")[0] for line in write(9, "/a")], id="a call named by number"),
        pytest.param(AUDIT, {"type": "path", "name": "/a"}, write(9, "/a"), id="a record's own field"),
        pytest.param(AUDIT, {"type": "SYSCALL", "Image": "/usr/bin/curl", "ProcessId": 300}, write(9, "/a"), id="who made the call"),
    ],
)  # fmt: skip
def test_nothing_is_missed(logsource: dict[str, str], search: Any, event: list[str]) -> None:
    never = (STARTS, {"CommandLine": "it is nowhere"})
    titles, _ = found(log(event), rules_of((logsource, search), never))
    assert "R0" in titles


def test_a_separator_in_what_is_remembered_of_a_parent() -> None:
    parent = start(8, "781D79", pid=500)
    titles, _ = found(
        log(parent, start(9, '"id"', ppid=500)), rules_of((STARTS, {"ParentCommandLine|contains": "x\x1dy"}))
    )
    assert titles == ["R0"]


def test_a_separator_in_the_path_of_a_socket() -> None:
    event = call(9, "type=SOCKADDR @: saddr=0100611D6200", name="connect", number=42)
    titles, _ = found(log(event), rules_of((AUDIT, {"path|contains": "a\x1db"})))
    assert titles == ["R0"]


def test_a_long_image_of_a_parent_with_blanks_in_it() -> None:
    image = "/" + "a b" * 30
    parent = [
        line.replace('exe="/x"', f"exe={image.encode().hex().upper()}") for line in start(8, '"p"', exe="/x", pid=500)
    ]
    titles, _ = found(log(parent, start(9, '"id"', ppid=500)), rules_of((STARTS, {"ParentImage|re": "^.{90,}$"})))
    assert titles == ["R0"]


@pytest.mark.parametrize("name", ["?", "(none)", "unknown(1000)"])
def test_a_user_without_a_name_is_looked_up(name: str) -> None:
    events = (start(8, '"p"', pid=500, user=name), start(9, '"id"', ppid=500))
    titles, _ = found(log(*events), rules_of((STARTS, {"ParentUser": "alice", "CommandLine": "id"})))
    assert titles == ["R0"]


def test_what_no_rule_can_match_is_left_out() -> None:
    _, left = found(log(start(9, '"a"'), write(10, "/a")), rules_of((STARTS, {"CommandLine|contains": "nowhere"})))
    assert left == 3


def test_only_events_of_the_categories_are_made() -> None:
    rules = rules_of((FILES, {"TargetFilename": "/made"}))
    data = log(write(9, "/made"), write(10, "/other"))
    reader = make_reader("auditd", build_selectors(rules))
    outputs = [one for lines in runs_of(data) for one in reader.feed(lines)] + reader.tick(math.inf)
    made = [
        one.fields["TargetFilename"]
        for one in outputs
        if isinstance(one, Event) and one.logsource.category == "file_event"
    ]
    assert "/other" not in made
    assert "/made" in made
    assert not any(":9:syscall" in one.id for one in outputs if isinstance(one, Event))


def test_from_reader_to_incident_all_is_the_same() -> None:
    rules = rules_of(
        (STARTS, {"CommandLine|contains": "evil"}), (FILES, {"TargetFilename|endswith": "/authorized_keys"})
    )
    events = [
        start(serial, '"curl"', f'"evil{serial % 3}"') if serial % 2 else write(serial, "/root/.ssh/authorized_keys")
        for serial in range(3, 40)
    ]
    for size in (0, 300, 1):
        every, some = flow_both_ways("auditd", log(*events), rules, build_selectors(rules), size=size)
        assert some == every
        assert len(some.anomalies) == 37


def test_a_line_that_is_no_record_has_the_time_of_the_event_before_it() -> None:
    """Also of one that was left out, in the same run and in the run before."""
    data = log(start(9, '"a"'), ["rubbish one"], start(10, '"b"'), start(11, '"c"'), ["rubbish two"])
    for cuts in ((), (14,), (18, 28)):
        every, some = read_both_ways("auditd", data, rules_of((AUDIT, ["rubbish"])), cuts)
        assert some == every
        assert [one[1].at for one in some.found if isinstance(one, tuple)] == [1795252500.009, 1795252500.011]


def test_a_record_that_stands_twice_in_an_event_is_one_event() -> None:
    event = write(9, "/made")
    rules = rules_of((AUDIT, {"type": "PATH", "name": "/made"}), (FILES, {"TargetFilename": "/made"}))
    titles, _ = found(log([*event[:-1], event[-2], event[-1]]), rules)
    assert titles == ["R0", "R1"]


@pytest.mark.parametrize("last", ["no stamp", "2099-11-23T23:59:00Z vm app: ahead of its time, no stamp"])
@pytest.mark.parametrize("cuts", [(), (1,), (2,), (3,), (4,)])
def test_a_line_without_a_stamp_has_the_time_of_the_line_before_it(last: str, cuts: tuple[int, ...]) -> None:
    lines = (
        "Nov 21 09:00:01 vm app: no stamp",
        "Nov 21 09:00:05 vm app: x",
        "Nov 21 09:00:09 vm app: y",
        "2099-11-24T09:00:00Z vm app: z",
        last,
    )
    data = "".join(f"{line}\n" for line in lines).encode()
    every, some = read_both_ways(
        "syslog", data, rules_of((LINES, ["no stamp"]), ({"product": "linux"}, ["no stamp"])), cuts, live=True
    )
    assert some == every
    assert [one[1].at for one in some.found if isinstance(one, tuple)] == [1795251601.0, 1795251609.0]


def test_an_expression_over_characters_that_are_not_ascii_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine looks for the ASCII part of an expression: of other text what it says counts for nothing."""
    monkeypatch.setattr(prefilter, "telling", lambda alternative, *_: list(alternative))
    rules = rules_of((STARTS, {"CommandLine|re": "curl .*x[a-zé]+yy[0-9]z"}))
    titles, _ = found(log(start(9, "6375726C2078C3A9797931" + "7A")), rules)
    assert titles == ["R0"]
    titles, _ = found(log(start(9, '"curl"', '"xayy1z"')), rules)
    assert titles == ["R0"]


def test_what_was_found_before_the_clauses_were_chosen_anew_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = rules_of(
        (STARTS, {"CommandLine|contains|all": ["alpha", "beta"]}), (FILES, {"TargetFilename|contains": "gamma"})
    )
    monkeypatch.setattr(prefilter, "_SAMPLE", 100)
    monkeypatch.setattr(prefilter, "telling", lambda alternative, *_: sorted(alternative, key=sorted))
    selector = build_selectors(rules)["auditd"]
    if selector.everything:
        pytest.skip("needs an engine that finds literals")
    assert [selector.find(text, [len(text)], [0]) for text in (b"alpha", b"beta")] == [{}, {}]
    monkeypatch.setattr(prefilter, "telling", lambda alternative, *_: sorted(alternative, key=sorted)[:1])
    long = b"gamma".ljust(200)
    assert selector.find(long, [len(long)], [0]) == {0: {"file_event"}}
