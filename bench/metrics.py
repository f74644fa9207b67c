"""Learned baselines: what they find, how soon, and how often they are wrong, beside a fixed z-score and river.

    python -m bench.metrics [--quick] [--hosts 5] [--seed 13000]

Hosts of five kinds (`bench/host_series.py`; eight gauges, a reading a minute) are quiet for three weeks and troubled
for two more. The first two weeks are for learning, the third counts false alarms; the last two, with a shift, spike,
drift or misplaced season put on each gauge every 2.3 days, count what is found. Ours is the shipped rules
(`unusual_*.yml`) through the flow that runs live. The others get, on hosts of other seeds, the threshold and the
holding time that find most at our rate of false alarms there; then all of them see the same unseen hosts. Since rates
come out differently there, each of the others is also shown "with hindsight": with the threshold and holding time that
find most of a kind on the unseen hosts themselves at no more than our rate there, chosen for that kind alone, which
nobody could have known before. An alarm that begins within an incident finds it; one that begins in the hour after it
counts as nothing; any other is false. Intervals are 95 %.
"""

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from bench.host_series import DAY, GAUGES, HOSTS, KINDS, MONDAY, STEP, WEEK, Host, Values, make_host
from bench.peer_detectors import RIVER, SUDDEN, fixed_zscore
from daemon.assembly import build_flow
from daemon.config import Config, read_rule_files
from daemon.detection.rules import ParsedRules, parse_rules
from daemon.enrichment.redact import Redactor
from daemon.model import Sample

OURS, FIXED = "tellwhy, shipped rules", "fixed z-score (a day)"
QUIET_WEEKS, TROUBLED_WEEKS = 3, 2
HOLDS = (1, 6, 15, 30)
_AFTER, _APART = 60, 15
_TAGS = {"net": {"net.interface": "eth0"}, "disk": {"disk.device": "sda"}}
Episodes = list[int]
"""The minutes at which alarms begin."""


@dataclass
class Tally:
    """What one detector did on some hosts."""

    days: float = 0.0
    false_quiet: int = 0
    false_later: int = 0
    right: int = 0
    found: dict[str, list[int]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    missed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))

    @property
    def rate(self) -> float:
        """False alarms per quiet host-day."""
        return self.false_quiet / self.days

    @property
    def recall(self) -> float:
        """The share of incidents found, all kinds."""
        found = sum(map(len, self.found.values()))
        return found / max(1, found + sum(self.missed.values()))

    def add(self, host: Host, gauge: str, begins: Iterable[int]) -> None:
        """Judge the alarms of one gauge."""
        incidents = [one for one in host.incidents if one.gauge == gauge]
        begun = list(begins)
        for one in incidents:
            hits = [at for at in begun if one.start <= at < one.end]
            if hits:
                self.found[one.kind].append(hits[0] - one.start)
            else:
                self.missed[one.kind] += 1
        inside = [at for at in begun if any(one.start <= at < one.end for one in incidents)]
        others = [at for at in begun if not any(one.start <= at < one.end + _AFTER for one in incidents)]
        self.right += len(inside)
        self.false_quiet += sum(2 * WEEK <= at < host.quiet for at in others)
        self.false_later += sum(at >= host.quiet for at in others)


@dataclass
class Played:
    """One host, the alarms of ours by gauge, and the scores of the others by detector and gauge."""

    host: Host
    ours: dict[str, Episodes]
    scores: dict[str, dict[str, NDArray[np.float32]]]


def baseline_rules() -> ParsedRules:
    """The shipped rules on learned baselines."""
    files = read_rule_files(["shipped"])
    return parse_rules({path: text for path, text in files.items() if "/unusual_" in path})


def our_alarms(host: Host, step: float = STEP) -> dict[str, Episodes]:
    """The readings of a host through the flow with the shipped rules: when which gauge's rule fired."""
    parsed = baseline_rules()
    read = [(rule.ref.id, rule.condition.fields) for rule in parsed.rules if rule.condition is not None]
    gauges = {rule: {field.rsplit(".", 1)[0] for field in fields} for rule, fields in read}
    flow = build_flow(Config(host=host.name), parsed, {}, Redactor())
    columns = {name: values.tolist() for name, values in host.gauges.items()}
    things = [
        (tags, [name for name in GAUGES if _TAGS.get(name.split(".")[0], {}) == tags]) for tags in ({}, *_TAGS.values())
    ]
    alarms: dict[str, Episodes] = {name: [] for name in GAUGES}
    for number in range(len(columns[GAUGES[0]])):
        for tags, names in things:
            values = {name: columns[name][number] for name in names}
            outcome = flow.feed(Sample("host", "host_metrics", MONDAY + number * step, tags, values))
            for anomaly in outcome.anomalies:
                for gauge in set() if anomaly.ends else gauges[anomaly.rule.id]:
                    alarms[gauge].append(number)
    return alarms


def alarms_of(score: NDArray[np.float32], threshold: float, hold: int) -> Episodes:
    """When alarms begin: the score reached the threshold `hold` readings in a row, the first time in a quarter hour."""
    high = np.cumsum(np.r_[0, score >= threshold])
    held = np.flatnonzero(high[hold:] - high[:-hold] == hold) + hold - 1
    return held[np.r_[True, np.diff(held) > _APART]].tolist() if len(held) else []


def play(kind: str, seed: int, detectors: Sequence[str]) -> Played:
    """One host, seen by everyone."""
    host = make_host(kind, seed, weeks_quiet=QUIET_WEEKS, weeks_troubled=TROUBLED_WEEKS)
    known: dict[str, Callable[[Values], Values]] = {FIXED: fixed_zscore, **RIVER}
    scores = {
        name: {gauge: known[name](values).astype(np.float32) for gauge, values in host.gauges.items()}
        for name in detectors
    }
    return Played(host, our_alarms(host), scores)


