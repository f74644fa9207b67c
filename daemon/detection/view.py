"""An event as conditions look at it: every field as text, decoded and lower-cased at most once per event."""

from collections.abc import Mapping

from daemon.detection.folding import fold
from daemon.model import Event, Value

KEYWORDS = None
"""The name under which the whole text of the event stands: what Sigma keywords search."""


def text_of(value: Value) -> str:
    """A scalar as rules write it: `true`, `26`, `97.5`; a whole float without its point."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def texts_of(value: Value) -> tuple[str, ...]:
    """All values of a field as text; a field without a value has none."""
    if isinstance(value, str):
        return (value,)
    if value is None:
        return ()
    if isinstance(value, tuple):
        return tuple(map(str, value))
    return (text_of(value),)


class _Texts(dict[str | None, tuple[str, ...]]):
    """Field → its values as text, filled when first asked for; a missing field has no values."""

    __slots__ = ("fields",)
    fields: Mapping[str, Value]

    def __missing__(self, field: str | None) -> tuple[str, ...]:
        found = texts_of(self.fields.get(field)) if field is not None else ()
        self[field] = found
        return found


class _Lowered(dict[str | None, tuple[str, ...]]):
    """Field → its values in lower case, filled when first asked for."""

    __slots__ = ("texts",)
    texts: _Texts

    def __missing__(self, field: str | None) -> tuple[str, ...]:
        value = self.texts.fields.get(field) if field is not None else None
        if type(value) is str:  # as nearly always
            found: tuple[str, ...] = (value.lower() if value.isascii() else fold(value),)
        else:
            found = tuple([text.lower() if text.isascii() else fold(text) for text in self.texts[field]])
        self[field] = found
        return found


class View:
    """One event for all the rules that look at it. `texts` and `lowered` map a field to its values."""

    __slots__ = ("event", "fields", "lowered", "texts")

    def __init__(self, event: Event) -> None:
        self.event = event
        self.fields = event.fields
        texts = self.texts = _Texts()
        texts.fields = event.fields
        texts[KEYWORDS] = (event.text,)
        self.lowered = _Lowered()
        self.lowered.texts = texts

    @property
    def everything(self) -> str:
        """The text and every value, one under the other."""
        try:
            return "\n".join((self.event.text, *self.fields.values()))  # type: ignore[arg-type] # as nearly always
        except TypeError:  # some value is no text
            return "\n".join((self.event.text, *["\n".join(texts_of(value)) for value in self.fields.values()]))
