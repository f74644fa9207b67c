"""What the endpoint is given."""

import dataclasses

import pytest

from daemon.api import Limits
from tests.api.conftest import TOKEN, Daemon


def test_the_token_is_never_printed(world: Daemon) -> None:
    endpoint = world.endpoint(token=TOKEN)
    assert TOKEN not in repr(endpoint)
    assert endpoint.token == TOKEN


def test_it_is_frozen(world: Daemon) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        world.endpoint().token = "other"  # type: ignore[misc]


def test_the_limits_are_those_that_the_documentation_gives() -> None:
    limits = Limits()
    assert (limits.body_bytes, limits.body_seconds, limits.at_once) == (65_536, 10.0, 64)
    assert (limits.ai_at_once, limits.ai_burst, limits.ai_per_second) == (2, 10, 0.5)
