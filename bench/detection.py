"""Detection: lines per CPU second from file bytes to anomalies, on one pinned core, and where the time goes.

    python bench/detection.py [lines] [--sigma DIRECTORY]

Writes a deterministic audit log and auth.log (`bench/generated_logs.py`; 0.05 % of it suspicious), and reads each in a
process of its own with our rules and, where the directory exists, SigmaHQ's: read, follow, scan, build, match, as
`tellwhy replay` and the daemon do. Start-up (rules, imports) is not counted; preparing the prefilter is. Prints the
median of three runs in process time (user + system), peak resident memory, the share of each stage, the same with
everything stored as the daemon stores it, the same without candidate selection, and with the rules ten times over
under new ids. Peers that are installed (laurel, ausearch, fail2ban-regex) run on the same files.
"""

import argparse
import asyncio
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from bench.generated_logs import audit_log, auth_log
from daemon.assembly import build_flow
from daemon.config import default_config, read_rule_files
from daemon.detection.rules import ParsedRules, parse_rules
from daemon.enrichment.redact import Redactor
from daemon.events.readers import build_reader
from daemon.flow import Flow, Outcome
from daemon.garbage import settle
from daemon.model import Lines
from daemon.selection import build_selectors
from daemon.sources.files import read_lines
from daemon.state import Commit
from daemon.state.store import SqliteStore

SIGMA = Path(__file__).parent.parent.parent / "shared" / "data" / "sigma-rules"
_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_NAME = re.compile(r"^name: .*$", re.MULTILINE)
_CHUNK = 1 << 18
_RUNS = 3


def rules_of(sigma: Path, copies: int = 1) -> ParsedRules:
    """Our rules and SigmaHQ's, as often as wanted, each copy under ids and names of its own."""
    files = read_rule_files(["shipped", *([str(sigma)] if sigma.is_dir() else [])])
    found = dict(files)
    for copy in range(1, copies):
        for path, text in files.items():
            found[f"{copy}/{path}"] = _renamed(text, copy)
    return parse_rules(found)


def _renamed(text: str, copy: int) -> str:
    text = _ID.sub(lambda found: str(uuid5(NAMESPACE_URL, f"{found[0]}#{copy}")), text)
    for name in {found[0].removeprefix("name: ").strip() for found in _NAME.finditer(text)}:
        text = re.sub(rf"\b{re.escape(name)}\b", f"{name}_{copy}", text)
    return text


class Pass:
    """One reading of one file, stage by stage."""

    def __init__(self, path: Path, fmt: str, rules: ParsedRules, *, prefilter: bool) -> None:
        self.spent = dict.fromkeys(("read", "follow and build", "scan", "match", "store"), 0.0)
        self.anomalies = 0
        self._path = path
        redactor = Redactor()
        selectors = build_selectors(rules, patient=True) if prefilter else {}
        for selector in filter(None, [selectors.get(fmt)]):
            self._time_scans(selector)
        reader = build_reader(
            "log", fmt, host="web1", now=lambda: 1_795_300_000.0, usernames=str, redact=redactor.text, zone=None,
            live=False, selectors=selectors,
        )  # fmt: skip
        config = default_config()
        config = config.model_copy(update={"rules": config.rules.model_copy(update={"prefilter": prefilter})})
        self.flow: Flow = build_flow(config, rules, {"log": reader}, redactor)

    def _time_scans(self, selector: object) -> None:
        for name in ("find", "lines"):
            inner = getattr(selector, name)

            def timed(*args: object, inner: object = inner) -> object:
                began = time.process_time()
                found = inner(*args)  # type: ignore[operator]
                self.spent["scan"] += time.process_time() - began
                return found

            setattr(selector, name, timed)

    def outcomes(self) -> Iterator[tuple[Lines | None, Outcome]]:
        """What each chunk caused."""
        chunks = read_lines(self._path, "log", chunk=_CHUNK)
        while True:
            began = time.process_time()
            chunk = next(chunks, None)
            self.spent["read"] += time.process_time() - began
            began, scanned = time.process_time(), self.spent["scan"]
            outputs = self.flow.read(chunk) if chunk is not None else self.flow.finish("log", float("inf"))
            self.spent["follow and build"] += time.process_time() - began - (self.spent["scan"] - scanned)
            began = time.process_time()
            outcome = self.flow.detect(outputs)
            self.spent["match"] += time.process_time() - began
            self.anomalies += len(outcome.anomalies)
            yield chunk, outcome
            if chunk is None:
                return

    def run(self) -> None:
        """All of it, without a store."""
        for _ in self.outcomes():
            pass

    async def run_stored(self, directory: Path) -> None:
        """All of it, each chunk committed with what it caused."""
        store = SqliteStore(directory, ballast_bytes=0)
        store.open()
        for chunk, outcome in self.outcomes():
            began = time.process_time()
            incidents = {change.incident.id: change.incident for change in outcome.changes}
            found = tuple(zip((change.incident.id for change in outcome.changes), outcome.anomalies, strict=False))
            checkpoints = (chunk.checkpoint,) if chunk is not None else ()
            await store.commit(
                Commit(time.time(), checkpoints, found, tuple(incidents.values()), (), self.flow.changes())
            )
            self.spent["store"] += time.process_time() - began
        store.close()


