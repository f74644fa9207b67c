"""Configuration and rules read again, and what that changed."""

from aiohttp import web
from msgspec import Struct

from daemon.api.access import read_json
from daemon.api.endpoint import ENDPOINT, KeyChange, NamedRule
from daemon.api.errors import ApiError
from daemon.api.health import answer
from daemon.api.requests import NoParameters
from daemon.model import ProblemsError


class RuleChangesShape(Struct, frozen=True):
    """What became of rules; `disabled` are switched off now, `enabled` no longer."""

    added: tuple[NamedRule, ...]
    removed: tuple[NamedRule, ...]
    changed: tuple[NamedRule, ...]
    disabled: tuple[NamedRule, ...]
    enabled: tuple[NamedRule, ...]


class ReloadShape(Struct, frozen=True):
    """What the reload changed, in words and in detail; `at_next_start` names what the running process cannot take."""

    reloaded: bool
    changed: tuple[str, ...]
    rules: RuleChangesShape
    config: tuple[KeyChange, ...]
    at_next_start: tuple[str, ...]


async def reload(request: web.Request) -> web.Response:
    """Read configuration and rules again. Everything is checked first: with one problem the old ones stay."""
    endpoint = request.app[ENDPOINT]
    await read_json(request, NoParameters, endpoint.limits, empty=b"{}")
    try:
        found = await endpoint.reload()
    except ProblemsError as error:
        raise ApiError(422, problems=tuple(map(str, error.problems))) from error
    except OSError as error:
        unreadable = f"expected a readable configuration (got {type(error).__name__})"
        raise ApiError(422, problems=(unreadable,)) from error
    rules = RuleChangesShape(found.added, found.removed, found.changed, found.disabled, found.enabled)
    return answer(ReloadShape(True, found.words(), rules, found.config, found.at_next_start))  # noqa: FBT003 - a shape, in its order
