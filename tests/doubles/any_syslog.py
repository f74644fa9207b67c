"""Syslog files as they are, and as anybody may write them: every program whose words are known, every kind of stamp."""

import random  # noqa: TID251 - a seeded stream of lines

_NAMES = (
    "root", "root", "alice", "Bob", "x.y", "a-b", "-x", "a/b", "a_b", ".", "", " ", "a b", "é", "ÉA", "İo", "K", "\\xff", "root:",
    "root from 192.0.2.1 port 22 ssh2", "invalid user x", "r) CMD (id", "audit(1:1)", "audit_lost=3", "x'y", '"q"', "user=root",
    "message repeated 2 times: [ x]", "[r]", "a,b", "\u017fx", "root\u2028", "root\x1b[0m", "\x00", "A" * 40, "WEB\\root", "root@web",
)  # fmt: skip
_SAID = (
    ("sshd[7]", "Failed password for {n} from 192.0.2.7 port 40100 ssh2"),
    ("sshd[7]", "Failed password for invalid user {n} from 192.0.2.7 port 40100 ssh2"),
    ("sshd[7]", "Failed none for illegal user {n} from 2001:db8::7 port 40100 ssh2"),
    ("sshd[7]", "Accepted publickey for {n} from 192.0.2.7 port 40100 ssh2: ED25519 SHA256:abcDEF"),
    ("sshd-session[7]", "Postponed keyboard-interactive for {n} from 192.0.2.7 port 40100 ssh2 [preauth]"),
    ("sshd[7]", "Partial publickey for {n} from 192.0.2.7 port 40100 ssh2"),
    ("sshd[7]", "Invalid user {n} from 192.0.2.7 port 40100"),
    ("sshd[7]", "Illegal user {n} from 192.0.2.7"),
    ("sshd[7]", "input_userauth_request: invalid user {n} [preauth]"),
    ("sshd[7]", "error: maximum authentication attempts exceeded for invalid user {n} from 192.0.2.7 port 1 ssh2 [preauth]"),
    ("sshd[7]", "User {n} from web.example not allowed because not listed in AllowUsers"),
    ("sshd[7]", "User {n} not allowed because account is locked"),
    ("sshd[7]", "Access denied for user {n} by PAM account configuration"),
    ("sshd[7]", "ROOT LOGIN REFUSED FROM 192.0.2.7 port 4"),
    ("sshd[7]", "error: PAM: Authentication failure for illegal user {n} from 192.0.2.7"),
    ("sshd[7]", "Starting session: command for {n} from 192.0.2.7 port 40100 id 0"),
    ("sshd[7]", "Close session: user {n} from 192.0.2.7 port 40100 id 0"),
    ("sshd[7]", "subsystem request for sftp by user {n}"),
    ("internal-sftp[7]", "session opened for local user {n} from [192.0.2.7]"),
    ("sshd[7]", "Connection closed by authenticating user {n} 192.0.2.7 port 40100 [preauth]"),
    ("sshd[7]", "Connection reset by invalid user {n} 192.0.2.7 port 40100 [preauth]"),
    ("sshd[7]", "Disconnected from user {n} 192.0.2.7 port 40100"),
    ("sshd[7]", "Disconnecting invalid user {n} 192.0.2.7 port 40100: Too many authentication failures [preauth]"),
    ("sshd[7]", "Disconnecting: Too many authentication failures for {n} [preauth]"),
    ("sshd[7]", "Connection from 192.0.2.7 port 1 on 192.0.2.1 port 22"),
    ("sshd[7]", "Connection from user {n} 192.0.2.7 port 1 timed out"),
    ("sshd[7]", "fatal: Timeout before authentication for 192.0.2.7 port 1"),
    ("sshd[7]", "Timeout before authentication for connection from 192.0.2.7 to 192.0.2.1, pid = 7"),
    ("sshd[7]", "Bad protocol version identification '{n}' from 192.0.2.7 port 1"),
    ("sshd[7]", "Did not receive identification string from 192.0.2.7"),
    ("sshd[7]", "pam_unix(sshd:session): session opened for user {n}(uid=0) by {m}(uid=0)"),
    ("sshd[7]", "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user={n}"),
    ("sudo", "pam_unix(sudo:auth): authentication failure; logname={m} uid=1 euid=0 tty=/dev/pts/0 ruser={m} rhost=  user={n}"),
    ("su[9]", "pam_unix(su:auth): check pass; user ({n}) unknown"),
    ("passwd[9]", "pam_unix(passwd:chauthtok): password changed for {n}"),
    ("login[9]", "pam_faillock(login:auth): Consecutive login failures for user {n} account temporarily locked"),
    ("sshd[7]", "pam_unix(sshd:account): account {n} has expired (account expired)"),
    ("sshd[7]", "pam_access(sshd:account): access denied for user `{n}' from `192.0.2.7'"),
    ("sshd[7]", "PAM 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.7  user={n}"),
    ("sshd[7]", "PAM service(sshd) ignoring max retries; 6 > 3"),
    ("sudo", "{n} : TTY=pts/0 ; PWD=/home ; USER={m} ; COMMAND=/usr/bin/id"),
    ("sudo[1]", "   {n} : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; GROUP=adm ; COMMAND=/bin/sh -c {m}"),
    ("sudo", "{n} : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; USER={m} ; COMMAND=/bin/sh"),
    ("sudo", "{n} : problem with defaults entries ; TTY=unknown ; PWD=/ ; USER=root ; COMMAND="),
    ("su", "FAILED SU (to {n}) {m} on pts/0"), ("su[8]", "(to {n}) {m} on /dev/pts/1"), ("su", "Successful su for {n} by {m}"),
    ("su", "FAILED su for {n} by {m}"), ("su", "BAD SU {m} to {n} on /dev/ttyp0"), ("su", "+ /dev/pts/1 {m}:{n}"), ("su", "- ??? {m}:{n}"),
    ("login[5]", "FAILED LOGIN (1) on '/dev/tty1' FROM '192.0.2.7' FOR '{n}', Authentication failure"),
    ("login[5]", "TOO MANY LOGIN TRIES (5) on '/dev/tty1' FOR '{n}', x"), ("login[5]", "LOGIN ON tty1 BY {n} FROM web"),
    ("login[5]", "ROOT LOGIN  on '/dev/tty1' from '192.0.2.7'"), ("login[5]", "ROOT LOGIN ON tty1"),
    ("login[5]", "invalid password for '{n}' on '/dev/tty1' from '192.0.2.7'"),
    ("systemd-logind[3]", "New session c{m} of user {n}."), ("systemd-logind[3]", "Removed session 7."),
    ("systemd-logind[3]", "New session '7' of user '{n}' with class 'user' and type 'tty'."),
    ("systemd-logind[3]", "Session 7 logged out. Waiting for processes to exit."),
    ("polkitd(authority=local)[2]", "Operator of unix-session:3 successfully authenticated as unix-user:{m} to gain ONE-SHOT authorization for action org.x.y for system-bus-name::1.2 [x] (owned by unix-user:{n})"),
    ("pkexec[2]", "{n}: Executing command [USER={m}] [TTY=/dev/pts/0] [CWD=/home] [COMMAND=/bin/id]"),
    ("useradd[2]", "new user: name={n}, UID=1001, GID=1001, home=/home/x, shell=/bin/bash, from=none"),
    ("useradd[2]", "failed adding user '{n}', data deleted"), ("groupadd[2]", "group added to /etc/group: name={n}, GID=7"),
    ("usermod[2]", "add '{n}' to group '{m}'"), ("usermod[2]", "add '{n}' to shadow group '{m}'"), ("gpasswd[2]", "user {n} added by root to group {m}"),
    ("gpasswd[2]", "members of group {m} set by root to {n}"), ("userdel[2]", "delete user '{n}'"), ("groupdel[2]", "group '{n}' removed from /etc/group"),
    ("usermod[2]", "change user '{n}' UID from '1' to '0'"), ("usermod[2]", "change user name '{m}' to '{n}'"),
    ("chage[2]", "changed password expiry for {n}"), ("passwd[2]", "password for '{n}' changed by '{m}'"),
    ("gpasswd[2]", "password of group {n} changed by {m}"), ("groupmems[2]", "add member {n} to group {m} by root"),
    ("CRON[4]", "({n}) CMD ({m})"), ("/usr/sbin/cron[4]", "({n}) CMD (id )"), ("crontab[4]", "({n}) REPLACE ({m})"), ("cron[4]", "({n}) FAILED to open PAM security session ({m})"),
    ("crond[4]", "({n}) BEGIN EDIT ({m})"), ("cron[4]", "({n}) ERROR (x)"), ("cron[4]", "(*system*) RELOAD (/etc/cron.d/x)"),
    ("systemd[1]", "nginx.service: Main process exited, code=killed, status=9/KILL"), ("systemd[1]", "a.service: Failed with result 'exit-code'."),
    ("systemd[1]", "a.service: Unit entered failed state."), ("systemd[1]", "a.service: Scheduled restart job, restart counter is at 5."),
    ("systemd[1]", "a.service: Service RestartSec=100ms expired, scheduling restart."), ("systemd[1]", "a.service: Start request repeated too quickly."),
    ("systemd[1]", "a.service: A process of this unit has been killed by the OOM killer."), ("systemd[1]", "Failed to start a.service - {n}."),
    ("systemd[1]", "Started Session 4 of user {n}."), ("systemd[1]", "a.service: start operation timed out. Terminating."),
    ("systemd[1]", "a.service: systemd-oomd killed 3 process(es) in this unit."), ("systemd[1]", "a.service: Killing process 7 ({n}) with signal SIGKILL."),
    ("kernel", "[  12.345678] audit: audit_lost=59 audit_rate_limit=0 audit_backlog_limit=64"), ("kernel", "audit: audit_lost=61 audit_x"),
    ("kernel", 'audit: type=1400 audit(1795252500.1:7): apparmor="DENIED" operation="open" profile="{n}" name="/etc/x" pid=7 comm=6120'),
    ("audispd", 'node=web1 type=EXECVE msg=audit(1795252500.1:8): argc=2 a0="curl" a1=6576696C'),
    ("kernel", "Out of memory: Killed process 7 ({n}) total-vm:12kB, anon-rss:1kB"), ("kernel", "[1.0] {n}[7]: segfault at 0 ip 1 sp 2 error 4 in x"),
    ("kernel", "NVRM: Xid (PCI:0000:01:00): 79, pid=7, GPU has fallen off the bus."), ("kernel", "EXT4-fs error (device sda1): ext4_find_entry: x"),
    ("kernel", "Buffer I/O error on dev sda1, logical block 7"), ("kernel", "device eth0 entered promiscuous mode"), ("kernel", "{n}: module verification failed: x"),
    ("kernel", "[UFW BLOCK] IN=eth0 OUT= MAC=0 SRC=192.0.2.7 DST=192.0.2.1 LEN=40 PROTO=TCP SPT=1 DPT=22"), ("kernel", "usb 1-1: USB disconnect, device number 2"),
    ("vsftpd[3]", '[{n}] FAIL LOGIN: Client "192.0.2.7"'), ("vsftpd[3]", '[{n}] OK LOGIN: Client "192.0.2.7"'), ("vsftpd[3]", 'CONNECT: Client "192.0.2.7"'),
    ("last", "message repeated 3 times"), ("syslogd", "last message repeated 3 times"), ("sshd[7]", "message repeated 5 times: [ Failed password for {n} from 192.0.2.7 port 1 ssh2]"),
    ("clamd[1]", "/tmp/{n}: Eicar FOUND"), ("guacd[1]", 'User "{n}" joined'), ("{n}", "x"), ("dropbear[3]", "Bad password attempt for '{n}' from 192.0.2.7:4"),
    ("app", "{n}"), ("app[{n}]", "{m}"), ("app", "USER=root ; COMMAND=/bin/sh {n}"), ("app" * 50, "{n}"), ("app", "{n}" * 30),
)  # fmt: skip
_STAMPS = (
    "Nov 21 09:{:02}:{:02}", "Nov 21 09:{:02}:{:02}", "Nov 21 09:{:02}:{:02}", "2026-11-21T09:{:02}:{:02}.123456+00:00", "2026-11-21T09:{:02}:{:02}Z",
    "2099-11-21T09:{:02}:{:02}Z", "Nov 23 23:{:02}:{:02}", "Feb 29 09:{:02}:{:02}", "Feb 30 09:{:02}:{:02}", "Nov  1 09:{:02}:{:02}",
    "2026-02-29T09:{:02}:{:02}Z", "2026-11-31T09:{:02}:{:02}Z", "1969-11-21T09:{:02}:{:02}Z", "Nov 21 2026 09:{:02}:{:02}", "2026-11-21 09:{:02}:{:02},123",
    "<86>Nov 21 09:{:02}:{:02}", "<13>1 2026-11-21T09:{:02}:{:02}Z", "<200>Nov 21 09:{:02}:{:02}", "Nov 21 25:{:02}:{:02}",
)  # fmt: skip


