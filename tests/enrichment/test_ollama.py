"""The client against a real server that behaves, and misbehaves, as Ollama does."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from daemon.config.schema import Model
from daemon.enrichment import Answer
from daemon.enrichment.ollama import Ollama
from daemon.model import Refused, Transient
from tests.doubles.clock import ManualTime
from tests.doubles.ollama import DIGEST, Mode, OllamaDouble, serving

SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {
        "answer": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"text": {"type": "string"}, "cites": {"type": "array", "items": {"type": "string"}}},
                "required": ["text", "cites"],
            },
        }
    },
    "required": ["answer"],
}
THINKER = ("completion", "thinking")


@pytest.fixture
async def server() -> AsyncIterator[OllamaDouble]:
    async with serving() as double:
        yield double


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


def client(session: aiohttp.ClientSession, url: str, **changes: Any) -> Ollama:
    settings = {
        "url": url,
        "connect_timeout": 2.0,
        "first_byte_timeout": 5.0,
        "stall_timeout": 5.0,
        "total_timeout": 10.0,
    } | changes
    return Ollama(Model.model_validate(settings), session, monotonic=ManualTime().monotonic, probe_timeout=2.0)


async def failure(ollama: Ollama, user: str = "E1 why?") -> Transient | Refused:
    with pytest.raises((Transient, Refused)) as caught:
        await ollama.ask("be brief", user, SCHEMA)
    assert isinstance(caught.value, Transient | Refused)
    assert caught.value.detail.isprintable()
    return caught.value


# the answer


async def test_it_asks_and_answers(server: OllamaDouble, session: aiohttp.ClientSession) -> None:
    answer = await client(session, server.url).ask("be brief", "E1 says so, and E2", SCHEMA)
    assert json.loads(answer.text)["answer"][0]["cites"] == ["E1", "E2"]
    assert (answer.model, answer.digest, answer.answer_tokens) == ("qwen3:4b", DIGEST, 42)
    assert answer.prompt_tokens > 200
    assert "think" not in server.requests[0]
    assert server.requests[0]["format"] == SCHEMA


async def test_options_never_change_with_the_prompt(server: OllamaDouble, session: aiohttp.ClientSession) -> None:
    server.trained_context = 4096
    ollama = client(session, server.url)
    await ollama.ask("s", "short", SCHEMA)
    await ollama.ask("s", "a much longer prompt " * 100, SCHEMA)
    first, second = (request["options"] for request in server.requests)
    assert first == second
    assert first["num_ctx"] == 4096


async def test_a_path_in_front_of_the_api_is_kept(server: OllamaDouble, session: aiohttp.ClientSession) -> None:
    error = await failure(client(session, f"{server.url}/ollama/"))
    assert error.why == "invalid_url"  # the double has nothing at /ollama/api
    assert "404" in error.detail


@pytest.mark.parametrize(
    ("mode", "error", "why"),
    [
        (Mode.error_before, Transient, "model_error"),
        (Mode.error_mid_stream, Transient, "model_error"),
        (Mode.model_missing, Refused, "model_missing"),
        (Mode.wrong_server, Refused, "invalid_url"),
        (Mode.busy, Transient, "busy"),
        (Mode.loading, Transient, "busy"),
        (Mode.over_context, Transient, "context_overflow"),
        (Mode.html, Transient, "bad_response"),
        (Mode.redirect, Refused, "redirected"),
        (Mode.cut, Transient, "incomplete_answer"),
        (Mode.no_done, Transient, "incomplete_answer"),
        (Mode.thinking_only, Transient, "empty_answer"),
        (Mode.length, Refused, "truncated_answer"),
        (Mode.truncated_prompt, Transient, "context_overflow"),
        (Mode.endless, Refused, "too_large"),
        (Mode.huge_line, Refused, "too_large"),
        (Mode.deep_envelope, Transient, "bad_response"),
    ],
)
async def test_each_way_to_fail_has_its_name(
    server: OllamaDouble, session: aiohttp.ClientSession, mode: Mode, error: type[Exception], why: str
) -> None:
    server.mode = mode
    found = await failure(client(session, server.url))
    assert (type(found), found.why) == (error, why)
    assert server.chats == 1  # one attempt


@pytest.mark.parametrize("mode", [Mode.split_utf8, Mode.fenced, Mode.deep, Mode.hostile, Mode.prose])
async def test_what_is_text_is_handed_over_as_it_came(
    server: OllamaDouble, session: aiohttp.ClientSession, mode: Mode
) -> None:
    server.mode = mode
    answer = await client(session, server.url).ask("s", "E1", SCHEMA)
    assert answer.text
    assert "é" in answer.text or mode not in {Mode.split_utf8, Mode.fenced}


async def test_busy_names_the_pause_the_server_asked_for(server: OllamaDouble, session: aiohttp.ClientSession) -> None:
    server.mode, server.retry_after = Mode.busy, "7"
    found = await failure(client(session, server.url))
    assert isinstance(found, Transient)
    assert found.retry_after == 7.0


async def test_no_server_is_unavailable(session: aiohttp.ClientSession) -> None:
    async with serving() as gone:
        url = gone.url
    found = await failure(client(session, url))
    assert (type(found), found.why) == (Transient, "unavailable")


# time


@pytest.mark.parametrize(
    ("mode", "limits", "said"),
    [
        (Mode.hang_before_body, {"first_byte_timeout": 0.05}, "no answer in 0.05 s"),
        (Mode.hang_mid_stream, {"stall_timeout": 0.05}, "stopped for 0.05 s"),
        (Mode.drip, {"stall_timeout": 2.0, "total_timeout": 0.1}, "no whole answer in 0.1 s"),
        (Mode.hang_before_body, {"total_timeout": 0.05}, "no whole answer in 0.05 s"),
    ],
)
async def test_each_wait_has_its_limit_and_ends_at_the_server_too(
    server: OllamaDouble, session: aiohttp.ClientSession, mode: Mode, limits: dict[str, float], said: str
) -> None:
    server.mode = mode
    found = await failure(client(session, server.url, **limits))
    assert (type(found), found.why) == (Transient, "timeout")
    assert said in found.detail
    await asyncio.wait_for(server.disconnected.wait(), 1)


async def test_a_server_that_never_sends_a_header(server: OllamaDouble, session: aiohttp.ClientSession) -> None:
    ollama = client(session, server.url, first_byte_timeout=0.05)
    await ollama.probe()
    server.mode = Mode.hang_before_header
    assert (await failure(ollama)).why == "timeout"
    await asyncio.wait_for(server.disconnected.wait(), 1)


async def test_a_server_that_takes_the_connection_and_is_silent(session: aiohttp.ClientSession) -> None:
    held: list[asyncio.StreamWriter] = []
    async with await asyncio.start_server(lambda _, writer: held.append(writer), "127.0.0.1", 0) as silent:
        url = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
        ollama = Ollama(Model(url=url), session, monotonic=ManualTime().monotonic, probe_timeout=0.05)
        status = await ollama.probe()
        assert not status.reachable
        assert "did not answer in 0.05 s" in status.detail
        assert (await failure(ollama)).why == "timeout"
        for writer in held:
            writer.close()


async def test_cancelling_the_question_frees_the_model(server: OllamaDouble, session: aiohttp.ClientSession) -> None:
    server.mode = Mode.hang_mid_stream
    asking = asyncio.get_running_loop().create_task(client(session, server.url).ask("s", "E1", SCHEMA))
    await asyncio.wait_for(server.asked.wait(), 2)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.wait_for(server.disconnected.wait(), 1)
    assert server.in_flight == 0


# thinking


async def test_a_thinking_model_is_told_not_to(server: OllamaDouble, session: aiohttp.ClientSession) -> None:
    server.capabilities = THINKER
    await client(session, server.url).ask("s", "E1", SCHEMA)
    assert server.requests[0]["think"] is False


async def test_gpt_oss_thinks_little(server: OllamaDouble, session: aiohttp.ClientSession) -> None:
    server.capabilities, server.family = THINKER, "gptoss"
    await client(session, server.url).ask("s", "E1", SCHEMA)
    assert server.requests[0]["think"] == "low"


@pytest.mark.parametrize(("mode", "why"), [(Mode.prose, "format_ignored"), (Mode.thinking_only, "empty_answer")])
async def test_what_spoils_the_schema_is_tried_the_other_way(
    server: OllamaDouble, session: aiohttp.ClientSession, mode: Mode, why: str
) -> None:
    """Some models ignore `format` when told not to think (ollama#14645), others say nothing when left to think."""
    server.capabilities = THINKER
    server.modes.append(mode)
    ollama = client(session, server.url)
    found = await failure(ollama)
    assert (type(found), found.why) == (Transient, why)
    for _ in range(2):  # what worked is kept
        assert json.loads((await ollama.ask("s", "E1", SCHEMA)).text)
    assert [request["think"] for request in server.requests] == [False, True, True]
    assert [request["options"]["num_predict"] for request in server.requests] == [700, 2800, 2800]
    assert len({request["options"]["num_ctx"] for request in server.requests}) == 1


async def test_a_model_that_ignores_the_schema_either_way_is_handed_over(
    server: OllamaDouble, session: aiohttp.ClientSession
) -> None:
    server.capabilities, server.mode = THINKER, Mode.prose
    ollama = client(session, server.url)
    assert (await failure(ollama)).why == "format_ignored"
    assert isinstance(await ollama.ask("s", "E1", SCHEMA), Answer)


# what is there


async def test_a_probe_tells_what_there_is_and_asks_the_model_nothing(
    server: OllamaDouble, session: aiohttp.ClientSession
) -> None:
    status = await client(session, server.url).probe()
    assert (status.reachable, status.name, status.digest, status.context) == (True, "qwen3:4b", DIGEST, 8192)
    assert status.detail == ""
    assert "/api/chat" not in server.paths


async def test_an_old_server_will_do(server: OllamaDouble, session: aiohttp.ClientSession) -> None:
    server.old = True
    ollama = client(session, server.url)
    assert (await ollama.probe()).reachable
    assert (await ollama.ask("s", "E1", SCHEMA)).digest == ""


async def test_a_missing_model_is_named_with_its_cure_and_found_once_it_is_there(
    server: OllamaDouble, session: aiohttp.ClientSession
) -> None:
    server.present = False
    ollama = client(session, server.url)
    status = await ollama.probe()
    assert not status.reachable
    assert "ollama pull qwen3:4b" in status.detail
    assert (await failure(ollama)).why == "model_missing"
    server.present = True
    assert (await ollama.ask("s", "E1", SCHEMA)).digest == DIGEST


async def test_a_model_that_only_embeds_cannot_explain(server: OllamaDouble, session: aiohttp.ClientSession) -> None:
    server.capabilities = ("embedding",)
    status = await client(session, server.url).probe()
    assert not status.reachable
    assert "completes text" in status.detail


async def test_a_new_digest_is_noticed(server: OllamaDouble, session: aiohttp.ClientSession) -> None:
    ollama = client(session, server.url)
    await ollama.ask("s", "E1", SCHEMA)
    server.digest = "sha256:" + "77" * 32
    await ollama.probe()
    assert (await ollama.ask("s", "E1", SCHEMA)).digest == server.digest


async def test_a_name_without_a_tag_is_the_latest(server: OllamaDouble, session: aiohttp.ClientSession) -> None:
    server.name = "qwen3:latest"
    assert (await client(session, server.url, name="qwen3").probe()).digest == DIGEST


async def test_a_model_half_on_the_cpu_is_said_to_be_slow(server: OllamaDouble, session: aiohttp.ClientSession) -> None:
    server.running = [{"name": "qwen3:4b", "size": 4_000_000_000, "size_vram": 1_000_000_000}]
    status = await client(session, server.url).probe()
    assert status.reachable
    assert "25%" in status.detail


@pytest.mark.parametrize("url", ["http://192.0.2.1:11434", "ftp://127.0.0.1", "http://127.0.0.1:1"])
async def test_a_probe_never_raises(session: aiohttp.ClientSession, url: str) -> None:
    status = await client(session, url).probe()
    assert not status.reachable
    assert status.detail


async def test_off_this_host_nothing_is_even_tried(session: aiohttp.ClientSession) -> None:
    found = await failure(client(session, "http://192.0.2.1:11434"))
    assert (type(found), found.why) == (Refused, "remote_refused")


async def test_a_password_in_the_address_is_never_shown(session: aiohttp.ClientSession) -> None:
    status = await client(session, "http://user:hunter2@127.0.0.1:1").probe()
    assert "hunter2" not in status.detail


async def test_a_session_that_follows_proxies_of_the_environment_is_refused() -> None:
    async with aiohttp.ClientSession(trust_env=True) as session:
        with pytest.raises(ValueError, match="trust_env=False"):
            client(session, "http://127.0.0.1:11434")


async def test_proxies_of_the_environment_are_ignored(
    server: OllamaDouble, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "OLLAMA_HOST"):
        monkeypatch.setenv(name, "http://192.0.2.1:3128")
    assert (await client(session, server.url).ask("s", "E1", SCHEMA)).text


VECTORS = {
    "busy_503.json": "busy",
    "cut_mid_json.ndjson": "bad_response",
    "deep.ndjson": "text",
    "downgrade.ndjson": "text",
    "dup_keys.ndjson": "text",
    "empty_content.ndjson": "empty_answer",
    "error_mid_stream.ndjson": "model_error",
    "exfil.ndjson": "text",
    "html_200.txt": "bad_response",
    "huge.ndjson": "text",
    "length_cut.ndjson": "truncated_answer",
    "nan.ndjson": "text",
    "no_done.ndjson": "incomplete_answer",
    "not_json_content.ndjson": "text",
    "ok.ndjson": "text",
}


async def test_every_vector_has_its_outcome(
    server: OllamaDouble, session: aiohttp.ClientSession, shared_data: Path
) -> None:
    server.mode = Mode.raw
    outcomes = {}
    for path in sorted((shared_data / "vectors" / "ollama").iterdir()):
        server.raw, server.raw_status = path.read_bytes(), 503 if "503" in path.name else 200
        try:
            await client(session, server.url).ask("s", "E1", SCHEMA)
            outcomes[path.name] = "text"
        except (Transient, Refused) as error:
            outcomes[path.name] = error.why
    assert outcomes == VECTORS


# models that run elsewhere

CLOUD = {"remote_host": "https://ollama.com:443", "remote_model": "gpt-oss:120b"}


@pytest.mark.parametrize("told_by", [{"show", "tags", "chat"}, {"show"}, {"tags"}])
async def test_a_model_that_runs_elsewhere_gets_no_prompt(
    server: OllamaDouble, session: aiohttp.ClientSession, told_by: set[str]
) -> None:
    server.elsewhere, server.told_by = CLOUD, told_by
    asked = client(session, server.url)
    assert isinstance(error := await failure(asked), Refused)
    assert error.why == "remote_refused"
    status = await asked.probe()
    assert not status.reachable
    assert "ollama.com" in status.detail
    assert "model.allow_remote" in status.detail
    assert server.chats == 0


@pytest.mark.parametrize("name", ["gpt-oss:120b-cloud", "qwen3-coder:cloud", "Kimi-K2:1t-CLOUD"])
async def test_the_name_of_a_cloud_model_is_enough(
    server: OllamaDouble, session: aiohttp.ClientSession, name: str
) -> None:
    server.name = name
    asked = client(session, server.url, name=name)
    assert (await failure(asked)).why == "remote_refused"
    assert not (await asked.probe()).reachable
    assert server.paths == []


async def test_a_model_that_moved_away_is_refused_at_its_first_answer(
    server: OllamaDouble, session: aiohttp.ClientSession
) -> None:
    asked = client(session, server.url)
    await asked.ask("be brief", "E1 why?", SCHEMA)
    server.elsewhere = CLOUD
    assert (await failure(asked)).why == "remote_refused"
    assert (await failure(asked)).why == "remote_refused"
    assert server.chats == 2  # the second refusal asked nothing


async def test_who_allows_it_may_use_a_cloud_model(server: OllamaDouble, session: aiohttp.ClientSession) -> None:
    server.elsewhere, server.name = CLOUD, "gpt-oss:120b-cloud"
    asked = client(session, server.url, name=server.name, allow_remote=True)
    assert (await asked.probe()).reachable
    assert (await asked.ask("be brief", "E1 why?", SCHEMA)).text


async def test_a_name_that_only_contains_cloud_is_local(server: OllamaDouble, session: aiohttp.ClientSession) -> None:
    server.name = "cloudy:4b"
    assert (await client(session, server.url, name="cloudy:4b").probe()).reachable
