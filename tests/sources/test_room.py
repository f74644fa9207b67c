"""No room to unpack: said, and tried again after a while."""

import errno

from daemon.sources.openings import StillWrittenError
from daemon.sources.packed import NoRoomError
from daemon.sources.room import AGAIN, Room

FULL = NoRoomError("/var/log/app.log.1.gz", OSError(errno.ENOSPC, "No space left on device"))


class Clock:
    at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_where_there_was_no_room_it_is_tried_again_after_a_while() -> None:
    clock = Clock()
    room = Room(clock)
    found = [room.due]
    room.note(FULL)
    for seconds in (0, AGAIN - 0.1, 0.1):
        clock.at += seconds
        found.append(room.due)
    assert found == [True, False, False, True]


def test_what_is_in_the_way_is_told_until_the_next_attempt() -> None:
    room = Room(Clock())
    room.note(FULL)
    assert room.lacks is not None
    assert str(room.lacks.strerror).startswith("No space left on device: no room to unpack app.log.1.gz")
    assert "/var/tmp" in str(room.lacks.strerror)
    room.begin()
    assert room.lacks is None


def test_a_file_that_is_still_written_is_looked_at_again_at_once() -> None:
    room = Room(Clock())
    room.note(StillWrittenError("app.log.1.gz"))
    assert room.due
    assert room.lacks is None


def test_a_clock_that_is_set_back_makes_nobody_wait_for_ever() -> None:
    clock = Clock()
    room = Room(clock)
    room.note(FULL)
    clock.at -= 86_400
    assert room.due