def measure(path: Path, fmt: str, sigma: Path, variant: str) -> dict[str, object]:
    """The figures of one pass, in this process."""
    rules = rules_of(sigma, copies=10 if variant == "ten" else 1)
    settle()  # as `tellwhy run` does
    began = time.process_time()
    one = Pass(path, fmt, rules, prefilter=variant != "every")
    if variant == "stored":
        with tempfile.TemporaryDirectory() as name:
            asyncio.run(one.run_stored(Path(name) / "state"))
    else:
        one.run()
    seconds = time.process_time() - began
    peak = _peak_mib()
    return {"seconds": seconds, "rss": peak, "anomalies": one.anomalies, "spent": one.spent, "rules": len(rules.rules)}


def _peak_mib() -> int:
    """The peak of this program; `ru_maxrss` remembers that of the one that started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.findall(r"VmHWM:\s+([0-9]+) kB", status)[0]) // 1024


def in_a_process_of_its_own(path: Path, fmt: str, sigma: Path, variant: str) -> dict[str, object]:
    """Measure pinned to one core."""
    command = [sys.executable, "-m", "bench.detection", "--measure", str(path), fmt, variant, "--sigma", str(sigma)]
    pinned = ["taskset", "-c", str(max(os.sched_getaffinity(0)))] if shutil.which("taskset") else []
    done = subprocess.run([*pinned, *command], capture_output=True, check=True, cwd=Path(__file__).parent.parent)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def report(path: Path, fmt: str, lines: int, sigma: Path) -> None:
    """Print the figures of one log."""
    runs = [in_a_process_of_its_own(path, fmt, sigma, "plain") for _ in range(_RUNS)]
    runs.sort(key=lambda run: float(str(run["seconds"])))
    run = runs[len(runs) // 2]
    seconds = float(str(run["seconds"]))
    spent = run["spent"]
    assert isinstance(spent, dict)
    print(f"{path.name}: {lines / seconds:,.0f} lines per CPU second with {run['rules']} rules; ", end="")
    print(f"{lines:,} lines, {run['anomalies']} anomalies, peak RSS {max(int(str(one['rss'])) for one in runs)} MiB")
    print("    " + ", ".join(f"{stage} {used / seconds:.0%}" for stage, used in spent.items() if used))
    for variant, words in (
        ("stored", "each chunk committed to SQLite"),
        ("every", "without candidate selection"),
        ("ten", "with the rules ten times over"),
    ):
        other = float(str(in_a_process_of_its_own(path, fmt, sigma, variant)["seconds"]))
        print(f"    {words}: {lines / other:,.0f} lines per CPU second ({other / seconds:.1f} × the time)")


def peers(audit: Path, auth: Path, lines: int) -> None:
    """Print what installed peers make of the same files."""
    for name, command in (
        ("ausearch -i", ["ausearch", "-if", str(audit), "-i"]),
        ("laurel", ["laurel", "-c", "/etc/laurel/config.toml"]),
        ("fail2ban-regex", ["fail2ban-regex", str(auth), "sshd"]),
    ):
        if shutil.which(command[0]) is None:
            print(f"peer {name}: not installed")
            continue
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with audit.open("rb") as log:
            subprocess.run(command, stdin=log, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"peer {name}: {lines / seconds:,.0f} lines per CPU second")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="Detection: lines per CPU second.")
    parser.add_argument("lines", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--sigma", type=Path, default=SIGMA)
    parser.add_argument("--measure", nargs=3)
    args = parser.parse_args()
    if args.measure:
        path, fmt, variant = args.measure
        print(json.dumps(measure(Path(path), fmt, args.sigma, variant)))
        return
    with tempfile.TemporaryDirectory() as name:
        audit, auth = Path(name) / "audit.log", Path(name) / "auth.log"
        audit.write_text("".join(audit_log(args.lines)), encoding="utf-8", newline="")
        auth.write_text("".join(auth_log(args.lines)), encoding="utf-8", newline="")
        report(audit, "auditd", args.lines, args.sigma)
        report(auth, "syslog", args.lines, args.sigma)
        peers(audit, auth, args.lines)


if __name__ == "__main__":
    main()
