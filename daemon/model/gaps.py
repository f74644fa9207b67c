"""What is missing, and of which time."""

from msgspec import Struct


class Gap(Struct, frozen=True):
    """What an alert lacks (`similar`, `explanation`, `evidence`) and why (`timeout`, `unavailable` …)."""

    part: str
    why: str
    detail: str = ""


class Unseen(Struct, frozen=True):
    """Between these instants evidence of a host is missing: alerts of that time lack what `gap` says."""

    host: str
    since: float
    until: float
    gap: Gap
