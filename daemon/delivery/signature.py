"""Standard Webhooks 1.0.0: the headers that let a receiver trust an alert and drop a repeated one.

Source: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md. Signed is
`{webhook-id}.{webhook-timestamp}.{body}` with HMAC-SHA256; each secret gives one `v1,<base64>`, and several are
separated by a space, so that a receiver can change its secret without missing an alert.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

from daemon.model import Alert

PREFIX = "whsec_"
TOLERANCE = 300.0
"""Seconds that a receiver accepts between the timestamp and its own clock."""
_KEY_BYTES = range(24, 65)
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9_-]")
_TIMESTAMP = re.compile(r"[0-9]{1,15}")


class SignatureError(ValueError):
    """A message that must not be trusted; says why, never the secret."""


def parse_secret(secret: str) -> bytes:
    """`whsec_` and base64 of 24 to 64 bytes → the key.

    Raises ValueError with what was expected, never with the secret.
    """
    expected = f"expected a signing secret: {PREFIX} and then base64 of 24 to 64 random bytes"
    text = secret.strip()
    if not text.startswith(PREFIX):
        raise ValueError(f"{expected} (got no {PREFIX} at its start)")
    encoded = text.removeprefix(PREFIX)
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        # the error would quote a character of the secret
        raise ValueError(f"{expected} (got something that is not base64)") from None
    if len(key) not in _KEY_BYTES:
        raise ValueError(f"{expected} (got {len(key)} bytes)")
    return key


def message_id(alert: Alert) -> str:
    """The `webhook-id` of an alert version: the same on every attempt, and without the dots that the signature uses."""
    if _ID.fullmatch(alert.id):
        return f"{alert.id}-v{alert.version}"
    digest = hashlib.sha256(alert.id.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{_NOT_IN_ID.sub('_', alert.id)[:64]}-{digest}-v{alert.version}"


def sign(identity: str, timestamp: int, body: bytes, keys: Sequence[bytes]) -> str:
    """The `webhook-signature` header: one `v1,…` for each key."""
    signed = f"{identity}.{timestamp}.".encode() + body
    macs = (hmac.new(key, signed, hashlib.sha256).digest() for key in keys)
    return " ".join(f"v1,{base64.b64encode(mac).decode()}" for mac in macs)


def headers(identity: str, now: float, body: bytes, keys: Sequence[bytes]) -> dict[str, str]:
    """The headers of one attempt: a new timestamp and signature, the same id. Without keys nothing is signed."""
    timestamp = int(now)
    named = {"webhook-id": identity, "webhook-timestamp": str(timestamp)}
    if keys:
        named["webhook-signature"] = sign(identity, timestamp, body, keys)
    return named


def verify(
    received: Mapping[str, str], body: bytes, secrets: Sequence[str], now: float, tolerance: float = TOLERANCE
) -> None:
    """What a receiver does, over the bytes that it received: returns when one secret made one of the signatures.

    Raises SignatureError when a header is missing, the timestamp is more than `tolerance` seconds away from `now`,
    or no signature matches; ValueError for a malformed secret. Compares in constant time.
    """
    named = {key.lower(): value for key, value in received.items()}
    identity, stamp = named.get("webhook-id", ""), named.get("webhook-timestamp", "")
    if not identity or not _TIMESTAMP.fullmatch(stamp):
        raise SignatureError("expected a webhook-id and a numeric webhook-timestamp header")
    if abs(now - int(stamp)) > tolerance:
        raise SignatureError(f"expected a webhook-timestamp within {tolerance:.0f} s of now")
    given = [entry.encode("utf-8", "replace") for entry in named.get("webhook-signature", "").split()]
    wanted = [sign(identity, int(stamp), body, [parse_secret(secret)]).encode() for secret in secrets]
    matches = [hmac.compare_digest(one, other) for one in wanted for other in given]
    if not any(matches):
        raise SignatureError("expected a webhook-signature made with one of our secrets")
