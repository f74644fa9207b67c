"""The journal: entries a second by journalctl alone, through our reader, and through all our rules.

    python bench/journal.py [entries]

Writes a real journal with systemd-journal-remote (Debian package of that name): cron, systemd, sudo and sshd as they
talk on a host that is on the internet, 1 in 20 a failed login. Then, each from its first entry: what journalctl prints
as the source asks for it, the source with the reader, and the source with the whole flow. Wall time; journalctl runs
beside us on another core if there is one. Median of three.
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from daemon.assembly import build_flow
from daemon.config import Config, JournalSource, read_rule_files
from daemon.detection.rules import parse_rules
from daemon.enrichment.redact import Redactor
from daemon.events.readers import build_reader
from daemon.flow import Flow
from daemon.model import Lines
from daemon.sources import Item
from daemon.sources.journal import JournalTail
from daemon.sources.journal_child import arguments
from daemon.telemetry import Board

REMOTE = "/lib/systemd/systemd-journal-remote"
START = 1_763_740_000
ROOT = {
    "_TRANSPORT": "syslog",
    "_UID": "0",
    "_GID": "0",
    "_HOSTNAME": "bench",
    "PRIORITY": "6",
    "SYSLOG_FACILITY": "10",
}
MESSAGES = (
    ("sshd", "/usr/sbin/sshd", "Failed password for root from 203.0.113.{address} port 40100 ssh2"),
    *(("CRON", "/usr/sbin/cron", "(root) CMD (/usr/lib/php/sessionclean --run {number})"),) * 7,
    *(("systemd", "/usr/lib/systemd/systemd", "Started backup-{number}.service - Backup of one host."),) * 8,
    *(("sudo", "/usr/bin/sudo", "alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/apt update"),) * 4,
)


def write(path: Path, entries: int) -> None:
    """A journal of so many entries, ten a second."""
    command = [REMOTE, f"--output={path}", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        for number in range(entries):
            program, exe, message = MESSAGES[number % len(MESSAGES)]
            fields = {
                "__REALTIME_TIMESTAMP": str(START * 1_000_000 + number * 100_000),
                "__MONOTONIC_TIMESTAMP": str(1_000_000 + number * 100_000), "_BOOT_ID": "0" * 31 + "1", **ROOT,
                "SYSLOG_IDENTIFIER": program, "_COMM": exe.rpartition("/")[2], "_EXE": exe,
                "_PID": str(1000 + number % 30_000), "MESSAGE": message.format(number=number, address=number % 250),
            }  # fmt: skip
            process.stdin.write("".join(f"{key}={value}\n" for key, value in fields.items()).encode() + b"\n")


def alone(config: JournalSource) -> float:
    """Seconds that journalctl takes to print everything."""
    command = [one for one in arguments(config, begin="") if one != "--follow"]
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def through(config: JournalSource, entries: int, feed: Callable[[Lines], object]) -> float:
    """Seconds until the source has handed over everything."""

    async def run() -> float:
        done, seen = asyncio.Event(), 0

        async def emit(item: Item) -> None:
            nonlocal seen
            assert isinstance(item, Lines)
            feed(item)
            seen += item.data.count(b"\n")
            if seen >= entries:
                done.set()

        tail = JournalTail(config, (), board=Board(time.time), now=time.time, sleep=asyncio.sleep)
        began = time.perf_counter()
        task = asyncio.get_running_loop().create_task(tail.run(emit))
        await done.wait()
        took = time.perf_counter() - began
        task.cancel()
        await asyncio.wait([task])
        return took

    return asyncio.run(run())


def a_flow(config: JournalSource) -> Flow:
    """All our rules behind one journal."""
    reader = build_reader(
        config.name, "journal", host="bench", now=time.time, usernames=lambda _: "", redact=lambda text: text
    )
    return build_flow(Config(), parse_rules(read_rule_files(["shipped"])), {config.name: reader}, Redactor())


def main() -> None:
    """Print the figures."""
    entries = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "bench.journal"
        write(path, entries)
        config = JournalSource(type="journal", files=(f"{directory}/*.journal",), start="beginning")

        def reading() -> float:
            return through(config, entries, a_flow(config).read)

        def detecting() -> float:
            return through(config, entries, a_flow(config).feed)

        measures: dict[str, Callable[[], float]] = {
            "journalctl alone": lambda: alone(config),
            "source and reader": reading,
            "source, reader and all rules": detecting,
        }
        for what, measure in measures.items():
            seconds = statistics.median(measure() for _ in range(3))
            print(f"{what:30} {entries / seconds:9,.0f} entries/s")


if __name__ == "__main__":
    main()
