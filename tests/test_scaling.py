"""Ten copies of the rule set under new ids cost at most twice the time per line, and find ten times the same."""

import time
from collections import Counter
from collections.abc import Iterator
from statistics import median

import pytest

from bench.generated_logs import audit_log, auth_log
from daemon.assembly import build_flow
from daemon.config import default_config, read_rule_files
from daemon.detection.rules import ParsedRules, parse_rules
from daemon.enrichment.redact import Redactor
from daemon.events.readers import build_reader
from daemon.flow import Flow
from daemon.model import Anomaly, Checkpoint, Lines, Position
from daemon.selection import build_selectors
from tests.conftest import SHARED
from tests.doubles.copied_rules import copy_rules
from tests.doubles.our_rules import RULES

COPIES = 10
LINES = 20_000
"""Of each log and run."""
RUNS = 4
CHUNK = 1 << 18
FORMATS = {"audit": "auditd", "auth": "syslog"}


def built(parsed: ParsedRules) -> Flow:
    redactor, selectors = Redactor(), build_selectors(parsed)
    readers = {
        name: build_reader(
            name, fmt, host="web1", now=lambda: 1_795_350_000.0, usernames=str, redact=redactor.text, live=False,
            selectors=selectors,
        )
        for name, fmt in FORMATS.items()
    }  # fmt: skip
    return build_flow(default_config(), parsed, readers, redactor)


def taken(log: Iterator[str], lines: int) -> bytes:
    """The next events of a log, until there are so many lines."""
    found: list[str] = []
    count = 0
    while count < lines:
        found.append(next(log))
        count += found[-1].count("\n")
    return "".join(found).encode()


def runs(*names: str) -> list[list[Lines]]:
    """These logs, one stretch of time after the other, as sources hand them over."""
    made = {"audit": audit_log, "auth": auth_log}
    logs = {name: made[name](LINES * (RUNS + 1)) for name in names}
    offsets = dict.fromkeys(logs, 0)
    found: list[list[Lines]] = []
    for _ in range(RUNS):
        items: list[Lines] = []
        for name, log in logs.items():
            data, begin = taken(log, LINES), 0
            while begin < len(data):
                end = data.rindex(b"\n", begin, begin + CHUNK) + 1
                at = Position(f"/{name}.log", "1:2", offsets[name] + begin)
                after = Position(f"/{name}.log", "1:2", offsets[name] + end)
                items.append(Lines(name, data[begin:end], at, Checkpoint(name, after)))
                begin = end
            offsets[name] += len(data)
        found.append(items)
    return found


def played(flow: Flow, items: list[Lines]) -> tuple[float, list[Anomaly]]:
    """Seconds of processor time, and what was found."""
    began = time.process_time()
    found = [anomaly for item in items for anomaly in flow.feed(item).anomalies]
    return time.process_time() - began, found


def content(anomaly: Anomaly) -> tuple[object, ...]:
    """All but the ids of the rule and of the anomaly, which the copies have of their own."""
    return (
        anomaly.rule.title, anomaly.rule.severity, anomaly.at, anomaly.host, anomaly.entity, anomaly.because,
        tuple(event.id for event in anomaly.events), anomaly.ends,
    )  # fmt: skip


@pytest.mark.system
@pytest.mark.timeout(180)
@pytest.mark.parametrize("names", [("audit", "auth"), ("auth",)], ids=["both logs", "auth.log alone"])
def test_ten_copies_of_the_rules_cost_at_most_twice_the_time(names: tuple[str, ...]) -> None:
    """The first run chooses what to look for, and is not counted; of the others, the median. Nearly all that rules make
    of an auth.log is correlations, which copies share.
    """
    sigma = SHARED / "sigma-rules"
    files = read_rule_files([str(RULES), *([str(sigma)] if sigma.is_dir() else [])])
    logs = runs(*names)
    times: dict[int, list[float]] = {}
    found: dict[int, list[Anomaly]] = {}
    for copies in (1, COPIES):
        parsed = parse_rules(copy_rules(files, copies))
        assert parsed.problems == ()
        flow = built(parsed)
        results = [played(flow, items) for items in logs]
        times[copies] = [seconds for seconds, _ in results[1:]]
        found[copies] = [anomaly for _, anomalies in results for anomaly in anomalies]
        assert len(parsed.rules) >= copies * 100
    once, often = (Counter(map(content, found[copies])) for copies in (1, COPIES))
    assert once.total() >= 10
    assert often == Counter({said: COPIES * count for said, count in once.items()})
    assert len({anomaly.id for anomaly in found[COPIES]}) == often.total()
    assert median(often_ / once_ for once_, often_ in zip(times[1], times[COPIES], strict=True)) <= 2.0


def test_copies_refer_to_their_own_copy() -> None:
    text = (
        "title: A\nname: a\nid: 11111111-1111-4111-8111-111111111111\nlogsource: {product: linux}\n"
        "detection: {s: {f: a}, condition: s}\n---\n"
        "title: B\nname: b\ncorrelation: {type: event_count, rules: a, timespan: 1m, condition: {gte: 2}}\n---\n"
        "title: C\ncorrelation: {type: temporal, rules: [b, a], timespan: 1m, condition: a and b}\n"
        "id: 22222222-2222-4222-8222-222222222222\n"
    )
    parsed = parse_rules(copy_rules({"r.yml": text}, 3))
    assert parsed.problems == ()
    assert len({rule.ref.id for rule in parsed.rules}) == 9
    counted = [rule for rule in parsed.rules if rule.ref.title == "B"]
    assert len({rule.inputs for rule in counted}) == 3
    assert {rule.condition for rule in parsed.rules if rule.condition is not None} == {parsed.rules[0].condition}
