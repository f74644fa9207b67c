"""What happens on a host, told as the lines that auditd and syslog write of it, and what our rules make of them."""

import math
import shlex
from collections import Counter
from collections.abc import Iterable
from itertools import count
from typing import NamedTuple

from daemon.assembly import build_flow
from daemon.config import Config
from daemon.detection.rules import ParsedRules
from daemon.enrichment.redact import Redactor
from daemon.events.readers import build_reader
from daemon.flow import Outcome
from daemon.model import Checkpoint, Lines, Position

HOST = "web-1"
START = 1795252800  # 2026-11-21T09:20:00Z
USERS = {
    "root": 0,
    "www-data": 33,
    "postgres": 115,
    "mysql": 116,
    "nobody": 65534,
    "alice": 1000,
    "bob": 1001,
    "deploy": 1200,
}
_NAMES = {uid: name for name, uid in USERS.items()}
_UNSET = 4294967295
_REAL = {
    "sh": "dash",
    "vi": "vim.basic",
    "vim": "vim.basic",
    "awk": "mawk",
    "python3": "python3.11",
    "python": "python3.11",
    "nc": "nc.openbsd",
    "insmod": "kmod",
    "modprobe": "kmod",
    "iptables": "xtables-nft-multi",
    "sudoedit": "sudo",
}
_NUMBERS = {"execve": 59, "openat": 257, "rename": 82, "unlinkat": 263, "ptrace": 101, "clock_settime": 227,
            "memfd_create": 319, "finit_module": 313}  # fmt: skip


class Fired(NamedTuple):
    """One rule that fired about one entity."""

    severity: str
    title: str
    entity: str


class Story:
    """Lines in the order in which they happen. `enriched` chooses between the two formats of auditd."""

    def __init__(self, *, enriched: bool = True) -> None:
        self.at = float(START)
        self._enriched = enriched
        self._serials = count(1000)
        self._pids = count(20_000)
        self._lines: list[tuple[str, str]] = []

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.at += seconds

    def run(
        self, command: str | list[str], *, user: str = "root", session: bool = True, parent: int = 4200, exe: str = "",
        called: str = "", cwd: str = "", root: bool = False,
    ) -> int:  # fmt: skip
        """A program is started; its pid. A command is cut into arguments as a shell does. `root`: it is setuid."""
        argv = shlex.split(command) if isinstance(command, str) else command
        called = called or (argv[0] if argv[0].startswith("/") else f"/usr/bin/{argv[0]}")
        name = called.rsplit("/", 1)[-1]
        exe = exe or (
            called.rsplit("/", 1)[0].replace("/bin", "/usr/bin").replace("/usr/usr", "/usr")
            + "/"
            + _REAL.get(name, name)
        )
        pid = next(self._pids)
        items = [("NORMAL", called, "0100755"), ("NORMAL", "/lib64/ld-linux-x86-64.so.2", "0100755")]
        said = " ".join(f"a{number}={kernel_string(value)}" for number, value in enumerate(argv))
        self._event(
            self._call("execve", exe, user, session=session, pid=pid, ppid=parent, root=root),
            f"type=EXECVE @ argc={len(argv)} {said}",
            f"type=CWD @ cwd={kernel_string(cwd or '/root')}",
            *self._paths(items),
            f"type=PROCTITLE @ proctitle={kernel_string(chr(0).join(argv)[:120])}",
        )
        return pid

    def shell(
        self, script: str, *, name: str = "sh", user: str = "root", session: bool = True, parent: int = 4200
    ) -> int:
        """`sh -c SCRIPT`."""
        return self.run([name, "-c", script], user=user, session=session, parent=parent, called=f"/bin/{name}")

    def write(
        self, path: str, *, by: str = "/usr/bin/bash", title: str = "", user: str = "root", session: bool = True,
        pid: int = 4400, old: str = "",
    ) -> None:  # fmt: skip
        """A file is opened for writing, or comes by a rename from `old`."""
        call = self._call("rename" if old else "openat", by, user, session=session, pid=pid, ppid=4200)
        parents = [("PARENT", path.rsplit("/", 1)[0] + "/", "040755")] * (2 if old else 1)
        renamed = [("DELETE", old, "0100644")] if old else []
        title = title or by.rsplit("/", 1)[-1]
        self._event(
            call,
            'type=CWD @ cwd="/root"',
            *self._paths([*parents, *renamed, ("CREATE", path, "0100644")]),
            f"type=PROCTITLE @ proctitle={kernel_string(chr(0).join(shlex.split(title)))}",
        )

    def delete(self, path: str, *, by: str, pid: int, user: str = "root") -> None:
        """A file is removed."""
        parent = path.rsplit("/", 1)[0] + "/"
        self._event(
            self._call("unlinkat", by, user, session=True, pid=pid, ppid=4200),
            *self._paths([("PARENT", parent, "040755"), ("DELETE", path, "0100644")]),
            f"type=PROCTITLE @ proctitle={kernel_string(by)}",
        )

    def call(
        self, name: str, exe: str, *, user: str = "root", session: bool = True, arguments: str = "0 0 0 0"
    ) -> None:
        """A system call without paths; `arguments` as the kernel writes them (hex)."""
        call = self._call(name, exe, user, session=session, pid=4400, ppid=4200, arguments=arguments)
        self._event(call.replace(" items=2 ", " items=0 "), f"type=PROCTITLE @ proctitle={kernel_string(exe)}")

    def record(self, text: str) -> None:
        """A record of its own, `@` standing for its stamp."""
        self._event(text)

    def say(self, program: str, message: str, *, times: int = 1, every: float = 1.0) -> None:
        """A line of syslog."""
        for number in range(times):
            self.at += every if number else 0.0
            clock = int(self.at) - START + 9 * 3600 + 20 * 60
            stamp = f"Nov {21 + clock // 86400} {clock // 3600 % 24:02}:{clock // 60 % 60:02}:{clock % 60:02}"
            self._lines.append(("syslog", f"{stamp} {HOST} {program}: {message}"))

    def fired(self, parsed: ParsedRules) -> Counter[Fired]:
        """What fires, about whom, how often."""
        return play(parsed, self._runs(), now=self.at)

    def _runs(self) -> list[tuple[str, bytes]]:
        """Neighbouring lines of one source as one text, in order."""
        runs: list[tuple[str, list[str]]] = []
        for source, line in self._lines:
            if not runs or runs[-1][0] != source:
                runs.append((source, []))
            runs[-1][1].append(line + "\n")
        return [(source, "".join(lines).encode("utf-8", "surrogateescape")) for source, lines in runs]

    def _event(self, *records: str) -> None:
        self.at += 0.01
        stamp = f"msg=audit({self.at:.3f}:{next(self._serials)}):"
        self._lines.extend(("auditd", record.replace(" @ ", f" {stamp} ", 1)) for record in records)

    def _paths(self, items: list[tuple[str, str, str]]) -> list[str]:
        owner = '\x1dOUID="root" OGID="root"' if self._enriched else ""
        return [
            f"type=PATH @ item={number} name={kernel_string(name)} inode={131 + number} dev=fe:00 mode={mode} ouid=0 "
            f"ogid=0 rdev=00:00 nametype={kind} cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0{owner}"
            for number, (kind, name, mode) in enumerate(items)
        ]

    def _call(
        self, name: str, exe: str, user: str, *, session: bool, pid: int, ppid: int, root: bool = False,
        arguments: str = "ffffff9c 55d0c8a3b300 241 1b6",
    ) -> str:  # fmt: skip
        uid = USERS[user]
        auid = (uid or 1000) if session else _UNSET
        euid = 0 if root else uid
        a0, a1, a2, a3 = arguments.split()
        call = (
            f"type=SYSCALL @ arch=c000003e syscall={_NUMBERS[name]} success=yes exit=0 a0={a0} a1={a1} a2={a2} a3={a3} "
            f"items=2 ppid={ppid} pid={pid} auid={auid} uid={uid} gid={uid} euid={euid} suid={euid} fsuid={euid} "
            f"egid={uid} sgid={uid} fsgid={uid} tty={'pts0' if session else '(none)'} ses={7 if session else _UNSET} "
            f'comm={kernel_string(exe.rsplit("/", 1)[-1][:15])} exe={kernel_string(exe)} subj=unconfined key="tellwhy"'
        )
        who = "unset" if auid == _UNSET else _NAMES[auid]
        enriched = f'\x1dARCH=x86_64 SYSCALL={name} AUID="{who}" UID="{user}" EUID="{_NAMES[euid]}"'
        return call + enriched if self._enriched else call


