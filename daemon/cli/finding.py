"""What one examination of `doctor` came to."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """`state` is ok, absent (neither there nor needed), unseen (closed to this user) or wrong; `mend` is a command."""

    part: str
    state: str
    detail: str
    mend: str = ""
