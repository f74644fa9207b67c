"""What is hidden is said once; what is a bug is not hidden."""

import pytest
import structlog

from daemon.sources.attempts import MOST, Attempts


def fail(error: Exception) -> int:
    raise error


def test_what_is_hidden_is_none_and_said_once() -> None:
    attempts = Attempts("host")
    with structlog.testing.capture_logs() as logs:
        assert attempts.take("cpu", lambda: 7) == 7
        for _ in range(3):
            assert attempts.take("cpu", lambda: fail(PermissionError("no"))) is None
    assert [(entry["gauge"], entry["error"]) for entry in logs] == [("cpu", "PermissionError: no")]


def test_a_bug_is_raised() -> None:
    with pytest.raises(TypeError):
        Attempts("host").take("cpu", lambda: fail(TypeError("bug")))


def test_names_are_bounded() -> None:
    attempts = Attempts("host")
    with structlog.testing.capture_logs() as logs:
        for number in range(MOST + 10):
            attempts.note(str(number), OSError())
    assert len(logs) == MOST
