"""Whether records of JSON or of systemd's journal are read here: they may have fields that nobody lists."""

from pathlib import PurePath

from daemon.config import Config, FileSource, IntakeSource, JournalSource
from daemon.events.readers import detect_format
from daemon.sources.discovery import find_paths

_HEAD = 65536
_TEXT_LOGS = frozenset(
    {
        *("audit.log", "auth.log", "secure", "syslog", "messages", "kern.log", "cron", "cron.log", "daemon.log"),
        *("user.log", "vsftpd.log", "mail.log", "maillog"),
    }
)
"""Logs that are no JSON, by their names, for the time when there is nothing in them yet."""


def reads_json(config: Config) -> bool:
    """Whether any source may hand over JSON: one that says so, or whose format shows only when it is read."""
    return any(
        isinstance(source, IntakeSource) or (isinstance(source, FileSource) and _may_be_json(source))
        for source in config.sources
    )


def reads_journal(config: Config) -> bool:
    """Whether any source is systemd's journal."""
    return any(isinstance(source, JournalSource) for source in config.sources)


def _may_be_json(source: FileSource) -> bool:
    if source.format != "auto":
        return source.format == "json"
    heads = [_head(path) for path in find_paths(source.path)]
    if not any(heads):
        return PurePath(source.path).name not in _TEXT_LOGS
    return any(detect_format(head) == "json" for head in heads)


def _head(path: str) -> bytes:
    try:
        with open(path, "rb") as log:  # noqa: PTH123 - find_paths gives text
            return log.read(_HEAD)
    except OSError:
        return b""
