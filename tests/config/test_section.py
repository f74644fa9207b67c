"""Sections are frozen and know their keys."""

import pytest
from pydantic import ValidationError

from daemon.config.section import Name, Section


class Example(Section):
    """One with a name."""

    name: Name = "x"


def test_unknown_keys_and_changes_are_errors() -> None:
    with pytest.raises(ValidationError):
        Example.model_validate({"nme": "y"})
    with pytest.raises(ValidationError):
        Example().name = "y"


@pytest.mark.parametrize("name", ["", "A", "-a", "a b", "a" * 64, "a/b"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(ValidationError):
        Example(name=name)
