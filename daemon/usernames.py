"""Numeric user ids → names, from this host's user database."""

import functools
import pwd


@functools.lru_cache(maxsize=4096)
def username(uid: int) -> str:
    """The name of a user id; the number as text for one that this host does not know."""
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return str(uid)
