"""How much is known of lost audit records: what was lost, and what of a loss would be seen. As the wire has it."""

from typing import Literal

from msgspec import Struct


class Blind(Struct, frozen=True):
    """A signal of losses that nobody would see here: `why`, and what adds it.

    `gaps` are numbers of events that never come, `incomplete` records that an event lacks, `kernel` what the kernel and
    auditd say that they dropped (of a full backlog nothing else tells).
    """

    signal: Literal["gaps", "incomplete", "kernel"]
    why: str
    mend: str


class AuditStatus(Struct, frozen=True):
    """Audit records known to be lost since the process began: events that never came, records that events lack, records
    that the kernel says it dropped. `detection` is `full` where all signals are seen, `none` where none is.
    """

    gap_events: int = 0
    incomplete: int = 0
    kernel_lost: int = 0
    detection: Literal["full", "partial", "none"] = "none"
    missing: tuple[Blind, ...] = ()
