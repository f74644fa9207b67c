"""What a finding is made of is what `doctor --json` prints: programs read it."""

from dataclasses import FrozenInstanceError, asdict

import pytest

from daemon.cli.finding import Finding


def test_its_parts_are_the_keys_of_the_output() -> None:
    found = Finding("model", "wrong", "down", "ollama serve")
    assert asdict(found) == {"part": "model", "state": "wrong", "detail": "down", "mend": "ollama serve"}
    assert found.__dict__ == asdict(found)
    with pytest.raises(FrozenInstanceError):
        found.state = "ok"  # type: ignore[misc]


def test_what_is_well_needs_no_mending() -> None:
    assert Finding("gpu", "ok", "NVIDIA H100").mend == ""
