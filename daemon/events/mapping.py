"""A mapping from the configuration, laid over a record: our fields ← paths in the record."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from daemon.events.presets import Shaped
from daemon.model import Logsource, Value

_INT64 = (1 << 63) - 1


class FieldMapping(Struct, frozen=True):
    """Where our fields stand: paths (`event.user.name`, `items.0.id`), tried in their order. "" of a logsource's part
    leaves what a preset said of it.
    """

    product: str = ""
    category: str = ""
    service: str = ""
    time: tuple[str, ...] = ()
    host: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    fields: Mapping[str, tuple[str, ...]] = {}

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path that it names."""
        inner = [path for paths in self.fields.values() for path in paths]
        return tuple(dict.fromkeys([*self.time, *self.host, *self.severity, *inner]))


def lay_over(mapping: FieldMapping, record: Mapping[str, Any], shaped: Shaped) -> Shaped:
    """What a record says, with the mapping's names for it. A path that is not there maps nothing."""
    mapped = {name: _first(record, paths) for name, paths in mapping.fields.items()}
    fields = {**shaped.fields, **{name: value for name, value in mapped.items() if value is not None}}
    severity, host, time = (_first(record, paths) for paths in (mapping.severity, mapping.host, mapping.time))
    if severity is not None:
        fields["severity"] = str(severity).lower()
    source = shaped.logsource
    named = Logsource(
        mapping.product or source.product, mapping.category or source.category, mapping.service or source.service
    )
    return msgspec.structs.replace(
        shaped,
        logsource=named,
        fields=fields,
        host=str(host) if host is not None else shaped.host,
        time=time if time is not None else shaped.time,
    )


def _first(record: Mapping[str, Any], paths: tuple[str, ...]) -> Value:
    return next((found for found in (find_value(record, path) for path in paths) if found is not None), None)


def find_value(record: Any, path: str) -> Value:
    """What stands at a path; None where nothing does. Keys may have points in them (`proc.cmdline`)."""
    if not path:
        return _as_value(record)
    if isinstance(record, list):
        head, _, rest = path.partition(".")
        number = int(head) if head.isascii() and head.isdigit() and len(head) < 6 else len(record)  # noqa: PLR2004 - digits
        return find_value(record[number], rest) if number < len(record) else None
    if not isinstance(record, dict):
        return None
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        key = ".".join(parts[:length])
        if key in record:
            found = find_value(record[key], ".".join(parts[length:]))
            if found is not None:
                return found
    return None


def _as_value(found: Any) -> Value:
    if isinstance(found, list):
        return tuple(item if isinstance(item, str) else msgspec.json.encode(item).decode() for item in found)
    if isinstance(found, dict):
        return msgspec.json.encode(found).decode()
    if isinstance(found, int) and abs(found) > _INT64:
        return str(found)
    return found if isinstance(found, str | int | float | bool) else None
