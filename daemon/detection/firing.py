"""How an anomaly comes out of a rule: its id, and the bounded copies of events that are kept as evidence."""

from collections.abc import Callable, Collection, Sequence
from hashlib import sha256

from msgspec.structs import replace

from daemon.detection.relevance import most_relevant_first
from daemon.detection.wording import shorten
from daemon.model import Anomaly, Event, RuleRef, Value

_TEXT = 2048
_FIELD = 1024
_FIELDS = 64
_LARGEST = 2**63 - 1


def build_anomaly(rule: RuleRef, entity: str, because: str, events: Sequence[Event], *, ends: bool = False) -> Anomaly:
    """The anomaly that the newest of `events` completes. Its id is made of rule, host, entity and events alone."""
    last = events[-1]
    parts = [rule.id, last.host, entity, "ends" if ends else "", *(event.id for event in events)]
    digest = sha256("\x1f".join(part.replace("\x1f", "\x1f\x1f") for part in parts).encode("utf-8", "surrogatepass"))
    return Anomaly(
        id=f"an_{digest.hexdigest()[:32]}",
        rule=rule,
        at=last.at,
        host=last.host,
        source=last.source,
        entity=entity,
        because=because,
        events=tuple(events),
        ends=ends,
    )


def evidence(event: Event, reads: Collection[str] = ()) -> Event:
    """A copy that windows and incidents can afford to keep and that survives storage: text, fields and lists of fields
    are cut to a bound, lone surrogates and integers beyond 64 bits become text. Of a reading of gauges that fields
    come first which a rule `reads`, and what explains them.

    Redact before: a secret that was cut in two is not recognised any more.
    """
    ordered = event.fields
    if reads and event.logsource.category.endswith("_metrics"):
        ordered = most_relevant_first(event.fields, reads)
    fields = {_clean(name): _cut(value) for name, value in list(ordered.items())[:_FIELDS]}
    return replace(
        event,
        id=_clean(event.id),
        host=_clean(event.host),
        source=_clean(event.source),
        text=shorten(_clean(event.text), _TEXT),
        fields=fields,
    )


def kept_words(because: str, event: Event, redact: Callable[[Event], Event]) -> str:
    """A reason as `redact` leaves it. It may quote the event, so it is cleaned as that event's text, while the fields
    still tell which of its arguments are secret.
    """
    return redact(replace(event, text=because)).text


def _clean(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def _cut(value: Value) -> Value:
    if isinstance(value, tuple):
        return tuple(shorten(_clean(one), _FIELD // 8) for one in value[:8])
    if isinstance(value, str):
        return shorten(_clean(value), _FIELD)
    return str(value) if isinstance(value, int) and abs(value) > _LARGEST else value
