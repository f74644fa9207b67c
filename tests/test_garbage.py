"""What is there when the daemon begins is looked through no more; what comes later is."""

import ctypes
import gc
import resource
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.garbage import give_back, settle


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()


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


def test_what_lies_free_is_given_back() -> None:
    """Compiling rules and literals takes tens of MiB for a moment; a daemon must not keep them for months."""
    if not hasattr(ctypes.CDLL(None), "malloc_trim"):
        pytest.skip("this C library cannot")
    kept = [bytes(1000) for _ in range(40_000)]
    last = kept[-1]
    kept.clear()
    before = resident()

    give_back()

    assert resident() < before - (20 << 20)
    assert last == bytes(1000)
