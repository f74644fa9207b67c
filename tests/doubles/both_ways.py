"""A log read twice: every event made, and only those in which a selector finds what a rule needs.

What rules find, what was lost and everything that is remembered must be the same.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from daemon.detection.routing import sees
from daemon.detection.rules import ParsedRules
from daemon.detection.view import View
from daemon.events import Output, Reader, Selector
from daemon.events.auditd_reader import AuditdReader
from daemon.events.processes import Process, Processes
from daemon.events.readers import build_reader
from daemon.model import Checkpoint, Event, Lines, Lost, Position, Snapshot
from daemon.selection import build_selectors

NOW = 1795260000.0  # 2026-11-21T11:20:00Z
USERS = {0: "root", 1000: "alice", 33: "www-data"}
SEEDED = (Process(300, "/usr/sbin/sshd", "sshd: alice [priv]", 1, "root"), Process(301, ("/bin/dash", "/bin/sh"), "sh -c 'é'", 300, "alice"))


@dataclass
class Reading:
    """What came of a log. `found` are (title of the rule, event) and losses in their order; `stored` what was handed out
    after each run of lines, `kept` what is known at the end.
    """

    found: list[tuple[str, Event] | Lost] = field(default_factory=list)
    stored: list[list[Snapshot]] = field(default_factory=list)
    kept: object = None
    unparsed: int = 0
    evictions: int = 0
    left_out: int = 0


def runs_of(data: bytes, cuts: Iterable[int]) -> Iterator[Lines]:
    """The log as a source hands it over, cut behind these lines (numbered from 1)."""
    lines = data.splitlines(keepends=True) if b"\r" not in data and b"\x1c" not in data else None
    lines = [line + b"\n" for line in data.split(b"\n")[:-1]] if lines is None or b"\x0b" in data or b"\x0c" in data else lines
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < len(lines)}), len(lines)]
    offset = 0
    for start, end in zip(edges, edges[1:], strict=False):
        piece = b"".join(lines[start:end])
        if piece:
            position = Position("/var/log/x", "1:2:abc", offset)
            offset += len(piece)
            yield Lines("src", piece, position, Checkpoint("src", Position("/var/log/x", "1:2:abc", offset)))


def make_reader(fmt: str, selectors: Mapping[str, Selector], *, live: bool = False, now: float = NOW) -> Reader:
    """A reader of a host with three users."""
    return build_reader(
        "src", fmt, host="vm", now=lambda: now, usernames=lambda uid: USERS.get(uid, ""),
        redact=lambda text: text.replace("DEAD", "***"), live=live, selectors=selectors,
    )  # fmt: skip


def read_every_way(fmt: str, data: bytes, rules: ParsedRules, cuts: Sequence[int], *, live: bool = False, seeded: bool = False) -> tuple[Reading, Reading]:
    """With all events made, then with a selection."""
    selectors = build_selectors(rules)
    return (
        _read(make_reader(fmt, {}, live=live), data, rules, cuts, seeded=seeded),
        _read(make_reader(fmt, selectors, live=live), data, rules, cuts, seeded=seeded),
    )


def all_events(fmt: str, data: bytes, *, live: bool = False) -> list[Event]:
    """Every event of a log."""
    reader = make_reader(fmt, {}, live=live)
    outputs = [output for lines in runs_of(data, ()) for output in reader.feed(lines)]
    return [one for one in [*outputs, *reader.tick(math.inf)] if isinstance(one, Event)]


def _read(reader: Reader, data: bytes, rules: ParsedRules, cuts: Sequence[int], *, seeded: bool) -> Reading:
    reading = Reading()
    if seeded and isinstance(reader, AuditdReader):
        reader.seed(SEEDED)
    for number, lines in enumerate(runs_of(data, cuts)):
        reading.found += _matches(reader.feed(lines), rules)
        reading.found += _matches(reader.tick(NOW + number), rules) if number % 3 == 2 else []
        reading.stored.append(reader.changes())
    reading.found += _matches(reader.tick(math.inf), rules)
    reading.stored.append(reader.changes())
    reading.unparsed, reading.evictions, reading.left_out = reader.unparsed, reader.evictions, reader.left_out
    if isinstance(reader, AuditdReader):
        reading.kept = _known(reader.processes)
    return reading


def _known(processes: Processes) -> object:
    """Who is running, the least recently used first."""
    return list(processes._rows.items())


def _matches(outputs: Iterable[Output], rules: ParsedRules) -> Iterator[tuple[str, Event] | Lost]:
    """By plain evaluation of every rule on every event."""
    for output in outputs:
        if isinstance(output, Lost):
            yield output
            continue
        view = View(output)
        for rule in rules.rules:
            if rule.condition is not None and sees(rule.logsource, output.logsource) and rule.condition.test(view):
                yield rule.ref.title, output