class AnySyslog:
    """One file, told by a random number generator."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._second = 0
        self._stamps = rng.choice((_STAMPS[:3], _STAMPS[:5], _STAMPS))
        self._odd = rng.choice((0.0, 0.0, 0.05, 0.3))

    def lines(self, number: int) -> list[bytes]:
        """The file, without its newlines."""
        return [self._line() for _ in range(number)]

    def _line(self) -> bytes:
        rng = self._rng
        self._second += rng.choice((0, 1, 1, 30))
        program, said = rng.choice(_SAID)
        stamp = rng.choice(self._stamps).format(self._second // 60 % 60, self._second % 60)
        host = rng.choice(("vm", "vm", "web1", "vm.example.org", "192.0.2.9"))
        name, other = rng.choice(_NAMES), rng.choice(_NAMES)
        program, said = (text.replace("{n}", name).replace("{m}", other) for text in (program, said))
        if "1 2026" in stamp:
            name = program.partition("[")[0] or "-"
            line = f"{stamp} {host} {name} 7 - " + rng.choice(("-", '[a b="c]"]')) + f" {said}"
        else:
            line = f"{stamp} {host} {program}: {said}"
        raw = line.encode("utf-8", "surrogateescape")
        return self._disturbed(raw) if rng.random() < self._odd else raw

    def _disturbed(self, line: bytes) -> bytes:
        rng = self._rng
        place = rng.randrange(len(line) + 1)
        return rng.choice(
            (
                line + b"\r",
                line[:place],
                line[place:],
                b"",
                b" continued " + line[place:],
                line[:place] + rng.choice((b"\xff", b"\xc3", b"\xe2\x84\xaa", b"\x00", b"\t", b"  ")) + line[place:],
                b'Mon Nov 21 09:30:00 2026 [pid 2] [alice] OK LOGIN: Client "192.0.2.7"',
                line.replace(b" vm ", b" " + b"\xff" * rng.choice((10, 100, 250, 300)) + b" ", 1),
                line.replace(b" vm ", b" " + b"\xc3\xa9" * rng.choice((10, 100, 200, 300)) + b" ", 1),
                line + b" " + b"x" * rng.choice((900, 20000)),
                line.upper(),
            )
        )
