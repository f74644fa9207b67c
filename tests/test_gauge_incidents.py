"""From readings to incidents, through all of it: one incident of what flaps, with what made it so, without secrets."""

import math
from collections.abc import Iterator
from pathlib import Path

import pynvml
import pytest

from daemon.assembly import build_flow
from daemon.config import Config
from daemon.delivery.formats.standard import render
from daemon.detection.rules import ParsedRules, parse_rules
from daemon.enrichment.evidence import collect_evidence
from daemon.enrichment.redact import Redactor
from daemon.enrichment.template import base_alert
from daemon.flow import Flow
from daemon.model import Incident, IncidentChange, IncidentStatus, Sample, Severity
from daemon.sources.gpu_samples import GpuSamples
from daemon.sources.host_samples import HostSamples
from tests.doubles.clock import ManualTime
from tests.doubles.host_system import HostSystem, ProcTree, core, interface
from tests.doubles.nvml import GPU_IS_LOST, Nvml, installed
from tests.doubles.our_rules import parsed_rules

T0 = 1_795_260_000.0


@pytest.fixture(scope="module")
def ours() -> ParsedRules:
    return parsed_rules()


class Told:
    """A flow with rules, fed with readings; keeps each incident as it was last told of."""

    def __init__(self, rules: ParsedRules) -> None:
        self.flow: Flow = build_flow(Config(host="web-1"), rules, {}, Redactor())
        self.incidents: dict[str, Incident] = {}
        self.changes: list[IncidentChange] = []

    def feed(self, sample: Sample) -> None:
        self._keep(self.flow.feed(sample).changes)

    def tick(self, at: float) -> None:
        self._keep(self.flow.tick(at).changes)

    def _keep(self, changes: list[IncidentChange]) -> None:
        self.changes += changes
        self.incidents.update({change.incident.id: change.incident for change in changes})

    def of(self, title: str) -> list[Incident]:
        return [incident for incident in self.incidents.values() if incident.rule.title == title]


def noisy(at: int) -> float:
    """A reading around 95 that goes up and down without a rule, the same each time."""
    return 95.0 + 3 * math.sin(at * at)


def host(at: float, **values: float) -> Sample:
    named = {name.replace("__", "."): value for name, value in values.items()}
    return Sample("host", "host_metrics", T0 + at, {}, named)


def test_noise_around_the_threshold_for_an_hour_is_one_incident(ours: ParsedRules) -> None:
    """The worst bug: an alert at each crossing, seven hundred in an hour."""
    told = Told(ours)
    for at in range(0, 600, 5):
        told.feed(host(at, memory__percent=97.0))
    for at in range(600, 4200, 5):
        told.feed(host(at, memory__percent=noisy(at)))
        told.tick(T0 + at + 1)
    [incident] = told.of("Memory nearly full")
    assert incident.status is not IncidentStatus.closed
    assert sum(change.decision.notifies for change in told.changes) == 1
    for at in range(4200, 5400, 5):
        told.feed(host(at, memory__percent=60.0))
        told.tick(T0 + at + 1)
    [incident] = told.of("Memory nearly full")
    assert incident.status is IncidentStatus.closed


def test_noise_that_never_holds_is_no_incident(ours: ParsedRules) -> None:
    told = Told(ours)
    for at in range(0, 3600, 5):
        told.feed(host(at, memory__percent=noisy(at)))
    assert told.incidents == {}


@pytest.mark.parametrize("hole", [(300, 900), (0, 60)])
def test_missing_readings_are_neither_holding_nor_an_end(ours: ParsedRules, hole: tuple[int, int]) -> None:
    told = Told(ours)
    for at in range(0, 3600, 5):
        if not hole[0] <= at < hole[1]:
            told.feed(host(at, memory__percent=97.0))
            told.tick(T0 + at + 1)
    [incident] = told.of("Memory nearly full")
    assert sum(change.decision.notifies for change in told.changes) == 1
    assert incident.status is not IncidentStatus.closed


def test_a_disk_that_fills_is_told_of_hours_before(ours: ParsedRules) -> None:
    """Through the trend that is learned: nothing here says when it will be full."""
    told, total = Told(ours), 100_000_000_000
    tags = {"disk.mount": "/var", "disk.device": "/dev/sda2"}
    for at in range(0, 7200, 30):
        used = 70_000_000_000 + at * 2_000_000
        values = {"disk.percent": 100 * used / total, "disk.free_bytes": float(total - used)}
        told.feed(Sample("host", "host_metrics", T0 + at, tags, values))
    [incident] = told.of("Disk full soon")
    assert incident.entity == "disk.mount=/var"
    full_at = T0 + 30_000_000_000 / 2_000_000
    assert incident.opened_at < full_at - 3 * 3600


