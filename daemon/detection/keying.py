"""What events are grouped by and what they count as: read from the cleaned event, once for all who ask for the same."""

from typing import TypeAlias

from msgspec import Struct

from daemon.detection.cleaning import Cleaner, size_of
from daemon.detection.entity import field_text
from daemon.detection.keyed import key_of
from daemon.detection.measures import read_number
from daemon.detection.rules_correlation import MEASURES, Correlation
from daemon.detection.view import texts_of
from daemon.model import Event

Group: TypeAlias = tuple[tuple[str, str | None], ...]
"""The fields of a group by the names in `group-by`; events without one of them are a group of their own."""

_MOST_REMEMBERED = 256
_LONGEST = 512
"""Characters of values up to which what was read of them is remembered."""


class Read(Struct, frozen=True):
    """The group of an event, its key, and what the event counts as: None where it does not count by its fields."""

    group: Group
    key: str
    value: str | None


class Asked(Struct, frozen=True):
    """What one input of a correlation is asked for: group-by names with the fields that they mean, and what it counts
    as: the values of `counted`, or, if `measured`, the number in it.
    """

    pairs: tuple[tuple[str, str], ...]
    counted: tuple[str, ...]
    measured: bool


class Keying:
    """Reads events for one `asked`. Remembers what it read of the last few values."""

    def __init__(self, asked: Asked, cleaner: Cleaner) -> None:
        self._asked = asked
        self._cleaner = cleaner
        self._fields = tuple(dict.fromkeys((*(field for _, field in asked.pairs), *asked.counted)))
        self._of_event = not {"host", "source"}.isdisjoint(self._fields)
        self._only = self._fields[0] if len(self._fields) == 1 and not self._of_event else ""
        self._known: dict[object, Read] = {}

    def read(self, event: Event) -> Read:
        """What this event is to a correlation."""
        if self._cleaner.has_arguments(event):
            return self._read(event)
        value = event.fields.get(self._only) if self._only else None
        seen = value if type(value) is str else self._seen(event)
        known = self._known.get(seen)
        if known is None:
            known = self._read(event)
            if self._length(event) <= _LONGEST:
                if len(self._known) >= _MOST_REMEMBERED:
                    self._known.clear()
                self._known[seen] = known
        return known

    def _seen(self, event: Event) -> tuple[object, ...]:
        """All that decides what is read. By kind as well, for to a dictionary `True` is 1."""
        values = tuple(map(event.fields.get, self._fields))
        kinds = tuple(map(type, values))
        return (values, kinds, event.host, event.source) if self._of_event else (values, kinds)

    def _length(self, event: Event) -> int:
        """Of the values, in characters."""
        return size_of(map(event.fields.get, self._fields))

    def _read(self, event: Event) -> Read:
        clean, asked = self._cleaner.fields_of(event, self._fields), self._asked
        group = tuple([(name, field_text(clean, field)) for name, field in asked.pairs])
        return Read(group, key_of([found for _, found in group]), self._value(clean))

    def _value(self, clean: Event) -> str | None:
        """One without the field whose values are counted, or without a number in the field that is measured, does not
        count.
        """
        asked = self._asked
        if asked.measured:
            measured = read_number(texts_of(clean.fields.get(asked.counted[0])))
            return None if measured is None else repr(measured)
        if not asked.counted:
            return None
        values = [field_text(clean, name) for name in asked.counted]
        return None if None in values else key_of(values)


class Keyings:
    """One keying for each thing asked for, whoever asks."""

    def __init__(self, cleaner: Cleaner) -> None:
        self.cleaner = cleaner
        self._known: dict[Asked, Keying] = {}

    def of(self, correlation: Correlation, rule_id: str) -> Keying:
        """How a correlation reads events of one of its inputs."""
        reads = is_read(correlation)
        asked = Asked(
            tuple((name, correlation.field_of(name, rule_id)) for name in correlation.group_by),
            tuple(correlation.field_of(name, rule_id) for name in correlation.fields) if reads else (),
            correlation.kind in MEASURES,
        )
        if asked not in self._known:
            self._known[asked] = Keying(asked, self.cleaner)
        return self._known[asked]


def is_read(correlation: Correlation) -> bool:
    """Whether events count as what they say in a field, rather than as the rule that fired."""
    return correlation.kind in MEASURES or correlation.kind == "value_count"
