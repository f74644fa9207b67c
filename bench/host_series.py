"""Gauges of imagined hosts, minute by minute, and what happens to them: seeded, so that every run sees the same.

A host is a web server, a database, a batch machine, a build machine or idle. A latent load follows day and week (each
day a little different), wanders, and has jobs on a timetable (hourly, nightly, weekly); the gauges follow the load with
their own noise, which is correlated, heavy-tailed or multiplicative, with random bursts, and are rounded to what the
kernel tells. Nothing here knows a detector.

Incidents are put on top of a gauge, in units of its noise (1.4826 × the median distance from a two-hour running median
before the first incident, but at least 2 % of the range that it usually spans):

- shift: 5 to 12 units more for 1 to 6 hours;
- spike: 12 to 30 units more for 6 to 15 minutes;
- drift: a ramp up to 8 to 15 units over 4 to 8 hours, then back;
- season: for 2 to 4 hours in its quiet hours a gauge stands where it usually is in its busiest (only for gauges whose
  day spans more than 6 units); every single value is ordinary, the hour is not.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Values: TypeAlias = NDArray[np.float64]
STEP = 60.0
MONDAY = 1_794_787_200.0
"""2026-11-16 00:00 UTC."""
DAY, WEEK = 1440, 10_080
KINDS = ("shift", "spike", "drift", "season")
HOSTS = ("web", "database", "batch", "build", "idle")
GAUGES = (
    "cpu.percent", "memory.percent", "process.count", "process.forks_per_second", "net.received_bytes_per_second",
    "net.sent_bytes_per_second", "disk.latency_ms", "disk.written_bytes_per_second",
)  # fmt: skip
_SHAPES = {
    # how high the day goes, what is left of it at the weekend, and the load that is always there
    "web": (0.55, 0.6, 0.08), "database": (0.35, 0.8, 0.12), "batch": (0.05, 1.0, 0.06),
    "build": (0.08, 0.1, 0.05), "idle": (0.0, 1.0, 0.01),
}  # fmt: skip


@dataclass(frozen=True)
class Incident:
    """What was put on a gauge from minute `start` until `end`."""

    gauge: str
    kind: str
    start: int
    end: int


@dataclass
class Host:
    """Gauges by name, one value a minute; quiet until minute `quiet`, and the incidents after it."""

    name: str
    quiet: int
    gauges: dict[str, Values]
    incidents: list[Incident] = field(default_factory=list)


def make_host(kind: str, seed: int, *, weeks_quiet: int, weeks_troubled: int, step: float = STEP) -> Host:
    """One host. Readings are a minute apart; `step` other than that is for measuring other intervals."""
    rng = np.random.default_rng(seed)
    minutes = (weeks_quiet + weeks_troubled) * WEEK
    count = int(minutes * 60 / step)
    host = Host(f"{kind}-{seed}", int(weeks_quiet * WEEK * 60 / step), _gauges(kind, count, step, rng))
    if weeks_troubled:
        for name in GAUGES:
            _trouble(host, name, step, rng)
    return host


def _ar(rng: np.random.Generator, count: int, step: float, seconds: float, *, heavy: bool = False) -> Values:
    """Noise of deviation 1 that is correlated over so many seconds; heavy tails come from Student's t."""
    keep = float(np.exp(-step / seconds))
    kicks = rng.standard_t(4, count) / np.sqrt(2) if heavy else rng.standard_normal(count)
    kicks *= np.sqrt(1 - keep * keep)
    found = np.empty(count)
    value = 0.0
    for number, kick in enumerate(kicks.tolist()):
        value = keep * value + kick
        found[number] = value
    return found


def _bursts(rng: np.random.Generator, count: int, step: float, a_day: float, minutes: float, tail: float) -> Values:
    """Random bursts: so many a day, so long on average, of sizes with a Pareto tail (1 is the smallest)."""
    found = np.zeros(count)
    for start in rng.integers(0, count, rng.poisson(a_day * count * step / 86_400)):
        long = max(1, int(rng.exponential(minutes * 60 / step)))
        found[start : start + long] += min(30.0, 1 + rng.pareto(tail))
    return found


def _jobs(rng: np.random.Generator, kind: str, count: int, step: float) -> Values:
    """The timetable: cron every hour, a backup at night, a scrub on Sunday; a batch machine works every four hours."""
    minute = np.arange(count) * step / 60
    found = np.where(minute % 60 < 2, 0.1, 0.0)
    days = int(count * step / 86_400)
    for day in range(days):
        nightly = int((day * DAY + 130 + rng.integers(0, 6)) * 60 / step)
        found[nightly : nightly + int(rng.integers(24, 36) * 60 / step)] += 0.35
        if day % 7 == 6:
            weekly = int((day * DAY + 250) * 60 / step)
            found[weekly : weekly + int(rng.integers(80, 100) * 60 / step)] += 0.3
        if kind == "batch":
            for hour in range(0, 24, 4):
                begins = int((day * DAY + hour * 60 + 20 + rng.integers(0, 5)) * 60 / step)
                found[begins : begins + int(rng.integers(35, 55) * 60 / step)] += 0.5
    return found


