"""Events from other tools: nothing without the token, nothing acknowledged that is not stored, and no body breaks us."""

import asyncio
import base64
import gzip
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from hypothesis import given
from hypothesis import strategies as st

from daemon.api.errors import ApiError
from daemon.api.intake import BadLine, parse_records
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
    assert (status, answer) == (200, {"source": "intake", "accepted": len(records), "repeated": 0, "rejected": []})
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


async def test_what_is_not_taken_is_counted_for_who_runs_us(
    client: TestClient[Any, Any], world: Daemon, intake: ListedIntake
) -> None:
    """Falco and Alertmanager look at the status only: nobody else would ever know."""
    del intake

    def counted() -> float | None:
        return world.metrics.registry.get_sample_value("tellwhy_unparsed_lines_total", {"source": "intake"})

    assert (await post(client, [{"a": 1}, 5, None]))[0] == 200
    assert counted() == 2
    assert (await post(client, alertmanager() | {"alerts": "x"}))[0] == 400
    assert counted() == 3
    assert (await post(client, {"a": 1}))[0] == 200
    assert counted() == 3


async def test_a_record_that_is_not_of_the_preset_says_which_was_expected(serve: Serve) -> None:
    intake = ListedIntake(preset="falco")
    client = await serve(intakes=lambda: [intake])
    status, answer, _ = await post(client, {"a": 1})
    assert (status, answer["error"]["expected"]) == (400, "event 0: expected a record of falco")
    assert (await post(client, [FALCO, {"a": 1}]))[1] == {
        "source": "intake", "accepted": 1, "repeated": 0, "rejected": [{"index": 1, "expected": "a record of falco"}],
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
    "lines without an object": b'x\n{"b": 2\n',
    "an array over lines with a comma missing": b'[\n{"a": 1}\n{"b": 2}\n]',
    "an object over lines with a comma missing": b'{\n"a": [\n{"b": 2}\n{"c": 3}\n]}',
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
    for encoding in ("gzip", "deflate", "br", "zstd", "gzip, identity"):
        status, _, headers = await post(client, bomb, Content_Encoding=encoding)
        assert (status, headers["Accept-Encoding"]) == (415, "identity")
    status, answer, _ = await post(client, b"{}", Content_Type="text/plain")
    assert status == 415
    assert answer["error"]["expected"] == (
        "a header Content-Type: application/json or application/x-ndjson or application/ndjson or application/jsonl"
    )
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
    assert (await post(client, b"x\n\n" * 10_001))[0] == 413, "before any of it is decoded"


async def test_a_few_bodies_at_once_are_decoded_and_the_others_wait_as_bytes(serve: Serve) -> None:
    """Decoded, a body of a megabyte is twenty; with thirty-two of them we were at 938 MB."""
    inside, most, lock = 0, 0, threading.Lock()

    class Counting(ListedIntake):
        def __init__(self) -> None:
            super().__init__()
            self.find_fault = self._find

        def _find(self, record: Any) -> str:
            nonlocal inside, most
            with lock:
                inside += 1
                most = max(most, inside)
            for _ in range(30):  # long enough for all others to come
                asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(5)
            with lock:
                inside -= 1
            return ""

    loop, intake = asyncio.get_running_loop(), Counting()
    client = await serve(intakes=lambda: [intake])
    said = await asyncio.gather(*[post(client, {"a": 1}) for _ in range(12)])
    assert {status for status, _, _ in said} == {200}
    assert most == 2


async def test_each_alert_of_a_notification_counts_as_an_event(
    client: TestClient[Any, Any], intake: ListedIntake
) -> None:
    """Else one request, of one record, would hold the store and the rules for as long as its sender likes."""
    alert = {"status": "firing", "labels": {"a": "b"}}
    many = alertmanager(*[alert] * 10_001)
    for body in (many, [many], [alertmanager(*[alert] * 5_001)] * 2):
        status, answer, _ = await post(client, body)
        assert (status, answer["error"]["code"]) == (413, "too_large")
        assert answer["error"]["expected"].startswith("at most 10000 events in a request")
    assert intake.handed == []
    assert (await post(client, alertmanager(*[alert] * 10_000)))[0] == 200


LISTED = ("application/json", "application/x-ndjson", "application/ndjson", "application/jsonl")
GOOD_AND_BAD = {
    "no JSON": (b'{"a": 1}\nx\n{"b": 2}\n', 1, "line 2: "),
    "cut": (b'{"a": 1}\r\n\r\n{"b": 2}\r\n{"c": ', 2, "line 4: "),
    "the first": (b'{"c": 1, "c": 2}\n{"a": 1}\n{"b": 2}', 0, "line 1: a key stands twice"),
    "NaN": (b'{"a": 1}\n{"c": NaN}\n{"b": 2}', 1, "line 2: "),
    "no UTF-8": (b'{"a": 1}\n{"c": "\xff"}\n{"b": 2}', 1, "line 2: "),
    "two on a line": (b'{"a": 1}\n{"c": 1} {"d": 1}\n{"b": 2}', 1, "line 2: "),
    "too deep": (b'{"a": 1}\n' + b'{"c":' * 100_000 + b'\n{"b": 2}', 1, "line 2: "),
    "no object": (b'{"a": 1}\n5\n{"b": 2}', 1, ""),
}


@pytest.mark.parametrize("media", LISTED)
@pytest.mark.parametrize(("body", "index", "why"), GOOD_AND_BAD.values(), ids=GOOD_AND_BAD)
async def test_one_bad_line_costs_no_other_as_in_an_array(
    client: TestClient[Any, Any], intake: ListedIntake, body: bytes, index: int, why: str, media: str
) -> None:
    status, answer, _ = await post(client, body, Content_Type=media)
    assert (status, answer["accepted"], intake.records) == (200, 2, [{"a": 1}, {"b": 2}])
    (rejected,) = answer["rejected"]
    assert rejected["index"] == index
    assert rejected["expected"].startswith("a JSON object")
    assert why in rejected["expected"]


async def test_when_every_line_is_bad_each_is_named_and_nothing_is_taken(
    client: TestClient[Any, Any], intake: ListedIntake
) -> None:
    status, answer, _ = await post(client, b'x\n\n{"a": 1, "a": 2}\n', Content_Type="application/x-ndjson")
    assert (status, answer["error"]["code"]) == (400, "bad_body")
    first, second = answer["error"]["problems"]
    assert first.startswith("event 0: expected a JSON object (line 1: ")
    assert second == "event 1: expected a JSON object (line 3: a key stands twice)"
    assert intake.handed == []


@pytest.mark.parametrize("media", LISTED)
async def test_nothing_is_no_list_of_events(client: TestClient[Any, Any], intake: ListedIntake, media: str) -> None:
    for body in (b"", b"\n\r\n \n"):
        assert (await post(client, body, Content_Type=media))[0] == 400
    assert intake.handed == []


async def test_what_was_stored_before_is_told(serve: Serve) -> None:
    intake = ListedIntake(repeats={"n1": 2})
    client = await serve(intakes=lambda: [intake])
    said = [(await post(client, [FALCO, {"a": 1}, FALCO]))[1] for _ in range(2)]
    assert [(one["accepted"], one["repeated"]) for one in said] == [(3, 0), (3, 2)]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"alerts": "x"}, "alerts: a list of alerts (got a text)"),
        ({"alerts": [{"status": "firing"}]}, "alerts.0.labels: an object of texts (got nothing)"),
        ({"alerts": [{"status": "firing", "labels": {"a": 5}}]}, "alerts.0.labels: an object of texts (got a number in it)"),
    ],
)  # fmt: skip
async def test_a_notification_that_no_rule_would_understand_is_refused(
    client: TestClient[Any, Any], intake: ListedIntake, changes: dict[str, Any], fault: str
) -> None:
    status, answer, _ = await post(client, alertmanager() | changes)
    expected = f"event 0: expected a notification of Alertmanager (version 4): {fault}"
    assert (status, answer["error"]["expected"]) == (400, expected)
    assert intake.handed == []


