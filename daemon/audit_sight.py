"""Whether lost audit records would be seen on this host: three signals, each from a source that must be there.

    numbers of events (audit log) · records that events lack (audit log) · what the kernel says (its log, the journal)

A backlog that is full leaves no other trace than the kernel's own words, and an audit log without PROCTITLE none of
events that were cut short: such a blind spot is said here, with what mends it, rather than found out afterwards.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath

from daemon.api.audit import AuditStatus, Blind
from daemon.config import Config, FileSource, JournalSource
from daemon.events import Sight
from daemon.telemetry import Board, Health, HealthState, Metrics

_NONE = Sight()
_KERNEL_LOGS = ("kern", "messages", "syslog", "dmesg")
"""How the files begin in which distributions keep what the kernel says."""
_ADD_AUDIT = "add {type: file, name: audit, path: /var/log/audit/audit.log, format: auditd} to sources"
_ADD_KERNEL = (
    "add the log of the kernel to sources: {type: file, name: kernel, path: /var/log/kern.log} "
    "(/var/log/messages on Red Hat), or {type: journal}"
)


def find_blind_spots(config: Config, states: Mapping[str, Health], sights: Mapping[str, Sight]) -> tuple[Blind, ...]:
    """The signals that nobody would see. `states` and `sights` are by name of the source; one without a state is taken
    for well, one without a sight has been read by nobody yet.
    """
    return (*_of_the_audit_log(config, states, sights), *_of_the_kernel(config, states, sights))


def audit_status(config: Config, board: Board, metrics: Metrics, sights: Mapping[str, Sight]) -> AuditStatus:
    """What was lost since the process began, and how much of a loss would be seen."""
    rows = {row.component.removeprefix("source:"): row for row in board.rows() if row.component.startswith("source:")}
    missing = find_blind_spots(config, rows, sights)
    lost = _lost(metrics)
    return AuditStatus(
        gap_events=lost.get("audit_gap", 0),
        incomplete=lost.get("audit_incomplete", 0),
        # the same records are told by the kernel, and by who sets its count back
        kernel_lost=max(lost.get("audit_backlog", 0), lost.get("audit_lost_reset", 0)),
        detection="full"
        if not missing
        else "none"
        if {"gaps", "kernel"} <= {one.signal for one in missing}
        else "partial",
        missing=missing,
    )


def has_audit_log(config: Config, sights: Mapping[str, Sight]) -> bool:
    """Whether an audit log is among the sources."""
    return any(isinstance(one, FileSource) and _is_audit(one, sights) for one in config.sources)


def _lost(metrics: Metrics) -> dict[str, int]:
    found: dict[str, int] = {}
    for family in metrics.lost.collect():
        for sample in family.samples:
            if sample.name.endswith("_total"):
                found[sample.labels["why"]] = found.get(sample.labels["why"], 0) + int(sample.value)
    return found


def _of_the_audit_log(config: Config, states: Mapping[str, Health], sights: Mapping[str, Sight]) -> Iterator[Blind]:
    logs = [one.name for one in config.sources if isinstance(one, FileSource) and _is_audit(one, sights)]
    if not logs:
        yield Blind("gaps", "no audit log is among the sources", _ADD_AUDIT)
        yield Blind("incomplete", "no audit log is among the sources", _ADD_AUDIT)
        return
    ill = _ill(logs, states)
    if ill is not None and not _any_well(logs, states):
        yield Blind("gaps", ill, "tellwhy doctor")
        yield Blind("incomplete", ill, "tellwhy doctor")
        return
    if any(sights.get(name, _NONE).crowded for name in logs):
        why = "more hosts write into the audit log than can be followed: what some of them lose is not seen"
        yield Blind("gaps", why, "collect them into several logs, or run tellwhy on the hosts")
    absent = sorted({kind for name in logs for kind in sights.get(name, _NONE).absent})
    if absent:
        why = f"the audit log has no {' and no '.join(absent)} records, so nobody sees when they are lost"
        yield Blind(
            "incomplete", why, "take the exclude rule for them out of the audit rules (auditctl -l | grep exclude)"
        )


def _of_the_kernel(config: Config, states: Mapping[str, Health], sights: Mapping[str, Sight]) -> Iterator[Blind]:
    logs = [one.name for one in config.sources if _hears_the_kernel(one, sights)]
    ill = _ill(logs, states)
    if not logs:
        yield Blind(
            "kernel", "no log of the kernel is among the sources: what a full backlog takes is not seen", _ADD_KERNEL
        )
    elif ill is not None and not _any_well(logs, states):
        yield Blind("kernel", ill, "tellwhy doctor")


def _is_audit(source: FileSource, sights: Mapping[str, Sight]) -> bool:
    named = source.format == "auto" and "audit" in PurePath(source.path).name
    return source.format == "auditd" or named or sights.get(source.name, _NONE).records


def _hears_the_kernel(source: object, sights: Mapping[str, Sight]) -> bool:
    if isinstance(source, JournalSource):
        return not source.units and all("_TRANSPORT=kernel" in one or one == "+" for one in source.matches)
    if not isinstance(source, FileSource) or source.format not in {"auto", "syslog"}:
        return False
    return sights.get(source.name, _NONE).kernel or PurePath(source.path).name.startswith(_KERNEL_LOGS)


def _any_well(names: Iterable[str], states: Mapping[str, Health]) -> bool:
    return any(name not in states or states[name].state is HealthState.ok for name in names)


def _ill(names: Iterable[str], states: Mapping[str, Health]) -> str | None:
    """Why the first of these that is not well is not."""
    rows = [states[name] for name in names if name in states and states[name].state is not HealthState.ok]
    return (rows[0].detail or f"{rows[0].component} is {rows[0].state.value}") if rows else None
