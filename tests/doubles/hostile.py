"""Alerts as an attacker would like them: huge, invisible, right-to-left, full of markup, with every list too long."""

import msgspec
from hypothesis import strategies as st

from daemon.model import Alert, Decision, Evidence, Explanation, Gap, Position, RuleRef, Sentence, Severity, Similar
from tests.doubles.alerts import make_alert

PIECES = (
    "\x1b[31m", "\x00", "\r\n", "\u202e", "\u2066", "\u200b", "\ud800", "\U000e0041", "🚀", "👩\u200d🔧", "日本語", "مرحبا",
    "<!channel>", "<@U123>", "<https://evil.example|ok>", "@everyone @here", "](http://evil.example/x.png)", "&amp;",
    "![x](https://evil.example)", "https://evil.example/?q=", "www.evil.example", "mailto:a@evil.example", "`*_~",
    '"', "\\", "'", " ", "a", "Z" * 50, "\u0301" * 9, "\ufeff", "\uffff",
)  # fmt: skip

text = st.builds(
    lambda pieces, times: "".join(pieces) * times,
    st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=6),
    st.sampled_from([1, 1, 1, 7, 400]),
)
number = st.floats(allow_nan=True, allow_infinity=True)
texts = st.builds(lambda one, times: (one,) * times, text, st.sampled_from([0, 1, 3, 60]))


def many(one: st.SearchStrategy[msgspec.Struct]) -> st.SearchStrategy[tuple[msgspec.Struct, ...]]:
    """None, one, a few, or far too many of a thing."""
    return st.builds(lambda item, times: (item,) * times, one, st.sampled_from([0, 1, 4, 200]))


evidence = st.builds(
    Evidence,
    id=st.sampled_from(["E1", "E2", "E200"]) | text,
    at=number,
    source=text,
    text=text,
    fields=st.dictionaries(text, text, max_size=4),
    position=st.none() | st.builds(Position, text, text, st.integers()),
)
rule = st.builds(
    RuleRef, id=text, title=text, severity=st.sampled_from(Severity), description=text, author=text, license=text,
    techniques=texts, tactics=texts, references=texts, falsepositives=texts, runbook=text,
)  # fmt: skip
similar = st.builds(
    Similar, incident_id=text, title=text, score=number, at=number, count=st.integers(), entity=text, because=text,
    outcome=text, why=text,
)  # fmt: skip
explanation = st.builds(
    Explanation, origin=st.sampled_from(["rules", "model"]), sentences=many(st.builds(Sentence, text, texts)),
    next_steps=texts, model=text, model_digest=text, took=number, dropped=st.integers(),
)  # fmt: skip
alerts: st.SearchStrategy[Alert] = st.builds(
    make_alert, id=text, version=st.integers(0, 10**30), incident_id=text, decision=st.sampled_from(Decision), rule=rule,
    severity=st.sampled_from(Severity), host=text, source=text, entity=text, because=text, opened_at=number,
    last_at=number, count=st.integers(), made_at=number, evidence=many(evidence), explanation=explanation,
    next_steps=texts, similar=many(similar), gaps=many(st.builds(Gap, text, text, text)),
)  # fmt: skip
