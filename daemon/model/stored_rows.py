"""Rows of JSON that a step stored, read back."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

from daemon.model.happenings import Snapshot

Row = TypeVar("Row")


def read_rows(snapshots: Iterable[Snapshot], step: str, kind: type[Row]) -> Iterator[tuple[str, Row]]:
    """(key, row) of what `step` stored; rows of other steps, those that are gone, and broken ones are left out."""
    decoder = msgspec.json.Decoder(kind)
    for snapshot in snapshots:
        if snapshot.step != step or snapshot.value is None:
            continue
        try:
            row = decoder.decode(snapshot.value)
        except msgspec.MsgspecError:
            continue
        yield snapshot.key, row