async def test_an_event_that_we_fail_on_is_not_taken_and_costs_no_other(
    serve: Serve, capfd: pytest.CaptureFixture[str]
) -> None:
    class Failing(ListedIntake):
        def __init__(self) -> None:
            super().__init__()
            self.find_fault = lambda record: "" if record == {"a": 1} else str(1 / 0)

    intake = Failing()
    client = await serve(intakes=lambda: [intake])
    status, answer, _ = await post(client, [{"a": 1}, {"b": 2}])
    assert (status, answer["accepted"], [one["index"] for one in answer["rejected"]]) == (200, 1, [1])
    assert answer["rejected"][0]["expected"].startswith("nothing of you: tellwhy failed on it")
    assert intake.records == [{"a": 1}]
    said = capfd.readouterr()
    assert "ZeroDivisionError" in said.out + said.err
    status, answer, _ = await post(client, [{"b": 2}, 5])
    assert (status, answer["error"]["code"]) == (500, "internal"), "so that a sender that can, keeps it"


@pytest.mark.parametrize("host", ["tellwhy.example:8787", "siem", "192.0.2.9", "[2001:db8::1]:8787"])
async def test_off_loopback_an_intake_is_found_by_any_name(serve: Serve, intake: ListedIntake, host: str) -> None:
    client = await serve(intakes=lambda: [intake], listen="192.0.2.7:8787", token=TOKEN)
    assert (await post(client, {"a": 1}, Host=host))[0] == 200
    assert (await post(client, {"a": 1}, Host=host, Authorization=f"Bearer {TOKEN}"))[0] == 401
    assert (await post(client, {"a": 1}, Host="a b"))[0] == 403


