"""Take records out of a log: what is reported as missing is what was taken, and nothing of an intact log is.

What can be counted (`daemon.events.losses`): of events that are gone altogether, those between the first and the last
number of a boot that are left; of events of which something is left, the records that the rest says should be there.
"""

import random  # noqa: TID251 - seeded choices
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.events import Reader, Selector
from daemon.events.auditd import parse_record
from daemon.events.readers import build_reader
from daemon.model import Lost, Position
from tests.doubles.both_ways import runs_of
from tests.doubles.whole_audit import Written, whole_logs

OF_CALLS = {"SYSCALL", "PROCTITLE", "PATH", "CWD", "EXECVE", "SOCKADDR"}
MOST = 15  # sixteen of a kind in a row would be a rule that excludes it


class Nobody(Selector):
    """No rule can match anything: every event that stands whole in a run of lines is followed, and not made."""

    everything = False

    def find(self, text: bytes, ends: Sequence[int], numbers: Sequence[int]) -> Mapping[int, Container[str]]:
        """Nothing."""
        del text, ends, numbers
        return {}

    def lines(self, text: bytes) -> list[int]:
        """None."""
        del text
        return []


def reader(*, selecting: bool) -> Reader:
    return build_reader(
        "src", "auditd", host="vm", now=lambda: 0.0, usernames=str, redact=str,
        selectors={"auditd": Nobody()} if selecting else {},
    )  # fmt: skip


def lost_in(
    texts: Iterable[str], cuts: Sequence[int] = (), restarts: Container[int] = (), *, selecting: bool
) -> list[Lost]:
    """What a reader reports, that reads the log in pieces and is replaced by another one at some of them."""
    data = "".join(text + "\n" for text in texts).encode("utf-8", "surrogateescape")
    one = reader(selecting=selecting)
    found = []
    stored = {}
    for number, lines in enumerate(runs_of(data, cuts)):
        found += one.feed(lines)
        for row in one.changes():
            stored[row.step, row.key] = row
        if number in restarts:
            one = reader(selecting=selecting)
            one.restore(stored.values())
    found += one.tick(float("inf"))
    return [output for output in found if isinstance(output, Lost)]


def counted(lost: Iterable[Lost], why: str) -> Counter[str]:
    """By host."""
    found: Counter[str] = Counter()
    for one in lost:
        if one.why == why:
            assert one.count is not None
            found[one.host] += one.count
    return +found


def gaps(left: Sequence[Written]) -> Counter[str]:
    """The events between the first and the last number of each boot of which nothing is left."""
    boots: dict[tuple[str, int], list[int]] = defaultdict(list)
    for line in left:
        if line.serial is not None and line.serial not in boots[line.node, line.boot]:
            boots[line.node, line.boot].append(line.serial)
    found: Counter[str] = Counter()
    for (node, _), serials in boots.items():
        steps = [(serial - serials[0] + 2**16) % 2**32 for serial in serials]  # counted from the first, over the wrap
        found[node] += max(steps) - min(steps) + 1 - len(steps)
    return +found


def torn_records(lines: Sequence[Written], gone: Container[int]) -> Counter[str]:
    """The records that the rest of their events says should be there."""
    left: dict[object, list[Written]] = defaultdict(list)
    taken: dict[object, list[Written]] = defaultdict(list)
    for number, line in enumerate(lines):
        (taken if number in gone else left)[line.node, line.boot, line.serial].append(line)
    found: Counter[str] = Counter()
    for key, rest in left.items():
        kinds = {line.kind for line in rest}
        called = {line.text.partition(" syscall=")[2].partition(" ")[0] for line in rest if line.kind == "SYSCALL"}
        for line in taken.get(key, ()) if kinds & OF_CALLS else ():
            by_call = line.kind in {"PATH", "EXECVE"} and called
            by_name = line.kind == "SOCKADDR" and called & {"42", "49"}
            by_path = line.kind == "CWD" and any(
                one.kind == "PATH" and ' name="/' not in one.text and "name=(null)" not in one.text for one in rest
            )
            found[line.node] += bool(by_call or by_name or by_path or line.kind in {"SYSCALL", "PROCTITLE"})
    return +found


