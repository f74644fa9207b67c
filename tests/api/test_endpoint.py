"""What the endpoint is given."""

import dataclasses

import pytest

from daemon.api import Changes, Limits
from daemon.api.endpoint import KeyChange, NamedRule
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


def test_changes_are_said_in_words_kind_by_kind() -> None:
    rules = tuple(NamedRule(str(number), f"R{number}") for number in range(22))
    changes = Changes(
        added=rules, removed=rules[:1], changed=rules[1:3], disabled=rules[3:4], enabled=rules[4:5],
        config=(KeyChange("api.listen", "changed"), KeyChange("webhooks.ops", "removed")), at_next_start=("api",),
    )  # fmt: skip
    assert changes.words() == (
        f"rules added: {', '.join(f'R{number}' for number in range(20))} and 2 more",
        "rules removed: R0",
        "rules changed: R1, R2",
        "rules now disabled: R3",
        "rules enabled again: R4",
        "configuration: api.listen changed, webhooks.ops removed",
        "at the next start: api",
    )
    assert Changes().words() == ()
