import pytest
from pydantic import ValidationError

from daemon.config.schema import Api, Config, Webhook, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("3s", 3), ("5m", 300), ("1.5h", 5400), ("7d", 604800), ("1 w", 604800), (12, 12), (0.5, 0.5)],
)
def test_durations_are_seconds(text: object, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "5 parsecs", "-3s", True, None, "3s3s"])
def test_anything_else_is_told_what_was_expected(text: object) -> None:
    with pytest.raises(ValueError, match="expected a duration such as"):
        parse_duration(text)


def test_a_webhook_has_exactly_one_address() -> None:
    with pytest.raises(ValidationError, match="exactly one of url and url_file"):
        Webhook(name="ops")


@pytest.mark.parametrize("listen", ["0.0.0.0:8787", "[::]:8787", "10.0.0.1:80"])
def test_an_endpoint_off_loopback_needs_a_token(listen: str) -> None:
    with pytest.raises(ValidationError, match="expected a token_file"):
        Api(listen=listen)


def test_names_are_unique() -> None:
    hook = {"name": "ops", "url": "https://hooks.example/x"}
    with pytest.raises(ValidationError, match="got ops more than once"):
        Config.model_validate({"webhooks": [hook, hook]})


def test_the_defaults_are_the_documented_ones() -> None:
    config = Config()
    assert (config.alerts.deadline, config.alerts.critical_deadline) == (3.0, 0.0)
    assert (config.api.listen, config.memory.mode, config.model.mode) == ("127.0.0.1:8787", "embedded", "ollama")


@pytest.mark.parametrize("off", ["off", False])
def test_off_may_stand_without_quotes(off: object) -> None:
    """YAML takes a bare `off` for a boolean, and the examples say `off`."""
    config = Config.model_validate({"model": {"mode": off}, "memory": {"mode": off}})
    assert (config.model.mode, config.memory.mode) == ("off", "off")
    with pytest.raises(ValidationError):
        Config.model_validate({"model": {"mode": True}})