def _load(rng: np.random.Generator, kind: str, count: int, step: float) -> Values:
    """The latent load, from 0 to about 1."""
    high, weekend, least = _SHAPES[kind]
    minute = np.arange(count) * step / 60
    day = (minute // DAY).astype(int)
    hour = minute % DAY / 60
    shape = np.exp(-0.5 * ((hour - 11) / 3.0) ** 2) + 0.8 * np.exp(-0.5 * ((hour - 19) / 2.5) ** 2)
    each = 1 + 0.12 * rng.standard_normal(day.max() + 1)[day]
    week = np.where(day % 7 >= 5, weekend, 1.0)
    load = least + high * shape * week * each
    load *= 1 + 0.08 * _ar(rng, count, step, 5400)
    if kind == "build":  # somebody builds, at any time in office hours
        office = (day % 7 < 5) & (hour > 8) & (hour < 18)
        load += np.where(office, np.minimum(0.8, 0.3 * _bursts(rng, count, step, 25, 14, 3.0)), 0.0)
    return np.asarray(np.clip(load, 0.003, None))


def _gauges(kind: str, count: int, step: float, rng: np.random.Generator) -> dict[str, Values]:
    load, jobs = _load(rng, kind, count, step), _jobs(rng, kind, count, step)
    busy = load + jobs

    def noise(seconds: float, *, heavy: bool = False) -> Values:
        return _ar(rng, count, step, seconds, heavy=heavy)

    def bursts(a_day: float, minutes: float, tail: float = 2.5) -> Values:
        return _bursts(rng, count, step, a_day, minutes, tail)

    cpu = 2 + 75 * busy + (1 + 10 * load) * 0.5 * noise(180, heavy=True) + 4 * bursts(10, 3)
    memory = 42 + 14 * load + 2.5 * noise(12 * 3600) + 0.2 * noise(120) + 3 * jobs
    processes = 160 + 60 * load + 15 * jobs + 3 * noise(900) + 4 * bursts(6, 4)
    forks = (1.5 + 14 * busy) * np.exp(0.35 * noise(60)) + 8 * bursts(8, 2)
    received = (4e3 + 2.5e6 * load + 3e5 * jobs) * np.exp(0.3 * noise(240)) + 3e5 * bursts(8, 4, 1.5)
    sent = (3e3 + 6e6 * load + 5e6 * jobs) * np.exp(0.3 * noise(240)) + 3e5 * bursts(6, 4, 1.5)
    latency = (0.6 + 3 * load + 12 * jobs) * np.exp(0.35 * noise(120)) + 3 * bursts(12, 2)
    written = (4e4 + 3e6 * busy) * np.exp(0.6 * noise(60)) + 1e6 * bursts(24, 2, 1.5)
    found = (
        np.clip(cpu, 0, 100).round(1), np.clip(memory, 0, 100).round(1), np.clip(processes, 1, None).round(),
        forks.round(2), received.round(1), sent.round(1), latency.round(2), written.round(1),
    )  # fmt: skip
    return dict(zip(GAUGES, found, strict=True))


def _unit(values: Values, step: float) -> float:
    """The noise of a gauge, as the module's description has it."""
    width = int(7200 / step)
    whole = values[: len(values) // width * width].reshape(-1, width)
    noise = 1.4826 * float(np.median(np.abs(whole - np.median(whole, axis=1, keepdims=True))))
    return max(noise, 0.02 * float(np.percentile(values, 97.5) - np.percentile(values, 2.5)), 1e-9)


def _trouble(host: Host, name: str, step: float, rng: np.random.Generator) -> None:
    """Put incidents on a gauge: one in every two and a half days or so, kinds in random order."""
    values = host.gauges[name]
    quiet = values[: host.quiet]
    unit = _unit(quiet, step)
    whole_days = quiet[: len(quiet) // int(DAY * 60 / step) * int(DAY * 60 / step)]
    profile = np.median(whole_days.reshape(-1, int(DAY * 60 / step)), axis=0)
    seasonal = float(profile.max() - profile.min()) > 6 * unit
    slots = np.arange(host.quiet, len(values) - int(DAY * 60 / step), int(2.3 * DAY * 60 / step))
    kinds = rng.permutation(np.resize(rng.permutation(KINDS if seasonal else KINDS[:3]), len(slots)))
    for slot, kind in zip(slots.tolist(), kinds.tolist(), strict=True):
        start, added = _incident(kind, slot, profile, unit, step, rng)
        end = start + len(added)
        most = 100.0 if name.endswith("percent") else np.inf
        values[start:end] = np.clip(values[start:end] + added, 0, most).round(2)
        host.incidents.append(Incident(name, kind, start, end))


def _incident(
    kind: str, slot: int, profile: Values, unit: float, step: float, rng: np.random.Generator
) -> tuple[int, Values]:
    """When it begins, and what it adds at each reading."""
    minute = 60 / step
    start = slot + int(rng.integers(0, int(DAY * minute)))
    if kind == "shift":
        return start, np.full(int(rng.uniform(60, 360) * minute), rng.uniform(5, 12) * unit)
    if kind == "spike":
        return start, np.full(int(rng.uniform(6, 15) * minute), rng.uniform(12, 30) * unit)
    if kind == "drift":
        return start, np.linspace(0, rng.uniform(8, 15) * unit, int(rng.uniform(240, 480) * minute))
    day = len(profile)
    low = np.flatnonzero(profile < np.percentile(profile, 30))
    start = slot + (int(rng.choice(low)) - slot) % day
    long = int(rng.uniform(120, 240) * minute)
    usual = profile[(start + np.arange(long)) % day]
    return start, float(np.percentile(profile, 95)) - usual