def test_memory_that_runs_out_is_told_of_before(ours: ParsedRules) -> None:
    told, total = Told(ours), 16_000_000_000
    for at in range(0, 4800, 5):
        free = 12_000_000_000 - at * 2_400_000
        told.feed(host(at, memory__percent=100 - 100 * free / total, memory__available_bytes=float(free)))
    [incident] = told.of("Memory runs out soon")
    assert incident.opened_at < T0 + 12_000_000_000 / 2_400_000 - 15 * 60


class Machine:
    """A host whose processes a test sets, read by the real source and fed to our rules."""

    def __init__(self, top: Path, rules: ParsedRules) -> None:
        self.time = ManualTime(T0)
        self.tree, self.system = ProcTree(top), HostSystem()
        self.told = Told(rules)
        self.samples = HostSamples(
            "host", now=self.time.now, booted=self.time.monotonic, username=lambda _: "deploy", system=self.system,
            proc=self.tree.proc, sys=self.tree.sys, statvfs=self.system.statvfs, units=lambda: ({"units.failed": 0.0}, {}),
        )  # fmt: skip

    async def next(self, seconds: float = 5.0) -> None:
        await self.time.advance(seconds)
        for sample in self.samples.read(seconds):
            self.told.feed(sample)


@pytest.fixture
async def machine(tmp_path: Path, ours: ParsedRules) -> Machine:
    return Machine(tmp_path, ours)


def texts(incident: Incident) -> Iterator[str]:
    """All that leaves: evidence, prompt, and the body of the alert."""
    evidence = collect_evidence(incident)
    yield from (item.text for item in evidence)
    yield str([item.fields for item in evidence])


async def test_a_busy_host_tells_who_is_busy_and_keeps_its_secrets(machine: Machine) -> None:
    command = "python3 worker.py --password hunter2hunter2 --queue mails"
    for step in range(40):
        machine.system.cores = [core(user=step * 30.0), core(user=step * 30.0)]
        machine.tree.run(4242, "python3", cpu=step * 30.0, started=900.0, command=command)
        machine.tree.run(77, "idle", memory=100_000, command="idle --large")
        await machine.next(30.0)
    [incident] = machine.told.of("Processors busy")
    said = "\n".join(texts(incident))
    assert "top.cpu: 100 % of a core, pid 4242 of deploy: python3 worker.py --password [redacted" in said
    assert "hunter2" not in said
    assert "idle --large" not in said, "who has the memory does not explain who is busy"
    [change] = [one for one in machine.told.changes if one.incident.id == incident.id and one.decision.notifies][:1]
    body = render(base_alert(change.incident, change.decision, version=1, now=T0)).decode()
    assert "pid 4242 of deploy" in body
    assert "hunter2" not in body
    assert all("hunter2" not in repr(one) for one in machine.told.incidents.values()), "nor in what is stored"


async def test_full_memory_tells_who_has_it(machine: Machine) -> None:
    machine.system.memory_percent = 97.0
    for _ in range(100):
        machine.tree.run(77, "leak", memory=500_000, command="leak --much")
        await machine.next()
    [incident] = machine.told.of("Memory nearly full")
    assert any("top.memory: 1.9 GiB, pid 77 of deploy: leak --much" in text for text in texts(incident))


async def test_a_miner_is_seen_by_its_work_and_its_connection(machine: Machine) -> None:
    machine.tree.sockets(("0A00000A:B001", f"0A00000B:{3333:04X}", "01", machine.tree.proc.stat().st_uid))
    for step in range(60):
        machine.tree.run(666, "kdevtmp", cpu=step * 4.9, started=990.0, command="/tmp/.x/kdevtmp -o pool")
        await machine.next()
    [incident] = machine.told.of("Program computes and talks to a mining pool")
    assert incident.entity == "process.name=kdevtmp, process.user=deploy, host=web-1"
    assert any("/tmp/.x/kdevtmp -o pool" in text for text in texts(incident))


async def test_names_of_processes_fire_no_keyword(tmp_path: Path) -> None:
    """A process may call itself anything; a rule that looks for words in readings must not find that."""
    rule = """\
title: Keyword
id: 00000000-0000-4000-8000-000000000001
logsource: {product: linux, category: host_metrics}
detection: {keywords: ['evilword'], condition: keywords}
level: high
"""
    parsed = parse_rules({"k.yml": rule})
    assert parsed.problems == ()
    machine = Machine(tmp_path, parsed)
    for step in range(4):
        machine.tree.run(666, "x", cpu=step * 0.4, memory=900, command="evilword evilword")
        await machine.next()
    assert machine.told.incidents == {}


