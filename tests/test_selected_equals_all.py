"""Candidate selection changes nothing: with it and without it the same is found, lost, told and remembered.

Every real log that we have, every attack and ordinary day of the tests, all samples of our rules; and logs and rules
made up by a random number generator, the rules cut out of the very events that they are to find.
"""

import json
import os
import random  # noqa: TID251 - seeded choices
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.config import read_rule_files
from daemon.detection import clauses, literal_choice, prefilter
from daemon.detection.rules import ParsedRules, parse_rules
from daemon.events import Output, Selector
from daemon.events.readers import detect_format
from daemon.flow import Outcome
from daemon.model import Lines
from daemon.rule_samples.files import read_sample_files
from daemon.rule_samples.reading import read_samples
from daemon.rule_samples.stage import Stage
from daemon.selection import build_selectors
from tests.conftest import SHARED
from tests.doubles.any_audit import AnyAudit
from tests.doubles.any_rules import any_rules, selective
from tests.doubles.any_syslog import AnySyslog
from tests.doubles.attacks_after_entry import AFTERMATH_ATTACKS
from tests.doubles.attacks_in_other_words import MORE_ATTACKS
from tests.doubles.attacks_in_third_words import STILL_MORE_ATTACKS
from tests.doubles.attacks_on_defences import DEFENCE_ATTACKS
from tests.doubles.attacks_on_hosts import HOST_ATTACKS
from tests.doubles.attacks_on_logins import LOGIN_ATTACKS
from tests.doubles.benign_days import DAYS
from tests.doubles.both_ways import all_events, flow_both_ways, read_both_ways
from tests.doubles.host_story import Story
from tests.doubles.ordinary_lines import COMMANDS, LOG_LINES
from tests.doubles.our_rules import RULES, rule_files

LOGS = (
    "auditd-3.0.9", "elastic-examples", "go-libaudit", "otrf-security-datasets", "splunk-attack_data",
)  # fmt: skip
SAMPLED = prefilter._SAMPLE
EXAMPLES = int(os.environ.get("TELLWHY_SELECTION_EXAMPLES", "150"))
"""Made-up logs of each format with the same seeds in every run; 20,000 take a quarter of an hour."""

ORDER = "SYSCALL EXECVE SOCKADDR CWD PATH PROCTITLE EOE"
ATTACKS = (LOGIN_ATTACKS, HOST_ATTACKS, DEFENCE_ATTACKS, AFTERMATH_ATTACKS, MORE_ATTACKS, STILL_MORE_ATTACKS)


@pytest.fixture(scope="module")
def rules() -> ParsedRules:
    """Ours, and SigmaHQ's where they are."""
    parts = ("rules", "rules-emerging-threats", "rules-threat-hunting")
    sigma = [str(SHARED / "sigma-rules" / part) for part in parts if SHARED.is_dir()]
    parsed = parse_rules({**read_rule_files(sigma), **rule_files()})
    assert parsed.problems == ()
    return parsed


@pytest.fixture(scope="module")
def selectors(rules: ParsedRules) -> dict[str, Selector]:
    found = dict(build_selectors(rules))
    assert not any(one.everything for one in found.values())
    return found


def same(
    fmt: str, data: bytes, rules: ParsedRules, selectors: dict[str, Selector], *sizes: int, cuts: Sequence[int] = ()
) -> int:
    """How many lines or events were left out, with runs of such sizes in bytes (0: where `cuts` says)."""
    left = 0
    for size in sizes:
        every, some = flow_both_ways(fmt, data, rules, selectors, size=size, cuts=cuts)
        assert some == every
        left = max(left, some.left_out)
    return left


