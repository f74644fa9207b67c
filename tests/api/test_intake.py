"""Events from other tools: nothing without the token, nothing acknowledged that is not stored, and no body breaks us."""

import asyncio
import base64
import gzip
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from hypothesis import given
from hypothesis import strategies as st

from daemon.api.errors import ApiError
from daemon.api.intake import parse_records
from daemon.channel import ClosedError
from daemon.model import Transient
from daemon.sources import Item
from daemon.sources.intake import MOST_WAITING
from daemon.telemetry import HealthState
from tests.api.conftest import TOKEN, Daemon
from tests.doubles.clock import settle
from tests.doubles.intakes import INTAKE_TOKEN, ListedIntake
from tests.doubles.tool_records import FALCO, alertmanager

Serve = Callable[..., Awaitable[TestClient[Any, Any]]]
MINE = {"Authorization": f"Bearer {INTAKE_TOKEN}", "Content-Type": "application/json"}
EVENTS = "/api/v1/events"


@pytest.fixture
def intake() -> ListedIntake:
    return ListedIntake()


@pytest.fixture
async def client(serve: Serve, intake: ListedIntake) -> TestClient[Any, Any]:
    return await serve(intakes=lambda: [intake])


async def post(
    client: TestClient[Any, Any], body: Any, path: str = EVENTS, **headers: str
) -> tuple[int, dict[str, Any], Any]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {**MINE, **{name.replace("_", "-"): value for name, value in headers.items()}}
    response = await client.post(path, data=data, headers=sent)
    return response.status, await response.json(), response.headers


@pytest.mark.parametrize(
    ("body", "records"),
    [
        ({"a": 1}, [{"a": 1}]), ([{"a": 1}, {"b": 2}], [{"a": 1}, {"b": 2}]), (FALCO, [FALCO]), (alertmanager(), [alertmanager()]),
        (b'{"a":1}\n\n{"b":2}\r\n', [{"a": 1}, {"b": 2}]), (b' {"a":\n 1}\n', [{"a": 1}]), ([], []),
    ],
)  # fmt: skip
async def test_one_many_or_one_a_line(
    client: TestClient[Any, Any], intake: ListedIntake, body: Any, records: list[Any]
) -> None:
    status, answer, _ = await post(client, body)
    assert (status, answer) == (200, {"source": "intake", "accepted": len(records), "rejected": []})
    assert intake.records == records


async def test_lines_of_json_by_their_own_media_type(client: TestClient[Any, Any], intake: ListedIntake) -> None:
    status, _, _ = await post(client, b'{"a":1}\n', Content_Type="application/x-ndjson")
    assert (status, intake.records) == (200, [{"a": 1}])


async def test_it_is_acknowledged_only_when_stored(serve: Serve, intake: ListedIntake) -> None:
    """The worst bug: the sender forgets it, we are killed, and it is gone."""
    intake.stores = False
    client = await serve(intakes=lambda: [intake])
    asked = asyncio.get_running_loop().create_task(post(client, {"a": 1}))
    await intake.came()
    await settle()
    assert not asked.done()
    intake.handed[0].stored()
    assert (await asked)[0] == 200


async def test_what_the_store_does_not_take_in_time_is_not_acknowledged(serve: Serve) -> None:
    intake = ListedIntake(patience=0.01)
    intake.stores = False
    status, answer, headers = await post(await serve(intakes=lambda: [intake]), {"a": 1})
    assert (status, answer["error"]["message"]) == (503, "It is not known to be stored.")
    assert headers["Retry-After"] == "5"


async def test_while_the_store_cannot_write_nothing_is_taken(
    client: TestClient[Any, Any], world: Daemon, intake: ListedIntake
) -> None:
    world.board.set("store", HealthState.degraded, "disk full")
    status, _, headers = await post(client, {"a": 1})
    assert (status, headers["Retry-After"], intake.handed) == (503, "5", [])


