"""Frames: every message comes back as it went, and nonsense is an error of a known type."""

import msgspec
import pytest

from daemon.enrichment import memory_wire as wire
from daemon.enrichment.resemblance import Hit, remembered
from tests.doubles.values import an_alert

PAST = remembered(an_alert(), "benign")


@pytest.mark.parametrize(
    "operation",
    [
        wire.Embed(("a", "ü\x00", "")),
        wire.Upsert(PAST),
        wire.Search("words", 3, 0.6, "inc", 1.5),
        wire.Delete(("a", "b")),
        wire.Count(),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_requests_come_back_as_they_went(operation: wire.Operation) -> None:
    request = wire.Request(2**40, operation)
    data = wire.frame(request)
    assert wire.PREFIX.unpack(data[:4])[0] == len(data) - 4
    assert wire.read_request(data[4:]) == request


@pytest.mark.parametrize(
    "reply",
    [
        wire.Hello(1, 2),
        wire.Ready("d", 384, 9),
        wire.Done(1, 2, 3, ((0.5, 1.0),), (Hit(0.9, PAST),)),
        wire.Failed(1, "why", final=True),
        wire.Fatal("why"),
    ],
    ids=lambda reply: type(reply).__name__,
)
def test_replies_come_back_as_they_went(reply: wire.Reply) -> None:
    assert wire.read_reply(wire.frame(reply)[4:]) == reply


@pytest.mark.parametrize(
    "body", [b"", b"\xc1", b"\x80", b"Loading weights: 100%", msgspec.msgpack.encode({"type": "X"})]
)
def test_nonsense_is_one_kind_of_error(body: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        wire.read_reply(body)
    with pytest.raises(msgspec.MsgspecError):
        wire.read_request(body)


def test_a_frame_has_a_bound() -> None:
    with pytest.raises(ValueError, match="at most 16777216 bytes"):
        wire.frame(wire.Request(1, wire.Embed(("x" * (wire.MAX_FRAME + 1),))))
    with pytest.raises(ValueError, match="got 4294967295"):
        wire.check_length(2**32 - 1)
