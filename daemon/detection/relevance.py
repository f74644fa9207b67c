"""Which of the many gauges of a reading are worth telling first: those that the rule reads, then what made them so.

A reading of a host has some fifty gauges and the words of several kinds of bystanders (`top.cpu`, `top.memory` …). An
incident about memory is explained by who has the memory, not by who is busy.
"""

from collections.abc import Collection, Iterable, Mapping

from daemon.model import Value
from daemon.model.gauge_names import ENDINGS

_EXPLAINED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("cpu.iowait", ("top.io",)),
    ("pressure.io", ("top.io",)),
    ("pressure.memory", ("top.memory",)),
    ("process.blocked", ("top.io",)),
    ("process.zombies", ("top.zombies",)),
    ("process.cpu", ("process.command",)),
    ("process.gpu", ("process.command",)),
    ("process.memory", ("process.command",)),
    ("process.connections", ("process.command",)),
    ("process.", ("process.command", "top.processes")),
    ("load.", ("top.cpu", "top.io")),
    ("memory.", ("top.memory",)),
    ("swap.", ("top.memory",)),
    ("disk.", ("top.io",)),
    ("files.", ("top.files",)),
    ("units.", ("units.failed_names",)),
    ("gpu.", ("top.gpu",)),
    ("net.", ()),
    ("clock.", ()),
    ("uptime.", ()),
    ("", ("top.cpu",)),
)
"""How the name of a gauge begins → the words that explain it. The first that fits counts."""
_WORDS = frozenset(name for _, words in _EXPLAINED for name in words)


def most_relevant_first(fields: Mapping[str, Value], reads: Collection[str]) -> dict[str, Value]:
    """The fields of a reading in the order in which they are worth telling: what the rule reads with the gauges that
    that is derived from, the tags, the words that explain them, gauges of the same kind, the rest. Words that explain
    other gauges are left out.
    """
    read = [name for name in fields if name in reads]
    read += [name for name in dict.fromkeys(map(gauge_of, read)) if name in fields and name not in reads]
    tags = [name for name, value in fields.items() if isinstance(value, str)]
    words = [name for name in explained_by(read) if name in fields]
    kinds = {name.split(".", 1)[0] for name in read}
    numbers = [name for name, value in fields.items() if not isinstance(value, str) and name not in _WORDS]
    numbers.sort(key=lambda name: (name.split(".", 1)[0] not in kinds, name.endswith(ENDINGS)))
    return {name: fields[name] for name in (*read, *tags, *words, *numbers)}


def gauge_of(name: str) -> str:
    """The gauge that a field is derived from; its own name where it is one."""
    return next((name.removesuffix(ending) for ending in ENDINGS if name.endswith(ending)), name)


def explained_by(gauges: Iterable[str]) -> list[str]:
    """The fields whose words say what made these gauges so."""
    found: dict[str, None] = {}
    for gauge in gauges:
        words = next(words for beginning, words in _EXPLAINED if gauge.startswith(beginning))
        found.update(dict.fromkeys(words))
    return list(found)