async def test_while_we_start_or_stop_nothing_is_taken(serve: Serve) -> None:
    class Closing(ListedIntake):
        async def emit(self, item: Item) -> None:
            raise ClosedError

    def starting() -> list[ListedIntake]:
        raise Transient("not open yet", retry_after=1.0)

    status, _, headers = await post(await serve(intakes=starting), {"a": 1})
    assert (status, headers["Retry-After"]) == (503, "1")
    for intake in (ListedIntake(open_=False), Closing()):
        status, answer, headers = await post(await serve(intakes=lambda intake=intake: [intake]), {"a": 1})
        assert (status, answer["error"]["message"], headers["Retry-After"]) == (503, "Nothing was taken.", "1")


async def test_who_comes_when_it_is_full_is_told_when_to_come_back(
    client: TestClient[Any, Any], intake: ListedIntake
) -> None:
    intake._waiting = MOST_WAITING
    status, _, headers = await post(client, {"a": 1})
    assert (status, headers["Retry-After"], intake.handed) == (429, "1", [])
    intake._waiting = 0
    assert (await post(client, {"a": 1}))[0] == 200
    assert intake._waiting == 0


async def test_more_than_the_rate_is_told_when_to_come_back(serve: Serve, world: Daemon) -> None:
    intake = ListedIntake(rate=2)
    client = await serve(intakes=lambda: [intake])
    said = [(await post(client, {"a": 1})) for _ in range(5)]
    assert [status for status, _, _ in said] == [200, 200, 200, 200, 429]
    assert said[-1][2]["Retry-After"] == "1"
    assert said[-1][1]["error"]["message"] == "More than 2 requests a second."
    await world.clock.advance(0.5)
    assert (await post(client, {"a": 1}))[0] == 200


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", f"Bearer {TOKEN}", f"Bearer {INTAKE_TOKEN[:-1]}", f"Token {INTAKE_TOKEN}", "Basic ???", "Basic /w==",
     "Basic " + base64.b64encode(f"{INTAKE_TOKEN}:x".encode()).decode()],
)  # fmt: skip
async def test_only_the_token_of_the_intake_opens_it(serve: Serve, intake: ListedIntake, header: str | None) -> None:
    """Not that of the API either, and on loopback it is asked for too."""
    client = await serve(intakes=lambda: [intake], token=TOKEN)
    sent = {"Content-Type": "application/json"} | ({"Authorization": header} if header is not None else {})
    response = await client.post(EVENTS, data=b"{}", headers=sent)
    assert response.status == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer ")
    assert intake.handed == []


async def test_it_opens_nothing_else(serve: Serve, intake: ListedIntake) -> None:
    client = await serve(intakes=lambda: [intake], token=TOKEN)
    assert (await client.get("/api/v1/incidents", headers=MINE)).status == 401


async def test_a_password_of_an_address_is_a_token_too(client: TestClient[Any, Any], intake: ListedIntake) -> None:
    pair = base64.b64encode(f"falco:{INTAKE_TOKEN}".encode()).decode()
    assert (await post(client, {"a": 1}, Authorization=f"Basic {pair}"))[0] == 200


async def test_without_an_intake_there_is_nothing_to_open(serve: Serve) -> None:
    status, answer, _ = await post(await serve(), {"a": 1})
    assert (status, answer["error"]["expected"]) == (404, "a source of type: intake in the configuration")
    weak = ListedIntake(token="")
    assert (await post(await serve(intakes=lambda: [weak]), {"a": 1}, Authorization="Bearer "))[0] == 401


