"""YAML with one thing changed, as a slip of the keyboard or somebody hostile would."""

import copy
import random  # noqa: TID251 - whoever calls brings a seeded one
from collections.abc import Iterator
from typing import Any

SCALARS: list[Any] = [
    None, True, 0, -1, 5.5, float("nan"), float("inf"), "", "x", "a*b", "\\", "%a%", "%", "|", "1 of them", "not s", "s and t",
    "10.0.0.0/8", "(", "5m", "gte", "\x00", "é", 10**30, [], {}, [[]], {"a": {"b": []}},
]  # fmt: skip
MODIFIERS = ("re", "contains", "cidr", "expand", "fieldref", "neq", "base64", "exists", "hour", "windash", "nope", "")


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ()):
        yield (*path, key)
        yield from places(inner, (*path, key))


def mutated(data: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """The document with one thing changed: a value, a key, a modifier, what it is wrapped in, or gone."""
    found = copy.deepcopy(data)
    *path, key = rng.choice(list(places(found)))
    holder: Any = found
    for part in path:
        holder = holder[part]
    value = holder[key]
    kind = rng.randrange(6)
    if kind == 0:
        del holder[key]
    elif kind == 1:
        holder[key] = [value, rng.choice(SCALARS)]
    elif kind == 2:
        holder[key] = {rng.choice(["a", "a|re", 5, None, "type"]): value}
    elif kind == 3 and isinstance(holder, dict):
        holder.pop(key)
        holder[rng.choice([5, True, f"{key}|{rng.choice(MODIFIERS)}", str(key).upper(), str(key)[:-1]])] = value
    else:
        holder[key] = rng.choice(SCALARS)
    return found