def anywhere(data: bytes) -> list[int]:
    """Cuts at random, one in some twenty lines."""
    lines = data.count(b"\n")
    rng = random.Random(lines)  # noqa: S311 - a seeded log
    return [rng.randrange(lines + 1) for _ in range(lines // 20 + 2)]


@pytest.mark.parametrize("place", LOGS)
def test_real_logs(place: str, rules: ParsedRules, selectors: dict[str, Selector], shared_data: Path) -> None:
    """All files of a format, one after the other, as one log: their serials and clocks go back and forth."""
    texts: dict[str, list[bytes]] = {"auditd": [], "syslog": []}
    for path in sorted(path for path in (shared_data / place).rglob("*") if path.is_file()):
        raw = path.read_bytes()
        texts.setdefault(detect_format(raw[:65536]), []).append(raw if raw.endswith(b"\n") else raw + b"\n")
    assert texts["auditd"] + texts["syslog"]
    for fmt in ("auditd", "syslog"):
        data = b"".join(texts[fmt])
        if len(data) > 500_000:
            same(fmt, data, rules, selectors, 65536)
        else:
            same(fmt, data, rules, selectors, 0, 4096)
            same(fmt, data, rules, selectors, 0, cuts=anywhere(data))
            same(fmt, data[:60_000].rpartition(b"\n")[0] + b"\n", rules, selectors, 1)


def test_real_events_in_json(rules: ParsedRules, selectors: dict[str, Selector], shared_data: Path) -> None:
    """Those of open-xp-rules, as the lines that they were."""
    lines: list[str] = []
    for path in sorted((shared_data / "open-xp-rules").rglob("raw_*.txt")):
        for told in json_objects(path.read_text()):
            head = f"audit({told['timestamp']}.{told['timestampfractional']}:{told['eventid']}): "
            items = sorted(told["items"].items(), key=lambda item: ORDER.find(item[0]))
            lines += [f"node={told['node']} type={kind} msg={head}{one}" for kind, said in items for one in said]
    assert len(lines) > 300
    data = "".join(line + "\n" for line in lines).encode()
    same("auditd", data, rules, selectors, 0, 4096)


def json_objects(text: str) -> Iterator[dict[str, Any]]:
    """The events that stand in a text, one after the other; what is none of ours is left out."""
    decoder, place = json.JSONDecoder(), text.find("{")
    while place >= 0:
        try:
            found, end = decoder.raw_decode(text, place)
        except ValueError:
            return
        if "items" in found and "eventid" in found:
            yield found
        place = text.find("{", end)


@pytest.mark.parametrize(("name", "fmt"), [("audit.log", "auditd"), ("auth.log", "syslog")])
def test_the_example(name: str, fmt: str, rules: ParsedRules, selectors: dict[str, Selector], repository: Path) -> None:
    data = (repository / "examples" / "attack" / name).read_bytes()
    same(fmt, data, rules, selectors, 0, 4096, 1)


@pytest.mark.parametrize("enriched", [True, False], ids=["enriched", "raw"])
def test_attacks_and_ordinary_days(*, enriched: bool, rules: ParsedRules, selectors: dict[str, Selector]) -> None:
    story = Story(enriched=enriched)
    for step in [step for attacks in ATTACKS for steps in attacks.values() for step in steps]:
        step(story)
        story.wait(30)
    for day in DAYS.values():
        day(story)
    for command in COMMANDS:
        story.run(command, user="alice")
    for program, message in LOG_LINES:
        story.say(program, message)
    for fmt in ("auditd", "syslog"):
        data = b"".join(text for found, text in story._runs() if found == fmt)
        assert same(fmt, data, rules, selectors, 0 if enriched else 4096) > 50


class Scribe:
    """Takes the place of a flow, and writes down what it is given."""

    def __init__(self) -> None:
        self.texts = {"auditd": b"", "syslog": b"", "json": b""}

    def feed(self, item: object) -> Outcome:
        """Lines of a sample."""
        if isinstance(item, Lines):
            self.texts[item.source] += item.data
        return Outcome()

    def tick(self, now: float) -> Outcome:
        """Nothing."""
        return Outcome()

    def detect(self, outputs: object) -> Outcome:
        """Nothing."""
        return Outcome()

    def finish(self, source: str, now: float) -> list[Output]:
        """Nothing."""
        return []


def test_the_samples_of_our_rules(rules: ParsedRules, selectors: dict[str, Selector]) -> None:
    stage, scribe = Stage(ParsedRules(())), Scribe()
    stage._flow = scribe  # type: ignore[assignment]
    for path, text in read_sample_files([str(RULES)]).items():
        samples, problems = read_samples(path, text)
        assert problems == []
        for sample in samples:
            list(stage.play(sample.steps))
            list(stage._wait(10.0))
    for fmt in ("auditd", "syslog"):
        assert scribe.texts[fmt].count(b"\n") > 300
        same(fmt, scribe.texts[fmt], rules, selectors, 4096)


@pytest.fixture
def bounds(monkeypatch: pytest.MonkeyPatch) -> Callable[[random.Random], None]:
    """Sets when and how often the prefilter chooses its clauses, on a few lines as on gigabytes, and how it chooses:
    as it does, all of them, or any one, for each of them is necessary.
    """

    def choose(rng: random.Random) -> None:
        def any_one(alternative: clauses.Alternative, *_: object) -> list[clauses.Clause]:
            return rng.sample(sorted(alternative, key=sorted), min(1, len(alternative)))

        monkeypatch.setattr(prefilter, "_SAMPLE", rng.choice((SAMPLED, 1, 1, 200)))
        monkeypatch.setattr(prefilter, "_PATIENCE", rng.choice((1 << 26, 0)))
        monkeypatch.setattr(prefilter, "_BUSY", rng.choice((20.0, 0.0, -1.0)))
        monkeypatch.setattr(clauses, "_MOST", rng.choice((24, 24, 2, 1)))
        ways = (literal_choice.telling, literal_choice.telling, lambda alternative, *_: list(alternative), any_one)
        monkeypatch.setattr(prefilter, "telling", rng.choice(ways))

    return choose


def made_up(fmt: str, rng: random.Random, *, live: bool) -> tuple[bytes, ParsedRules, list[int]]:
    """A log, rules about it, and where it is cut."""
    lines = (
        AnyAudit(rng).lines(rng.choice((2, 6, 12, 25)))
        if fmt == "auditd"
        else AnySyslog(rng).lines(rng.choice((6, 12, 40)))
    )
    data = b"".join(line + b"\n" for line in lines)
    count = data.count(b"\n")
    cuts = rng.choice(([], [], list(range(count)), [rng.randrange(count) for _ in range(3)]))
    found = any_rules(rng, all_events(fmt, data, live=live), rng.choice((1, 1, 2, 2, 4, 12)))
    assert found.problems == ()
    return data, selective(found, fmt) if rng.random() < 0.9 else found, cuts


def check(fmt: str, seed: int) -> int:
    """How many lines or events were left out."""
    rng = random.Random(seed)  # noqa: S311 - a seeded log
    live, seeded = rng.random() < 0.5, rng.random() < 0.3
    data, found, cuts = made_up(fmt, rng, live=live)
    every, some = read_both_ways(fmt, data, found, cuts, live=live, seeded=seeded)
    assert some == every
    return some.left_out


@pytest.mark.parametrize("fmt", ["auditd", "syslog"])
def test_made_up_logs_and_rules(fmt: str, bounds: Callable[[random.Random], None]) -> None:
    left = 0
    for seed in range(EXAMPLES):
        bounds(random.Random(-seed))  # noqa: S311 - a seeded log
        left += check(fmt, seed)
    assert left > EXAMPLES // 4


@settings(max_examples=EXAMPLES // 2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["auditd", "syslog"]), st.integers(EXAMPLES, 2**48))
def test_other_made_up_logs_and_rules(bounds: Callable[[random.Random], None], fmt: str, seed: int) -> None:
    """Others with every run; what fails is told by its seed."""
    bounds(random.Random(-seed))  # noqa: S311 - a seeded log
    check(fmt, seed)
