"""Replay: lines per CPU second and peak memory on the demo's mix.

    python bench/replay.py [lines]

Writes a deterministic audit log and auth.log (benign logins, cron, process starts, the demo's attack now and then),
replays them with the shipped rules through `tellwhy replay`, and prints process time (user + system, start-up included
and subtracted) and the peak resident size of that process. Median of three runs.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from daemon.cli.demo.scenario import WAVES, Execution, audit_lines, benign_lines, execve, ssh_lines

START = 1_795_260_000.0


def write_logs(directory: Path, wanted: int) -> int:
    """Write both logs; returns the number of lines."""
    lines = 0
    with (directory / "audit.log").open("wb") as audit, (directory / "auth.log").open("wb") as auth:
        step = 0
        while lines < wanted:
            at = START + step * 0.05
            run = Execution(
                ("ls", "-l", f"/srv/data/{step}"), "/usr/bin/ls", 10_000 + step % 20_000, 900, "alice", 1000
            )
            records = execve(run, at, 100_000 + step)
            audit.write(records)
            lines += records.count(b"\n")
            if step % 4 == 0:
                for line in benign_lines(at, "bench"):
                    auth.write(line)
                    lines += 1
            if step % 1000 == 500:
                lines += attack(audit.write, auth.write, at)
            step += 1
    return lines


def attack(audit: object, auth: object, at: float) -> int:
    """One wave of the demo's attack; returns its lines."""
    count = 0
    for line in ssh_lines(WAVES[0], at, "bench"):
        auth(line)  # type: ignore[operator]
        count += 1
    for records in audit_lines(WAVES[0], at):
        audit(records)  # type: ignore[operator]
        count += records.count(b"\n")
    return count


def measure(files: list[Path]) -> tuple[float, int, int]:
    """CPU seconds, peak RSS in MiB and anomalies of one replay."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "daemon", "replay", "--quiet", *map(str, files)]
    done = subprocess.run(command, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in {0, 3}:
        raise SystemExit(done.stderr.decode())
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, after.ru_maxrss // 1024, done.stdout.count(b"\n")


def main() -> None:
    """Print the figures."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        empty = directory / "empty.log"
        empty.touch()
        lines = write_logs(directory, wanted)
        base = statistics.median(measure([empty])[0] for _ in range(3))
        runs = [measure([directory / "audit.log", directory / "auth.log"]) for _ in range(3)]
    seconds = statistics.median(run[0] for run in runs)
    print(f"replay: {lines:,} lines, {runs[0][2]} anomalies, {seconds:.2f} s CPU (start-up {base:.2f} s of it)")
    print(f"replay: {lines / (seconds - base):,.0f} lines per CPU second, peak RSS {max(run[1] for run in runs)} MiB")


if __name__ == "__main__":
    main()
