"""How much may be sent, how slowly, and how malformed."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from daemon.api import Limits
from tests.api.conftest import Daemon

Serve = Callable[..., Awaitable[TestClient[Any, Any]]]
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/jsonp"},
        {**JSON, "Content-Encoding": "gzip"},
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/reload", "/api/v1/ai/query", "/api/v1/ai/analyze-anomaly"])
async def test_a_post_must_be_plain_json(
    client: TestClient[Any, Any], world: Daemon, path: str, headers: dict[str, str]
) -> None:
    response = await client.post(path, data=b'{"question": "why?"}', headers=headers)
    assert response.status == 415
    assert "expected" in (await response.json())["error"]
    assert world.reloads == 0


async def test_a_post_without_any_content_type_is_refused(client: TestClient[Any, Any], world: Daemon) -> None:
    response = await client.post("/api/v1/reload", skip_auto_headers=["Content-Type"])
    assert response.status == 415
    assert world.reloads == 0


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_the_limit_is_refused(client: TestClient[Any, Any], chunked: bool) -> None:
    body = b'{"question": "' + b"x" * 65_536 + b'"}'

    async def pieces() -> Any:
        for at in range(0, len(body), 8192):
            yield body[at : at + 8192]

    response = await client.post("/api/v1/ai/query", data=pieces() if chunked else body, headers=JSON)
    assert response.status == 413
    assert (await response.json())["error"]["expected"] == "a body of at most 65536 bytes"


async def test_a_body_at_the_limit_is_read(client: TestClient[Any, Any]) -> None:
    frame = b'{"because": "b", "lines": ""}'
    body = frame[:-2] + b"a=b " * ((65_536 - len(frame)) // 4) + frame[-2:]
    assert 65_530 < len(body) <= 65_536
    assert (await client.post("/api/v1/ai/analyze-anomaly", data=body, headers=JSON)).status == 200


@pytest.mark.parametrize(
    ("body", "code", "expected"),
    [
        (b"", "bad_body", "a JSON object in UTF-8"),
        (b"{", "bad_body", "a JSON object in UTF-8"),
        (b"[]", "bad_body", "a JSON object"),
        (b'{"question": "\xff"}', "bad_body", "a JSON object in UTF-8"),
        (b'{"question": "\\ud800"}', "bad_body", "a JSON object in UTF-8"),
        (b'{"question": NaN}', "bad_body", "a JSON object in UTF-8"),
        (b"[" * 60_000, "bad_body", "a JSON object"),
        (b'{"question": ' + b"[" * 60_000, "bad_parameter", "question: a question of 1 to 2000 characters"),
        (b"{}", "bad_parameter", "question: a question of 1 to 2000 characters"),
        (b'{"question": ""}', "bad_parameter", "question: a question of 1 to 2000 characters"),
        (b'{"question": "  \\n "}', "bad_parameter", "question: a question of 1 to 2000 characters"),
        (b'{"question": 7}', "bad_parameter", "question: a question of 1 to 2000 characters"),
        (b'{"question": "?", "limit": 0}', "bad_parameter", "limit: a whole number of incidents from 1 to 20"),
        (b'{"question": "?", "limit": "5"}', "bad_parameter", "limit: a whole number of incidents from 1 to 20"),
        (b'{"question": "?", "limits": 5}', "bad_parameter", "limits: one of question, limit; did you mean limit?"),
    ],
)
async def test_a_bad_body_says_what_was_expected(
    client: TestClient[Any, Any], world: Daemon, body: bytes, code: str, expected: str
) -> None:
    response = await client.post("/api/v1/ai/query", data=body, headers=JSON)
    error = (await response.json())["error"]
    assert (response.status, error["code"]) == (400, code)
    assert error["expected"].startswith(expected)
    assert world.analyst.questions == []


async def test_two_thousand_characters_are_a_question_and_one_more_is_not(client: TestClient[Any, Any]) -> None:
    assert (await client.post("/api/v1/ai/query", json={"question": "é" * 2000})).status == 200
    assert (await client.post("/api/v1/ai/query", json={"question": "é" * 2001})).status == 400


async def talk(port: int, *parts: bytes, wait: float = 5) -> bytes:
    """Say something over a bare socket; everything that comes back until the other side closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    try:
        async with asyncio.timeout(wait):
            return await reader.read()
    finally:
        writer.close()


HEAD = b"POST /api/v1/ai/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


async def test_a_body_that_never_ends_is_timed_out(serve: Serve) -> None:
    client = await serve(limits=Limits(body_seconds=0.05), options={"lingering_time": 0.0})
    came = await talk(client.port or 0, HEAD + b"Content-Length: 100\r\n\r\n", b'{"question"')
    assert came.startswith(b"HTTP/1.1 408 ")
    assert json.loads(came.partition(b"\r\n\r\n")[2])["error"]["code"] == "timeout"


async def test_a_head_that_never_ends_is_cut_off(serve: Serve) -> None:
    client = await serve(options={"keepalive_timeout": 0.05})
    assert await talk(client.port or 0, HEAD, b"X-Slow: y\r\n") == b""
    assert await talk(client.port or 0) == b"", "nor may a connection stay that says nothing"


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"a" * 5000 + b"\r\n\r\n",
        b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"".join(b"X%d: y\r\n" % n for n in range(80)) + b"\r\n",
        b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"GET /readyz HTTP/1.1\r\n\r\n",
        b"\x1b[31mGET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nContent-Length: 50\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
    ],
)
async def test_malformed_requests_end_the_connection_and_write_no_log(
    client: TestClient[Any, Any], capfd: pytest.CaptureFixture[str], head: bytes
) -> None:
    came = await talk(client.port or 0, head)
    assert came.split(b" ")[1] == b"400"
    assert capfd.readouterr() == ("", "")


async def test_a_body_cut_short_is_no_failure_of_ours(
    client: TestClient[Any, Any], world: Daemon, capfd: pytest.CaptureFixture[str]
) -> None:
    came = await talk(client.port or 0, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"zz\r\n")
    assert came.split(b" ")[1] == b"400"
    _, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(HEAD + b"Content-Length: 50\r\n\r\n{")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await client.get("/healthz")).status == 200
    assert world.analyst.questions == []
    assert capfd.readouterr() == ("", "")


async def test_health_answers_at_once_among_five_hundred_idle_connections(client: TestClient[Any, Any]) -> None:
    idle = [await asyncio.open_connection("127.0.0.1", client.port) for _ in range(500)]
    async with asyncio.timeout(1):
        assert (await client.get("/healthz")).status == 200
    for _, writer in idle:
        writer.close()
