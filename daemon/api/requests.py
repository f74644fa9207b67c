"""What clients may send, as types. Each description completes the sentence "expected …"."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from daemon.api.shapes import Field, Level

Text200 = Annotated[str, Meta(max_length=200, description="text of at most 200 characters")]
Text2000 = Annotated[str, Meta(max_length=2000, description="text of at most 2000 characters")]


class NoParameters(Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing."""


class IncidentsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which incidents, and how many."""

    limit: Annotated[int, Meta(ge=1, le=200, description="a whole number from 1 to 200")] = 50
    before: Annotated[
        str,
        Meta(max_length=80, description="the next of an earlier page, a time in RFC 3339, or seconds since the epoch"),
    ] = ""
    severity: Annotated[
        Level, Meta(description="the least severity: one of informational, low, medium, high, critical")
    ] = "informational"
    status: Annotated[
        Literal["", "open", "quiet", "closed"], Meta(description="one of open, quiet, closed (or left out)")
    ] = ""
    rule: Annotated[str, Meta(max_length=200, description="the id of a rule, at most 200 characters")] = ""
    q: Annotated[
        str,
        Meta(max_length=200, description="words to find, at most 200 characters without control characters"),
    ] = ""


class EventsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose events they are."""

    source: Annotated[
        str, Meta(max_length=64, description="the name of an intake; left out, the first that the token opens")
    ] = ""


class Question(Struct, frozen=True, forbid_unknown_fields=True):
    """A question about stored incidents."""

    question: Annotated[
        str, Meta(min_length=1, max_length=2000, description="a question of 1 to 2000 characters that is not blank")
    ]
    limit: Annotated[int, Meta(ge=1, le=20, description="a whole number of incidents from 1 to 20")] = 5


class AnomalyBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Either `incident_id` alone, or something observed: `because`, `events` or raw `lines`, or several of them."""

    incident_id: Annotated[str, Meta(max_length=200, description="the id of a stored incident, and no other field")] = (
        ""
    )
    title: Text200 = ""
    severity: Annotated[Level, Meta(description="one of informational, low, medium, high, critical")] = "medium"
    host: Text200 = ""
    source: Text200 = ""
    entity: Text200 = ""
    because: Text2000 = ""
    at: Annotated[
        float | str | None, Meta(description="a time in RFC 3339 or seconds since the epoch (now when left out)")
    ] = None
    events: Annotated[
        tuple[dict[str, Field], ...],
        Meta(max_length=50, description="at most 50 objects of field: text, number, boolean, list of texts or null"),
    ] = ()
    lines: Annotated[str | tuple[str, ...], Meta(description="raw log lines, as one text or as a list of texts")] = ()
    format: Annotated[
        Literal["auto", "auditd", "syslog", "json"], Meta(description="one of auto, auditd, syslog, json")
    ] = "auto"