async def test_the_token_and_the_name_choose_the_intake(serve: Serve) -> None:
    one, two = ListedIntake(name="one"), ListedIntake(name="two")
    other = ListedIntake(name="other", token="o" * 40)
    client = await serve(intakes=lambda: [one, two, other])
    for path, authorization, status in (
        (EVENTS, MINE["Authorization"], 200), (f"{EVENTS}?source=two", MINE["Authorization"], 200),
        (f"{EVENTS}?source=other", MINE["Authorization"], 400), (f"{EVENTS}?source=nobody", MINE["Authorization"], 400),
        (EVENTS, f"Bearer {'o' * 40}", 200), (f"{EVENTS}?sauce=two", MINE["Authorization"], 400),
        (f"{EVENTS}?source=one&source=two", MINE["Authorization"], 400),
    ):  # fmt: skip
        assert (await post(client, {"a": 1}, path, Authorization=authorization))[0] == status, path
    assert [len(each.handed) for each in (one, two, other)] == [1, 1, 1]


async def test_each_event_that_is_not_taken_is_listed_with_its_place(
    client: TestClient[Any, Any], intake: ListedIntake
) -> None:
    deep: Any = {"a": 1}
    for _ in range(40):
        deep = {"a": deep}
    status, answer, _ = await post(client, [{"a": 1}, 5, {"b": 2}, None, deep, {str(n): n for n in range(3000)}])
    assert status == 200
    assert answer["accepted"] == 2
    assert [one["index"] for one in answer["rejected"]] == [1, 3, 4, 5]
    assert answer["rejected"][0]["expected"] == "a JSON object"
    assert "32 levels" in answer["rejected"][2]["expected"]
    assert intake.records == [{"a": 1}, {"b": 2}]


async def test_a_record_that_is_not_of_the_preset_says_which_was_expected(serve: Serve) -> None:
    intake = ListedIntake(preset="falco")
    client = await serve(intakes=lambda: [intake])
    status, answer, _ = await post(client, {"a": 1})
    assert (status, answer["error"]["expected"]) == (400, "event 0: expected a record of falco")
    assert (await post(client, [FALCO, {"a": 1}]))[1] == {
        "source": "intake", "accepted": 1, "rejected": [{"index": 1, "expected": "a record of falco"}],
    }  # fmt: skip