def play(parsed: ParsedRules, texts: Iterable[tuple[str, bytes]], *, now: float = START) -> Counter[Fired]:
    """What fires on texts of these formats, each of whole lines, in this order."""
    redactor = Redactor(())
    readers = {
        fmt: build_reader(
            fmt,
            fmt,
            host=HOST,
            now=lambda: now,
            usernames=lambda uid: _NAMES.get(uid, ""),
            redact=redactor.text,
            live=False,
        )
        for fmt in ("auditd", "syslog", "json")
    }
    flow = build_flow(Config(host=HOST), parsed, readers, redactor)
    outcomes: list[Outcome] = []
    offset = 0
    for fmt, text in texts:
        data = text if text.endswith(b"\n") else text + b"\n"
        end = Position(fmt, "", offset + len(data))
        outcomes.append(flow.feed(Lines(fmt, data, Position(fmt, fmt, offset), Checkpoint(fmt, end))))
        offset += len(data)
    outcomes += [flow.detect(flow.finish(fmt, math.inf)) for fmt in readers]
    assert [lost for outcome in outcomes for lost in outcome.lost if lost.why.endswith("_error")] == []
    anomalies = [anomaly for outcome in outcomes for anomaly in outcome.anomalies]
    return Counter(Fired(one.rule.severity.name, one.rule.title, one.entity) for one in anomalies)


def kernel_string(value: str) -> str:
    """Quoted where it is clean, else upper-case hex: as the kernel writes strings that it does not trust."""
    clean = all(" " < character < "\x7f" and character != '"' for character in value)
    return f'"{value}"' if clean else value.encode("utf-8", "surrogateescape").hex().upper()
