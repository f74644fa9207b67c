"""`tellwhy replay`: the same pipeline over files, in event time."""

import heapq
import itertools
import math
import os
import socket
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from daemon.assembly import build_flow
from daemon.cli.failing import explain, refuse, write_out
from daemon.cli.printing import anomaly_json, incident_json
from daemon.cli.run import ConfigOption, chosen_config
from daemon.config import Config, default_config, load_config, read_rule_files
from daemon.detection.rules import ParsedRules, parse_rules
from daemon.enrichment.redact import Redactor
from daemon.events import Output, Reader
from daemon.events.readers import build_reader, detect_format
from daemon.flow import Flow, Outcome
from daemon.model import Incident, Lines, ProblemsError
from daemon.selection import build_selectors
from daemon.sources.files import DamagedFileError, read_lines

FOUND = 3
_SNIFF = 65536
_CHUNK = 1 << 18
_WORTH_SELECTING = 1 << 17  # bytes of logs from which on it pays to prepare for leaving out what no rule can match
_LATE = 60.0  # seconds of event time after the last event in which windows may still close


class Replay:
    """Files merged by event time through one flow.

    `problems` says what could not be read of which file; what was read of it, and all other files, count regardless.
    """

    def __init__(self, config: Config, rules: ParsedRules, files: list[Path], fmt: str, progress: Progress) -> None:
        redactor = Redactor(config.redaction.patterns)
        host = config.host or socket.gethostname()
        self._files = {f"file{number}": path for number, path in enumerate(files)}
        self._progress = progress
        size = sum(map(_size, files))
        self._task = progress.add_task("replay", total=size if math.isfinite(size) else None)
        selecting = config.rules.prefilter and size >= _WORTH_SELECTING
        selectors = build_selectors(rules, patient=True) if selecting else {}
        readers: dict[str, Reader] = {}
        self._formats: dict[str, str] = {}
        self.problems: list[Exception] = []
        self._content: dict[str, Iterator[Lines]] = {}
        for source, path in self._files.items():
            self._content[source] = read_lines(path, source, chunk=_CHUNK)
            chosen = self._formats[source] = fmt if fmt != "auto" else self._format_of(source)
            readers[source] = build_reader(
                source, chosen, host=host, now=_modified(path), usernames=_foreign_name, redact=redactor.text,
                zone=None, live=False, selectors=selectors,
            )  # fmt: skip
        self._flow: Flow = build_flow(config, rules, readers, redactor)
        self.incidents: dict[str, Incident] = {}

    def run(self) -> Iterator[Outcome]:
        """Everything found, in event time."""
        reached = -math.inf
        for output in heapq.merge(*map(self._outputs, self._files), key=lambda output: output.at):
            outcome = self._flow.detect([output])
            yield self._note(outcome)
            if output.at >= reached + 1.0:
                reached = output.at
                yield self._note(self._flow.advance(reached))
        reached = max(reached, self._flow.latest)  # of the last lines perhaps no event was made
        if math.isfinite(reached):
            yield self._note(self._flow.advance(reached + _LATE))
        self.problems += self._misread()

    def _misread(self) -> Iterator[Exception]:
        """The files of which not one line was understood: nothing found in them means nothing."""
        tallies = self._flow.tallies()
        for source, path in self._files.items():
            lines = tallies.unparsed[source]
            if lines and tallies.events.get(source) == lines and not tallies.left_out[source]:
                fmt = self._formats[source]
                yield ValueError(f"{path}: expected {fmt} lines (got {lines} that are none); say which with --format")

    def misunderstood(self) -> Iterator[str]:
        """How many lines of which file were not understood, where some were."""
        tallies = self._flow.tallies()
        for source, path in self._files.items():
            lines = tallies.unparsed[source]
            if lines and (tallies.events.get(source) != lines or tallies.left_out[source]):
                many = f"{lines} lines are" if lines > 1 else "1 line is"
                yield f"{path}: {many} no {self._formats[source]}; only the text of such lines was searched"

    def _outputs(self, source: str) -> Iterator[Output]:
        for item in self._lines(source):
            yield from self._flow.read(item)
            self._progress.advance(self._task, len(item.data))
        yield from self._flow.finish(source, math.inf)

    def _lines(self, source: str) -> Iterator[Lines]:
        try:
            yield from self._content[source]
        except DamagedFileError as error:
            self.problems.append(error)
        except OSError as error:  # a read, unlike an open, does not say of which file
            error.filename = error.filename or str(self._files[source])
            self.problems.append(error)

    def _format_of(self, source: str) -> str:
        """What the first lines are; they stay to be read, as a pipe gives them only once."""
        lines = self._content[source]
        try:
            head = next(lines, None)
        except DamagedFileError as error:  # not even one line
            self.problems.append(error)
            head = None
        if head is None:
            return "syslog"  # any reader finds nothing
        self._content[source] = itertools.chain((head,), lines)
        found = detect_format(head.data[: head.data.rfind(b"\n", 0, _SNIFF) + 1] or head.data)
        if not found:
            path = self._files[source]
            refuse(f"{path}: expected an audit log, a syslog file or JSON lines; say which with --format")
        return found

    def _note(self, outcome: Outcome) -> Outcome:
        for change in outcome.changes:
            self.incidents[change.incident.id] = change.incident
        return outcome


