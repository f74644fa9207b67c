import pytest

from daemon.detection.wording import duration, number, quoted, shorten, unique, visible


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(120, "2m"), (90, "90s"), (3600, "1h"), (86400, "1d"), (604800, "7d"), (0.5, "0.5s"), (0, "0s"), (5400, "90m")],
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("value", "said"), [(95, "95"), (95.0, "95"), (97.3, "97.3"), (1234567, "1234567"), (0.1 + 0.2, "0.3")]
)
def test_numbers(value: float, said: str) -> None:
    assert number(value) == said


def test_hostile_characters_become_visible_on_one_line() -> None:
    hostile = "a\nb\x1b[31m\u202ec\x00\udc80"
    assert visible(hostile) == "a\\nb\\x1b[31m\\u202ec\\x00\\udc80"
    assert visible(hostile).isprintable()


def test_quoting_is_bounded_and_closes() -> None:
    assert quoted('say "hi"') == '"say \\"hi\\""'
    assert quoted("x" * 1000, 10) == '"' + "x" * 9 + '…"'
    assert shorten("abc", 3) == "abc"


def test_phrases_are_said_once_in_their_order() -> None:
    assert unique(["b", "a", "b"]) == ["b", "a"]
