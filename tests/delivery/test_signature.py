"""Signatures that others verify, ids that receivers drop duplicates by, and secrets that never show."""

import base64
import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.delivery.signature import SignatureError, headers, message_id, parse_secret, sign, verify
from tests.doubles.alerts import make_alert

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + base64.b64encode(bytes(range(32))).decode()
NOW = 1_700_000_000.9


def signed(body: bytes, *secrets: str, at: float = NOW) -> dict[str, str]:
    return headers("al-1-v1", at, body, [parse_secret(secret) for secret in secrets])


def test_the_golden_vector_of_the_reference_implementation(shared_data: Path) -> None:
    vector = json.loads((shared_data / "vectors" / "standard_webhooks_vector.json").read_text())
    made = sign(
        vector["webhook-id"], vector["webhook-timestamp"], vector["body"].encode(), [parse_secret(vector["secret"])]
    )
    assert made == vector["webhook-signature"]


@given(body=st.text(max_size=200))
def test_the_reference_implementation_makes_the_same_signature(body: str) -> None:
    oracle = pytest.importorskip("standardwebhooks")
    ours = sign("al-1-v1", 1_700_000_000, body.encode("utf-8", "replace"), [parse_secret(OTHER)])
    at = datetime.fromtimestamp(1_700_000_000, UTC)
    assert ours == oracle.Webhook(OTHER).sign("al-1-v1", at, body.encode("utf-8", "replace").decode())


def test_the_reference_implementation_accepts_a_fresh_message() -> None:
    oracle = pytest.importorskip("standardwebhooks")
    body = b'{"a": 1}'
    fresh = time.time()  # noqa: TID251 - the library reads the real clock
    assert oracle.Webhook(SECRET).verify(body, signed(body, OTHER, SECRET, at=fresh)) == {"a": 1}


def test_two_secrets_make_two_signatures_and_either_verifies() -> None:
    made = signed(b"{}", SECRET, OTHER)
    assert [entry[:3] for entry in made["webhook-signature"].split(" ")] == ["v1,", "v1,"]
    verify(made, b"{}", [SECRET], NOW)
    verify(made, b"{}", [OTHER], NOW)
    verify(signed(b"{}", SECRET), b"{}", [OTHER, SECRET], NOW)


def test_without_secrets_there_is_an_id_and_no_signature() -> None:
    assert signed(b"{}") == {"webhook-id": "al-1-v1", "webhook-timestamp": "1700000000"}


@pytest.mark.parametrize(
    ("change", "body", "now"),
    [
        ({}, b'{"a":2}', NOW),
        ({"webhook-id": "al-1-v2"}, b"{}", NOW),
        ({"webhook-timestamp": "1700000001"}, b"{}", NOW),
        ({"webhook-signature": ""}, b"{}", NOW),
        ({"webhook-signature": "v1a,abc v1, \u2603 v1,"}, b"{}", NOW),
        ({"webhook-id": ""}, b"{}", NOW),
        ({"webhook-timestamp": "soon"}, b"{}", NOW),
        ({"webhook-timestamp": "-1"}, b"{}", NOW),
        ({"webhook-timestamp": "9" * 400}, b"{}", NOW),
        ({}, b"{}", NOW + 301),
        ({}, b"{}", NOW - 302),
    ],
)
def test_what_is_not_ours_or_not_fresh_is_not_trusted(change: dict[str, str], body: bytes, now: float) -> None:
    with pytest.raises(SignatureError) as refused:
        verify({**signed(b"{}", SECRET), **change}, body, [SECRET], now)
    assert SECRET[6:] not in str(refused.value)


def test_header_names_compare_without_case_and_the_edge_of_the_tolerance_is_inside() -> None:
    made = {name.title(): value for name, value in signed(b"{}", SECRET).items()}
    verify(made, b"{}", [SECRET], 1_700_000_300.0)
    verify(made, b"{}", [SECRET], 1_699_999_700.0)


def test_no_secret_verifies_nothing() -> None:
    with pytest.raises(SignatureError):
        verify(signed(b"{}", SECRET), b"{}", [], NOW)


@pytest.mark.parametrize("length", [24, 32, 64])
def test_keys_of_24_to_64_bytes_are_taken_padded_or_not(length: int) -> None:
    encoded = base64.b64encode(bytes(length)).decode()
    assert parse_secret(f"whsec_{encoded}\n") == parse_secret(f"whsec_{encoded.rstrip('=')}") == bytes(length)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
        "whsec_not base64 at all, not at all!",
        "whsec_\u2603\u2603\u2603\u2603\u2603\u2603\u2603\u2603\u2603\u2603",
        "whsec_A",
        "WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    ],
)
def test_a_malformed_secret_is_an_error_that_says_what_was_expected_and_not_what_it_was(secret: str) -> None:
    with pytest.raises(ValueError, match="expected a signing secret: whsec_ and then base64 of 24 to 64") as refused:
        parse_secret(secret)
    tail = secret.removeprefix("whsec_")
    assert len(tail) < 3 or tail not in str(refused.value)
    assert refused.value.__cause__ is None


def test_the_id_is_the_alert_and_its_version() -> None:
    assert message_id(make_alert(id="al-7f3a", version=2)) == "al-7f3a-v2"


@given(identity=st.text(max_size=200), version=st.integers(1, 10**6))
def test_an_id_never_holds_a_dot_or_breaks_a_header(identity: str, version: int) -> None:
    made = message_id(make_alert(id=identity, version=version))
    assert made.isascii()
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
    assert len(made) < 160


def test_ids_that_differ_only_in_what_is_replaced_stay_different() -> None:
    made = {message_id(make_alert(id=identity)) for identity in ("a.b", "a_b", "a:b", "a b", "a" * 200, "a" * 201)}
    assert len(made) == 6