@settings(max_examples=120, deadline=None)
@given(log=whole_logs(), data=st.data())
def test_what_is_taken_out_is_what_is_reported(log: tuple[list[Written], int], data: st.DataObject) -> None:
    lines, known = log
    later = range(known, len(lines))
    by_event = defaultdict(list)
    for number in later:
        by_event[lines[number].node, lines[number].boot, lines[number].serial].append(number)
    records = st.sets(st.sampled_from(later), max_size=min(MOST, len(later)))
    events = st.sets(st.sampled_from(sorted(by_event, key=str)), max_size=4)
    gone = data.draw(records) | {number for key in data.draw(events) for number in by_event[key]}
    gone = {number for number in gone if lines[number].serial is not None}
    left = [line for number, line in enumerate(lines) if number not in gone]
    cuts = data.draw(st.lists(st.integers(0, len(left)), max_size=5))
    restarts = data.draw(st.sets(st.integers(0, 5)))

    lost = lost_in((line.text for line in left), cuts, restarts, selecting=False)
    selected = lost_in((line.text for line in left), cuts, restarts, selecting=True)

    assert counted(lost, "audit_gap") == gaps(left)
    assert counted(lost, "audit_incomplete") == torn_records(lines, gone)
    boots = {(line.node, line.boot) for line in lines} - {
        (line.node, line.boot) for line in left if line.serial is not None
    }
    whys = {one.why for one in lost} - {"audit_gap", "audit_incomplete"}
    assert whys <= ({"auditd_killed"} if boots else set())  # where nothing of a boot is left, nothing tells of it
    assert sorted(selected, key=str) == sorted(lost, key=str)


REAL = ("auditd-3.0.9/run1", "splunk-attack_data/T1068_linux_dirtyfrag_dirty_frag_lpe_attack_data.log")


def real_lines(path: Path) -> list[Written]:
    """A real log, oldest file first, from its second event on (the first may be cut by a rotation)."""
    files = sorted(path.iterdir(), reverse=True) if path.is_dir() else [path]
    found = []
    for text in b"".join(file.read_bytes() for file in files).decode("utf-8", "surrogateescape").split("\n"):
        record = parse_record(text.encode("utf-8", "surrogateescape"), Position("", "", 0))
        if record is not None:
            serial = None if record.kind.startswith("DAEMON_") else record.serial
            found.append(Written(text, record.node, 0, serial, record.kind, record.at))
    first = next(line.serial for line in found if line.serial is not None)
    return [line for line in found if line.serial != first]


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("most", [1, MOST])
def test_taken_out_of_a_real_log(name: str, most: int, shared_data: Path) -> None:
    """Half of the log stays, so that it is known what it has; out of the other half records and events are taken."""
    lines = real_lines(shared_data / name)
    before = lost_in((line.text for line in lines), selecting=False)
    assert counted(before, "audit_incomplete") == Counter()
    later = [number for number, line in enumerate(lines) if number > len(lines) // 2 and line.serial is not None]
    for seed in range(60):
        rng = random.Random(seed)  # noqa: S311 - seeded choices
        gone = set(rng.sample(later, rng.randint(1, min(most, len(later)))))
        serials = {lines[number].serial for number in rng.sample(later, rng.randint(0, 2))}
        gone |= {number for number in later if lines[number].serial in serials}
        left = [line for number, line in enumerate(lines) if number not in gone]

        lost = lost_in((line.text for line in left), selecting=bool(seed % 2))

        assert counted(lost, "audit_gap") == gaps(left), seed
        assert counted(lost, "audit_incomplete") == torn_records(lines, gone), seed
