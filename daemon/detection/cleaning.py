"""Events as they may be kept, cleaned when somebody asks: of thousands that a window sees, a few are ever shown.

`redact` may change fields and text. What it makes of a field may depend on the field alone, except in events that hold
an argument vector (`a0`, `a1` …), where one argument tells of the next.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

import msgspec

from daemon.detection.firing import evidence
from daemon.model import Event, Logsource, Value

_ARGUMENT = re.compile(r"a\d").match
_MOST_REMEMBERED = 512
"""Characters of values up to which what became of them is remembered."""
_LONGEST = 8192
"""Characters of text from which on an event is cut at once: what waits is bounded."""


def size_of(values: Iterable[Value]) -> int:
    """Of values, in characters; a number is taken for one."""
    return sum(
        [sum(map(len, one)) if isinstance(one, tuple) else len(one) if isinstance(one, str) else 1 for one in values]
    )


class Uncleaned(Event, frozen=True):
    """An event that waits to be cleaned. `cleaned` is empty, then holds what it became."""

    cleaned: list[Event] = msgspec.field(default_factory=list)


class Cleaner:
    """Cleans events by `redact` and cuts them to what may be kept (see `firing.evidence`)."""

    def __init__(self, redact: Callable[[Event], Event]) -> None:
        self.redact = redact
        self._last: Event | None = None
        self._asked: dict[tuple[str, ...], Event] = {}
        self._arguments = False
        self._values = lru_cache(maxsize=4096)(self._cleaned)

    def later(self, event: Event) -> Event:
        """The event, to be cleaned by `settle` before it is shown or stored."""
        if len(event.text) > _LONGEST or type(event) is not Event:
            return evidence(self.redact(event))
        return Uncleaned(
            event.id, event.at, event.host, event.source, event.logsource, event.fields, event.text, event.position, []
        )

    def settle(self, event: Event) -> Event:
        """The event as it may be kept."""
        if not isinstance(event, Uncleaned):
            return event
        if not event.cleaned:
            plain = Event(
                event.id, event.at, event.host, event.source, event.logsource, event.fields, event.text, event.position
            )
            event.cleaned.append(self._settled(plain))
        return event.cleaned[0]

    def _settled(self, event: Event) -> Event:
        try:
            return evidence(self.redact(event))
        except Exception:  # noqa: BLE001 - what cannot be cleaned is left out: one event must not keep the rest from being stored
            return evidence(msgspec.structs.replace(event, fields={}, text="(could not be redacted)"))

    def has_arguments(self, event: Event) -> bool:
        """Whether an event holds an argument vector, so that what becomes of a field depends on the others."""
        if event is not self._last:
            self._look_at(event)
        return self._arguments

    def _look_at(self, event: Event) -> None:
        self._last, self._asked = event, {}
        self._arguments = any(map(_ARGUMENT, event.fields))

    def fields_of(self, event: Event, names: Sequence[str]) -> Event:
        """The event with these fields alone, cleaned, and no text."""
        asked = tuple(names)
        if event is not self._last:
            self._look_at(event)
        known = self._asked.get(asked)
        if known is None:
            known = self._asked[asked] = self._fields_of(event, asked)
        return known

    def _fields_of(self, event: Event, asked: tuple[str, ...]) -> Event:
        values = tuple(map(event.fields.get, asked))
        if self._arguments:
            clean = self.redact(event).fields
            values = tuple(map(clean.get, asked))
        elif size_of(values) > _MOST_REMEMBERED:
            values = self._cleaned(asked, values)
        else:
            values = self._values(asked, values, tuple(map(type, values)))
        kept = {name: value for name, value in zip(asked, values, strict=True) if value is not None}
        return msgspec.structs.replace(event, fields=kept, text="")

    def _cleaned(
        self, names: tuple[str, ...], values: tuple[Value, ...], _kinds: tuple[type, ...] = ()
    ) -> tuple[Value, ...]:
        """By kind as well, for to a dictionary `True` is 1."""
        fields = {name: value for name, value in zip(names, values, strict=True) if value is not None}
        clean = self.redact(Event("", 0.0, "", "", Logsource(), fields, "")).fields
        return tuple(clean.get(name) for name in names)
