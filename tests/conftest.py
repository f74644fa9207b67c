"""Fixtures that all tests share, and the skip of what this machine lacks (with a reason, never silently)."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

REPOSITORY = Path(__file__).parent.parent
SHARED = REPOSITORY.parent / "shared" / "data"
os.environ["TZ"] = "UTC"  # stamps without a zone are local: the same on every machine that runs the tests
time.tzset()
settings.register_profile("tellwhy", deadline=None)  # what a test may take is told by the timeout, on any machine
settings.load_profile("tellwhy")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real rules, logs and goldens that nobody here wrote; tests that need them are skipped in a bare clone."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the shared data at {SHARED}")
    return SHARED


@pytest.fixture(autouse=True)
def _log_as_it_was() -> Iterator[None]:
    """A test that configures our log must not leave it writing to that test's captured stream."""
    yield
    structlog.reset_defaults()
