"""Whom an anomaly is about: `field=value` pairs of its event, joined by `, `.

Two different sets of values never render the same: a value that could be mistaken for two is quoted, and one that is
too long keeps a hash of what was cut. So grouping by the rendered text never merges entities.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import TypeAlias

from daemon.detection.view import texts_of
from daemon.detection.wording import visible
from daemon.model import Event

_LONGEST = 200
_Rungs: TypeAlias = tuple[tuple[str, ...], ...]
_WHO: _Rungs = (("User", "host"),)
_BY_CATEGORY: dict[str, _Rungs] = {
    "process_creation": _WHO,
    "file_event": _WHO,
    "network_connection": _WHO,
    "evidence_loss": (("source", "why"),),
}
_BY_SERVICE: dict[str, _Rungs] = {
    "sshd": (("src_ip", "src_host"),),
    "vsftpd": (("src_ip", "src_host"),),
    "sudo": (("user",),),
    "su": (("user",),),
    "cron": (("user",),),
    "auth": (("src_ip", "src_host", "user"),),
    "auditd": (("User", "acct", "host"),),
    "syslog": (("program", "host"),),
}
_UNKNOWN: _Rungs = (("src_ip", "src_host"), ("user",), ("User",), ("host",))
"""Logs of a kind that we know nothing of (JSON of any program) name an actor like this, if at all."""
_TAGS = ("disk.mount", "net.interface", "gpu.index", "gpu.mig", "process.pid", "process.name")
"""Fields that name the measured thing; a sample carries those of one thing, perhaps with more text beside it."""


def field_text(event: Event, field: str) -> str | None:
    """The value of a field as text (several values joined by `,`), None when there is none.

    `host` and `source` mean the event's own where no field of that name exists.
    """
    values = texts_of(event.fields.get(field))
    if values:
        return ",".join(values)
    if field == "host":
        return event.host or None
    return (event.source or None) if field == "source" else None


def entity_of(event: Event, configured: Sequence[str] = ()) -> str:
    """The entity of an event: by the rule's own fields, else by what fits its logsource, else its host."""
    pairs = [(field, field_text(event, field)) for field in configured or default_fields(event)]
    known = [(field, value) for field, value in pairs if value is not None]
    return entity_text(known or [("host", event.host)])


def default_fields(event: Event) -> tuple[str, ...]:
    """The fields that name the entity of events of this logsource: the first choice of which the event has any."""
    source = event.logsource
    if source.category.endswith("_metrics"):
        known = [tag for tag in _TAGS if tag in event.fields]
        return tuple(known or sorted(name for name, value in event.fields.items() if isinstance(value, str)))
    rungs = _BY_CATEGORY.get(source.category.lower()) or _BY_SERVICE.get(source.service.lower()) or _UNKNOWN
    return next((rung for rung in rungs if any(field_text(event, name) is not None for name in rung)), rungs[-1])


def entity_text(pairs: Sequence[tuple[str, str]]) -> str:
    """The pairs as `field=value, field=value`."""
    return ", ".join(f"{visible(field)}={_value(value)}" for field, value in pairs)


def _value(value: str) -> str:
    text = visible(value.replace("\\", "\\\\"))
    if "\\" in text or '"' in text or "," in text or text != text.strip():
        text = '"' + text.replace('"', '\\"') + '"'
    if len(text) <= _LONGEST:
        return text
    return f"{text[: _LONGEST - 12]}…#{sha256(value.encode('utf-8', 'surrogatepass')).hexdigest()[:10]}"
