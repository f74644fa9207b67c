"""What goes over the wire, and what bytes from the other side can mean."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.config.schema import Model
from daemon.enrichment.ollama_wire import (
    MAX_TEXT,
    AnswerReader,
    Facts,
    answer_tokens,
    base_url,
    chat_body,
    context_tokens,
    decode,
    error_of,
    lost_its_head,
    shown,
)
from daemon.model import Refused, Transient

THINKER = Facts(digest="d", context=40_960, capabilities=frozenset({"completion", "thinking"}), family="qwen3")
SCHEMA: dict[str, object] = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
OVERHEAD = 512


def piece(content: str, **more: Any) -> bytes:
    return json.dumps({"message": {"role": "assistant", "content": content}, "done": False} | more).encode() + b"\n"


DONE = piece("", done=True, done_reason="stop", prompt_eval_count=900, eval_count=7)


# what is sent


def test_the_request_says_everything_that_matters() -> None:
    config = Model(name="m:1", keep_alive="30m", context=8192, max_answer_tokens=700)
    body = json.loads(chat_body(config, 8192, None, ("be brief", "why?"), SCHEMA))
    assert body == {
        "model": "m:1",
        "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "why?"}],
        "stream": True,
        "format": SCHEMA,
        "truncate": False,
        "keep_alive": "30m",
        "options": {"num_ctx": 8192, "num_predict": 700, "temperature": 0, "seed": 11},
    }


@pytest.mark.parametrize(("think", "sent"), [(False, False), (True, True), ("low", "low")])
def test_think_is_sent_as_it_is(think: bool | str, sent: bool | str) -> None:
    assert json.loads(chat_body(Model(), 8192, think, ("s", "u"), SCHEMA))["think"] is sent or sent == "low"


@pytest.mark.parametrize(("written", "sent"), [("30m", "30m"), ("-1", -1), ("3600", 3600), ("0", 0), (" 5m ", "5m")])
def test_keep_alive_without_a_unit_is_seconds(written: str, sent: str | int) -> None:
    body = json.loads(chat_body(Model(keep_alive=written), 8192, None, ("s", "u"), SCHEMA))
    assert body["keep_alive"] == sent


def test_lone_surrogates_do_not_stop_a_prompt() -> None:
    body = json.loads(chat_body(Model(), 8192, None, ("s", "a\ud800b"), SCHEMA))
    assert body["messages"][1]["content"] == "a?b"


@pytest.mark.parametrize(("trained", "sent"), [(0, 8192), (4096, 4096), (131_072, 8192)])
def test_the_context_is_the_smaller_of_ours_and_the_models(trained: int, sent: int) -> None:
    assert context_tokens(Model(context=8192), Facts(context=trained)) == sent


def test_who_thinks_gets_room_for_it_within_half_the_context() -> None:
    assert answer_tokens(Model(max_answer_tokens=700), 8192, think=False) == 700
    assert answer_tokens(Model(max_answer_tokens=700), 8192, think=True) == 2800
    assert answer_tokens(Model(max_answer_tokens=4000), 8192, think=True) == 4096


def test_only_thinkers_are_told_how_to_think() -> None:
    assert Facts(capabilities=frozenset({"completion"})).thinks == (None,)
    assert Facts().thinks == (None,)
    assert THINKER.thinks == (False, True)
    assert msgspec.structs.replace(THINKER, family="gptoss").thinks == ("low", "medium")


# where it goes


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:11434", "http://127.8.9.1", "http://localhost:11434/", "http://LOCALHOST.:1/ollama/",
        "http://[::1]:11434", "http://[::ffff:127.0.0.1]:11434", "https://localhost",
    ],
)  # fmt: skip
def test_loopback_is_allowed(url: str) -> None:
    assert base_url(Model(url=url)).host


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://192.0.2.7:11434", "remote_refused"),
        ("http://0.0.0.0:11434", "remote_refused"),
        ("http://localhost.evil.example", "remote_refused"),
        ("http://127.0.0.1.evil.example", "remote_refused"),
        ("http://127.0.0.1@evil.example", "remote_refused"),
        ("http://[2001:db8::1]", "remote_refused"),
        ("http://[::ffff:192.0.2.1]", "remote_refused"),
        ("http://2130706433", "remote_refused"),
        ("file:///etc/passwd", "invalid_url"),
        ("127.0.0.1:11434", "invalid_url"),
        ("", "invalid_url"),
        ("http://", "invalid_url"),
        ("http://127.0.0.1:99999", "invalid_url"),
        ("http://[::1", "invalid_url"),
    ],
)
def test_anything_else_is_refused_with_what_mends_it(url: str, why: str) -> None:
    with pytest.raises(Refused) as caught:
        base_url(Model(url=url))
    assert caught.value.why == why
    assert ("allow_remote" in caught.value.detail) == (why == "remote_refused")


def test_a_remote_server_is_used_when_that_is_configured() -> None:
    assert str(base_url(Model(url="https://gpu.example/ollama?x=1", allow_remote=True))) == "https://gpu.example/ollama"


# what comes back


@given(st.data())
def test_an_answer_survives_any_cut_of_the_stream(data: st.DataObject) -> None:
    text = data.draw(st.text(min_size=1).filter(lambda t: bool(t.strip())))
    half = len(text) // 2
    stream = piece(text[:half]) + b"\n" + json.dumps({"message": {"content": text[half:]}}, ensure_ascii=False).encode()
    stream += b"\n" + DONE
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    reader = AnswerReader(700)
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        reader.feed(stream[start:end])
    assert reader.finish() == text
    assert (reader.prompt_tokens, reader.answer_tokens) == (900, 7)


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_arbitrary_bytes_are_an_answer_or_one_of_two_errors(pieces: list[bytes]) -> None:
    reader = AnswerReader(700)
    outcome: str | Transient | Refused
    try:
        for data in pieces:
            reader.feed(data)
        outcome = reader.finish()
    except (Transient, Refused) as error:
        outcome = error
    assert isinstance(outcome, str) or (outcome.why and outcome.detail.isprintable())


@pytest.mark.parametrize(
    ("stream", "error", "why"),
    [
        (piece("{") + b'{"error":"an error was encountered"}\n', Transient, "model_error"),
        (b'{"error":{"code":500}}\n', Transient, "model_error"),
        (piece("{"), Transient, "incomplete_answer"),
        (b"", Transient, "incomplete_answer"),
        (piece("{") + b'{"model":"m","mess', Transient, "bad_response"),
        (DONE, Transient, "empty_answer"),
        (piece(" \n\t") + DONE, Transient, "empty_answer"),
        (b'{"message":{"content":"","thinking":"hm"}}\n' + DONE, Transient, "empty_answer"),
        (b'{"message":{"content":null}}\n' + DONE, Transient, "empty_answer"),
        (piece("{", done=True, done_reason="length"), Refused, "truncated_answer"),
        (b"<html>login</html>", Transient, "bad_response"),
        (b"[1]\n", Transient, "bad_response"),
        (b'{"x":NaN}\n', Transient, "bad_response"),
        (b'{"x":' + b"[" * 20_000 + b"]" * 20_000 + b"}\n", Transient, "bad_response"),
        (b'{"message":{"content":"\\ud800"}}\n', Transient, "bad_response"),
        (b"\xff\xfe\n", Transient, "bad_response"),
    ],
)
def test_streams_that_are_no_answer(stream: bytes, error: type[Exception], why: str) -> None:
    reader = AnswerReader(700)

    def read() -> None:
        reader.feed(stream)
        reader.finish()

    with pytest.raises((Transient, Refused)) as caught:
        read()
    assert type(caught.value) is error
    assert isinstance(caught.value, Transient | Refused)
    assert caught.value.why == why


def test_a_thought_without_words_is_empty_even_when_its_room_was_used_up() -> None:
    reader = AnswerReader(700)
    reader.feed(b'{"message":{"content":"","thinking":"hm"}}\n' + piece("", done=True, done_reason="length"))
    with pytest.raises(Transient) as caught:
        reader.finish()
    assert caught.value.why == "empty_answer"


def test_what_follows_the_end_is_not_read() -> None:
    reader = AnswerReader(700)
    reader.feed(piece("{}") + DONE + b"garbage\n" + piece("more"))
    assert reader.finish() == "{}"


def test_the_last_line_needs_no_newline() -> None:
    reader = AnswerReader(700)
    reader.feed(piece("{}") + DONE.rstrip())
    assert reader.finish() == "{}"


def fill(reader: AnswerReader, data: bytes) -> int:
    """Bytes that went in before the reader had enough."""
    taken = 0
    while taken < 1 << 24:
        reader.feed(data)
        taken += len(data)
    return taken


@pytest.mark.parametrize("data", [piece("a" * 4096), b"a" * 4096, b'{"x":1}\n' * 500, b"\n" * 4096])
def test_what_is_taken_in_is_bounded(data: bytes) -> None:
    reader = AnswerReader(700)
    with pytest.raises(Refused) as caught:
        fill(reader, data)
    assert caught.value.why == "too_large"
    assert len(reader._rest) + sum(map(len, reader._pieces)) <= MAX_TEXT + OVERHEAD * 700


def test_an_answer_at_the_bound_is_taken() -> None:
    reader = AnswerReader(8192)
    for _ in range(MAX_TEXT // 4096):
        reader.feed(piece("a" * 4096))
    reader.feed(DONE)
    assert len(reader.finish()) == MAX_TEXT


@pytest.mark.parametrize(
    ("status", "body", "error", "why"),
    [
        (404, b'{"error":"model \'x\' not found"}', Refused, "model_missing"),
        (404, b'{"error":"model \\"x\\" not found, try pulling it first"}', Refused, "model_missing"),
        (404, b"404 page not found", Refused, "invalid_url"),
        (400, b'{"error":"model is required"}', Refused, "invalid_request"),
        (
            400,
            b'{"error":"the prompt is longer than the context length currently available"}',
            Transient,
            "context_overflow",
        ),
        (500, b'{"error":"input length exceeds the context size"}', Transient, "context_overflow"),
        (401, b'{"error":"unauthorized","signin_url":"https://x.example"}', Refused, "unauthorized"),
        (403, b"", Refused, "unauthorized"),
        (307, b"", Refused, "redirected"),
        (405, b"405", Refused, "invalid_request"),
        (429, b"", Transient, "busy"),
        (503, b'{"error":"server busy, please try again.  maximum pending requests exceeded"}', Transient, "busy"),
        (500, b'{"error":"llm server loading model"}', Transient, "busy"),
        (499, b'{"error":"request canceled"}', Transient, "model_error"),
        (500, b'{"error":"{\\"code\\":500}"}', Transient, "model_error"),
        (502, b"<html>\x1b[31mbad gateway\x00</html>" * 1000, Transient, "model_error"),
        (599, b"[" * 50_000, Transient, "model_error"),
    ],
)
def test_every_status_means_something(status: int, body: bytes, error: type[Exception], why: str) -> None:
    found = error_of(status, body, "qwen3:4b", "http://127.0.0.1:11434")
    assert type(found) is error
    assert found.why == why
    assert found.detail.isprintable()
    assert len(found.detail) < 500


def test_a_missing_model_names_the_command_that_mends_it() -> None:
    found = error_of(404, b'{"error":"model \'qwen3:4b\' not found"}', "qwen3:4b", "http://127.0.0.1:11434")
    assert "ollama pull qwen3:4b" in found.detail


def test_a_named_pause_travels_with_busy() -> None:
    found = error_of(503, b"", "m", "http://127.0.0.1:11434", 12.0)
    assert isinstance(found, Transient)
    assert found.retry_after == 12.0


@given(st.binary(max_size=300), st.integers(300, 599))
def test_no_body_of_an_error_is_an_error_of_ours(body: bytes, status: int) -> None:
    assert error_of(status, body, "m", "u").why


@pytest.mark.parametrize("body", [b"", b"{", b'{"digest":1}', b"[" * 100_000, b'{"digest":"\\ud800"}', b"null"])
def test_facts_of_the_wrong_shape_are_a_bad_response(body: bytes) -> None:
    class Shape(msgspec.Struct):
        digest: str

    with pytest.raises(Transient) as caught:
        decode(body, Shape)
    assert caught.value.why == "bad_response"


# a prompt that was cut in silence


@pytest.mark.parametrize(
    ("tokens", "user", "cut"),
    [
        (0, "x y " * 10_000, False),  # the server does not say
        (2050, "log line 42 " * 1000, True),  # context / 2 + 2, as measured
        (2050, "short", True),
        (3500, "log line 42 " * 1000, False),
        (1200, "log line 42 " * 1000, True),  # far fewer tokens than the text must have
        (900, "A" * 100_000, False),  # a run of one letter is few tokens
        (300, "why did this happen on web-1? " * 20, False),
    ],
)
def test_a_silent_cut_shows_in_the_count_of_tokens(tokens: int, user: str, cut: bool) -> None:
    assert lost_its_head(tokens, user, 4096) is cut


@given(st.text())
def test_foreign_text_is_shown_in_one_bounded_line(text: str) -> None:
    assert len(shown(text)) <= 300
    assert shown(text).isprintable()
