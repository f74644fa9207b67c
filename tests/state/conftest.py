"""A store on a temporary directory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.state.store import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "state", ballast_bytes=0)
    opened.open()
    yield opened
    opened.close()
