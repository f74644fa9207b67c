"""One event in words for people: who did what to what, in Sigma's field names, with hostile text made inert."""

from collections.abc import Callable

from daemon.enrichment.plain import shown
from daemon.model import Event, Value
from daemon.model.gauge_names import ENDINGS

_MAX_TEXT = 600
_MAX_PART = 380
_MAX_FIELD = 200
_MAX_FIELDS = 16
_MAX_READINGS = 6
_MAX_WORDS = 3
_MILLION, _LARGEST = 1e6, 2.0**53
_KEY_FIELDS = (
    "User", "Image", "CommandLine", "ProcessId", "ParentImage", "ParentCommandLine", "CurrentDirectory",
    "TargetFilename", "DestinationIp", "DestinationPort", "DestinationHostname", "SourceIp", "SourcePort",
    "type", "SYSCALL", "exe", "comm", "name", "key", "auid", "uid", "euid", "pid", "ppid", "success", "res",
    "op", "acct", "addr", "unit", "USER", "COMMAND", "program", "source", "why", "count", "LogonId",
)  # fmt: skip


def say_event(event: Event) -> str:
    """What happened, without its time; at most 600 characters, one printable line."""
    category = event.logsource.category
    words = _SAYERS.get(category, _say_reading if category.endswith("_metrics") else _say_record)
    return shown(words(event) or _say_record(event), _MAX_TEXT)


def key_fields(event: Event) -> dict[str, str]:
    """The fields that identify what happened, as printable text; at most 16 of at most 200 characters each."""
    known = [name for name in _KEY_FIELDS if name in event.fields]
    others = [name for name in event.fields if name not in _KEY_FIELDS]
    chosen = {name: _said(event.fields[name], _MAX_FIELD) for name in [*known, *others][: _MAX_FIELDS * 4]}
    kept = [(shown(name, 64), value) for name, value in chosen.items() if value]
    return dict(kept[:_MAX_FIELDS])


def _said(value: Value | None, limit: int = _MAX_PART) -> str:
    if isinstance(value, tuple):
        return shown(", ".join(item[: limit + 1] for item in value[:32]), limit)
    if isinstance(value, float):
        return _number(value)
    return "" if value is None else shown(str(value), limit)


def _field(event: Event, *names: str) -> str:
    """The first of these fields that says something."""
    return next((said for name in names if (said := _said(event.fields.get(name)))), "")


def _by(event: Event) -> str:
    user = _field(event, "User", "user", "uid")
    return f" by {user}" if user else ""


def _with(event: Event) -> str:
    image = _field(event, "Image", "exe", "comm")
    return f" with {image}" if image else ""


def _say_process(event: Event) -> str:
    command = _field(event, "CommandLine", "Image", "exe")
    if not command:
        return ""
    parent = _field(event, "ParentImage", "ParentCommandLine")[:120]
    details = [f"parent {parent}"] if parent else []
    details += [f"pid {pid}" for pid in [_field(event, "ProcessId", "pid")] if pid]
    return f"execve{_by(event)}: {command}" + (f" ({', '.join(details)})" if details else "")


def _say_file(event: Event) -> str:
    target = _field(event, "TargetFilename", "name")
    return f"file written{_by(event)}{_with(event)}: {target}" if target else ""


def _say_connection(event: Event) -> str:
    address = _field(event, "DestinationIp", "DestinationHostname")
    port = _field(event, "DestinationPort")
    came = _field(event, "Initiated").lower() == "false"
    way = "accepted at" if came else "made to"
    place = f"[{address}]:{port}" if port and ":" in address else f"{address}:{port}" if port else address
    return f"connection {way} {place}{_by(event)}{_with(event)}" if address else ""


def _say_reading(event: Event) -> str:
    readings = [
        (name, value)
        for name, value in event.fields.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    tags = [f"{name} = {_said(value, 80)}" for name, value in event.fields.items() if isinstance(value, str)]
    first = sorted(readings[:_MAX_READINGS], key=lambda reading: reading[0].endswith(ENDINGS))
    said = [f"{name} = {_number(value)}" for name, value in first]
    words = [
        f"{name}: {_said(value[:_MAX_WORDS], _MAX_PART)}"
        for name, value in event.fields.items()
        if isinstance(value, tuple) and value
    ]
    return "; ".join([", ".join([*said, *tags[:4]]), *words])


def _number(value: float) -> str:
    """Six significant digits at most, whole numbers whole, and never an exponent that people have to read twice."""
    if isinstance(value, int) or (value.is_integer() and abs(value) < _LARGEST):
        return str(int(value))
    return f"{value:.0f}" if _MILLION <= abs(value) < _LARGEST else f"{value:.6g}"


def _say_lost(event: Event) -> str:
    count = _field(event, "count") or "an unknown number of"
    return f"{count} events of {_field(event, 'source') or event.source} lost: {_field(event, 'why')}"


def _say_record(event: Event) -> str:
    return event.text[: _MAX_TEXT + 1] or _field(event, "message", "msg") or "an event without text"


_SAYERS: dict[str, Callable[[Event], str]] = {
    "process_creation": _say_process,
    "file_event": _say_file,
    "network_connection": _say_connection,
    "evidence_loss": _say_lost,
}
