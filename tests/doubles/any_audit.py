"""Audit logs as they are, and as nobody should write them: every kind of event, ENRICHED and RAW, hostile values, lines
that come twice, late, torn or in another order.
"""

import random  # noqa: TID251 - a seeded stream of lines
from collections.abc import Callable

PIECES = (
    b"curl", b"/etc/passwd", b"/usr/bin/", b"bash", b"-c", b"/tmp/", b"../", b"./", b"//", b"a0=", b"=", b"|", b";",
    b"msg=audit(", b"audit", b"udit(", b"type=EXECVE", b"key=", b"exe=", b" ", b" item=0 name=", b"'", b"res=success",
    b"SYSCALL=", b"ID=", b"UID=41", b"ARCH=", b"x", b"X", b"ls", b"\xc3\xa9", b"\xc4\xb0", b"\xff", b"\xc3", b"\xe2\x84\xaa",
    b"\xf0\x9f\x9a\x80", b"\xed\xa0\x80", b"\t", b"\n", b"\r", b"\x01", b"\x1b[0m", b"\x1d", b"\x7f", b"\0", b'"', b"\\", b"*", b"?",
    b"%", b"0", b"41", b"DEAD", b"(null)", b"\xce\xa3", b"\xc2\xa0", b"\xe2\x80\xa8", b"evil.example",
)  # fmt: skip
"""What values are made of. They are few, so that what a rule looks for is found in several places."""
_CLEAN = tuple(piece for piece in PIECES if all(32 < byte < 127 and byte != 34 for byte in piece))
_CALLS = {
    "execve": 59, "execveat": 322, "openat": 257, "open": 2, "connect": 42, "accept4": 288, "rename": 82, "unlinkat": 263,
    "ptrace": 101, "exit_group": 231, "clone": 56, "vfork": 58, "kill": 62, "creat": 85, "chmod": 90,
}  # fmt: skip
_USERS = {0: "root", 1000: "alice", 1001: "?", 4294967295: "unset", 33: "unknown(33)"}
_SOCKETS = (
    "02000050CB007109", "0A0001BB0000000020010DB8000000000000000000000001000000000", "01002F746D702F7820793D7A00",
    "0100006162", "0200", "10000000", "01002F6D73673D617564697428312E313A3129", "0A0000500000000000000000000000000000FFFFC000020100000000",
)  # fmt: skip
Part = Callable[[], bytes]


