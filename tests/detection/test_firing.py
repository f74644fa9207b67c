import msgspec
from hypothesis import given
from hypothesis import strategies as st

from daemon.detection.firing import build_anomaly, evidence
from daemon.model import Event, RuleRef, Severity
from tests.doubles.detection import make_event

RULE = RuleRef("r", "T", Severity.high)


def test_an_anomaly_is_about_its_newest_event() -> None:
    first, last = make_event(at=1.0, host="a"), make_event(at=2.0, host="b")
    anomaly = build_anomaly(RULE, "User=x", "why", (first, last))
    assert (anomaly.at, anomaly.host, anomaly.source, anomaly.events) == (2.0, "b", "test", (first, last))
    assert (anomaly.rule, anomaly.entity, anomaly.because, anomaly.ends) == (RULE, "User=x", "why", False)


def test_the_id_depends_on_rule_entity_and_events_alone() -> None:
    one, other = make_event(event_id="1"), make_event(event_id="2")
    base = build_anomaly(RULE, "e", "why", (one,))
    assert base.id == build_anomaly(RULE, "e", "said otherwise", (one,)).id
    ids = {
        base.id,
        build_anomaly(RULE, "f", "why", (one,)).id,
        build_anomaly(RuleRef("s", "T", Severity.high), "e", "why", (one,)).id,
        build_anomaly(RULE, "e", "why", (other,)).id,
        build_anomaly(RULE, "e", "why", (one, other)).id,
        build_anomaly(RULE, "e", "why", (one,), ends=True).id,
        build_anomaly(RULE, "e", "why", (make_event(event_id="1", host="db1"),)).id,
    }
    assert len(ids) == 7


def test_evidence_is_bounded() -> None:
    fields = {f"f{n}": "x" * 5000 for n in range(500)} | {"f1": ("y" * 9999,) * 99}
    kept = evidence(make_event(fields, text="t" * 100_000, event_id="i"))
    assert len(msgspec.msgpack.encode(kept)) < 100_000
    assert kept.text.endswith("…")
    assert (kept.id, kept.at) == ("i", 1000.0)


VALUES = st.one_of(
    st.text(max_size=5), st.integers(), st.floats(allow_nan=False), st.booleans(), st.none(),
    st.lists(st.text(max_size=3), max_size=3).map(tuple), st.just("\udcff"),
)  # fmt: skip


@given(st.dictionaries(st.text(max_size=4), VALUES, max_size=5), st.sampled_from(["", "plain", "é", "\udc80x"]))
def test_evidence_survives_storage_unchanged(fields: dict[str, str], text: str) -> None:
    kept = evidence(make_event(fields, text=text, event_id="i"))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(kept), type=Event) == kept
