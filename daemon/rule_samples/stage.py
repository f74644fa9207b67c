"""One sample played through the flow, on a clock of its own."""

import math
import re
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime

from daemon.config import Incidents as IncidentsConfig
from daemon.detection.baseline import Baselines, derived_reads
from daemon.detection.engine import Engine
from daemon.detection.incidents import Incidents
from daemon.detection.rules import ParsedRules
from daemon.enrichment.redact import Redactor
from daemon.events import Reader
from daemon.events.readers import build_reader
from daemon.flow import Flow, Outcome
from daemon.model import Checkpoint, Lines, Lost, Position, Sample
from daemon.rule_samples.reading import Step

START = datetime(2026, 11, 21, 9, 20, tzinfo=UTC).timestamp()
"""When every sample begins."""
FORMATS = ("auditd", "syslog", "json")
HOST = "web-1"
"""The name of the host on which samples play."""
_FIRST_SERIAL = 1000
_PLACEHOLDER = re.compile(r"\$(?:\{(AUDIT|SYSLOG|ISO|GS)\}|(AUDIT|SYSLOG|ISO|GS))")


class Stage:
    """One flow with a clock of its own, and readers of these formats of lines."""

    def __init__(self, parsed: ParsedRules, formats: Collection[str] = FORMATS) -> None:
        self._now = START
        self._serial = _FIRST_SERIAL
        self._offset = 0
        self._lines = 0
        redactor, settings = Redactor(), IncidentsConfig()
        engine = Engine(parsed, redact=redactor.event)
        incidents = Incidents(
            quiet_after=settings.quiet_after, repeat_every=settings.repeat_every, max_tracked=settings.max_tracked,
            sustained=engine.sustained,
        )  # fmt: skip
        self._readers: dict[str, Reader] = {
            fmt: build_reader(
                fmt, fmt, host=HOST, now=lambda: self._now, usernames=lambda uid: "root" if uid == 0 else "",
                redact=redactor.text, live=False,
            )
            for fmt in FORMATS
            if fmt in formats
        }  # fmt: skip
        self._flow = Flow(
            self._readers, engine, incidents, redact=redactor.anomaly, host=HOST,
            baselines=Baselines(derived_reads(parsed)),
        )  # fmt: skip

    def play(self, steps: Iterable[Step]) -> Iterator[Outcome]:
        """What each item and the passing of time cause."""
        for step in steps:
            yield from self._wait(step.after)
            for number in range(step.repeat):
                yield from self._wait(step.every if number else 0.0)
                yield self._flow.feed(self._item(step))
        for source in self._readers:
            yield self._flow.detect(self._flow.finish(source, math.inf))

    @property
    def understood(self) -> tuple[int, int]:
        """How many lines were read, and how many of them a reader knew how to read."""
        return self._lines, self._lines - sum(self._flow.tallies().unparsed.values())

    def _wait(self, seconds: float) -> Iterator[Outcome]:
        """Let time pass; the ticks on the way close what waits for its last record, as they do live."""
        until = self._now + seconds
        for at in (self._now, self._now + 3.0, until) if self._readers else (until,):
            if seconds and at <= until:
                self._now = at
                yield self._flow.tick(at)
        self._now = until

    def _item(self, step: Step) -> Lines | Sample | Lost:
        if step.format == "sample":
            part = step.sample
            values = {name: float(value) for name, value in part["values"].items()}
            return Sample("sample", part["category"], self._now, part.get("tags", {}), values)
        if step.format == "lost":
            part = step.lost
            return Lost(part["source"], part["why"], part.get("count"), self._now, part.get("detail", ""))
        data = self._filled(step.lines).rstrip("\n").encode("utf-8", "surrogatepass") + b"\n"
        position = Position("sample", step.format, self._offset)
        self._offset += len(data)
        self._lines += len([line for line in data.split(b"\n") if line.strip()])
        return Lines(step.format, data, position, Checkpoint(step.format, Position("sample", "", self._offset)))

    def _filled(self, lines: str) -> str:
        moment = datetime.fromtimestamp(self._now, UTC)
        values = {
            "AUDIT": f"audit({self._now:.3f}:{self._serial})",
            "SYSLOG": moment.strftime("%b %e %H:%M:%S"),
            "ISO": moment.isoformat(timespec="milliseconds"),
            "GS": "\x1d",
        }
        self._serial += "AUDIT" in {name for pair in _PLACEHOLDER.findall(lines) for name in pair}
        return _PLACEHOLDER.sub(lambda match: values[match[1] or match[2]], lines)