class AnyAudit:
    """One log, told by a random number generator."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._ms = 1795252500000
        self._serial = rng.choice((100, 100, 100, 2**32 - 4))
        self._nodes = rng.choice(
            ((b"",), (b"",), (b"node=vm ",), (b"", b"node=web1 "), (b"node=w\xc3\xa9b ", b"node=\xff "))
        )
        self._enriched = rng.random() < 0.6
        self._odd = rng.choice((0.0, 0.02, 0.15))
        self._lacking = rng.choice((0.0, 0.0, 0.05, 0.15))  # what lacks records is not followed, nor what comes next
        self._pids = list(range(300, 303))
        self._images = dict.fromkeys(self._pids, b"/usr/bin/curl")

    def lines(self, events: int) -> list[bytes]:
        """The log, without its newlines. A plain call of each node comes first: what is whole is followed behind one."""
        groups = [self._plain_call(node) for node in self._nodes]
        groups += [self._event() for _ in range(events)]
        return self._disturbed(groups)

    def _disturbed(self, groups: list[list[bytes]]) -> list[bytes]:
        rng, odd = self._rng, self._odd
        if odd and rng.random() < 0.5:
            groups += [list(group) for group in rng.choices(groups, k=2)]  # whole events again
        lines = [line for group in groups for line in group]
        if not odd:
            return lines
        for _ in range(rng.randrange(4)):
            self._disturb(lines)
        return lines

    def _disturb(self, lines: list[bytes]) -> None:
        rng = self._rng
        place, other = rng.randrange(len(lines)), rng.randrange(len(lines))
        what = rng.randrange(8)
        if what == 0:
            lines.insert(other, lines[place])
        elif what == 1:
            lines.insert(other, lines.pop(place))  # out of its order: interleaved or late
        elif what == 2:
            del lines[place : place + rng.choice((1, 1, 3))]
            lines.append(b"type=EOE msg=audit(1795252500.000:1): ")
        elif what == 3:
            lines[place] += b"\r"
        elif what == 4:
            lines[place] = lines[place][: rng.randrange(len(lines[place]) + 1)]
        elif what == 5:
            lines.insert(place, rng.choice((b"", b"\r", b"rubbish \xff", b"\0" * 40, b"Nov 21 09:30:00 h p: m")))
        elif what == 6:
            lines.insert(place, lines[other][1:])
        else:
            swapped = lines[place].replace(b" ", b"  ", 1)
            lines[place] = rng.choice((swapped, lines[place] + b" ", lines[place].replace(b'"', b"", 1)))

    def _event(self) -> list[bytes]:
        rng = self._rng
        self._ms += rng.choice((1, 1, 1, 0, 5, 700, 2000, 2500))
        self._serial = (self._serial + rng.choice((1, 1, 1, 1, 1, 2, 3))) % 2**32
        if rng.random() < self._odd / 3:
            self._ms -= rng.choice((1, 1500, 5000))
        if rng.random() < self._odd / 3:
            self._serial = rng.choice((5, self._serial - 2, self._serial + 2**25)) % 2**32
        pick = rng.random()
        if pick < 0.45:
            return self._call("execve")
        if pick < 0.8:
            return self._call(rng.choice(tuple(_CALLS)))
        return self._alone()

    def _plain_call(self, node: bytes) -> list[bytes]:
        """With a record of every kind: the log is known to have them."""
        stamp = b"msg=audit(%d.%03d:%d)" % (*divmod(self._ms, 1000), self._serial)
        parts = (
            self._syscall("kill", enriched=True).replace(b"items=#", b"items=1", 1),
            b'type=EXECVE @: argc=1 a0="ls"', b"type=SOCKADDR @: saddr=0200", b'type=CWD @: cwd="/"',
            b'type=PATH @: item=0 name="/bin/ls" inode=1 nametype=NORMAL', b"type=PROCTITLE @: proctitle=6C73",
        )  # fmt: skip
        return [node + part.replace(b"@", stamp, 1) for part in parts]

    def _head(self) -> tuple[bytes, bytes]:
        node = self._rng.choice(self._nodes)
        serial = b"%03d" if self._rng.random() < self._odd / 4 else b"%d"
        stamp = b"msg=audit(%d.%03d:" % divmod(self._ms, 1000) + serial % self._serial + b")"
        return node, stamp

    def _call(self, name: str) -> list[bytes]:
        rng = self._rng
        node, stamp = self._head()
        enriched = self._enriched if rng.random() < 0.9 else not self._enriched
        argv = [self.value() for _ in range(rng.choice((1, 1, 2, 3, 12)))]
        parts: list[bytes] = [self._syscall(name, enriched=enriched)]
        if name in {"execve", "execveat"} and rng.random() >= self._lacking:
            parts += self._execve(argv)
        if name in {"connect", "accept4"} and rng.random() >= self._lacking:
            parts.append(self._socket(enriched=enriched))
        if rng.random() >= self._lacking:
            parts.append(b"type=CWD @: cwd=" + self._string(b"/" + self._plain()))
        items = [self._item(number, enriched=enriched) for number in range(rng.choice((0, 1, 2, 2, 3)))]
        parts += items
        told = len(items) if rng.random() >= self._lacking else rng.randrange(3)
        parts[0] = parts[0].replace(b"items=#", b"items=%d" % told, 1)
        if rng.random() >= self._lacking:
            title = rng.choice((b"\0".join(argv)[:128], self.value(), b"\0".join(argv)))
            parts.append(b"type=PROCTITLE @: proctitle=" + self._string(title))
        if rng.random() < 0.1:
            parts.append(b"type=EOE @: ")
        return [node + part.replace(b"@", stamp, 1) for part in parts]

    def _syscall(self, name: str, *, enriched: bool) -> bytes:
        rng = self._rng
        uid, auid = rng.choice(tuple(_USERS)), rng.choice(tuple(_USERS))
        pid, ppid = rng.choice(self._pids), rng.choice(self._pids)
        number = _CALLS[name] if rng.random() < 0.95 else 9999
        done = rng.choice((b"yes",) * 6 + (b"no",))
        result = rng.choice(self._pids) if name in {"clone", "vfork"} else rng.choice((0, 0, -2, 3))
        if name == "execve" or rng.random() < 0.1:
            self._images[pid] = rng.choice((b"/usr/bin/curl", b"/bin/dash", self._path(), self._path()))
        exe = self._images[pid]
        keys = (b"(null)", b"(null)", b'"exec"', b'"exec"', self._string(self._plain()), b"6162016364")
        call = (
            b"type=SYSCALL @: arch=%s syscall=%d success=%s exit=%d a0=%s a1=7f a2=%s a3=0 items=# ppid=%d pid=%d auid=%d "
            b"uid=%d gid=0 euid=%d suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=%s ses=%d comm=%s exe=%s%s key=%s"
        ) % (
            rng.choice((b"c000003e",) * 9 + (b"40000003",)), number, done, result,
            rng.choice((b"ffffff9c", b"3", b"0", b"1200011")), rng.choice((b"241", b"0", b"1")), ppid, pid, auid,
            uid, rng.choice(tuple(_USERS)), rng.choice((b"pts0", b"(none)", b"ttyS0")), rng.choice((4294967295, 7)),
            self._string(exe.rpartition(b"/")[2][:15] or b"c"), self._string(exe),
            rng.choice((b"", b" subj=unconfined", b" subj==unconfined", b" subj=a:b:c-s0:c1.c2")), rng.choice(keys),
        )  # fmt: skip
        if enriched:
            name = name if rng.random() < 0.97 else "unknown-syscall(9999)"
            call += b'\x1dARCH=x86_64 SYSCALL=%s AUID="%s" UID="%s" GID="root" EUID="root"' % (
                name.encode(), _USERS[auid].encode(), _USERS[uid].encode(),
            )  # fmt: skip
        return call

    def _execve(self, argv: list[bytes]) -> list[bytes]:
        rng = self._rng
        said = [b"a%d=%s" % (number, self._string(value)) for number, value in enumerate(argv)]
        shape = rng.random()
        if shape < 0.05:  # several records
            return [b"type=EXECVE @: argc=%d %s" % (len(argv), said[0]), b"type=EXECVE @: " + b" ".join(said[1:])]
        if shape < 0.15:  # the last in chunks, which may end inside a character
            last, number = argv[-1], len(argv) - 1
            cut = rng.randrange(len(last) + 1)
            chunks = b"a%d_len=%d a%d[0]=%s a%d[1]=%s" % (
                number, len(last) * 2, number, last[:cut].hex().upper().encode(), number, last[cut:].hex().upper().encode(),
            )  # fmt: skip
            said = [*said[:-1], chunks]
        elif shape < 0.2:
            said[-1] = b"a%d=%s" % (len(argv) - 1, rng.choice((b"bare", b"BARE", b"", b"ab'c")))
        argc = len(argv) if rng.random() >= self._lacking else len(argv) + 3
        return [b"type=EXECVE @: argc=%d %s" % (argc, b" ".join(said))]

    def _item(self, number: int, *, enriched: bool) -> bytes:
        rng = self._rng
        number = number if rng.random() > self._odd / 2 else 0
        name = b"(null)" if rng.random() < 0.1 else self._string(self._path())
        role = rng.choice(
            (b"nametype=NORMAL", b"nametype=CREATE", b"nametype=PARENT", b"nametype=DELETE", b"objtype=CREATE")
        )
        mode = rng.choice((b"0100755", b"040755", b"0100644"))
        more = rng.choice((b" cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0", b"", b" obj=system_u:object_r:x"))
        names = b'\x1dOUID="root" OGID="root"' if enriched else b""
        return b"type=PATH @: item=%d name=%s inode=%d dev=fe:00 mode=%s ouid=0 ogid=0 rdev=00:00 %s%s%s" % (
            number, name, rng.randrange(3), mode, role, more, names,
        )  # fmt: skip

    def _socket(self, *, enriched: bool) -> bytes:
        saddr = self._rng.choice(_SOCKETS).encode()
        read = (
            b"\x1dSADDR={ saddr_fam=inet laddr=203.0.113.9 lport=80 }" if enriched and self._rng.random() < 0.8 else b""
        )
        return b"type=SOCKADDR @: saddr=" + saddr + read

    def _alone(self) -> list[bytes]:
        rng = self._rng
        node, stamp = self._head()
        kind = rng.choice((b"USER_AUTH", b"USER_START", b"CRED_ACQ", b"SERVICE_START", b"USER_LOGIN", b"SERVICE_STOP"))
        acct, exe = self._string(self._plain()), self._string(self._path())
        tail = b"hostname=%s addr=%s terminal=ssh res=%s" % (
            rng.choice((b"?", b"web1", b"192.0.2.7")), rng.choice((b"?", b"192.0.2.7")), rng.choice((b"success", b"failed")),
        )  # fmt: skip
        said = rng.choice(
            (
                b"op=PAM:session_open grantors=pam_unix acct=%s exe=%s %s" % (acct, exe, tail),
                b"op=login acct=%s exe=%s %s" % (acct, exe, tail),
                b"unit=cron comm=%s exe=%s %s" % (acct, exe, tail),
                b"cwd=%s cmd=%s exe=%s terminal=pts/0 res=success" % (exe, acct, exe),
                b'op=x type=SYSCALL msg=audit(1.1:1): exe="/bin/x" acct=%s exe=%s %s' % (acct, exe, tail),
            )
        )
        names = b'\x1dUID="root" AUID="alice"' if self._enriched else b""
        own = b"type=%s @: pid=%d uid=0 auid=1000 ses=1%s msg='%s'%s" % (
            kind, rng.choice(self._pids), rng.choice((b"", b" subj=unconfined")), said, names,
        )  # fmt: skip
        others = (
            b"type=LOGIN @: pid=301 uid=0 old-auid=4294967295 auid=1000 tty=(none) old-ses=4294967295 ses=7 res=1",
            b"type=USER_CMD @: pid=301 uid=1000 auid=1000 ses=1 msg='cwd=\"/root\" cmd=%s terminal=pts/0 res=success'"
            % acct,
            b'type=AVC @: apparmor="DENIED" operation="open" profile="x" name=%s pid=301 comm="c"' % exe,
            b'type=SYSTEM_BOOT @: pid=1 uid=0 auid=4294967295 ses=4294967295 msg=\' comm="init" exe="/i" hostname=? addr=? terminal=? res=success\'',
            b"type=DAEMON_START @: op=start ver=3 pid=301 res=success",
            b"type=UNKNOWN[1420] @: x=%s" % acct,
        )
        part = own if rng.random() < 0.7 else rng.choice(others)
        return [node + part.replace(b"@", stamp, 1)]

    def value(self) -> bytes:
        """Anything that a program may be given."""
        rng = self._rng
        pieces = PIECES if rng.random() < 0.35 else _CLEAN
        made = b"".join(rng.choices(pieces, k=rng.choice((1, 2, 3, 5))))
        return made * 40 if rng.random() < 0.03 else made

    def _plain(self) -> bytes:
        """What the kernel nearly always quotes."""
        rng = self._rng
        return self.value() if rng.random() < 0.05 else b"".join(rng.choices(_CLEAN, k=rng.choice((1, 2, 3, 3, 20))))

    def _path(self) -> bytes:
        return self._rng.choice((b"/",) * 6 + (b"/usr/", b"/usr/", b"//", b"")) + self._plain()

    def _string(self, value: bytes) -> bytes:
        """As the kernel writes it; seldom as it would not."""
        clean = all(32 < byte < 127 and byte != 34 for byte in value)
        if self._rng.random() < self._odd / 3:
            clean = not clean
        clean = clean and b'"' not in value and b"\n" not in value
        return b'"%s"' % value if clean else value.hex().upper().encode()
