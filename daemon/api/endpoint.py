"""What the endpoint needs of the rest of the program, as one frozen value."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol

from aiohttp import web
from msgspec import Struct

from daemon.api.audit import AuditStatus
from daemon.enrichment import Analyst
from daemon.model import Alert, Anomaly, Event, Lines
from daemon.state import Desk, Outbox
from daemon.telemetry import Board, Metrics

_MOST_NAMES = 20


class Phase(StrEnum):
    """Where the process is in its life."""

    starting = "starting"
    running = "running"
    stopping = "stopping"


class FileStatus(Struct, frozen=True):
    """How far one file has been read: the next byte to read, the size, and when something was last read (0: never)."""

    source: str
    path: str
    identity: str
    offset: int
    size: int
    last_read_at: float = 0.0


class RuleStatus(Struct, frozen=True):
    """Rules in force, switched off by the configuration, and refused with their problems (`path:line: key: …`)."""

    loaded: int
    disabled: int = 0
    refused: int = 0
    problems: tuple[str, ...] = ()


class RunningStatus(Struct, frozen=True):
    """What only the process itself knows.

    `essential` names the components (as on the board) without which the daemon does not do its job: readiness
    wants every one of them `ok`, and one that is `failed` makes liveness say `failing`. `config` is the path
    of the configuration file, empty for the defaults; `reloaded_at` is 0 until the first accepted reload. Of the
    components in `logs`, the watched log files, readiness wants at least one `ok`, if there are any. `stalled` says
    that the pipeline makes no progress, which is `failing` too.
    """

    phase: Phase
    started_at: float
    essential: tuple[str, ...]
    logs: tuple[str, ...] = ()
    stalled: bool = False
    host: str = ""
    config: str = ""
    reloaded_at: float = 0.0
    files: tuple[FileStatus, ...] = ()
    rules: RuleStatus = RuleStatus(loaded=0)
    versions: Mapping[str, str] = {}
    audit: AuditStatus = AuditStatus()


class NamedRule(Struct, frozen=True):
    """A rule, as people and programs call it."""

    id: str
    title: str


class KeyChange(Struct, frozen=True):
    """A key of the configuration (`model.name`, `webhooks.ops.url`) and what became of it. Never its value."""

    key: str
    change: Literal["added", "removed", "changed"]


class Changes(Struct, frozen=True):
    """What a reload changed. A rule that arrives switched off is both `added` and `disabled`; `enabled` are rules
    that were disabled until now. `at_next_start` names changed sections that the running process cannot take.
    """

    added: tuple[NamedRule, ...] = ()
    removed: tuple[NamedRule, ...] = ()
    changed: tuple[NamedRule, ...] = ()
    disabled: tuple[NamedRule, ...] = ()
    enabled: tuple[NamedRule, ...] = ()
    config: tuple[KeyChange, ...] = ()
    at_next_start: tuple[str, ...] = ()

    def words(self) -> tuple[str, ...]:
        """The same for people, at most twenty names of each kind; nothing changed is nothing said."""
        said = [
            f"{what}: {_enumerated([rule.title for rule in rules])}"
            for what, rules in (
                ("rules added", self.added),
                ("rules removed", self.removed),
                ("rules changed", self.changed),
                ("rules now disabled", self.disabled),
                ("rules enabled again", self.enabled),
            )
            if rules
        ]
        if self.config:
            said.append(f"configuration: {_enumerated([f'{one.key} {one.change}' for one in self.config])}")
        if self.at_next_start:
            said.append(f"at the next start: {' and '.join(self.at_next_start)}")
        return tuple(said)


def _enumerated(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


class Intake(Protocol):
    """One configured intake of events. `token` is what opens it; `rate` are requests a second."""

    @property
    def name(self) -> str:
        """The name of the source."""
        ...

    @property
    def token(self) -> str:
        """Never empty."""
        ...

    @property
    def max_body(self) -> int:
        """Bytes."""
        ...

    @property
    def rate(self) -> int:
        """Requests a second."""
        ...

    def find_fault(self, record: Any) -> str:
        """What was expected of a record that no event can be made of; "" for a good one."""
        ...

    def weigh(self, record: Any) -> int:
        """How many events a record stands for."""
        ...

    def pack(self, records: Mapping[int, Mapping[str, Any]], key: str = "") -> Lines:
        """Records by their place in a request as they are handed over; `key` names the request, "" for none. In any
        thread. Raises RecursionError.
        """
        ...

    async def hand_over(self, packed: Lines) -> int:
        """Return once what they caused is stored: how many of them were stored before.

        Raises Transient: `full`, `unavailable` (nothing was taken) or `timeout` (it is not known to be stored).
        """
        ...


def no_intakes() -> Sequence[Intake]:
    """None is configured."""
    return ()


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what a client may ask of us. Seconds, bytes, requests.

    The model is the scarce thing: `ai_burst` questions at once, refilled at `ai_per_second`, `ai_at_once` in flight.
    """

    body_bytes: int = 65_536
    body_seconds: float = 10.0
    at_once: int = 64
    ai_at_once: int = 2
    ai_burst: int = 10
    ai_per_second: float = 0.5


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Everything that the routes use. `now` is UTC seconds since the epoch, `monotonic` only measures the rate.

    - `status()` never waits.
    - `reload()` returns what changed; raises ProblemsError (nothing changed), OSError for an unreadable file, Transient
      while the process stops.
    - `read(format, data)` turns raw log lines (`auto`, `auditd`, `syslog` or `json`) into events; raises ValueError
      that says what was expected.
    - `compose(anomaly)` redacts an anomaly and gives its base alert; nothing is stored, nobody is told.
    - `intakes()` are those of the configuration in force; raises Transient while they are not open yet.
    - `token` empty means that none is asked for, which `build_app` refuses off loopback.
    """

    desk: Desk
    outbox: Outbox
    analyst: Analyst
    board: Board
    metrics: Metrics
    status: Callable[[], RunningStatus]
    reload: Callable[[], Awaitable[Changes]]
    read: Callable[[str, bytes], Sequence[Event]]
    compose: Callable[[Anomaly], Alert]
    version: str
    now: Callable[[], float]
    monotonic: Callable[[], float]
    intakes: Callable[[], Sequence[Intake]] = no_intakes
    listen: str = "127.0.0.1:8787"
    token: str = field(default="", repr=False)
    limits: Limits = Limits()


ENDPOINT = web.AppKey("endpoint", Endpoint)
