from daemon.detection.view import KEYWORDS, View, text_of
from tests.doubles.detection import make_event


def test_scalars_read_as_rules_write_them() -> None:
    assert [text_of(v) for v in ("aB", True, False, 26, 26.0, 97.5, -0.5)] == [
        "aB", "true", "false", "26", "26", "97.5", "-0.5",
    ]  # fmt: skip


def test_a_float_that_is_no_number_does_not_break() -> None:
    assert [text_of(v) for v in (float("nan"), float("inf"))] == ["nan", "inf"]


def test_fields_have_none_one_or_several_values() -> None:
    view = View(make_event({"a": "X", "b": ("P", "q"), "c": None, "d": ()}))
    assert (view.texts["a"], view.texts["b"], view.texts["c"], view.texts["d"], view.texts["missing"]) == (
        ("X",), ("P", "q"), (), (), (),
    )  # fmt: skip
    assert view.lowered["b"] == ("p", "q")


def test_the_text_of_the_event_stands_under_its_own_name() -> None:
    view = View(make_event({"None": "x"}, text="Whole LINE"))
    assert view.lowered[KEYWORDS] == ("whole line",)
    assert view.texts[KEYWORDS] == ("Whole LINE",)


def test_a_field_is_lowered_once() -> None:
    view = View(make_event({"a": "X" * 10}))
    assert view.lowered["a"] is view.lowered["a"]
