"""When Python looks for cycles of garbage: it stops every thread for that, the event loop included.

Rules, configuration and modules are 150,000 objects, 30 to 50 ms to look through, of which none is garbage: they are
set aside once, before the loop runs. What is set aside stays: not much, if a reload brings other rules. And what a line
leaves behind is freed without any search, so searches may be seldom.
"""

import ctypes
import gc

_YOUNG = 10_000
"""Objects more made than freed until the young ones are looked through; Python's own is 700."""


def settle() -> None:
    """Clear up what is garbage now, and never look through the rest again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])


def give_back() -> None:
    """Let the system have what lies free in the heap, where the C library can (glibc's malloc_trim): a few ms."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
