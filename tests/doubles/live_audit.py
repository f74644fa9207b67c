"""The real kernel's audit and a real auditd of our own, for tests: root's, where nobody else uses either.

Everything is put back at the end, however the test ends: rules, limits, the daemon, the switch. A lock keeps two test
runs apart. What the kernel says goes where rsyslog would write it.
"""

import contextlib
import fcntl
import itertools
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doubles.real_time import wait_until

_CONFIG = """
local_events = yes
write_logs = yes
log_file = {log}
log_group = root
log_format = ENRICHED
flush = INCREMENTAL_ASYNC
freq = 50
max_log_file = 1
num_logs = 4
priority_boost = 0
name_format = NONE
max_log_file_action = ROTATE
space_left = 75
space_left_action = IGNORE
admin_space_left = 50
admin_space_left_action = IGNORE
disk_full_action = IGNORE
disk_error_action = IGNORE
use_libwrap = no
q_depth = 200
overflow_action = IGNORE
plugin_dir = {plugins}
end_of_event_timeout = 2
"""
_LOCK = Path("/tmp/tellwhy-tests-audit.lock")
_KEY = "tellwhy-test"


def status() -> dict[str, int]:
    """What `auditctl -s` says."""
    text = subprocess.run(["auditctl", "-s"], capture_output=True, text=True, check=True).stdout
    return {name: int(value) for name, value in re.findall(r"^(\w+) (\d+)$", text, re.MULTILINE)}


class LiveAudit:
    """auditd writes `top`/audit.log; what the kernel says is copied to `top`/kern.log by `hear`."""

    def __init__(self, top: Path) -> None:
        self.log = top / "audit.log"
        self.kernel_log = top / "kern.log"
        self.watched = top / "watched"
        self._top = top
        self._auditd: subprocess.Popen[bytes] | None = None
        self._before = status()
        self._kmsg = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        os.lseek(self._kmsg, 0, os.SEEK_END)
        config = top / "etc"
        (config / "plugins.d").mkdir(parents=True)
        (config / "auditd.conf").write_text(_CONFIG.format(log=self.log, plugins=config / "plugins.d"))
        (config / "auditd.conf").chmod(0o640)
        self.watched.touch()

    @property
    def pid(self) -> int:
        """The process of auditd."""
        assert self._auditd is not None
        return self._auditd.pid

    async def start(self) -> None:
        """Start auditd and wait until the kernel sends to it."""
        self._spawn()
        await wait_until(lambda: status()["pid"] == self.pid, 10, (self._top / "auditd.out").read_text)

    def _spawn(self) -> None:
        with (self._top / "auditd.out").open("ab") as out:
            arguments = ["auditd", "-n", "-s", "enable", "-c", str(self._top / "etc")]
            self._auditd = subprocess.Popen(arguments, stdout=out, stderr=out)

    def control(self, *arguments: str) -> None:
        """`auditctl`, which must succeed."""
        subprocess.run(["auditctl", *arguments], capture_output=True, check=True)

    def watch(self) -> None:
        """Audit every write to the watched file, without the kernel waiting for room."""
        self.control("--backlog_wait_time", "0")
        self.control("-w", str(self.watched), "-p", "wa", "-k", _KEY)

    def hit(self, times: int) -> None:
        """So many writes, each an event; by a process begun after auditing was switched on: earlier ones are not seen."""
        script = f"for i in $(seq {times}); do echo $i >>'{self.watched}'; done"
        subprocess.run(["bash", "-c", script], check=True)

    def signal(self, number: signal.Signals) -> None:
        """Send auditd a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL. The kernel notices when it has something to say."""
        assert self._auditd is not None
        self._auditd.kill()
        self._auditd.wait()

    def rotated(self) -> int:
        """How many files there are beside the log."""
        return len(list(self._top.glob("audit.log.*")))

    def written(self) -> bytes:
        """All that auditd wrote, oldest first."""
        files = sorted(self._top.glob("audit.log*"), key=lambda path: -int(path.suffix[1:].replace("log", "0")))
        return b"".join(path.read_bytes() for path in files)

    def lines(self) -> int:
        """How many lines that is."""
        return self.written().count(b"\n")

    def missing(self) -> list[int]:
        """How many numbers never came, gap by gap; auditd's own records have others."""
        found = re.findall(rb"^type=(?!DAEMON_)\w+ msg=audit\([0-9.]+:([0-9]+)\)", self.written(), re.MULTILINE)
        serials = sorted(set(map(int, found)))
        return [high - low - 1 for low, high in itertools.pairwise(serials) if high - low > 1]

    def kernel_words(self) -> list[int]:
        """The numbers of lost records that the kernel told."""
        return [int(found) for found in re.findall(rb"audit_lost=([0-9]+)", self.kernel_log.read_bytes())]

    def control_as(self, auid: int, *arguments: str) -> None:
        """`auditctl` in a session of this user, by what the kernel knows of it."""
        script = f"echo {auid} >/proc/self/loginuid && exec auditctl " + " ".join(arguments)
        subprocess.run(["bash", "-c", script], capture_output=True, check=True)

    def hear(self) -> None:
        """Write what the kernel said since the last call as rsyslog does."""
        said = b""
        with contextlib.suppress(BlockingIOError):
            while True:
                head, _, text = os.read(self._kmsg, 8192).partition(b";")
                seconds = int(head.split(b",")[2]) / 1e6
                stamp = time.strftime("%b %e %H:%M:%S").encode()
                said += b"%s web-1 kernel: [%12.6f] %s\n" % (stamp, seconds, text.split(b"\n")[0])
        with self.kernel_log.open("ab") as log:
            log.write(said)

    def restore(self) -> None:
        """Leave the kernel as it was found; never fails."""
        before = {name: str(value) for name, value in self._before.items()}
        for arguments in (
            ["-r", before["rate_limit"]], ["-D"], ["--backlog_wait_time", before["backlog_wait_time"]],
            ["-b", before["backlog_limit"]], ["-f", before["failure"]],
        ):  # fmt: skip
            subprocess.run(["auditctl", *arguments], capture_output=True, check=False)
        if self._auditd is not None and self._auditd.poll() is None:
            self._auditd.send_signal(signal.SIGCONT)
            self._auditd.terminate()
            try:
                self._auditd.wait(5)
            except subprocess.TimeoutExpired:
                self._auditd.kill()
                self._auditd.wait()
        for arguments in (["-e", "0"], ["--reset-lost"]):
            subprocess.run(["auditctl", *arguments], capture_output=True, check=False)
        os.close(self._kmsg)


def _why_not() -> str:
    """Why there can be no such test here; "" if there can."""
    if os.geteuid():
        return "needs root"
    for tool in ("auditctl", "auditd"):
        if shutil.which(tool) is None:
            return f"needs {tool} (apt-get install auditd)"
    try:
        now = status()
    except subprocess.CalledProcessError:
        return "the kernel has no audit, or not for us (a container)"
    if now.get("pid") or now.get("enabled"):
        return "the kernel's audit is in use here"
    if "No rules" not in subprocess.run(["auditctl", "-l"], capture_output=True, text=True, check=False).stdout:
        return "there are audit rules here"
    return "" if os.access("/dev/kmsg", os.R_OK) else "the kernel's log may not be read"


@contextlib.contextmanager
def live_audit(top: Path) -> Iterator[LiveAudit]:
    """Skips the test where it cannot be; restores all on the way out."""
    with _LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        why_not = _why_not()
        if why_not:
            pytest.skip(why_not)
        audit = LiveAudit(top)
        try:
            yield audit
        finally:
            audit.restore()
