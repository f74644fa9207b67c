"""Readings and losses as events, so that rules for them are written in the same language as rules for logs."""

import math
import zlib

from daemon.model import Event, Logsource, Lost, Sample, Value


def sample_event(sample: Sample, host: str) -> Event:
    """One event per sample: `logsource.category` is the sample's, fields are its tags and its finite values."""
    values = {name: value for name, value in sample.values.items() if math.isfinite(value)}
    fields: dict[str, Value] = {**sample.tags, **values}
    tags = ",".join(f"{name}={sample.tags[name]}" for name in sorted(sample.tags))
    text = " ".join(f"{name}={value}" for name, value in fields.items())
    return Event(
        f"{sample.source}:{sample.category}:{sample.at:.6f}:{tags}",
        sample.at,
        host,
        sample.source,
        Logsource(category=sample.category),
        fields,
        text,
    )


def lost_event(lost: Lost, host: str) -> Event:
    """Loss is data: category `evidence_loss` with `source`, `why`, `count` (absent where unknown) and `detail`."""
    fields: dict[str, Value] = {"source": lost.source, "why": lost.why}
    if lost.count is not None:
        fields["count"] = lost.count
    if lost.detail:
        fields["detail"] = lost.detail
    text = " ".join(f"{name}={value}" for name, value in fields.items())
    identity = f"lost:{lost.source}:{lost.why}:{lost.at:.6f}:{zlib.crc32(text.encode()):08x}"
    return Event(identity, lost.at, host, lost.source, Logsource(category="evidence_loss"), fields, text)
