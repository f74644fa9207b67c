"""Time stamps of text logs → UTC epoch seconds.

An RFC 3164 stamp (`Nov 21 09:30:00`) has neither year nor zone. The year is the latest that puts the stamp no later
than one day after `now`; the zone is the one given (None: the local one, with its summer time). ISO 8601 stamps carry
both and are taken at their word, as far as anybody can mean it: a stamp outside the years 1980 to 2099 is none (a
clock that was never set, or a forgery), and neither is, in a log that is being written, one more than a day ahead of
`now`. It would outlast every window and quiet time that is measured against it.
"""

import calendar
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    )
}
_DAY = 86400.0
_FIRST_YEAR, _LAST_YEAR = 1980, 2099
EARLIEST = datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp()
LATEST = datetime(_LAST_YEAR + 1, 1, 1, tzinfo=UTC).timestamp()
"""No log was written before EARLIEST, or will be at LATEST: UTC seconds."""
_HOURS = {f"{number:02}": 3600.0 * number for number in range(24)}
_MINUTES = {f"{number:02}": 60.0 * number for number in range(60)}
_SECONDS = {f"{number:02}": float(number) for number in range(60)}
_NEARLY_A_YEAR = 364 * _DAY
_WITHOUT_YEAR = len("Nov  21 ")
_YEARS = 9  # nine years hold a 29 February, whatever the century
_LEAP_DAY = (2, 29)


def _seconds(clock: str) -> float | None:
    """How long after midnight an ordinary clock (`09:30:00`) stands; None for any other."""
    hours, minutes, seconds = _HOURS.get(clock[:2]), _MINUTES.get(clock[3:5]), _SECONDS.get(clock[6:])
    if hours is None or minutes is None or seconds is None or not clock[2] == clock[5] == ":":
        return None
    return hours + minutes + seconds


class Stamps:
    """Stamps → epoch seconds, None for one that nobody can mean. Raises ValueError for a date that does not exist.

    `live` says that the log is being written as `now` passes; where it lies finished (a replay, whose `now` is the time
    of a file that may have been copied since), the future is not judged. Remembers when the day of the
    last stamp without a zone began, because most lines share it.
    """

    def __init__(self, now: Callable[[], float], zone: tzinfo | None, *, live: bool = True) -> None:
        self._now = now
        self._zone = zone
        self._live = live
        self._date = ""
        self._midnight: float | None = None

    def iso(self, stamp: str) -> float | None:
        """An ISO 8601 stamp."""
        moment = datetime.fromisoformat(stamp)
        if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            return None
        return self.believed((moment if moment.tzinfo else moment.replace(tzinfo=self._zone)).timestamp())

    def unzoned(self, stamp: str) -> float | None:
        """An RFC 3164 stamp as it stands in the line, `Nov 21 09:30:00` or `Nov 21 2026 09:30:00`."""
        date, passed = stamp[:-8], _seconds(stamp[-8:])
        if passed is not None:
            midnight = self._midnight if date == self._date else self._begin(date)
            if midnight is not None:
                at = midnight + passed
                written = len(date) > _WITHOUT_YEAR
                if written or at <= self._now() + _DAY < at + _NEARLY_A_YEAR:  # else it is of another year
                    return self.believed(at)
        month, day, *year, clock = stamp.split()
        return self.bsd(month, day, clock, year[0] if year else None)

    def _begin(self, date: str) -> float | None:
        """When the day of a line began; None when the clock was changed on it, or it cannot be said."""
        self._date, self._midnight = date, None
        try:
            month, day, *year = date.split()
            begin = self.bsd(month, day, "00:00:00", year[0] if year else None)
            if begin is not None:
                end = self._epoch(month, day, "23:59:59", str(datetime.fromtimestamp(begin, self._zone).year))
                self._midnight = begin if end - begin == _DAY - 1 else None
        except (ValueError, OverflowError, OSError):
            return None
        return self._midnight

    def bsd(self, month: str, day: str, clock: str, year: str | None) -> float | None:
        """An RFC 3164 stamp, with the year where it was written."""
        if year is not None and not _FIRST_YEAR <= int(year) <= _LAST_YEAR:
            return None
        return self.believed(self._epoch(month, day, clock, year))

    def believed(self, at: float) -> float | None:
        """The instant itself, None where nobody can mean it (NaN too)."""
        if not EARLIEST <= at < LATEST or (self._live and at > self._now() + _DAY):
            return None
        return at

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
