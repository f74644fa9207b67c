"""Mappings that name nothing: paths that none of the records has that stand in the files now."""

import os
from collections.abc import Iterator
from typing import Any

import msgspec

from daemon.config import Config, FileSource, IntakeSource
from daemon.events.mapping import find_value
from daemon.inputs import shaping_of
from daemon.sources.discovery import find_paths

_LOOKED_AT = 262_144  # bytes at the end of a file: what is written today
_LEAST = 20
"""Records without a path until it is said: a few may be of the kind that lacks it."""


def unmapped(config: Config) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Where each such mapping stands in the configuration, and what was expected of it."""
    for index, source in enumerate(config.sources):
        if not isinstance(source, FileSource | IntakeSource) or source.mapping is None:
            continue
        place = ("sources", index, "mapping")
        if not source.mapping.model_fields_set:
            yield place, "expected a logsource, a time, a host or fields: this mapping names nothing"
        elif isinstance(source, FileSource):
            yield from ((place, said) for said in _of_file(source))


def _of_file(source: FileSource) -> Iterator[str]:
    records = [record for path in find_paths(source.path)[:1] for record in _records(path)]
    mapping = shaping_of(source).mapping
    if len(records) < _LEAST or mapping is None:
        return
    for path in mapping.paths:
        if all(find_value(record, path) is None for record in records):
            yield f"expected a path that records have (none of the last {len(records)} in {source.path} has {path})"


def _records(path: str) -> list[dict[str, Any]]:
    try:
        with open(path, "rb") as log:  # noqa: PTH123 - read from near its end
            log.seek(max(0, os.fstat(log.fileno()).st_size - _LOOKED_AT))
            lines = log.read(_LOOKED_AT).split(b"\n")
    except OSError:
        return []
    found = [_decoded(line) for line in lines]
    return [record for record in found if isinstance(record, dict)]


def _decoded(line: bytes) -> Any:
    try:
        return msgspec.json.decode(line)
    except (ValueError, RecursionError):
        return None
