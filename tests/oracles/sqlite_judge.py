"""An engine for Sigma that is not ours: rules become SQL by pySigma-backend-sqlite, SQLite compares.

Only the shape of the tables is ours. Every value of a field is a row of `texts`, so a field may have several values (any
may match), and names that differ only in case stay apart, which SQLite's columns would not keep. The whole text of an
event is a row under the empty name. Regular expressions run on Python's `re`, not on RE2.
"""

import copy
import functools
import re
import sqlite3
from collections.abc import Iterable
from typing import Any, Self, cast

from sigma.backends.sqlite.sqlite import sqliteBackend
from sigma.exceptions import SigmaError
from sigma.rule import SigmaRule
from sigma.types import SigmaCompareExpression, SigmaExists, SigmaNull

from daemon.model import Event, Value

_SCHEMA = """
CREATE TABLE events(id INTEGER PRIMARY KEY, name TEXT, product TEXT, category TEXT, service TEXT);
CREATE TABLE texts(event INTEGER, field TEXT COLLATE BINARY, value TEXT COLLATE NOCASE, number REAL);
CREATE TABLE names(event INTEGER, field TEXT COLLATE BINARY);
"""
_ROUTED = "category = :category AND :product IN ('', product) AND :service IN ('', service)"  # what a rule does not say is any
_ATOM = re.compile(r"\\.|\[(?:\\.|[^\]])*\]|\$", re.DOTALL)
_NUMERAL = re.compile(r"\s*[+-]?[0-9]{1,15}(\.[0-9]{1,15})?\s*")
_BY_LINE = re.compile(r"\(\?[a-z]*m[a-z]*\)")
_VALUE, _NUMBER = "value", "number"


class RowsBackend(sqliteBackend):
    """The backend, with each comparison asked of the rows of one field; what is compared with what stays its own."""

    def convert_condition_field_eq_val(self, cond: Any, state: Any) -> str:
        """One field against one value."""
        if cond.field in {_VALUE, _NUMBER}:  # the backend takes a network apart into several comparisons
            return cast("str", super().convert_condition_field_eq_val(cond, state))
        named = cond.field.replace("'", "''")
        if isinstance(cond.value, SigmaNull):
            return _asked("texts", f"field = '{named}'", negated=True)
        if isinstance(cond.value, SigmaExists):
            return _asked("names", f"field = '{named}'", negated=not cond.value.exists)
        column = _NUMBER if isinstance(cond.value, SigmaCompareExpression) else _VALUE
        asked = copy.copy(cond)
        asked.field = column
        inner = super().convert_condition_field_eq_val(asked, state)
        return _asked("texts", f"field = '{named}' AND ({inner})")

    def convert_condition_val(self, cond: Any, state: Any) -> str:
        """A keyword against the whole text."""
        inner = super().convert_condition_val(cond, state)
        return _asked("texts", f"field = '' AND ({inner})")


def _asked(table: str, condition: str, *, negated: bool = False) -> str:
    return f"id {'NOT IN' if negated else 'IN'} (SELECT event FROM {table} WHERE {condition})"  # noqa: S608 - SQL is the point


def to_sql(rule: SigmaRule) -> str | None:
    """The condition of a rule as SQL; None where the backend cannot say it."""
    backend: Any = RowsBackend(table="events", fulltext_field=_VALUE)  # type: ignore[no-untyped-call] # it has no types
    try:
        return " OR ".join(f"({query.partition(' WHERE ')[2]})" for query in backend.convert_rule(rule))
    except (SigmaError, NotImplementedError, KeyError):
        return None


class Judge:
    """A SQLite database of events, and the rules asked of it."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._rows = sqlite3.connect(":memory:")
        self._rows.executescript(_SCHEMA)
        self._rows.create_function("regexp", 2, _found, deterministic=True)
        for number, event in enumerate(events):
            self._add(number, event)
        self._rows.execute("CREATE INDEX by_field ON texts(field)")
        self._rows.execute("CREATE INDEX by_name ON names(field)")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._rows.close()

    def matching(self, rule: SigmaRule, condition: str) -> set[str]:
        """The ids of the events that a rule is for and that its condition holds for."""
        source = rule.logsource
        wanted = {key: str(getattr(source, key) or "").lower() for key in ("product", "category", "service")}
        query = f"SELECT name FROM events WHERE {_ROUTED} AND ({condition})"  # noqa: S608 - the backend's own SQL
        return {name for (name,) in self._rows.execute(query, wanted)}

    def _add(self, number: int, event: Event) -> None:
        source = event.logsource
        self._rows.execute(
            "INSERT INTO events VALUES(?, ?, lower(?), lower(?), lower(?))",
            (number, event.id, source.product, source.category, source.service),
        )
        said = [("", event.text), *((key, text) for key, value in event.fields.items() for text in _texts(value))]
        rows = [(number, key, text, _number(text)) for key, text in said]
        self._rows.executemany("INSERT INTO texts VALUES(?, ?, ?, ?)", rows)
        self._rows.executemany("INSERT INTO names VALUES(?, ?)", [(number, key) for key in event.fields])


def _texts(value: Value) -> list[str]:
    if value is None:
        return []
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, tuple):
        return list(value)
    return [f"{value:g}" if isinstance(value, float) and value == int(value) else str(value)]


def _number(text: str) -> float | None:
    return float(text) if _NUMERAL.fullmatch(text) else None


@functools.lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    # Sigma's expressions are RE2's: $ is the end and nothing else (Python's also stands before a last newline), and
    # \b \w \d \s know ASCII only
    by_line = _BY_LINE.match(pattern) is not None
    ends = pattern if by_line else _ATOM.sub(lambda found: r"\Z" if found[0] == "$" else found[0], pattern)
    return re.compile(ends, re.ASCII)


def _found(pattern: str, text: str) -> bool:
    return _compiled(pattern).search(text) is not None
