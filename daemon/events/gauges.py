"""Readings and losses as events, so that rules for them are written in the same language as rules for logs."""

import math
import zlib
from collections.abc import Mapping

from daemon.events.line_events import same_host
from daemon.model import Event, Logsource, Lost, Sample, Value


def sample_event(sample: Sample, host: str, derived: Mapping[str, float] | None = None) -> Event:
    """One event per sample: `logsource.category` is the sample's, fields are its tags, its finite values and its
    context. The text has no context, so that no keyword finds what a process calls itself. What was `derived` of the
    values stands in fields alone, too.
    """
    values = {name: value for name, value in sample.values.items() if math.isfinite(value)}
    readings: dict[str, Value] = {**sample.tags, **values}
    tags = ",".join(f"{name}={sample.tags[name]}" for name in sorted(sample.tags))
    text = " ".join(f"{name}={value}" for name, value in readings.items())
    return Event(
        f"{sample.source}:{sample.category}:{sample.at:.6f}:{tags}",
        sample.at,
        host,
        sample.source,
        Logsource(category=sample.category),
        {**sample.context, **(derived or {}), **readings},
        text,
    )


def lost_event(lost: Lost, host: str) -> Event:
    """Loss is data: category `evidence_loss` with `source`, `why`, `count` (absent where unknown) and `detail`.

    It happened on the node that the loss names, which may be another than `host`, ours.
    """
    fields: dict[str, Value] = {"source": lost.source, "why": lost.why}
    if lost.count is not None:
        fields["count"] = lost.count
    if lost.detail:
        fields["detail"] = lost.detail
    text = " ".join(f"{name}={value}" for name, value in fields.items())
    named = host if same_host(lost.host, host) else lost.host
    whose = "" if named == host else f":{named}"
    identity = f"lost:{lost.source}:{lost.why}:{lost.at:.6f}:{zlib.crc32(text.encode()):08x}{whose}"
    return Event(identity, lost.at, named, lost.source, Logsource(category="evidence_loss"), fields, text)