async def test_an_ordinary_host_tells_nobody(tmp_path: Path, ours: ParsedRules) -> None:
    """Two hours of work that comes and goes, with a backup in the middle and a build at the end."""
    machine = Machine(tmp_path, ours)
    (machine.tree.sys / "block/sda").mkdir(parents=True)
    moved = busy = 0.0
    for step in range(120):
        backup, build = 60 <= step < 70, step >= 110
        busy += 58 if build else 12 + 6 * math.sin(step)
        moved += 3_000_000 if backup else 30_000
        machine.system.cores = [core(user=busy, idle=step * 60 - busy), core(user=busy, idle=step * 60 - busy)]
        machine.system.interfaces["eth0"] = interface(sent=int(moved * 90), received=int(moved))
        machine.system.memory_percent = 60 + 5 * math.sin(step / 9)
        machine.tree.counters(forks=step * (15_000 if build else 600), blocked=3 if backup else 0)
        machine.tree.write(
            "diskstats", f"8 0 sda {step * 900} 0 {int(moved)} {step * 2000} 0 0 0 0 0 {step * 3000} {step * 2000}\n"
        )
        machine.tree.run(50, "cc1", cpu=busy, command="cc1 -O2")
        await machine.next(60.0)
    loud = [incident for incident in machine.told.incidents.values() if incident.rule.severity > Severity.low]
    assert [(incident.rule.title, incident.because) for incident in loud] == []
    assert len(machine.told.incidents) <= 3


class GpuMachine:
    """Recorded GPUs, read through the real bindings and fed to our rules."""

    def __init__(self, top: Path, rules: ParsedRules) -> None:
        self.at = 0.0
        self.told = Told(rules)
        tree = ProcTree(top)
        tree.run(4242, "python3", command="python3 train.py --api-key hunter2hunter2")
        self.samples = GpuSamples(
            "gpu", now=lambda: T0 + self.at, booted=lambda: 1000 + self.at, username=lambda _: self.user, proc=tree.proc
        )
        self.user = "alice"

    def read(self, times: int, every: float = 30.0) -> None:
        for _ in range(times):
            self.at += every
            for item in self.samples.read(pynvml):
                if isinstance(item, Sample):
                    self.told.feed(item)

    def titles(self) -> list[str]:
        return sorted(incident.rule.title for incident in self.told.incidents.values())


@pytest.fixture
def nvml() -> Iterator[Nvml]:
    with installed(Nvml(gpus=1)) as library:
        yield library


@pytest.fixture
def gpus(nvml: Nvml, tmp_path: Path, ours: ParsedRules) -> Iterator[GpuMachine]:
    machine = GpuMachine(tmp_path, ours)
    yield machine
    machine.samples.close()


def test_a_gpu_that_works_tells_nobody(gpus: GpuMachine) -> None:
    gpus.read(100)
    assert gpus.titles() == []


def test_a_full_gpu_tells_who_has_its_memory(nvml: Nvml, gpus: GpuMachine) -> None:
    nvml.devices[0]["nvmlDeviceGetMemoryInfo"] = {"total": 100, "free": 1, "used": 99}
    gpus.read(70)
    [incident] = gpus.told.of("GPU memory nearly full")
    said = "\n".join(texts(incident))
    assert "top.gpu: 15.0 GiB and 96 % of the GPU, pid 4242 of alice: python3 train.py --api-key [redacted" in said
    assert "hunter2" not in said


def test_a_gpu_that_falls_off_the_bus_is_one_incident_and_ends(nvml: Nvml, gpus: GpuMachine) -> None:
    gpus.read(3)
    nvml.devices[0]["nvmlDeviceGetHandleByIndex"] = {"error": GPU_IS_LOST}
    gpus.read(10)
    assert gpus.titles() == ["GPU lost"]
    del nvml.devices[0]["nvmlDeviceGetHandleByIndex"]
    gpus.read(5)
    [incident] = gpus.told.of("GPU lost")
    assert (incident.status, incident.entity) == (IncidentStatus.closed, "gpu.index=0")


def test_new_memory_errors_are_told_and_old_ones_are_not(nvml: Nvml, gpus: GpuMachine) -> None:
    gpus.read(5)
    assert gpus.titles() == []
    nvml.devices[0]["nvmlDeviceGetTotalEccErrors(1, 0)"] = 3
    gpus.read(5)
    assert gpus.titles() == ["GPU memory error that could not be corrected"]


def test_a_gpu_used_by_the_web_server_and_slowed_down(nvml: Nvml, gpus: GpuMachine) -> None:
    gpus.user = "www-data"
    nvml.devices[0]["nvmlDeviceGetCurrentClocksEventReasons"] = 64 | 8
    gpus.read(10)
    assert gpus.titles() == ["GPU slowed down by heat", "GPU used by the account of a service"]
