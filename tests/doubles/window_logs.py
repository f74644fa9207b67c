"""Two logs in which much depends on windows, the rules that look at them, and what is found in them.

A real `auth.log` of three weeks, where it is there, and an audit log: the attack of `examples/attack`, then a stream of
program starts whose bursts cross thresholds in every kind of correlation, again and again, by one start.
"""

import json
import random  # noqa: TID251 - a seeded stream of lines
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

from daemon.model import Incident
from tests.doubles.audit_lines import execve

RULES = """\
title: Login failed
name: failed
id: 00000000-0000-4000-8000-000000000101
logsource: {product: linux, service: sshd}
detection: {s: {action: [login_failed, invalid_user]}, condition: s}
level: low
---
title: Login
name: login
id: 00000000-0000-4000-8000-000000000102
logsource: {product: linux, service: sshd}
detection: {s: {action: login}, condition: s}
level: low
---
title: Program
name: program
id: 00000000-0000-4000-8000-000000000103
logsource: {product: linux, category: process_creation}
detection: {s: {Image|startswith: /usr/bin/}, condition: s}
level: low
---
title: Listing
name: listing
id: 00000000-0000-4000-8000-000000000104
logsource: {product: linux, category: process_creation}
detection: {s: {Image|endswith: /ls}, condition: s}
level: low
---
title: Reading
name: reading
id: 00000000-0000-4000-8000-000000000105
logsource: {product: linux, category: process_creation}
detection: {s: {Image|endswith: /cat}, condition: s}
level: low
---
title: Many failures
name: many_failures
id: 00000000-0000-4000-8000-000000000111
correlation: {type: event_count, rules: [failed], group-by: [src_ip], timespan: 10m, condition: {gte: 5}}
level: low
---
title: Many names
id: 00000000-0000-4000-8000-000000000112
correlation: {type: value_count, rules: [failed], group-by: [src_ip], timespan: 1d, condition: {field: user, gte: 4}}
level: low
---
title: Failures and a login
id: 00000000-0000-4000-8000-000000000113
correlation: {type: temporal, rules: [failed, login], group-by: [src_ip], timespan: 3d}
level: low
---
title: Failures, then a login
id: 00000000-0000-4000-8000-000000000114
correlation: {type: temporal_ordered, rules: [failed, failed, login], group-by: [src_ip], timespan: 7d}
level: low
---
title: A burst, and more of it a day later
id: 00000000-0000-4000-8000-000000000115
correlation: {type: temporal_ordered, rules: [many_failures, failed], group-by: [src_ip], timespan: 2d}
level: low
---
title: Few failures of all
id: 00000000-0000-4000-8000-000000000116
correlation: {type: event_count, rules: [failed], timespan: 30m, condition: {eq: 3}}
level: low
---
title: Sum of ports
id: 00000000-0000-4000-8000-000000000117
correlation: {type: value_sum, rules: [failed], group-by: [src_ip], timespan: 6h, condition: {field: src_port, gte: 150000}}
level: low
---
title: Average port
id: 00000000-0000-4000-8000-000000000118
correlation: {type: value_avg, rules: [failed, login], group-by: [src_ip], timespan: 6h, condition: {field: src_port, gt: 45000}}
level: low
---
title: Port in the middle
id: 00000000-0000-4000-8000-000000000119
correlation: {type: value_median, rules: [failed], timespan: 30m, condition: {field: src_port, gt: 45000, lt: 50000}}
level: low
---
title: High port
id: 00000000-0000-4000-8000-00000000011a
correlation: {type: value_percentile, rules: [failed], timespan: 1h, condition: {field: src_port, percentile: 90, gte: 55000}}
level: low
---
title: Busy
id: 00000000-0000-4000-8000-000000000121
correlation: {type: event_count, rules: [program], group-by: [User], timespan: 1m, condition: {gte: 9}}
level: low
---
title: Many commands
id: 00000000-0000-4000-8000-000000000122
correlation: {type: value_count, rules: [program], group-by: [User], timespan: 30s, condition: {field: CommandLine, gte: 5}}
level: low
---
title: Listed and read
id: 00000000-0000-4000-8000-000000000123
correlation: {type: temporal, rules: [listing, reading], group-by: [User], timespan: 5s}
level: low
---
title: Listed, listed, then read
id: 00000000-0000-4000-8000-000000000124
correlation: {type: temporal_ordered, rules: [listing, listing, reading], group-by: [User], timespan: 20s}
level: low
"""
UNRELATED = """\
title: One rule more
id: 00000000-0000-4000-8000-0000000001ff
logsource: {product: linux, category: process_creation}
detection: {s: {Image|endswith: /grep}, condition: s}
level: informational
"""
SHIPPED = ("ssh", "accounts", "evasion")
UNREAD = "d3f81b5c-9c27-4a60-86ea-2b4d7f0e9a47"
"""Our rule for lines that were not read."""
USERS = ("alice", "bob", "carol")
_START = 1_795_260_600.0
_PID = 5_000_000
"""No process of this machine has such a number, so what runs here is nobody's parent."""
_FILE_HASH = re.compile(r"^[^:]+:[0-9a-f]{12}:(?=[0-9]+(?::[0-9]+)?$)")


