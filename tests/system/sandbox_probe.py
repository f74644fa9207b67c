"""Started by systemd as the daemon would be, inside the sandbox of the shipped unit: tries what must and must not work.

Prints one JSON object of name → result (or `refused: …`), says READY, and waits to be stopped.
"""

import asyncio
import json
import mmap
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from daemon.config import JournalSource, Memory
from daemon.enrichment.memory_edge import EdgeMemory
from daemon.sources.host_samples import HostSamples
from daemon.sources.host_units import read_units
from daemon.sources.journal_child import arguments
from daemon.telemetry import Board, Metrics
from tests.doubles.real_time import now as clock
from tests.doubles.running import started
from tests.doubles.values import T0, an_alert


def attempt(action: Callable[[], object]) -> object:
    """The result, or why not."""
    try:
        return action()
    except Exception as error:  # noqa: BLE001 - the refusal is the result
        inner = error.exceptions if isinstance(error, ExceptionGroup) else (error,)
        return "refused: " + ", ".join(f"{type(one).__name__}: {one}" for one in inner)


def remember() -> tuple[int, float]:
    """The memory's own worker process: how many it remembers, and how alike it finds what it is given again."""
    return asyncio.run(_remember())


async def _remember() -> tuple[int, float]:
    directory = Path(os.environ["STATE_DIRECTORY"], "memory")
    memory = EdgeMemory(
        Memory(timeout=60.0), directory, board=Board(lambda: T0), metrics=Metrics(), now=lambda: T0,
        monotonic=lambda: 0.0,
    )  # fmt: skip
    async with asyncio.TaskGroup() as group:
        task = group.create_task(memory.run())
        await started(memory.child)
        await memory.remember(an_alert(1))
        found = await memory.find(an_alert(2), 3)
        count = await memory.count()
        task.cancel()
    return count, found[0].score


def executable_memory() -> str:
    """Memory that is writable and executable, as shellcode wants it."""
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    return "given"


def gauges() -> dict[str, float]:
    """What the host source reads the second time, of the whole host and its root; how many words it has beside them."""
    source = HostSamples("host", now=clock)
    first, second = source.read(5.0), source.read(5.0)
    root = next(sample for sample in second if sample.tags.get("disk.mount") == "/")
    words = {name: float(len(said)) for name, said in second[0].context.items()}
    return {**first[0].values, **second[0].values, **root.values, **words}


def listen() -> str:
    """What the endpoint does."""
    with socket.socket(socket.AF_INET) as sock:
        sock.bind(("127.0.0.1", 8787))
        sock.listen()
    return "listening"


def journal() -> list[str]:
    """The newest entry of the journal, as the journal's source asks for it, and whatever journalctl says to that."""
    command = arguments(JournalSource(type="journal", matches=("_PID=1",)), begin=None)
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [json.loads(done.stdout)["_COMM"], done.stderr]


ATTEMPTS: dict[str, Callable[[], object]] = {
    "uid": os.getuid,
    "groups": os.getgroups,
    "status": lambda: Path("/proc/self/status").read_text(encoding="ascii"),
    "read audit log": lambda: Path("/var/log/audit/audit.log").read_text(encoding="ascii"),
    "read journal": journal,
    "read shadow": lambda: Path("/etc/shadow").read_text(encoding="ascii"),
    "write usr": lambda: Path("/usr/tellwhy").write_text("x", encoding="ascii"),
    "write etc": lambda: Path("/etc/tellwhy").write_text("x", encoding="ascii"),
    "write state": lambda: Path(os.environ["STATE_DIRECTORY"], "probe").write_text("x", encoding="ascii"),
    "credential": lambda: Path(os.environ["CREDENTIALS_DIRECTORY"], "api-token").read_text(encoding="ascii"),
    "executable memory": executable_memory,
    "raw socket": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).fileno(),
    "new namespace": lambda: subprocess.run(["unshare", "-U", "true"], check=True, capture_output=True).returncode,
    "gauges": gauges,
    "units": read_units,
    "listen": listen,
    "child": lambda: subprocess.run([sys.executable, "-c", ""], check=True, capture_output=True).returncode,
    "remember": remember,
}


if __name__ == "__main__":
    print(json.dumps({name: attempt(action) for name, action in ATTEMPTS.items()}), flush=True)  # noqa: T201 - its output
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
    threading.Event().wait()
