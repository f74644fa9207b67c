"""What all sections of the configuration have in common."""

from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

Name: TypeAlias = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")]


class Section(BaseModel):
    """Common to all sections: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ElsewhereError(ValueError):
    """What a validator of the whole raises: its problem stands at the key that mends it, which `location` leads to."""

    def __init__(self, location: tuple[str | int, ...], expected: str) -> None:
        super().__init__(expected)
        self.location = location
