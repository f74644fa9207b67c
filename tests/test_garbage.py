"""After a start what is there is looked through no more; after the next one what the first left behind is gone."""

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


def test_what_is_there_is_set_aside_and_cleared_up_the_next_time() -> None:
    """The worst bug: every reload leaves a whole runtime in memory for good."""
    knot = Knot()
    left = weakref.ref(knot)
    settle()
    assert gc.get_freeze_count() > 10_000
    assert len(gc.get_objects()) < 1_000
    del knot
    gc.collect()
    assert left() is not None

    settle()

    assert left() is None
    assert gc.get_threshold()[0] > 700