def _size(path: Path) -> float:
    """In bytes; infinite for a pipe, of which nobody knows how much will come."""
    return path.stat().st_size if path.is_file() else math.inf


def _modified(path: Path) -> "_At":
    return _At(path.stat().st_mtime)


class _At:
    """A clock that stands still: the year of RFC 3164 stamps comes from the file's modification time."""

    def __init__(self, at: float) -> None:
        self._at = at

    def __call__(self) -> float:
        return self._at


def _foreign_name(uid: int) -> str:
    """The log may be from another host: only root is root everywhere."""
    return "root" if uid == 0 else str(uid)


def _load(config: Path | None, rules: list[str]) -> tuple[Config, ParsedRules]:
    path = chosen_config(config)
    loaded = load_config(path) if path else default_config()
    files = read_rule_files(rules or loaded.rules.directories)
    parsed = parse_rules(files, loaded.rules.disabled, loaded.rules.placeholders)
    for problem in parsed.problems:
        typer.echo(str(problem), err=True)
    if not parsed.rules:
        refuse(f"expected Sigma rules in {', '.join(rules or loaded.rules.directories)} (got none that can be used)")
    return loaded, parsed


def _log_file(text: str) -> Path:
    path = Path("/dev/stdin" if text == "-" else text)
    if not path.exists():
        raise typer.BadParameter(f"expected a log file (got {text!r}, which does not exist)")
    if path.is_dir() or not os.access(path, os.R_OK):
        raise typer.BadParameter(f"expected a log file that we may read (got {text!r})")
    return path


def replay(
    files: Annotated[
        list[Path],
        typer.Argument(help="Log files; .gz is read too, and - is standard input.", parser=_log_file, metavar="FILES"),
    ],
    config: ConfigOption = None,
    fmt: Annotated[str, typer.Option("--format", help="auto, auditd, syslog or json.")] = "auto",
    rules: Annotated[
        list[str] | None, typer.Option("--rules", help="Rules to use instead of the configured; repeatable.")
    ] = None,
    incidents: Annotated[bool, typer.Option("--incidents", help="Print incidents instead of anomalies.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="No progress bar, no word of lines that nobody understood.")
    ] = False,
    prefilter: Annotated[
        bool, typer.Option(help="Leave out what no rule can match before it becomes an event: faster, same result.")
    ] = True,
) -> None:
    """Run the rules over files; one JSON object a line on stdout.

    Exit code 0 nothing found, 3 anomalies found, 2 bad input. A file that is damaged in the middle is bad input too;
    what was found in it, and in the other files, is printed first.
    """
    if fmt not in {"auto", "auditd", "syslog", "json"}:
        refuse(f"--format: expected auto, auditd, syslog or json (got {fmt!r})")
    try:
        loaded, parsed = _load(config, rules or [])
        if not prefilter:
            loaded = loaded.model_copy(update={"rules": loaded.rules.model_copy(update={"prefilter": False})})
        with _progress(quiet) as progress:
            played = Replay(loaded, parsed, files, fmt, progress)
            found = _print(played, as_incidents=incidents)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read us has seen enough
        raise typer.Exit from None
    except (ProblemsError, OSError, ValueError) as error:
        refuse(error)
    _say(played, quiet=quiet)
    raise typer.Exit(FOUND if found else 0)


def _say(played: Replay, *, quiet: bool) -> None:
    """What was not understood, and what could not be read, which is bad input."""
    for said in () if quiet else played.misunderstood():
        typer.echo(said, err=True)
    if played.problems:
        refuse("\n".join(map(explain, played.problems)))


def _print(played: Replay, *, as_incidents: bool) -> bool:
    found = False
    for outcome in played.run():
        for anomaly in outcome.anomalies:
            found = True
            if not as_incidents:
                _line(anomaly_json(anomaly))
    for incident in _by_time(played.incidents.values()) if as_incidents else ():
        _line(incident_json(incident))
    write_out(b"", flush=True)
    return found


def _line(text: bytes) -> None:
    write_out(text + b"\n")


def _by_time(incidents: Iterable[Incident]) -> list[Incident]:
    return sorted(incidents, key=lambda incident: (incident.opened_at, incident.id))


def _progress(quiet: bool) -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn(),
        console=console, disable=quiet or not console.is_terminal, transient=True,
    )  # fmt: skip
