"""What the daemon and its memory worker say to each other: length-prefixed msgpack over a pipe.

A frame is four bytes of length (big endian) and as many of msgpack. The worker says `Hello` at once and `Ready` when
its model is loaded; then each `Request` gets one `Done` or `Failed` with its number, in any order. `Fatal` is its
last word. The worker ends when its standard input ends.
"""

import struct
from typing import TypeAlias

import msgspec
from msgspec import Struct

from daemon.enrichment.resemblance import Hit, Remembered

PROTOCOL = 1
"""Raised with every change below: after an upgrade on disk a running daemon must not talk to a newer worker."""

MAX_FRAME = 16 * 1024 * 1024
"""Bytes of one frame; more means that the other side is not ours."""

PREFIX = struct.Struct(">I")


class Embed(Struct, frozen=True, tag=True):
    """Texts → `Done.vectors`, normalised, in order."""

    texts: tuple[str, ...]


class Upsert(Struct, frozen=True, tag=True):
    """Keep an incident; `Done` when it is fsynced."""

    past: Remembered


class Search(Struct, frozen=True, tag=True):
    """Up to `limit` incidents with a cosine of at least `min_score` to `text` → `Done.hits`. `now` as UTC seconds."""

    text: str
    limit: int
    min_score: float
    own: str
    now: float


class Delete(Struct, frozen=True, tag=True):
    """Forget incidents; `Done` when that is fsynced."""

    incident_ids: tuple[str, ...]


class Count(Struct, frozen=True, tag=True):
    """How many incidents are kept → `Done.count`."""


Operation: TypeAlias = Embed | Upsert | Search | Delete | Count


class Request(Struct, frozen=True):
    """One operation and the number that its reply will bear."""

    number: int
    operation: Operation


class Hello(Struct, frozen=True, tag=True):
    """The worker lives; it is loading its model."""

    protocol: int
    pid: int


class Ready(Struct, frozen=True, tag=True):
    """The worker works: its embedder's digest, the length of its vectors, the incidents kept (0 without a shard)."""

    embedder: str
    size: int
    count: int


class Done(Struct, frozen=True, tag=True):
    """The reply to a request that succeeded. `count` is the number kept after it, `evicted` what it pushed out."""

    number: int
    count: int = 0
    evicted: int = 0
    vectors: tuple[tuple[float, ...], ...] = ()
    hits: tuple[Hit, ...] = ()


class Failed(Struct, frozen=True, tag=True):
    """The reply to a request that failed; `final` when the same request will fail again."""

    number: int
    detail: str
    final: bool = False


class Fatal(Struct, frozen=True, tag=True):
    """Why the worker ends; `final` when a human is needed."""

    detail: str
    final: bool = False


Reply: TypeAlias = Hello | Ready | Done | Failed | Fatal

_encoder = msgspec.msgpack.Encoder()
_requests = msgspec.msgpack.Decoder(Request)
_replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


def frame(message: Request | Reply) -> bytes:
    """A message as it goes over the pipe. Raises ValueError when it is over `MAX_FRAME`."""
    body = _encoder.encode(message)
    return PREFIX.pack(check_length(len(body))) + body


def check_length(length: int) -> int:
    """The length, or ValueError when no message of ours can be that long."""
    if length > MAX_FRAME:
        raise ValueError(f"expected a frame of at most {MAX_FRAME} bytes (got {length})")
    return length


def read_request(body: bytes) -> Request:
    """The body of a frame as a request. Raises msgspec.ValidationError or DecodeError."""
    return _requests.decode(body)


def read_reply(body: bytes) -> Reply:
    """The body of a frame as a reply. Raises msgspec.ValidationError or DecodeError."""
    return _replies.decode(body)