async def test_on_loopback_a_rebound_name_is_forbidden_though_it_had_the_token(
    client: TestClient[Any, Any], intake: ListedIntake
) -> None:
    assert (await post(client, {"a": 1}, Host="evil.example"))[0] == 403
    assert intake.handed == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("token", ["", TOKEN])
async def test_only_a_post_is_known_here(serve: Serve, intake: ListedIntake, method: str, token: str) -> None:
    """With the token of the intake or none: it is the method that is wrong."""
    client = await serve(intakes=lambda: [intake], token=token)
    for headers in (MINE, {}):
        response = await client.request(method, EVENTS, headers=headers)
        assert (response.status, response.headers["Allow"]) == (405, "POST")


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


async def test_what_was_refused_and_is_mended_comes_again_under_the_same_name(
    client: TestClient[Any, Any], intake: ListedIntake
) -> None:
    """The worst bug: it gets the name of the event behind it, which was stored, and is dropped as its repeat."""
    for body in ([5, {"a": 1}], [{"mended": 5}, {"a": 1}]):
        await post(client, body, Idempotency_Key="msg_1")
    assert [(one["key"], one["record"]) for one in intake.envelopes] == [
        ("msg_1:1", {"a": 1}), ("msg_1:0", {"mended": 5}), ("msg_1:1", {"a": 1}),
    ]  # fmt: skip


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


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode), st.booleans())
def test_any_bytes_are_records_or_a_bad_body(data: bytes, listed: bool) -> None:
    status = 200
    try:
        assert isinstance(parse_records(data, listed=listed), list)
    except ApiError as error:
        status = error.status
    assert status in {200, 400}


VALUES = st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=2))
RECORDS = st.dictionaries(st.text(max_size=5), VALUES, max_size=3)


@given(st.lists(RECORDS.map(json.dumps) | st.sampled_from(["x", "{", '{"a":1,"a":2}', "", " ", "NaN"])), st.booleans())
def test_every_good_line_is_found_whatever_stands_between(lines: list[str], crlf: bool) -> None:
    """The worst bug: one line that a disk tore, and an hour of evidence is refused."""
    there = [line for line in [*lines, '{"z": 9}'] if line.strip()]
    good = [json.loads(line) for line in there if line[:1] == "{" and line[-1:] == "}" and '"a":1' not in line]
    found = parse_records(("\r\n" if crlf else "\n").join([*lines, '{"z": 9}']).encode(), listed=True)
    assert [one for one in found if not isinstance(one, BadLine)] == good
    assert len(found) == len(there)
