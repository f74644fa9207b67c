"""One JSON object per line → fields: nested keys joined by dots; time and logsource from the record if it has them.

Records that are already in Sigma's names (Sysmon for Linux as JSON, other agents) get the category that their keys
show: `CommandLine` and `Image` are a process start. A `logsource` object, or `category`, `service` and `product` keys,
decide for themselves. Records of other tools are known by their shape (`presets`), or by what the configuration says of
them (`mapping`). Bounded: bytes of a line, depth, number of fields; what is over a bound is not understood.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from daemon.events.journal import said_by_program
from daemon.events.mapping import FieldMapping, lay_over
from daemon.events.presets import Shaped, recognise, shape_record
from daemon.events.stamps import EARLIEST, LATEST, Stamps
from daemon.model import Logsource, Value

_MAX_BYTES = 1 << 20
_MAX_DEPTH = 32
_MAX_FIELDS = 2048
_TIME_KEYS = ("@timestamp", "time", "timestamp", "ts", "EventTime", "UtcTime", "__REALTIME_TIMESTAMP")
_HOST_KEYS = ("host", "hostname", "host.name", "_HOSTNAME", "Computer", "Hostname")
_LIFTED = ("Event.EventData.", "EventData.", "winlog.event_data.")
"""Where Sysmon's own fields lie in the JSON that collectors make of its XML: they are given without it, too."""
_CATEGORY_KEYS = (
    ("process_creation", ("CommandLine", "Image")),
    ("network_connection", ("DestinationIp",)),
    ("file_event", ("TargetFilename",)),
)
_AUDIT_STAMP = "audit("
_UNITS = (1.0, 1e3, 1e6, 1e9)  # of a second; between 1980 and 2100 no two can be mistaken for each other
_INT64 = (1 << 63) - 1  # neither SQLite nor msgpack takes more


class Parsed(Struct, frozen=True):
    """A line understood. `at` is None where the record has no time that we know, `host` "" where it has none.

    `times` is how many messages it stands for: see `unfold`. `key` names the record as its sender does, "" if it does
    not.
    """

    fields: dict[str, Value]
    logsource: Logsource
    at: float | None
    host: str
    text: str
    times: int = 1
    key: str = ""


class Shaping(Struct, frozen=True):
    """What records are: of the tool of a preset (`auto`: by their shape; `generic`: of none), and a mapping."""

    preset: str = "auto"
    mapping: FieldMapping | None = None


_AUTO = Shaping()


def parse_json_line(line: bytes, stamps: Stamps) -> Parsed | None:
    """The fields of one object of no other tool; None for anything else (no JSON, no object, over a bound)."""
    found = parse_json_records(line, stamps, Shaping("generic"))
    return found[0] if found else None


def parse_json_records(line: bytes, stamps: Stamps, shaping: Shaping = _AUTO) -> list[Parsed]:
    """The events in one object; none for anything else (no JSON, no object, over a bound, not of the preset)."""
    record = _decoded(line) if len(line) <= _MAX_BYTES else None
    return parse_record(record, stamps, shaping) if isinstance(record, dict) else []


def parse_record(record: Mapping[str, Any], stamps: Stamps, shaping: Shaping = _AUTO) -> list[Parsed]:
    """The same of an object that was decoded already."""
    preset = recognise(record) if shaping.preset == "auto" else shaping.preset
    # who fills a record of a known tool with more than we keep must not hide the rest of it
    fields = _fields(record, cut=preset not in {"", "generic"})
    if fields is None:
        return []
    if preset not in {"", "generic"}:
        shaped = shape_record(preset, record, fields)
        return [_of_shape(one, record, stamps, shaping.mapping) for one in shaped]
    generic = _generic(record, fields, stamps)
    if shaping.mapping is None:
        return [generic]
    shape = Shaped(generic.logsource, generic.fields, None, generic.host)
    mapped = _of_shape(shape, record, stamps, shaping.mapping)
    return [msgspec.structs.replace(mapped, at=generic.at if mapped.at is None else mapped.at, times=generic.times)]


