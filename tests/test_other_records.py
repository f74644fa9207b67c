"""Whether records with fields of their own are read: by what a source says, by what stands in it, by its name."""

from pathlib import Path

import pytest

from daemon.config import Config
from daemon.other_records import reads_journal, reads_json


def config_of(*sources: dict[str, object]) -> Config:
    return Config.model_validate({"sources": list(sources), "api": {"token_file": "/nowhere/token"}})


def file_source(path: object, fmt: str = "auto") -> dict[str, object]:
    return {"type": "file", "name": "x", "path": str(path), "format": fmt}


@pytest.mark.parametrize(
    ("text", "fmt", "expected"),
    [
        ('{"a": 1}\n', "auto", True),
        ("type=SYSCALL msg=audit(1700000000.000:1): arch=c000003e\n", "auto", False),
        ("Nov 21 09:20:00 web-1 sshd[1]: x\n", "auto", False),
        ("Nov 21 09:20:00 web-1 sshd[1]: x\n", "json", True),
        ('{"a": 1}\n', "syslog", False),
        ("", "auto", True),
    ],
)
def test_a_file_is_what_stands_in_it(tmp_path: Path, text: str, fmt: str, *, expected: bool) -> None:
    (tmp_path / "app.log").write_text(text)
    assert reads_json(config_of(file_source(tmp_path / "*.log", fmt))) is expected


@pytest.mark.parametrize(("name", "expected"), [("audit.log", False), ("secure", False), ("events.json", True)])
def test_a_file_that_is_not_there_is_what_it_is_called(tmp_path: Path, name: str, *, expected: bool) -> None:
    assert reads_json(config_of(file_source(tmp_path / name))) is expected


def test_the_intake_takes_json_and_the_journal_is_one() -> None:
    assert reads_json(config_of({"type": "intake"}))
    assert not reads_json(config_of({"type": "journal"}, {"type": "host"}))
    assert reads_journal(config_of({"type": "journal"}))
    assert not reads_journal(config_of({"type": "host"}))