def judge(played: Sequence[Played], alarms: Callable[[Played, str], Episodes]) -> Tally:
    """What alarms, asked for by host and gauge, were worth."""
    tally = Tally()
    for one in played:
        tally.days += one.host.quiet / DAY - 14
        for gauge in GAUGES:
            tally.add(one.host, gauge, alarms(one, gauge))
    return tally


def _peer_alarms(name: str, threshold: float, hold: int, one: Played, gauge: str) -> Episodes:
    return alarms_of(one.scores[name][gauge], threshold, hold)


def settings(played: Sequence[Played], name: str, rate: float) -> Iterator[tuple[float, int, Tally]]:
    """Every threshold and holding time with no more than this rate of false alarms."""
    every = np.concatenate([values[2 * WEEK :] for one in played for values in one.scores[name].values()])
    steps = np.unique(np.quantile(every[every > 0], 1 - np.geomspace(3e-6, 0.1, 40)))
    for hold in (1,) if name in SUDDEN else HOLDS:
        for threshold in sorted(steps.tolist(), reverse=True):
            tally = judge(played, partial(_peer_alarms, name, threshold, hold))
            if tally.rate > rate:
                break  # lower ones say more still
            yield threshold, hold, tally


def tune(played: Sequence[Played], name: str, rate: float) -> tuple[float, int, Tally]:
    """The threshold and holding time with the most found at no more than this rate of false alarms."""
    silent = (float("inf"), 1, judge(played, lambda *_: []))
    return max(settings(played, name, rate), key=lambda one: one[2].recall, default=silent)


def hindsight(played: Sequence[Played], name: str, rate: float) -> str:
    """The most that any setting finds of each kind, on its own, at no more than this rate on these very hosts."""
    tallies = [tally for _, _, tally in settings(played, name, rate)]
    best = {kind: max([len(tally.found[kind]) for tally in tallies], default=0) for kind in KINDS}
    there = {kind: sum(one.kind == kind for each in played for one in each.host.incidents) for kind in KINDS}
    return ", ".join(f"{kind} {best[kind] / max(1, there[kind]):.0%}" for kind in KINDS)


def share(part: int, whole: int) -> str:
    """A share with its interval (Wilson)."""
    if not whole:
        return "–"
    z, p = 1.96, part / whole
    centre, half = p + z * z / 2 / whole, z * sqrt(p * (1 - p) / whole + z * z / 4 / whole / whole)
    low, high = ((centre + sign * half) / (1 + z * z / whole) for sign in (-1, 1))
    return f"{p:.0%} ({max(low, 0.0):.0%}–{min(high, 1.0):.0%})"


def per_day(count: int, days: float) -> str:
    """A rate with its interval (Byar's approximation to the exact one of a Poisson count)."""
    low = count * (1 - 1 / (9 * count) - 1.96 / (3 * sqrt(count))) ** 3 if count else 0.0
    more = count + 1
    high = more * (1 - 1 / (9 * more) + 1.96 / (3 * sqrt(more))) ** 3
    return f"{count / days:.2f} ({low / days:.2f}–{high / days:.2f})"


def report(name: str, tally: Tally, setting: str) -> None:
    """Print one detector."""
    false = tally.false_quiet + tally.false_later
    print(f"{name}: {per_day(tally.false_quiet, tally.days)} false alarms per quiet host-day{setting}; ", end="")
    print(f"precision {share(tally.right, tally.right + false)}")
    for kind in KINDS:
        found = tally.found[kind]
        delay = f", {statistics.median(found):.0f} min after it began" if found else ""
        print(f"    {kind}: recall {share(len(found), len(found) + tally.missed[kind])}{delay}")


def play_all(hosts: int, seed: int, detectors: Sequence[str]) -> list[Played]:
    """Hosts of all kinds in turn, on all cores."""
    kinds = [HOSTS[number % len(HOSTS)] for number in range(hosts)]
    with ProcessPoolExecutor() as pool:
        return list(pool.map(play, kinds, range(seed, seed + hosts), [detectors] * hosts))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="Learned baselines, a fixed z-score and river.")
    parser.add_argument("--quick", action="store_true", help="two hosts to tune on and two to test, not five")
    parser.add_argument("--hosts", type=int, default=5, help="to tune on, and as many to test")
    parser.add_argument("--seed", type=int, default=13000)
    args = parser.parse_args()
    began = time.monotonic()
    river = importlib.util.find_spec("river") is not None
    detectors = [FIXED, *(RIVER if river else ())]
    hosts = 2 if args.quick else args.hosts
    tuning, test = play_all(hosts, args.seed, detectors), play_all(hosts, args.seed + 500, detectors)
    ours = judge(tuning, lambda one, gauge: one.ours[gauge])
    unseen = judge(test, lambda one, gauge: one.ours[gauge])
    print(f"{hosts} unseen hosts, {len(GAUGES)} gauges each, {unseen.days:.0f} quiet host-days, ", end="")
    print(f"{sum(len(one.host.incidents) for one in test)} incidents")
    report(OURS, unseen, "")
    for name in detectors:
        threshold, hold, _ = tune(tuning, name, ours.rate)
        tally = judge(test, partial(_peer_alarms, name, threshold, hold))
        report(name, tally, f", at {threshold:.4g} for {hold} min")
        print(f"    with hindsight, at {unseen.rate:.2f} at most: {hindsight(test, name, unseen.rate)}")
    if not river:
        print("river: not installed (pip install 'tellwhy[bench]')")
    print(f"({ours.rate:.2f} false alarms per quiet host-day of ours where the others were tuned; ", end="")
    print(f"{time.monotonic() - began:.0f} s)")


if __name__ == "__main__":
    main()