HOSTILE = {
    "nothing": b"",
    "text": b'"x"',
    "number": b"5",
    "null": b"null",
    "half": b'{"a": 1',
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": -Infinity}',
    "a number that is too large": b'{"a": 1e400}',
    "a key twice": b'{"a": 1, "a": 2}',
    "a key twice, deep": b'[{"b": [{"a": 1, "a": 2}]}]',
    "endless nesting": b"[" * 200_000,
    "nesting of objects": b'{"a":' * 100_000,
    "no UTF-8": b'{"a": "\xff"}',
    "half of a pair": b'{"a": "\\ud800"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"a": 1}',
    "one bad line": b'{"a": 1}\nx\n{"b": 2}\n',
    "two objects on a line": b'{"a": 1} {"b": 2}',
    "a form": b"a=1&b=2",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
async def test_a_hostile_body_is_refused_with_what_was_expected(
    client: TestClient[Any, Any], intake: ListedIntake, body: bytes
) -> None:
    status, answer, _ = await post(client, body)
    assert status == 400
    assert "JSON object" in answer["error"]["expected"]
    assert intake.handed == []


async def test_what_is_too_large_compressed_or_of_another_type_is_refused(serve: Serve) -> None:
    intake = ListedIntake(max_body=2048)
    client = await serve(intakes=lambda: [intake])
    assert (await post(client, {"a": "x" * 2000}))[0] == 200
    assert (await post(client, {"a": "x" * 2048}))[0] == 413
    bomb = gzip.compress(b" " * 1_000_000)
    assert (await post(client, bomb, Content_Encoding="gzip"))[0] == 415
    assert (await post(client, bomb))[0] == 400
    assert (await post(client, b"{}", Content_Type="text/plain"))[0] == 415
    assert len(intake.handed) == 1


async def test_a_body_over_the_limit_of_the_other_routes_is_taken(
    client: TestClient[Any, Any], intake: ListedIntake
) -> None:
    assert (await post(client, [{"a": "x" * 1000} for _ in range(500)]))[0] == 200
    assert len(intake.records) == 500


async def test_more_events_than_one_request_may_have_are_refused(
    client: TestClient[Any, Any], intake: ListedIntake
) -> None:
    assert (await post(client, b'{"a":1}\n' * 10_001))[0] == 413
    assert intake.handed == []
    assert (await post(client, b'{"a":1}\n' * 10_000))[0] == 200


async def test_the_loop_goes_on_while_a_body_is_examined(serve: Serve) -> None:
    """Seconds for a body of megabytes: the watchdog, health and all other senders would wait for it."""
    seen: list[bool] = []

    class Slow(ListedIntake):
        def __init__(self) -> None:
            super().__init__()
            self.find_fault = self._find

        def _find(self, record: Any) -> str:
            seen.append(asyncio.run_coroutine_threadsafe(asyncio.sleep(0, result=True), loop).result(5))
            return ""

    loop, intake = asyncio.get_running_loop(), Slow()
    assert (await post(await serve(intakes=lambda: [intake]), {"a": 1}))[0] == 200
    assert seen == [True]


async def test_no_depth_breaks_us(client: TestClient[Any, Any]) -> None:
    """Deep lists are decoded where little of the stack is used, and encoded where more of it is."""
    said = {depth: (await post(client, b'{"a":' + b"[" * depth + b"]" * depth + b"}"))[0] for depth in range(850, 1000)}
    assert set(said.values()) <= {200, 400}
    assert {said[850], said[999]} == {200, 400}


async def test_waiting_senders_leave_places_for_those_who_ask_for_health(serve: Serve) -> None:
    full = asyncio.Event()

    class Filling(ListedIntake):
        async def emit(self, item: Item) -> None:
            await super().emit(item)
            if len(self.handed) == MOST_WAITING:
                full.set()

    intake, other = Filling(rate=1000), ListedIntake(name="other")
    intake.stores = False
    client = await serve(intakes=lambda: [intake, other])
    loop = asyncio.get_running_loop()
    waiting = [loop.create_task(post(client, {"a": 1})) for _ in range(MOST_WAITING)]
    async with asyncio.timeout(5):
        await full.wait()
    assert (await post(client, {"a": 1}))[0] == 429
    assert (await post(client, {"a": 1}, f"{EVENTS}?source=other"))[0] == 429
    assert (await client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})).status == 200
    for item in intake.handed:
        item.stored()
    assert {status for status, _, _ in await asyncio.gather(*waiting)} == {200}


@pytest.mark.parametrize("header", ["Idempotency_Key", "webhook_id"])
async def test_the_name_of_a_request_travels_with_its_events(
    client: TestClient[Any, Any], intake: ListedIntake, header: str
) -> None:
    await post(client, [{"a": 1}, {"b": 2}], **{header: "msg_1"})
    await post(client, {"a": 1})
    assert [one["key"] for one in intake.envelopes] == ["msg_1:0", "msg_1:1", ""]
    assert len({one["id"] for one in intake.envelopes}) == 3
    assert (await post(client, {"a": 1}, **{header: "a b"}))[0] == 400
    assert (await post(client, {"a": 1}, **{header: "x" * 201}))[0] == 400


async def test_who_hangs_up_takes_nothing_back(serve: Serve, intake: ListedIntake) -> None:
    intake.stores = False
    client = await serve(intakes=lambda: [intake])
    asked = asyncio.get_running_loop().create_task(post(client, {"a": 1}))
    await intake.came()
    asked.cancel()
    await asyncio.wait([asked])
    intake.handed[0].stored()
    await settle()
    assert intake._waiting == 0
    assert intake.records == [{"a": 1}]


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_records_or_a_bad_body(data: bytes) -> None:
    status = 200
    try:
        assert isinstance(parse_records(data), list)
    except ApiError as error:
        status = error.status
    assert status in {200, 400}
