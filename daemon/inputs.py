"""What a configuration makes of its sources of records: their readers, and the ports where other tools hand over."""

from collections.abc import Callable, Mapping
from functools import partial

from daemon.assembly import host_name
from daemon.config import Config, FileSource, IntakeSource, JournalSource, read_secret
from daemon.enrichment.redact import Redactor
from daemon.events import Reader, Selector
from daemon.events.alertmanager import count_alerts
from daemon.events.intake import IntakeReader, find_fault
from daemon.events.jsonl import Shaping
from daemon.events.mapping import FieldMapping
from daemon.events.readers import build_reader
from daemon.events.stamps import Stamps
from daemon.sources.intake import IntakePort
from daemon.telemetry import Board


def shaping_of(source: FileSource | IntakeSource) -> Shaping:
    """What the configuration says of records of JSON."""
    mapping = source.mapping
    if mapping is None:
        return Shaping(source.preset)
    # a preset has a product of its own, which the default of a mapping does not change
    said = "product" in mapping.model_fields_set or source.preset in {"auto", "generic"}
    named = FieldMapping(
        product=mapping.product if said else "",
        category=mapping.category, service=mapping.service, time=mapping.time, host=mapping.host,
        severity=mapping.severity, fields=mapping.fields,
    )  # fmt: skip
    return Shaping("generic" if source.preset == "auto" else source.preset, named)


def build_readers(
    config: Config, redactor: Redactor, selectors: Mapping[str, Selector], *, now: Callable[[], float],
    usernames: Callable[[int], str],
) -> dict[str, Reader]:  # fmt: skip
    """One reader for each source of lines or records."""
    found: dict[str, Reader] = {}
    for source in config.sources:
        if isinstance(source, FileSource | JournalSource):
            found[source.name] = build_reader(
                source.name, source.format if isinstance(source, FileSource) else "journal", host=host_name(config),
                now=now, usernames=usernames, redact=redactor.text, zone=None, selectors=selectors,
                shaping=shaping_of(source) if isinstance(source, FileSource) else None,
            )  # fmt: skip
        elif isinstance(source, IntakeSource):
            found[source.name] = IntakeReader(
                source.name, host=host_name(config), stamps=Stamps(now, None), shaping=shaping_of(source)
            )
    return found


def token_of(source: IntakeSource, config: Config) -> str:
    """What opens an intake: a token of its own, else the API's. Raises ValueError where it cannot be read."""
    path = source.token_file or config.api.token_file
    return read_secret(path) if path is not None else ""


def build_intake(
    source: IntakeSource, config: Config, *, board: Board, now: Callable[[], float], nonce: Callable[[], str],
    repeats: Callable[[str, str], int] = lambda _, __: 0,
) -> IntakePort:  # fmt: skip
    """The port of one intake; `repeats(source, request)` says how many records of a request were known. Raises
    ValueError for a token that cannot be read.
    """
    shaping, stamps = shaping_of(source), Stamps(now, None)
    return IntakePort(
        source, token=token_of(source, config), find_fault=lambda record: find_fault(record, shaping, stamps),
        board=board, now=now, nonce=nonce, weigh=count_alerts, repeats=partial(repeats, source.name),
    )  # fmt: skip
