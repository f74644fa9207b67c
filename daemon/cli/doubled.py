"""Logs that two sources read: each of their lines would be counted twice, and every incident come out twice."""

import os
from collections.abc import Iterator

from daemon.config import Config, FileSource, JournalSource
from daemon.sources.discovery import find_paths, is_meant

_OF_THE_JOURNAL = tuple(f"/var/log/{name}" for name in ("auth.log", "secure", "syslog", "messages", "kern.log"))
"""What a syslog daemon writes of that which the journal has too."""


def doubled_logs(config: Config) -> Iterator[tuple[int, str, str]]:
    """For each log that an earlier source reads already: index of the source, the log, the name of the earlier one.

    By name, whether the log exists or not, and of logs that exist also through links and overlapping globs.
    """
    files = [(index, one) for index, one in enumerate(config.sources) if isinstance(one, FileSource)]
    for number, (index, source) in enumerate(files):
        for _, other in files[:number]:
            log = _in_common(source.path, other.path)
            if log:
                yield index, log, other.name
    journals = [one for one in config.sources if isinstance(one, JournalSource) and not is_part(one)]
    for index, source in files:
        if journals and any(is_meant(log, source.path) for log in _OF_THE_JOURNAL):
            yield index, source.path, journals[0].name


def is_part(journal: JournalSource) -> bool:
    """Whether a source reads only some of a journal, or another host's."""
    return bool(journal.units or journal.matches or journal.directory or journal.files)


def _in_common(path: str, other: str) -> str:
    if is_meant(path, other) or is_meant(other, path):
        return path
    there = {os.path.realpath(one) for one in find_paths(other)}
    return next((one for one in find_paths(path) if os.path.realpath(one) in there), "")
