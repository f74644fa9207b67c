"""Every shape of a secret is reachable: the pre-scan lets through whatever a shape matches."""

import pytest
import re2

from daemon.enrichment.secret_patterns import HINT, PLACEHOLDER, SHAPES, TOOL_HINT, WHOLE_NAME, Shape

EXAMPLES = {
    "private-key": "-----BEGIN PRIVATE KEY-----\nMIIEowIBAAKCAQEAabc",
    "aws-key": "ASIA" + "IOSFODNN7EXAMPLE",
    "jwt": "eyJhbGciOiJI.eyJzdWIiOiIx.c2ln",
    "password-hash": "$y$j9T$abcdefghijklmnop$qrstuvwxyz",
    "webhook": "hooks.slack.com/workflows/T0/abc",
    "signature": "https://files.example/a?sv=1&sig=abcdefgh1",
    "cookie": "Set-Cookie: sid=1",
    "authorization": "Proxy-Authorization: Bearer abcdefgh1",
    "password": "dbPass=x",
    "token": "github_pat_" + "a" * 30,
}


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.kind)
def test_shapes_compile_and_name_their_secret(shape: Shape) -> None:
    compiled = re2.compile(shape.expression)
    assert set(compiled.groupindex) <= {"v", "v1", "v2", "v3"}
    assert shape.kind in EXAMPLES


@pytest.mark.parametrize(("kind", "text"), EXAMPLES.items())
def test_the_pre_scan_lets_every_kind_through(kind: str, text: str) -> None:
    assert any(re2.search(shape.expression, text) for shape in SHAPES if shape.kind == kind)
    assert re2.search(f"{HINT}|{TOOL_HINT}", text)


TOKENS = [
    "ghs_" + "a" * 20, "glpat-" + "a" * 20, "xoxp-" + "1" * 12, "xapp-1-abcdefgh", "rk_test_" + "a" * 12,
    "whsec_" + "a" * 24, "AIza" + "a" * 35, "ya29." + "a" * 30, "npm_" + "a" * 36, "pypi-" + "a" * 40,
    "SG." + "a" * 20 + "." + "b" * 20, "sk-" + "a" * 30, "sk-proj-" + "a" * 30, "hf_" + "a" * 34,
    "dop_v1_" + "a" * 64, "hvs." + "a" * 24, "123456789:AA" + "a" * 33, "dapi" + "a" * 32, "shpat_" + "a" * 32,
    "M" + "a" * 24 + ".abcdef." + "b" * 30, "AGE-SECRET-KEY-1" + "A" * 30, "GR1348941" + "a" * 20,
]  # fmt: skip


@pytest.mark.parametrize("token", TOKENS, ids=lambda token: token[:8])
def test_vendor_tokens_pass_the_pre_scan_and_match(token: str) -> None:
    assert re2.search(f"{HINT}|{TOOL_HINT}", token)
    assert any(re2.search(shape.expression, token) for shape in SHAPES)


@pytest.mark.parametrize("name", ["password", "DB_PASSWORD", "apiKey", "client-secret", "--token", "PGPASSWORD", "pwd"])
def test_names_of_secrets(name: str) -> None:
    assert re2.fullmatch(WHOLE_NAME, name)


@pytest.mark.parametrize(
    "name", ["password_file", "passwd_tries", "compass", "key", "tokens", "user", "bypass", "auth"]
)
def test_names_that_only_look_like_secrets(name: str) -> None:
    assert not re2.fullmatch(WHOLE_NAME, name)


@pytest.mark.parametrize(
    "value", ["$PASS", "${PASS}", "***", "<hidden>", "(null)", "env:PW", "[redacted:jwt]", "required"]
)
def test_placeholders_are_not_secrets(value: str) -> None:
    assert re2.fullmatch(PLACEHOLDER, value)


def test_a_password_that_begins_with_a_dollar_is_a_secret() -> None:
    assert not re2.fullmatch(PLACEHOLDER, "$ecret1")
