"""Who may ask, how often and how much."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from daemon.api import Limits, build_app
from daemon.api.access import HostCheck, Questions, Rate, Room, TokenCheck, split_host
from daemon.api.errors import ApiError
from tests.api.conftest import TOKEN, Daemon
from tests.doubles.clock import ManualTime

Serve = Callable[..., Awaitable[TestClient[Any, Any]]]
PROTECTED = (
    "/metrics",
    "/api/v1/status",
    "/api/v1/incidents",
    "/api/v1/incidents/inc_1",
    "/api/v1/ai/health",
    "/api/v1/openapi.json",
    "/nothing/here",
)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("127.0.0.1:8787", "127.0.0.1"),
        ("LocalHost", "localhost"),
        ("localhost.:80", "localhost"),
        ("[::1]:8787", "::1"),
        ("[::1]", "::1"),
        ("", None),
        ("a b", None),
        ("localhost:port", None),
        ("user@localhost", None),
        ("localhost:80:80", None),
        ("evil.example\\@localhost", None),
        ("localhost\n", None),
    ],
)
def test_a_host_header_is_split(text: str, host: str | None) -> None:
    assert split_host(text) == host


@pytest.mark.parametrize(
    ("listen", "header", "allowed"),
    [
        ("127.0.0.1:8787", "127.0.0.1:8787", True),
        ("127.0.0.1:8787", "localhost", True),
        ("127.0.0.1:8787", "[::1]:8787", True),
        ("127.0.0.1:8787", "evil.example", False),
        ("127.0.0.1:8787", "127.0.0.1.evil.example", False),
        ("127.0.0.1:8787", "192.0.2.7", False),
        ("127.0.0.1:8787", None, False),
        ("monitor.example:8787", "MONITOR.example:443", True),
        ("monitor.example:8787", "other.example", False),
        ("192.0.2.7:8787", "192.0.2.7", True),
        ("192.0.2.7:8787", "192.0.2.8", False),
        ("0.0.0.0:8787", "192.0.2.8:8787", True),
        ("0.0.0.0:8787", "evil.example", False),
        ("[::]:8787", "[2001:db8::1]:8787", True),
        ("[::]:8787", "evil.example:8787", False),
    ],
)
def test_only_our_own_names_are_hosts(listen: str, header: str | None, allowed: bool) -> None:
    assert HostCheck(listen).allows(header) is allowed


@pytest.mark.parametrize(
    ("listen", "header", "allowed"),
    [
        ("192.0.2.7:8787", "tellwhy.example:8787", True),
        ("0.0.0.0:8787", "tellwhy.example", True),
        ("monitor.example:8787", "other.example", True),
        ("192.0.2.7:8787", "a b", False),
        ("192.0.2.7:8787", None, False),
        ("127.0.0.1:8787", "tellwhy.example", False),
        ("localhost:8787", "evil.example", False),
    ],
)
def test_off_loopback_a_token_does_without_our_name(listen: str, header: str | None, allowed: bool) -> None:
    assert HostCheck(listen).allows(header, any_name=True) is allowed


async def test_by_name_the_token_still_guards_and_what_asks_for_none_stays_closed(serve: Serve) -> None:
    client = await serve(listen="0.0.0.0:8787", token=TOKEN)
    by_name, mine = {"Host": "tellwhy.example:8787"}, {"Authorization": f"Bearer {TOKEN}"}
    for path in ("/metrics", "/api/v1/status"):
        assert (await client.get(path, headers=by_name | mine)).status == 200, path
        assert (await client.get(path, headers=by_name)).status == 401, path
    assert (await client.get("/readyz", headers=by_name | mine)).status == 403


def test_a_listen_address_without_a_host_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected api\.listen as host:port"):
        HostCheck("::1:8787")


@pytest.mark.parametrize("weak", ["x", "x" * 31])
def test_a_short_token_is_refused_before_anything_listens(world: Daemon, weak: str) -> None:
    with pytest.raises(ValueError, match=r"expected at least 32 characters in api\.token_file") as caught:
        build_app(world.endpoint(token=weak))
    assert weak not in str(caught.value).replace("expected", "")


@pytest.mark.parametrize("odd", ["x" * 40 + "\n", "x" * 40 + " y", "ß" * 40])
def test_a_token_that_no_header_can_carry_is_refused(odd: str) -> None:
    with pytest.raises(ValueError, match="expected only visible ASCII"):
        TokenCheck(odd)


@pytest.mark.parametrize("listen", ["0.0.0.0:8787", "192.0.2.7:8787", "[::]:8787", "monitor.example:8787"])
def test_no_token_off_loopback_is_refused(world: Daemon, listen: str) -> None:
    with pytest.raises(ValueError, match="expected a token because"):
        build_app(world.endpoint(listen=listen))


@pytest.mark.parametrize(
    ("header", "allowed"),
    [
        (f"Bearer {TOKEN}", True),
        (f"bearer  {TOKEN}", True),
        (f"Bearer {TOKEN}x", False),
        (f"Bearer {TOKEN[:-1]}", False),
        (f"Basic {TOKEN}", False),
        (TOKEN, False),
        ("Bearer", False),
        ("Bearer \udcff", False),
        ("", False),
        (None, False),
    ],
)
def test_only_the_whole_token_opens(header: str | None, allowed: bool) -> None:
    assert TokenCheck(TOKEN).allows(header) is allowed


@pytest.mark.parametrize("path", PROTECTED)
async def test_everything_but_health_asks_for_the_token(serve: Serve, path: str) -> None:
    client = await serve(token=TOKEN)
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Bearer {TOKEN[:32]}"}):
        response = await client.get(path, headers=headers)
        assert response.status == 401
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="tellwhy"'
        assert (await response.json())["error"]["code"] == "unauthorized"
    response = await client.get(path, headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status in {200, 404}


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_health_never_asks_for_the_token(serve: Serve, path: str) -> None:
    client = await serve(token=TOKEN)
    assert (await client.get(path)).status == 200


async def test_a_post_without_the_token_does_nothing(serve: Serve, world: Daemon) -> None:
    client = await serve(token=TOKEN)
    assert (await client.post("/api/v1/reload", json={})).status == 401
    assert (await client.post("/api/v1/ai/query", json={"question": "why?"})).status == 401
    assert world.reloads == 0
    assert world.analyst.questions == []


@pytest.mark.parametrize("path", ["/readyz", "/metrics", "/api/v1/incidents", "/nothing"])
async def test_a_rebound_name_is_forbidden(client: TestClient[Any, Any], path: str) -> None:
    response = await client.get(path, headers={"Host": "evil.example"})
    assert response.status == 403
    assert (await response.json())["error"]["code"] == "forbidden"


async def test_liveness_answers_under_any_name(client: TestClient[Any, Any]) -> None:
    assert (await client.get("/healthz", headers={"Host": "10-0-0-7.pod.example"})).status == 200


def test_the_rate_fills_up_again_with_time_and_never_beyond_its_burst() -> None:
    clock = ManualTime()
    rate = Rate(2, 0.5, clock.monotonic)
    assert [rate.take(), rate.take()] == [0, 0]
    assert rate.take() == pytest.approx(2.0)
    clock._to(clock.monotonic() + 2)
    assert rate.take() == 0
    assert rate.take() > 0
    clock._to(clock.monotonic() + 1_000_000)
    assert [rate.take(), rate.take()] == [0, 0]
    assert rate.take() > 0


def test_a_room_is_given_back_when_its_holder_fails() -> None:
    room, refusal = Room(1), ApiError(503)
    with pytest.raises(RuntimeError), room.place(refusal):
        raise RuntimeError
    with room.place(refusal), pytest.raises(ApiError), room.place(refusal):
        pytest.fail("two in a room for one")


async def test_one_turned_away_for_want_of_room_costs_no_turn() -> None:
    clock = ManualTime()
    questions = Questions(Limits(ai_burst=2, ai_at_once=1), clock.monotonic)
    async with questions.turn():
        for _ in range(5):
            with pytest.raises(ApiError, match="busy"):
                async with questions.turn():
                    pytest.fail("two at once")
    async with questions.turn():
        pass
    with pytest.raises(ApiError) as caught:
        async with questions.turn():
            pytest.fail("beyond the burst")
    assert caught.value.headers == {"Retry-After": "2"}


async def test_questions_beyond_the_rate_are_told_when_to_come_back(serve: Serve, world: Daemon) -> None:
    client = await serve(limits=Limits(ai_burst=2))
    for _ in range(2):
        assert (await client.post("/api/v1/ai/query", json={"question": "why?"})).status == 200
    response = await client.post("/api/v1/ai/query", json={"question": "why?"})
    assert (response.status, response.headers["Retry-After"]) == (429, "2")
    assert (await response.json())["error"]["code"] == "too_many_requests"
    assert len(world.analyst.questions) == 2
    assert (await client.get("/api/v1/incidents")).status == 200, "only questions are rationed"


async def test_a_third_question_at_once_is_turned_away_and_health_still_answers(serve: Serve, world: Daemon) -> None:
    client = await serve()
    world.analyst.hold.clear()
    async with asyncio.TaskGroup() as group:
        asked = []
        for number in range(2):
            world.analyst.entered.clear()
            asked.append(group.create_task(client.post("/api/v1/ai/query", json={"question": f"{number}?"})))
            await world.analyst.entered.wait()
        assert (await client.post("/api/v1/ai/query", json={"question": "3?"})).status == 429
        assert (await client.get("/healthz")).status == 200
        world.analyst.hold.set()
    assert [task.result().status for task in asked] == [200, 200]


async def test_when_all_places_are_taken_only_liveness_answers(serve: Serve, world: Daemon) -> None:
    client = await serve(limits=Limits(at_once=1))
    world.analyst.hold.clear()
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(client.post("/api/v1/ai/query", json={"question": "?"}))
        await world.analyst.entered.wait()
        response = await client.get("/metrics")
        assert (response.status, response.headers["Retry-After"]) == (503, "1")
        assert (await client.get("/healthz")).status == 200
        world.analyst.hold.set()
    assert asked.result().status == 200