def _of_shape(shape: Shaped, record: Mapping[str, Any], stamps: Stamps, mapping: FieldMapping | None) -> Parsed:
    one = shape if mapping is None else lay_over(mapping, record, shape)
    return Parsed(one.fields, one.logsource, _epoch(one.time, stamps), one.host, _text(one.fields), key=one.key)


def _generic(record: Mapping[str, Any], fields: dict[str, Value], stamps: Stamps) -> Parsed:
    said = said_by_program(record, fields)
    times = 1
    if said is not None:
        times, fields = said.times, said.fields
    host = next((str(fields[key]) for key in _HOST_KEYS if isinstance(fields.get(key), str)), "")
    logsource = _logsource(fields, said.service if said else "")
    return Parsed(fields, logsource, _time(fields, stamps), host, _text(fields), times)


def _text(fields: Mapping[str, Value]) -> str:
    return " ".join(f"{key}={_shown(value)}" for key, value in fields.items())


def _decoded(line: bytes) -> Any:
    try:
        return msgspec.json.decode(line)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        pass
    # one stray byte, or half of a surrogate pair, must not hide all the rest from the rules
    try:
        lenient = json.loads(line.decode("utf-8", "replace"))
        return msgspec.json.decode(json.dumps(lenient, ensure_ascii=False).encode("utf-8", "replace"))
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None


def _fields(record: Mapping[str, Any], *, cut: bool) -> dict[str, Value] | None:
    """The fields of a record; of one over a bound those that fit, if it may be `cut`, else None."""
    fields: dict[str, Value] = {}
    for key, value in _flat(record, "", 0):
        if len(fields) >= _MAX_FIELDS or key is None:
            if not cut:
                return None
            fields["fields_cut"] = "true"
            if key is None:
                continue
            break
        fields[key] = value
        for prefix in _LIFTED:
            if key.startswith(prefix):
                fields.setdefault(key.removeprefix(prefix), value)
    return fields


def _flat(value: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str | None, Value]]:
    """Pairs of dotted key and value; a key of None says that the record is too deep."""
    if depth > _MAX_DEPTH:
        yield None, None
        return
    for key, inner in value.items():
        name = f"{prefix}{key}"
        if isinstance(inner, dict):
            yield from _flat(inner, f"{name}.", depth + 1)
        elif isinstance(inner, list):
            yield name, tuple(_item(item) for item in inner)
        elif isinstance(inner, int) and abs(inner) > _INT64:
            yield name, str(inner)
        else:
            yield name, inner


def _item(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _shown(value: Value) -> str:
    if isinstance(value, tuple):
        return " ".join(value)
    return "null" if value is None else str(value)


def _logsource(fields: Mapping[str, Value], program_service: str) -> Logsource:
    product, category, service = (_said(fields, key) for key in ("product", "category", "service"))
    if not category and not service:
        category = next((name for name, keys in _CATEGORY_KEYS if all(key in fields for key in keys)), "")
    if not category and not service and str(fields.get("msg", "")).startswith(_AUDIT_STAMP) and "type" in fields:
        service = "auditd"
    if not category and not service:
        service = program_service
    return Logsource(product or "linux", category, service)


def _said(fields: Mapping[str, Value], key: str) -> str:
    for name in (f"logsource.{key}", key):
        value = fields.get(name)
        if isinstance(value, str):
            return value
    return ""


def _time(fields: Mapping[str, Value], stamps: Stamps) -> float | None:
    for key in _TIME_KEYS:
        at = _epoch(fields.get(key), stamps)
        if at is not None:
            return at
    message = str(fields.get("msg", ""))
    if message.startswith(_AUDIT_STAMP):
        return _epoch(message.removeprefix(_AUDIT_STAMP).partition(":")[0], stamps)
    return None


def _epoch(value: Value, stamps: Stamps) -> float | None:
    """Seconds, milliseconds, microseconds or nanoseconds since 1970 by magnitude, as number or text; or ISO 8601.

    None for anything else: `"time": 12.5` is how long something took.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return _iso(str(value), stamps)
    at = next((number / unit for unit in _UNITS if EARLIEST <= number / unit < LATEST), None)
    return None if at is None else stamps.believed(at)


def _iso(text: str, stamps: Stamps) -> float | None:
    try:
        return stamps.iso(text)
    except (ValueError, OverflowError, OSError):
        return None
