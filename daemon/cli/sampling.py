"""What the ends of the logs show of lost audit records, for `doctor`, which does not read them as the daemon does."""

import os
import time
from collections import Counter
from collections.abc import Mapping

from daemon.config import Config, FileSource
from daemon.events import Sight
from daemon.sources.discovery import find_paths
from daemon.sources.obstacle import describe_obstacle
from daemon.telemetry import Health, HealthState

_END = 1 << 18  # bytes looked at of each file
_ENOUGH = 16  # system calls without a title after which it is believed that there are none


def sample_sources(config: Config) -> tuple[Mapping[str, Health], Mapping[str, Sight]]:
    """By name of the source: how it is where it is not well, and what the ends of its files show."""
    states: dict[str, Health] = {}
    sights: dict[str, Sight] = {}
    for source in config.sources:
        if isinstance(source, FileSource):
            ends, problem = _ends(source.path)
            if problem:
                states[source.name] = Health(f"source:{source.name}", HealthState.degraded, time.time(), problem)
            sights[source.name] = _sight(ends)
    return states, sights


def _ends(pattern: str) -> tuple[list[bytes], str]:
    """The ends of the files, and why there are none."""
    ends: list[bytes] = []
    problem = f"{pattern} is not there"
    for path in find_paths(pattern):
        try:
            with open(path, "rb") as file:  # noqa: PTH123 - find_paths gives text
                size = os.fstat(file.fileno()).st_size
                file.seek(max(0, size - _END))
                ends.append(file.read(_END))
        except FileNotFoundError:
            continue
        except OSError as error:
            problem = describe_obstacle(path, error)
    return ends, "" if ends else problem


def _sight(ends: list[bytes]) -> Sight:
    kinds: Counter[bytes] = Counter()
    for kind in (b"SYSCALL", b"PROCTITLE"):
        kinds[kind] = sum(end.count(b"type=%s msg=audit(" % kind) for end in ends)
    untitled = kinds[b"SYSCALL"] >= _ENOUGH and not kinds[b"PROCTITLE"]
    return Sight(
        records=any(b" msg=audit(" in end for end in ends),
        absent=("PROCTITLE",) if untitled else (),
        kernel=any(b" kernel: " in end for end in ends),
    )
