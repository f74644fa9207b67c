"""docs/gauges.md lists every gauge that is read, and none that is not; our rules read no other."""

import re
from pathlib import Path

import pynvml
import pytest

from daemon.detection.relevance import explained_by, gauge_of
from daemon.model import Sample
from daemon.model.gauge_names import RUNNING_OUT
from daemon.sources.gpu_samples import GpuSamples
from daemon.sources.host_samples import HostSamples
from tests.doubles.host_system import HostSystem, ProcTree, Sensor, core, interface
from tests.doubles.nvml import Nvml, installed
from tests.doubles.our_rules import RULES, parsed_rules

TEXT = (RULES.parent / "docs" / "gauges.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`([a-z]+\.[a-z0-9_]+)`")
CELLS = [
    (re.findall(NAMED, row.split(" | ")[0]), row.split(" | ")[1])
    for row in TEXT.split("## What made it so")[0].splitlines()
    if row.startswith("| `")
]
DOCUMENTED = {name for names, _ in CELLS for name in names}
WORDS = {row.split("`")[1] for row in TEXT.split("## What made it so")[1].splitlines() if row.startswith("| `")}
TAGS = {
    *("disk.mount", "disk.device", "net.interface", "temperature.chip", "gpu.index", "gpu.name", "gpu.uuid", "gpu.mig"),
    *("process.pid", "process.name", "process.user"),
}


def read_host(top: Path) -> list[Sample]:
    """A host that has all there is, read twice."""
    tree, system, at = ProcTree(top), HostSystem(), 1000.0
    system.sensors = {"coretemp": [Sensor("", 70.0, None, 100.0)]}
    (tree.sys / "block/sda").mkdir(parents=True)
    (tree.sys / "class/net/eth0").mkdir(parents=True)
    (tree.sys / "class/net/eth0/speed").write_text("1000\n")
    for name, number in (("count", 3), ("max", 10)):
        tree.write(f"sys/net/netfilter/nf_conntrack_{name}", f"{number}\n")
    (tree.proc / "1" / "fd").mkdir()
    (tree.proc / "1" / "fd" / "0").touch()
    tree.write("sys/fs/file-nr", "90000\t0\t100000\n")
    samples = HostSamples(
        "host", now=lambda: 1_700_000_000.0 + at, booted=lambda: at, system=system, proc=tree.proc, sys=tree.sys,
        units=lambda: ({"units.failed": 1.0}, {"units.failed_names": ("x.service",)}), statvfs=system.statvfs,
    )  # fmt: skip
    found: list[Sample] = []
    for step in range(1, 3):
        at += 5
        tree.write("diskstats", f"8 0 sda {step * 9} 0 5 5 5 0 5 5 0 5 5\n")
        tree.run(42, "loop", cpu=step * 5.0)
        tree.run(43, "child", state="Z", parent=42)
        tree.run(44, "stuck", state="D")
        system.cores = [core(user=step), core(idle=step)]
        system.interfaces["eth0"] = interface(step, step)
        found += samples.read(5.0)
    return found


def read_gpus(top: Path) -> list[Sample]:
    with installed(Nvml()) as nvml:
        nvml.devices[1]["nvmlDeviceGetFanSpeed"] = 30
        tree = ProcTree(top)
        tree.run(4242, "python3")
        samples = GpuSamples("gpu", now=lambda: 5.0, booted=lambda: 1000.0, proc=tree.proc)
        found = [item for item in samples.read(pynvml) if isinstance(item, Sample)]
        samples.close()
    return found


@pytest.fixture
def found(tmp_path: Path) -> list[Sample]:
    return [*read_host(tmp_path / "host"), *read_gpus(tmp_path / "gpu")]


def test_every_gauge_that_is_read_is_documented_and_no_other(found: list[Sample]) -> None:
    read = {name for sample in found for name in sample.values} | {"gpu.xid"}
    assert sorted(read - DOCUMENTED) == []
    assert sorted(DOCUMENTED - read) == []


def test_every_tag_is_known(found: list[Sample]) -> None:
    assert {tag for sample in found for tag in sample.tags} == TAGS
    assert [tag for tag in TAGS if f"`{tag}`" not in TEXT] == []


def test_all_words_are_documented_and_each_explains_a_gauge(found: list[Sample]) -> None:
    assert {name for sample in found for name in sample.context} == WORDS
    assert {words for gauge in DOCUMENTED for words in explained_by([gauge])} == WORDS


def test_what_runs_out_is_read_and_said_to_have_a_trend() -> None:
    trends = {
        name
        for row in TEXT.splitlines()
        if ".seconds_to_zero`." in row
        for name in re.findall(NAMED, row.split(" | ")[0])
    }
    assert trends == set(RUNNING_OUT)


def test_our_rules_read_no_gauge_that_there_is_not() -> None:
    """The worst bug: a rule that never fires because its gauge is called otherwise."""
    rules = [rule for rule in parsed_rules().rules if rule.condition and rule.logsource.category.endswith("_metrics")]
    assert len([rule for rule in rules if rule.fires]) >= 22
    for rule in rules:
        assert rule.condition is not None
        assert {gauge_of(field) for field in rule.condition.fields} <= DOCUMENTED | TAGS, rule.ref.title
