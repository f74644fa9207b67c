"""When Python looks for cycles of garbage: it stops every thread for that, the event loop included.

Rules, configuration and modules are 150,000 objects, 30 to 50 ms to look through, of which none is garbage. So after a
start or reload they are set aside; what comes later, windows and tables, is little beside them. And what a line leaves
behind is freed without any search, so searches may be seldom.
"""

import gc

_YOUNG = 10_000
"""Objects more made than freed until the young ones are looked through; Python's own is 700."""


def settle() -> None:
    """Clear up what was there before, and never look through what is there now until this is called again."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