def write_rules(directory: Path, repository: Path) -> None:
    """The rules above, and of the shipped ones those that these logs can make fire: to read all takes half a second."""
    directory.mkdir()
    (directory / "windows.yml").write_text(RULES, encoding="utf-8")
    for family in SHIPPED:
        shutil.copytree(repository / "rules" / family, directory / family)


def attack_log(repository: Path, seed: int, starts: int, *, too_long: int = 0) -> bytes:
    """The attack, then so many program starts; one audit record of the kernel is missing in the middle.

    Between them stand so many lines that are too long for a daemon to read.
    """
    rng = random.Random(seed)  # noqa: S311 - a test that can be repeated
    parts = [(repository / "examples" / "attack" / "audit.log").read_bytes()]
    at, serial = _START, 41011
    for number in range(starts):
        at += rng.choice((0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 12.0, 40.0))
        serial += 2 if number == starts // 2 else 1
        words = rng.choice(
            (("ls", "-l"), ("ls", f"/srv/{rng.randrange(9)}"), ("cat", "/etc/motd"), ("grep", "-r", "a b"))
        )
        records = "\n".join(execve(serial, *words, at=f"{at:.3f}", pid=_PID + number, ppid=1))
        parts.append(f"{records.replace('alice', rng.choice(USERS))}\n".encode())
    for _ in range(too_long):
        parts.insert(rng.randrange(1, len(parts)), b"x" * 70_000 + b"\n")
    return b"".join(parts)


def pieces(data: bytes) -> list[bytes]:
    """A log in pieces that were written at once: the records of one audit event, or one line."""
    found: list[bytes] = []
    last = b""
    for line in data.splitlines(keepends=True):
        _, _, rest = line.partition(b" msg=audit(")
        event = rest.partition(b")")[0]
        if event and event == last:
            found[-1] += line
        else:
            found.append(line)
        last = event
    return found


@dataclass(frozen=True, order=True)
class Found:
    """One incident as it must come out whatever happened. Events by their place in the log, times in whole ms."""

    rule: str
    entity: str
    host: str
    count: int
    first: str
    last: str
    opened: int
    ended: int


def place(event_id: str) -> str:
    """Which line it was: without the source's name and the hash of the file, which are another file's in a replay."""
    return _FILE_HASH.sub("line ", event_id)


def found(incidents: Iterable[Incident]) -> list[Found]:
    """What is in a store, sorted. Incidents of one rule and entity stay apart."""
    return sorted(map(_found, (one for one in incidents if one.rule.title != "One rule more")))


def _found(one: Incident) -> Found:
    if one.rule.id == UNREAD:  # it happened when it was noticed
        return Found(one.rule.id, one.entity, one.host, one.count, "", "", 0, 0)
    first, last = place(one.first_event), place(one.last_event)
    opened, ended = round(one.opened_at * 1000), round(one.last_at * 1000)
    return Found(one.rule.id, one.entity, one.host, one.count, first, last, opened, ended)


def replayed(top: Path, config: dict[str, object], logs: Iterable[Path]) -> list[tuple[object, ...]]:
    """The oracle: `tellwhy replay --incidents` over whole files; see `comparable`."""
    path = top / "replay.yaml"
    path.write_text(yaml.safe_dump({key: config[key] for key in ("host", "rules")}), encoding="utf-8")
    command = [sys.executable, "-m", "daemon", "replay", "--quiet", "--incidents", "--config", str(path)]
    done = subprocess.run([*command, *map(str, logs)], check=False, capture_output=True)
    assert done.returncode == 3, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return sorted(
        (row["rule_id"], row["entity"], row["host"], row["count"], place(row["first_event"]), place(row["last_event"]))
        for row in rows
    )


def comparable(rows: Iterable[Found]) -> list[tuple[object, ...]]:
    """What a replay says of incidents, too. It reads lines of any length."""
    return sorted(
        (row.rule, row.entity, row.host, row.count, row.first, row.last) for row in rows if row.rule != UNREAD
    )
