"""A log that two sources read is named, by whatever way they both come to it."""

from pathlib import Path

import pytest

from daemon.cli.doubled import doubled_logs
from daemon.config import Config, FileSource, JournalSource


@pytest.mark.parametrize(
    ("first", "second", "log"),
    [
        ("{top}/app.log", "{top}/*.log", "{top}/*.log"),
        ("{top}/*.log", "{top}/app.log", "{top}/app.log"),
        ("/nowhere/*.log", "/nowhere/a.log", "/nowhere/a.log"),
        ("{top}/a*.log", "{top}/*p.log", "{top}/app.log"),
        ("{top}/app.log", "{top}/link", "{top}/link"),
        ("{top}/app.log", "{top}/other.log", ""),
        ("{top}/*.log", "{top}/*.txt", ""),
        ("/nowhere/*.log", "/nowhere/a.txt", ""),
    ],
)
def test_a_log_of_two_sources_is_named(tmp_path: Path, first: str, second: str, log: str) -> None:
    (tmp_path / "app.log").touch()
    (tmp_path / "link").symlink_to(tmp_path / "app.log")
    paths = (first.format(top=tmp_path), second.format(top=tmp_path))
    sources = tuple(FileSource(type="file", name=f"s{n}", path=path) for n, path in enumerate(paths))
    found = list(doubled_logs(Config(sources=sources)))
    assert found == ([(1, log.format(top=tmp_path), "s0")] if log else [])


def test_the_same_path_twice_is_refused() -> None:
    sources = tuple(FileSource(type="file", name=name, path="/var/log/app.log") for name in ("a", "b"))
    with pytest.raises(ValueError, match=r"expected each log in one source \(got /var/log/app.log in several\)"):
        Config(sources=sources)


def test_the_journal_has_what_a_syslog_daemon_writes_too() -> None:
    journal = JournalSource(type="journal")
    auth = FileSource(type="file", name="auth", path="/var/log/auth.log")
    audit = FileSource(type="file", name="audit", path="/var/log/audit/audit.log")
    assert list(doubled_logs(Config(sources=(audit, auth, journal)))) == [(1, "/var/log/auth.log", "journal")]
    kernel = JournalSource(type="journal", matches=("_TRANSPORT=kernel",))
    assert list(doubled_logs(Config(sources=(audit, auth, kernel)))) == []
