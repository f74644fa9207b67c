"""Time stamps of text logs → UTC epoch seconds.

An RFC 3164 stamp (`Nov 21 09:30:00`) has neither year nor zone. The year is the latest that puts the stamp no later
than one day after `now`; the zone is the one given (None: the local one, with its summer time). ISO 8601 stamps carry
both and are taken at their word.
"""

import calendar
from collections.abc import Callable
from datetime import datetime, tzinfo

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    )
}
_DAY = 86400.0
_YEARS = 9  # nine years hold a 29 February, whatever the century
_LEAP_DAY = (2, 29)


class Stamps:
    """Stamps → epoch seconds. Remembers the last one, because thousands of lines share a second."""

    def __init__(self, now: Callable[[], float], zone: tzinfo | None) -> None:
        self._now = now
        self._zone = zone
        self._last: tuple[str, float] = ("", 0.0)

    def iso(self, stamp: str) -> float:
        """Raises ValueError for a date that does not exist."""
        moment = datetime.fromisoformat(stamp)
        return (moment if moment.tzinfo else moment.replace(tzinfo=self._zone)).timestamp()

    def bsd(self, month: str, day: str, clock: str, year: str | None) -> float:
        """Raises ValueError for a date that does not exist."""
        text = f"{month} {day} {clock} {year}"
        if self._last[0] != text:
            self._last = (text, self._epoch(month, day, clock, year))
        return self._last[1]

    def _epoch(self, month: str, day: str, clock: str, year: str | None) -> float:
        hour, minute, second = (int(part) for part in clock.split(":"))
        date = (_MONTHS.get(month, 0), int(day), hour, minute, min(second, 59))
        if year is not None:
            return datetime(int(year), *date, tzinfo=self._zone).timestamp()
        latest = self._now() + _DAY
        newest = datetime.fromtimestamp(latest, self._zone).year
        for candidate in range(newest, newest - _YEARS, -1):
            if date[:2] == _LEAP_DAY and not calendar.isleap(candidate):
                continue
            at = datetime(candidate, *date, tzinfo=self._zone).timestamp()
            if at <= latest:
                return at
        raise ValueError(clock)
