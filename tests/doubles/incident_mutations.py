"""Incidents of a family of one cause: seeded mutations, the same in every run and on every machine."""

import hashlib
import random  # noqa: TID251 - seeded, so that every run sees the same incidents
from collections.abc import Iterator

from daemon.model import Alert, Evidence
from tests.doubles.incident_families import Family
from tests.doubles.values import T0, a_rule, an_alert


def _places(dice: random.Random) -> dict[str, object]:
    digest = hashlib.sha256(dice.randbytes(8)).hexdigest()
    return {
        "ip": f"{dice.choice(('192.0.2', '198.51.100', '203.0.113'))}.{dice.randrange(1, 255)}",
        "port": dice.randrange(1024, 65535),
        "pid": dice.randrange(300, 4_000_000),
        "count": dice.randrange(90, 99),
        "user": dice.choice(("alice", "bob", "deploy", "svc-backup", "mallory")),
        "name": dice.choice(("update", "kworker", "x", "init", "libcache")) + digest[:4],
        "host": dice.choice(("evil.example", "cdn.evil.example", "files.example.net")),
        "hex": digest,
        "blob": "AAAAC3NzaC1lZDI1NTE5" + digest.upper()[:20] + digest[:20],
    }


def an_incident_of(family: Family, number: int, seed: int = 7) -> Alert:
    """Mutation `number` of a family: other host, entity, records and volatile values; odd ones are of a second rule,
    whose title and reason are other words about the same cause.
    """
    dice = random.Random(f"{seed}/{family.name}/{number}")  # noqa: S311 - a seeded set, not a secret
    title = family.titles[number % len(family.titles)]
    commands = dice.sample(family.commands, k=min(len(family.commands), 1 + number % 2))
    places = _places(dice)
    second = number % 2 and len(family.titles) > 1
    because = f'keyword "{commands[0].split()[0]}" in message' if second else family.because
    evidence = tuple(
        Evidence(
            id=f"E{position}",
            at=T0,
            source="audit",
            text=command.format(**places),
            fields={"CommandLine": command.format(**places), "Image": family.image} if family.image else {},
        )
        for position, command in enumerate(commands, 1)
    )
    return an_alert(
        incident_id=f"{family.name}/{number}",
        rule=a_rule(id=title, title=title, techniques=(family.technique,) if family.technique else ()),
        host=f"host-{dice.randrange(50)}",
        entity=f"User={places['user']}",
        because=because.format(**places),
        last_at=T0 + dice.randrange(10**6),
        evidence=evidence,
    )


def incidents_of(families: tuple[Family, ...], mutations: int = 4) -> Iterator[tuple[str, Alert]]:
    """(family name, incident) of every mutation of every family."""
    for family in families:
        for number in range(mutations):
            yield family.name, an_incident_of(family, number)
