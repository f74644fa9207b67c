"""Incident → numbered evidence. First what we computed (so that nobody has to calculate), then what happened.

At most 20 items of at most 600 characters. Of more events the first and the latest are kept: how it began, and how
it stands. Expects a redacted incident; makes its text inert.
"""

from collections.abc import Iterator

from daemon.enrichment.attack_words import technique_id
from daemon.enrichment.event_words import key_fields, say_event
from daemon.enrichment.plain import cut, iso, shown
from daemon.model import Event, Evidence, Incident

MAX_ITEMS = 20
MAX_TEXT = 600
_FIRST = 5
"""Items of the beginning that are kept when there are too many."""
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def collect_evidence(incident: Incident) -> tuple[Evidence, ...]:
    """`E1` holds the computed facts, `E2` … the distinct events in the order of time."""
    told = list(_told(incident))
    kept = told if len(told) < MAX_ITEMS else [*told[:_FIRST], *told[_FIRST + 1 - MAX_ITEMS :]]
    items = [_facts(incident, shown_events=len(kept), all_events=len(told))]
    for number, (event, text, times, last) in enumerate(kept, 2):
        again = f" (seen {times} times, last at {iso(last)})" if times > 1 else ""
        said = f"{iso(event.at)} {text}"
        items.append(
            Evidence(
                f"E{number}",
                event.at,
                shown(event.source, 200),
                cut(said, MAX_TEXT - len(again)) + again,
                key_fields(event),
                event.position,
            )
        )
    return tuple(items)


def left_out(incident: Incident) -> tuple[int, int]:
    """(distinct events shown, distinct events kept with the incident)."""
    number = sum(1 for _ in _told(incident))
    return min(number, MAX_ITEMS - 1), number


def _told(incident: Incident) -> Iterator[tuple[Event, str, int, float]]:
    """Each distinct event, its words, how often those words occur, and when last."""
    events = {event.id: event for anomaly in incident.anomalies for event in anomaly.events}
    told: dict[str, tuple[Event, str, int, float]] = {}
    for event in sorted(events.values(), key=lambda event: event.at):
        text = say_event(event)
        first, _, times, _ = told.get(text, (event, text, 0, event.at))
        told[text] = (first, text, times + 1, event.at)
    yield from told.values()


def _facts(incident: Incident, *, shown_events: int, all_events: int) -> Evidence:
    duration = max(incident.last_at - incident.opened_at, 0.0)
    techniques = ", ".join(filter(None, map(technique_id, incident.rule.techniques[:8])))
    fields = {
        "rule": shown(incident.rule.title, 160),
        "host": shown(incident.host, 100),
        "source": shown(incident.source, 100),
        "entity": shown(incident.entity, 200),
        "count": str(incident.count),
        "first_seen": iso(incident.opened_at),
        "last_seen": iso(incident.last_at),
        "duration": spoken_duration(duration),
        "rate": spoken_rate(incident.count, duration),
        "techniques": techniques,
    }
    about = f" about {fields['entity']}" if fields["entity"] else ""
    text = (
        f"{spoken_count(incident.count)} of “{fields['rule']}”{about} on {fields['host']}; "
        f"first seen {fields['first_seen']}, last seen {fields['last_seen']}"
    )
    text += f", over {fields['duration']}" if duration else ""
    text += f", {fields['rate']}" if fields["rate"] else ""
    text += f"; ATT&CK {techniques}" if techniques else ""
    if shown_events < all_events:
        text += f"; {shown_events} of {all_events} distinct events are shown"
    text += f"; because {shown(incident.because, MAX_TEXT)}" if incident.because else ""
    kept = {name: value for name, value in fields.items() if value}
    return Evidence("E1", incident.last_at, "tellwhy", cut(text, MAX_TEXT), kept)


def spoken_count(count: int) -> str:
    """`1 anomaly`, `42 anomalies`."""
    return f"{count} anomal{'y' if count == 1 else 'ies'}"


def spoken_duration(seconds: float) -> str:
    """Whole seconds, and the same in larger units where that helps: `7260 s (2 h 1 min)`."""
    if not 0 <= seconds < 1e12:  # noqa: PLR2004 - longer than any clock that works
        return "an unknown time"
    whole = int(seconds)
    days, hours, minutes = whole // _DAY, whole % _DAY // _HOUR, whole % _HOUR // _MINUTE
    units = [(days, "d"), (hours, "h"), (minutes, "min")]
    large = " ".join(f"{number} {unit}" for number, unit in units if number)
    return f"{whole} s ({large})" if large else f"{whole} s"


def spoken_rate(count: int, seconds: float) -> str:
    """How often, in the unit that gives a number people can read; empty when there is no time to divide by."""
    if count < 2 or not 0 < seconds < 1e12:  # noqa: PLR2004 - one event has no rate; same bound as above
        return ""
    unit, length = next((u for u in (("minute", _MINUTE), ("hour", _HOUR)) if count * u[1] >= seconds), ("day", _DAY))
    return f"{count * length / seconds:.1f} per {unit}"
