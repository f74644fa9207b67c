"""A log read twice: every event made, and only those in which a selector finds what a rule needs.

What rules find, what was lost and everything that is remembered must be the same.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from daemon.assembly import build_flow
from daemon.config import Config
from daemon.detection.routing import sees
from daemon.detection.rules import ParsedRules
from daemon.detection.view import View
from daemon.enrichment.redact import Redactor
from daemon.events import Output, Reader, Selector
from daemon.events.auditd_reader import AuditdReader
from daemon.events.processes import Process
from daemon.events.readers import build_reader
from daemon.flow import Flow, Outcome
from daemon.model import Anomaly, Checkpoint, Event, IncidentChange, Lines, Lost, Position, Snapshot
from daemon.selection import build_selectors

NOW = 1795260000.0  # 2026-11-21T11:20:00Z
USERS = {0: "root", 1000: "alice", 33: "www-data"}
SEEDED = (
    Process(300, "/usr/sbin/sshd", "sshd: alice [priv]", 1, "root"),
    Process(301, ("/bin/dash", "/bin/sh"), "sh -c 'é'", 300, "alice"),
)


@dataclass
class Reading:
    """What came of a log. `found` are (title of the rule, event) and losses in their order; `stored` what was handed out
    after each run of lines, `running` who is known at the end, the least recently used first.
    """

    found: list[tuple[str, Event] | Lost] = field(default_factory=list)
    stored: list[list[Snapshot]] = field(default_factory=list)
    running: list[object] = field(default_factory=list)
    unparsed: int = 0
    evictions: int = 0
    left_out: int = field(default=0, compare=False)


@dataclass
class Flown:
    """What came of a log in the whole of the pure half."""

    anomalies: list[Anomaly] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    changes: list[IncidentChange] = field(default_factory=list)
    stored: list[tuple[Snapshot, ...]] = field(default_factory=list)
    unparsed: Mapping[str, int] = field(default_factory=dict)
    evictions: Mapping[str, int] = field(default_factory=dict)
    left_out: int = field(default=0, compare=False)

    def note(self, outcome: Outcome) -> None:
        """One outcome more."""
        self.anomalies += outcome.anomalies
        self.lost += outcome.lost
        self.changes += outcome.changes


def runs_of(data: bytes, cuts: Iterable[int] = (), *, size: int = 0) -> Iterator[Lines]:
    """A log as a source hands it over, cut behind these lines (numbered from 1), or where `size` bytes are reached."""
    lines = [line + b"\n" for line in data.split(b"\n")[:-1]]
    edges = sorted({cut for cut in cuts if 0 < cut < len(lines)}) if not size else list(_edges(lines, size))
    offset = 0
    for start, end in zip([0, *edges], [*edges, len(lines)], strict=True):
        piece = b"".join(lines[start:end])
        at = Position("/var/log/x", "1:2:abc", offset)
        offset += len(piece)
        if piece:
            yield Lines("src", piece, at, Checkpoint("src", Position("/var/log/x", "1:2:abc", offset)))


def _edges(lines: Sequence[bytes], size: int) -> Iterator[int]:
    held = 0
    for number, line in enumerate(lines[:-1], 1):
        held += len(line)
        if held >= size:
            held = 0
            yield number


def make_reader(fmt: str, selectors: Mapping[str, Selector], *, live: bool = False, now: float = NOW) -> Reader:
    """A reader of a host with three users."""
    return build_reader(
        "src", fmt, host="vm", now=lambda: now, usernames=lambda uid: USERS.get(uid, ""),
        redact=lambda text: text.replace("DEAD", "***"), live=live, selectors=selectors,
    )  # fmt: skip


def all_events(fmt: str, data: bytes, *, live: bool = False) -> list[Event]:
    """Every event of a log."""
    reader = make_reader(fmt, {}, live=live)
    outputs = [output for lines in runs_of(data) for output in reader.feed(lines)]
    return [one for one in [*outputs, *reader.tick(math.inf)] if isinstance(one, Event)]


def read_both_ways(
    fmt: str, data: bytes, rules: ParsedRules, cuts: Sequence[int] = (), *, live: bool = False, seeded: bool = False
) -> tuple[Reading, Reading]:
    """With all events made, then with a selection: the reader alone."""
    chosen = build_selectors(rules)
    every, some = (make_reader(fmt, selectors, live=live) for selectors in ({}, chosen))
    return _read(every, data, rules, cuts, seeded=seeded), _read(some, data, rules, cuts, seeded=seeded)


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
        reading.running = list(reader.processes._rows.items())
    return reading


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


def flow_both_ways(
    fmt: str, data: bytes, rules: ParsedRules, selectors: Mapping[str, Selector], *, size: int, cuts: Sequence[int] = ()
) -> tuple[Flown, Flown]:
    """Without candidate selection anywhere, then with it: reader, rules and incidents."""
    config = Config(host="vm")
    without = config.model_copy(update={"rules": config.rules.model_copy(update={"prefilter": False})})
    return (
        _flown(_flow(without, fmt, rules, {}), data, size, cuts),
        _flown(_flow(config, fmt, rules, selectors), data, size, cuts),
    )


def _flow(config: Config, fmt: str, rules: ParsedRules, selectors: Mapping[str, Selector]) -> Flow:
    return build_flow(config, rules, {"src": make_reader(fmt, selectors)}, Redactor(()))


def _flown(flow: Flow, data: bytes, size: int, cuts: Sequence[int]) -> Flown:
    flown = Flown()
    for lines in runs_of(data, cuts, size=size):
        flown.note(flow.feed(lines))
        flown.stored.append(flow.changes())
    flown.note(flow.detect(flow.finish("src", math.inf)))
    flown.note(flow.advance(NOW + 86_400.0))
    flown.stored.append(flow.changes())
    tallies = flow.tallies()
    flown.unparsed, flown.evictions, flown.left_out = tallies.unparsed, tallies.evictions, tallies.left_out["src"]
    return flown
