"""Lines in, incidents out; a bug met by one line is a loss that is said, not the end."""

import msgspec

from daemon.assembly import build_flow
from daemon.config import Config, read_rule_files
from daemon.detection.rules import parse_rules
from daemon.enrichment.redact import Redactor
from daemon.events.intake import Envelope, IntakeReader
from daemon.events.jsonl import Shaping
from daemon.events.readers import build_reader
from daemon.events.stamps import Stamps
from daemon.flow import Flow
from daemon.model import Anomaly, Checkpoint, Decision, Event, Lines, Lost, Position, Sample
from tests.doubles.tool_records import FALCO
from tests.doubles.unusual_rule import UNUSUAL
from tests.doubles.values import T0

SSHD = "Nov 21 11:20:00 web-1 sshd[1]: Failed password for root from 203.0.113.9 port 4{} ssh2\n"


def a_flow() -> Flow:
    redactor = Redactor()
    reader = build_reader("auth", "syslog", host="web-1", now=lambda: T0, usernames=str, redact=redactor.text)
    return build_flow(Config(), parse_rules(read_rule_files(["shipped"])), {"auth": reader}, redactor)


def lines(text: str, start: int = 0) -> Lines:
    data = text.encode()
    at = Position("/auth.log", "1:1", start)
    return Lines("auth", data, at, Checkpoint("auth", Position("/auth.log", "1:1", start + len(data))))


def test_a_burst_of_failures_opens_one_incident_and_a_restored_flow_goes_on_exactly() -> None:
    text = [SSHD.format(f"{number:03}") for number in range(12)]
    whole, first, second = a_flow(), a_flow(), a_flow()

    expected = whole.feed(lines("".join(text)))
    early = first.feed(lines("".join(text[:5])))
    second.restore(first.changes())
    second.resume([change.incident for change in early.changes])
    late = second.feed(lines("".join(text[5:]), 500))

    assert [change.decision for change in expected.changes] == [Decision.first]
    assert early.changes == []
    assert [change.incident.because for change in late.changes] == [
        change.incident.because for change in expected.changes
    ]


def test_what_the_steps_count_is_told() -> None:
    flow = a_flow()

    flow.feed(lines("".join(SSHD.format(f"{number:03}") for number in range(12)) + "no stamp\n"))

    tallies = flow.tallies()
    assert tallies.events == {"auth": 13}
    assert tallies.unparsed == {"auth": 1}
    assert tallies.evictions == {"events": 0, "detection": 0, "incidents": 0}
    assert tallies.open_incidents == 1


class Broken:
    unparsed = 0
    left_out = 0
    evictions = 0

    def feed(self, lines: Lines) -> list[object]:
        message = "a bug"
        raise RuntimeError(message)

    def tick(self, now: float) -> list[object]:
        message = "another bug"
        raise RuntimeError(message)

    def changes(self) -> list[object]:
        return []

    def restore(self, snapshots: object) -> None:
        """Nothing to restore."""


def test_a_bug_in_a_reader_is_a_loss_of_its_lines() -> None:
    flow = a_flow()
    flow._readers = {"auth": Broken()}  # type: ignore[dict-item]  # a reader with a bug

    outcome = flow.feed(lines("a\nb\n"))
    flow.tallies()
    assert [lost.why for lost in flow.tick(T0).lost] == ["reader_error"]

    assert [(lost.why, lost.count) for lost in outcome.lost] == [("reader_error", 2)]


def test_it_knows_what_of_a_request_to_an_intake_was_a_repeat() -> None:
    shaping, stamps = Shaping(), Stamps(lambda: T0, None)
    flow = a_flow()
    flow._readers = {**flow._readers, "tools": IntakeReader("tools", host="web-1", stamps=stamps, shaping=shaping)}
    for nonce in ("n1", "n2"):
        data = msgspec.json.encode(Envelope(f"{nonce}:0", T0, FALCO)) + b"\n"
        place = Position("intake:tools", nonce, 0)
        flow.feed(Lines("tools", data, place, Checkpoint("tools", place)))
    assert [flow.repeats("tools", nonce) for nonce in ("n1", "n2", "other")] == [0, 1, 0]
    assert flow.repeats("auth", "n2") == flow.repeats("nobody", "n2") == 0


def test_no_window_keeps_a_secret() -> None:
    flow = a_flow()
    refused = (
        "Nov 21 11:20:0{} web-1 sudo[9]: bob : 1 incorrect password attempt ; TTY=pts/0 ; PWD=/ ; USER=root ; "
        "COMMAND=/usr/bin/mysql -pZx9Qq17Secret\n"
    )

    flow.feed(lines("".join(refused.format(number) for number in range(2))))

    kept = [row.value for row in flow.changes() if row.step == "detection" and row.value]
    assert kept
    assert not any(b"Zx9Qq17Secret" in value for value in kept)


def test_what_cannot_be_redacted_is_told_without_its_words() -> None:
    flow = a_flow()

    def redact(anomaly: Anomaly) -> Anomaly:
        message = "a bug"
        raise RuntimeError(message)

    flow._redact = redact
    outcome = flow.feed(lines("".join(SSHD.format(f"{number:03}") for number in range(12))))

    (change,) = outcome.changes
    assert change.decision is Decision.first
    assert change.incident.because == "(could not be redacted)"
    assert [lost.why for lost in outcome.lost] == ["redaction_error"]


RULE = UNUSUAL + "tellwhy: {sustain: {for: 5m, resolve_after: 15m}}\n"


def readings(flow: Flow, minutes: range, value: float) -> list[Anomaly]:
    found: list[Anomaly] = []
    for minute in minutes:
        sample = Sample("host", "host_metrics", T0 + 60 * minute, {}, {"cpu.percent": value + minute % 3})
        found += flow.feed(sample).anomalies
    return found


def test_a_rule_on_a_learned_baseline_fires_also_in_the_next_process() -> None:
    rules = parse_rules({"unusual.yml": RULE})
    flow, after = (build_flow(Config(host="web-1"), rules, {}, Redactor()) for _ in range(2))
    assert readings(flow, range(2 * 1440), 20) == []
    after.restore(flow.changes())

    (anomaly,) = readings(after, range(2 * 1440, 2 * 1440 + 10), 90)

    assert "cpu.percent.zscore >= 5" in anomaly.because
    assert anomaly.events[-1].fields["cpu.percent.zscore"]
    assert "zscore" not in anomaly.events[-1].text


def test_a_bug_in_a_baseline_is_said_and_hides_no_reading() -> None:
    flow = a_flow()
    flow._baselines = None  # type: ignore[assignment]  # a bug

    lost, event = flow.read(Sample("host", "host_metrics", T0, {}, {"cpu.percent": 20.0}))

    assert isinstance(lost, Lost)
    assert lost.why == "baseline_error"
    assert isinstance(event, Event)
    assert event.fields["cpu.percent"] == 20.0
