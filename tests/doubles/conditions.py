"""Random conditions over the whole of Sigma's language, and random events about which they have something to say."""

from functools import cache

from hypothesis import strategies as st

from daemon.detection.nodes import Node, join_all, join_any, negate
from daemon.model import Event, Value
from tests.doubles.detection import PROCESS, condition_of, item, make_event

ITEMS = (
    ("f|contains", "ab"), ("f", "a*b?c"), ("f|startswith", "K"), ("f|endswith", "/Ls"), ("f", "curl"), ("f|cased", "aB"),
    ("f|contains|cased", "Kx"), ("f|exists", "true"), ("f|exists", "false"), ("f", "null"), ("f", "5"), ("f", "2.5"),
    ("f", "true"), ("f|gt", "3"), ("f|lte", "1.5"), ("f|cidr", "192.0.2.0/24"), ("f|fieldref", "g"), ("f", "''"),
    ("f|fieldref|startswith", "g"), ("f|neq", "ab"), ("f|re", "'^a[bc]+d{2}'"), ("f|re|i", "'k\u017f$'"), ("f", "'*'"),
    ("f|re", "'[ab]{2}c.*[0-9]{4}'"), ("f|re", "'(?m)^ab$|x{3,}'"), ("f|re", "'.{20}'"), ("f|re", "'a{,2}b'"),
    ("f|contains|all", "[ab, c]"), ("f", "[ab, '*s*', 7]"), ("f|base64offset|contains", "ab"), ("g|contains", "\u00c9"),
    ("f|windash|contains", "' -k'"), ("g", "null"), ("g|wide|base64offset|contains", "x"), ("g|endswith", "\u0130"),
    ("f|hour", "5"), ("f", "'a\\?b'"), ("g|re", "'\\.[a-z]{4}$'"), ("f|startswith", "[a, '/']"), ("g", "-1"),
)  # fmt: skip
KEYWORDS = ("    s: [ab, 'k*s']", "    s: [5]", "    s:\n        '|all': [a, c]", "    s:\n        '|re': 'b[cd]{2,}e'")
WORDS = (
    "ab", "a1b2c", "AXBYC", "K", "\u212a", "k\u017f", "/ls", "curl", "Curl", "aB", "Kx", "5", "2.5", "true", "4", "1", "7",
    "192.0.2.7", "abbdd", "ABDD", "xxx", "\n", "aabc 1234", "YWI=", "YW", "\u00e9", "\u0130", "i", " -k", " /k", "a?b",
    "a{,2}b", "", "2026-01-01T05:00:00Z", ".ssss", "a", "/", "-1", "bcde", "c", "bdddE", "\udcff", "\u00e9" * 20,
)  # fmt: skip


@cache
def leaf_nodes() -> tuple[Node, ...]:
    """One condition for each comparison."""
    items = tuple(item(f"'{key}'", value).node for key, value in ITEMS)
    return items + tuple(condition_of(f"{text}\n    condition: s").node for text in KEYWORDS)


def _joined(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(inner, min_size=1, max_size=4)
    return several.map(join_all) | several.map(join_any) | inner.map(negate)


def nodes() -> st.SearchStrategy[Node]:
    """Conditions of up to ten comparisons."""
    return st.recursive(st.sampled_from(leaf_nodes()), _joined, max_leaves=10)


_texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map("".join)
_values: st.SearchStrategy[Value] = (
    _texts
    | st.sampled_from(WORDS)
    | st.sampled_from([None, True, False, 5, 5.0, 2.5, -1, 0, 10**20])
    | st.lists(_texts, max_size=3).map(tuple)
)


@st.composite
def events(draw: st.DrawFn) -> Event:
    """An event with some of the fields f, g and h."""
    fields = draw(st.dictionaries(st.sampled_from(["f", "g", "h"]), _values, max_size=3))
    return make_event(fields, text=draw(_texts), source=PROCESS, event_id="e")
