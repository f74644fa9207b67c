"""What is there when the daemon begins is looked through no more; what comes later is."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from daemon.garbage import settle


class Knot:
    """Garbage that only a search finds."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def test_what_is_there_is_set_aside_and_what_comes_later_is_cleared_up() -> None:
    """The worst bug: what every reload leaves behind stays in memory for good."""
    before, left = Knot(), weakref.ref(Knot())

    settle()

    assert left() is None
    assert gc.get_freeze_count() > 10_000
    assert gc.get_threshold()[0] > 700
    later = weakref.ref(Knot())
    kept = weakref.ref(before)
    del before
    gc.collect()
    assert later() is None
    assert kept() is not None, "it was set aside"
