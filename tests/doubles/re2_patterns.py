"""Random expressions of RE2's grammar, each with a text that it is meant to be found in (anchors permitting)."""

from collections.abc import Callable
from typing import NamedTuple

from hypothesis import strategies as st

PLAIN = "abckKsS\u017f\u212aiI\u0130_0127 /-,\u00e9\u00c9\u03c3\u03a3\u03c2\n"
SPECIAL = ".*+?()[]{}|^$\\"


class Sample(NamedTuple):
    """An expression, and a text that may match the whole of it."""

    pattern: str
    text: str


def _fixed(*pairs: tuple[str, str]) -> st.SearchStrategy[Sample]:
    return st.sampled_from([Sample(*pair) for pair in pairs])


ESCAPES = _fixed(
    *((f"\\{one}", one) for one in SPECIAL),
    *((r"\x4b", "K"), (r"\x{212A}", "\u212a"), (r"\pL", "k"), (r"\p{Greek}", "\u03a3"), (r"\PL", "1")),
    *((r"\Qa.b\E", "a.b"), (r"\Q\z\E", r"\z"), (r"\t", "\t"), (r"\012", "\n"), (r"\v", "\v"), (r"\113a", "Ka")),
    *((r"\/", "/"), (r"\-", "-"), (r"\\z", "\\z"), (r"\\\z", "\\"), (r"a{", "a{"), ("a{1", "a{1"), ("}", "}")),
    *(("]", "]"), ("a{,1}", "a{,1}"), ("k{,}", "k{,}"), ("a{02}", "a{02}"), ("b{1,02}", "b{1,02}"), (",", ",")),
)
CLASSES = _fixed(
    *(("[abc]", "c"), ("[a-c]", "b"), ("[A-K]", "K"), ("[^a]", "K"), ("[kK]", "K"), ("[\u017fa]", "\u017f")),
    *(("[\u0130]", "\u0130"), (r"[\d_]", "7"), (r"[^\s]", "a"), ("[[:alpha:]]", "s"), ("[^[:digit:]]", "a")),
    *(("[]a]", "]"), ("[^]a]", "b"), ("[a-]", "-"), ("[a&&b]", "&"), ("[[=a=]]", "=]"), (r"[\x41-\x43]", "C")),
    *((r"[\w-]", "-"), (r"[\pLx]", "x"), ("[a-zA-Z0-9+/]", "/"), ("[0-9]", "0"), ("[ -~]", "~"), (r"[.\-]", ".")),
    *(
        (".", "x"),
        (".", "\u00e9"),
        (r"\d", "5"),
        (r"\w", "s"),
        (r"\s", " "),
        (r"\S", "k"),
        (r"\W", "\u00e9"),
        (r"\D", "K"),
    ),
)
ANCHORS = _fixed(*((anchor, "") for anchor in ("^", "$", r"\b", r"\B", r"\A", r"\z", "(?:)", "()")))
LITERALS = st.sampled_from(PLAIN).map(lambda one: Sample(one, one))
WORDS = st.text("abks/", min_size=2, max_size=8).map(lambda word: Sample(word, word))
GROUPS = ("(", "(?:", "(?P<n{}>", "(?i:", "(?s:", "(?m:", "(?-i:", "(?i-s:", "(?ms:")
REPEATS = {
    "*": (0, 3), "+": (1, 3), "?": (0, 1), "{2}": (2, 2), "{0}": (0, 0), "{1,2}": (1, 2), "{0,2}": (0, 2), "{2,}": (2, 4),
    "{0,}": (0, 3), "{1}": (1, 1), "{9}": (9, 9), "{0,1}": (0, 1), "{3,12}": (3, 12),
}  # fmt: skip


@st.composite
def _grouped(draw: st.DrawFn, inner: st.SearchStrategy[Sample]) -> Sample:
    pattern, text = draw(inner)
    opening = draw(st.sampled_from(GROUPS)).format(draw(st.integers(0, 10**6)))
    return Sample(f"{opening}{pattern})", text)


@st.composite
def _repeated(draw: st.DrawFn, inner: st.SearchStrategy[Sample]) -> Sample:
    pattern, text = draw(inner)
    mark = draw(st.sampled_from(sorted(REPEATS)))
    lazy = draw(st.sampled_from(["", "", "?"]))
    return Sample(f"(?:{pattern}){mark}{lazy}", text * draw(st.integers(*REPEATS[mark])))


@st.composite
def _either(draw: st.DrawFn, inner: st.SearchStrategy[Sample]) -> Sample:
    """Alternatives, some of which begin alike; bare, so that they reach as far as they can."""
    shared = draw(st.sampled_from(["", "", "a", "ab"]))
    branches = draw(st.lists(inner | st.just(Sample("", "")), min_size=1, max_size=3))
    chosen = draw(st.sampled_from(branches))
    return Sample("|".join(shared + one.pattern for one in branches), shared + chosen.text)


@st.composite
def _joined(draw: st.DrawFn, inner: st.SearchStrategy[Sample]) -> Sample:
    parts = draw(st.lists(inner, min_size=1, max_size=4))
    return Sample("".join(part.pattern for part in parts), "".join(part.text for part in parts))


def _grown(inner: st.SearchStrategy[Sample]) -> st.SearchStrategy[Sample]:
    return _joined(inner) | _grouped(_either(inner)) | _repeated(inner) | _either(inner) | _grouped(inner)


SAMPLES = st.recursive(LITERALS | WORDS | ESCAPES | CLASSES | ANCHORS, _grown, max_leaves=8)


def odd_case(text: str) -> str:
    """In letters that are others' case variants."""
    return text.translate({ord("k"): "\u212a", ord("s"): "\u017f", ord("\u03c3"): "\u03c2"})


CHANGES: tuple[Callable[[str], str], ...] = (str, str.swapcase, str.upper, odd_case)


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, str, str]:
    """(expression, flags, text): the text of the sample, often in other case and amid other text."""
    pattern, text = draw(_joined(SAMPLES))
    before, after = draw(st.text(PLAIN, max_size=3)), draw(st.text(PLAIN, max_size=3))
    prefix = draw(st.sampled_from(["", "", "", "(?i)", "(?m)", "(?is)", "^", r"\A"]))
    suffix = draw(st.sampled_from(["", "", "$", r"\z"]))
    flags = draw(st.sampled_from(["", "", "i", "m", "s", "im"]))
    change = draw(st.sampled_from(CHANGES))
    return prefix + pattern + suffix, flags, before + change(text) + after
