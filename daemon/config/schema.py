"""What may stand in the configuration file. Frozen, no unknown keys, every default safe."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, field_validator, model_validator

from daemon.config.inputs import IntakeSource, JournalSource, Mapping, Shape
from daemon.config.section import ElsewhereError, Name, Section

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)")
_UNIT = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def parse_duration(value: Any) -> float:
    """`90s`, `5m`, `1h`, `7d` or a number of seconds → seconds. Raises ValueError with what was expected."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    match = _DURATION.fullmatch(str(value).strip())
    if match is None:
        message = f"expected a duration such as 500ms, 3s, 5m, 1h or 7d (got {value!r})"
        raise ValueError(message)
    return float(match[1]) * _UNIT[match[2]]


def _as_json(value: Any) -> Any:
    """JSON lines have two names."""
    return "json" if isinstance(value, str) and value in {"jsonl", "ndjson"} else value


_LONGEST = 10 * 366 * 86400.0
_LAST_PORT = 65535
Duration: TypeAlias = Annotated[float, BeforeValidator(parse_duration), Field(ge=0, le=_LONGEST)]
Placeholder: TypeAlias = Annotated[str, Field(pattern=r"^[^%\\]+$")]
Level: TypeAlias = Literal["informational", "low", "medium", "high", "critical"]

_OFF = BeforeValidator(lambda given: "off" if given is False else given)
"""To YAML, `off` without quotes is a boolean."""


class FileSource(Section):
    """Log files that rotate. `path` may be a glob. `preset` says of which tool records of JSON are (`auto`: by their
    shape); `mapping` names where our fields stand in them.
    """

    type: Literal["file"]
    name: Name
    path: str
    format: Annotated[Literal["auto", "auditd", "syslog", "json"], BeforeValidator(_as_json)] = "auto"
    preset: Shape = "auto"
    mapping: Mapping | None = None
    start: Literal["end", "beginning"] = "end"
    max_line: int = Field(default=65536, ge=1024, le=16_777_216)

    @model_validator(mode="after")
    def _mapped_json(self) -> "FileSource":
        if self.format != "json" and (self.preset != "auto" or self.mapping is not None):
            key = "mapping" if self.mapping is not None else "preset"
            raise ValueError(f"expected format: json beside {key} (got format: {self.format})")
        return self

    @field_validator("path")
    @classmethod
    def _absolute(cls, value: str) -> str:
        if not value.startswith("/"):
            message = f"expected an absolute path (got {value!r})"
            raise ValueError(message)
        return value


class HostSource(Section):
    """The gauges of this host (docs/gauges.md): processors, memory, disks, network, processes, temperatures, units."""

    type: Literal["host"]
    name: Name = "host"
    interval: Duration = 5.0


class GpuSource(Section):
    """The gauges of NVIDIA GPUs through NVML; a host without one says so once and goes on."""

    type: Literal["gpu"]
    name: Name = "gpu"
    interval: Duration = 5.0


SourceConfig: TypeAlias = Annotated[
    FileSource | HostSource | GpuSource | JournalSource | IntakeSource, Field(discriminator="type")
]


class Rules(Section):
    """Where Sigma rules come from; `shipped` stands for our own. `watch` reads them again when a file changes.
    `placeholders` are what `%name%` stands for under Sigma's `expand`. `prefilter` leaves out what no rule can match
    before it becomes an event: faster, with the same result.
    """

    directories: tuple[str, ...] = ("shipped",)
    disabled: tuple[str, ...] = ()
    placeholders: dict[Placeholder, Annotated[tuple[str, ...], Field(min_length=1)]] = {}  # noqa: RUF012 - pydantic copies it
    watch: bool = False
    prefilter: bool = True


class Incidents(Section):
    """How anomalies become incidents and when to speak again."""

    quiet_after: Duration = 3600.0
    repeat_every: Duration = 14400.0
    max_tracked: int = Field(default=10_000, ge=100, le=1_000_000)
    keep: Duration = 90 * 86400.0
    keep_rows: int = Field(default=100_000, ge=1000)


class Alerts(Section):
    """How long a base alert may wait for similar incidents before it leaves. It never waits for the model."""

    deadline: Duration = 3.0
    critical_deadline: Duration = 0.0


class Redaction(Section):
    """More secrets than the built-in patterns know: RE2 expressions whose match is replaced."""

    patterns: tuple[str, ...] = ()


class Memory(Section):
    """Past incidents. `embedded` is Qdrant Edge in a child process, `server` a Qdrant server, `off` nothing."""

    mode: Annotated[Literal["embedded", "server", "off"], _OFF] = "embedded"
    url: str = "http://127.0.0.1:6333"
    api_key_file: Path | None = None
    collection: Name = "tellwhy-incidents"
    embedding_path: Path | None = None
    limit: int = Field(default=3, ge=1, le=5)
    min_score: float = Field(default=0.60, ge=0, le=1)
    timeout: Duration = 2.0


class Model(Section):
    """The language model behind Ollama's API. `mode: off` leaves the deterministic explanation."""

    mode: Annotated[Literal["ollama", "off"], _OFF] = "ollama"
    url: str = "http://127.0.0.1:11434"
    name: str = "qwen3:4b"
    allow_remote: bool = False
    context: int = Field(default=8192, ge=2048, le=262_144)
    max_answer_tokens: int = Field(default=700, ge=100, le=8192)
    keep_alive: str = "30m"
    connect_timeout: Duration = 3.0
    first_byte_timeout: Duration = 90.0
    stall_timeout: Duration = 20.0
    total_timeout: Duration = 180.0
    queue: int = Field(default=64, ge=1, le=10_000)


class Webhook(Section):
    """One receiver of alerts. `versions` says which alert versions it gets besides the base alert:
    `base` none, `explained` those that add something, `all` also those that only add a gap.
    """

    name: Name
    url: str = ""
    url_file: Path | None = None
    format: Literal["standard", "slack"] = "standard"
    secret_files: tuple[Path, ...] = ()
    min_severity: Level = "informational"
    versions: Literal["base", "explained", "all"] = "explained"
    allow_private: tuple[str, ...] = ()
    allow_ports: tuple[int, ...] = (443, 8443)
    timeout: Duration = 15.0
    expire_after: Duration = 3 * 86400.0

    @model_validator(mode="after")
    def _one_url(self) -> "Webhook":
        if bool(self.url) == (self.url_file is not None):
            message = "expected exactly one of url and url_file"
            raise ValueError(message)
        return self


class Api(Section):
    """The endpoint. Anything but loopback needs `token_file` (a bearer token of at least 32 characters)."""

    enabled: bool = True
    listen: str = Field(default="127.0.0.1:8787", pattern=r"^(\[[0-9a-fA-F:.]+\]|[0-9A-Za-z.-]+):\d{1,5}$")
    token_file: Path | None = None

    @field_validator("listen")
    @classmethod
    def _real_port(cls, listen: str) -> str:
        port = int(listen.rsplit(":", 1)[1])
        if not 0 < port <= _LAST_PORT:
            message = f"expected a port from 1 to {_LAST_PORT} (got {port})"
            raise ValueError(message)
        return listen

    @model_validator(mode="after")
    def _token_off_loopback(self) -> "Api":
        host = self.listen.rsplit(":", 1)[0]
        if host not in {"127.0.0.1", "localhost", "[::1]"} and self.token_file is None:
            message = f"expected a token_file because {host} is not loopback"
            raise ValueError(message)
        return self


class Logging(Section):
    """Our own log, on stderr. `auto` is key=value in a terminal and JSON to a pipe."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = "auto"


class Config(Section):
    """The whole file."""

    host: str = ""
    state_directory: Path | None = None
    sources: tuple[SourceConfig, ...] = ()
    rules: Rules = Rules()
    incidents: Incidents = Incidents()
    alerts: Alerts = Alerts()
    redaction: Redaction = Redaction()
    memory: Memory = Memory()
    model: Model = Model()
    webhooks: tuple[Webhook, ...] = ()
    api: Api = Api()
    log: Logging = Logging()

    @model_validator(mode="after")
    def _opened_intakes(self) -> "Config":
        for index, source in enumerate(self.sources):
            if isinstance(source, IntakeSource) and not self.api.enabled:
                said = f"expected api.enabled: true for the intake {source.name}, which is part of the endpoint"
                raise ElsewhereError(("api", "enabled"), said)
            if isinstance(source, IntakeSource) and source.token_file is None and self.api.token_file is None:
                said = f"expected a token_file for the intake {source.name} (or api.token_file)"
                raise ElsewhereError(("sources", index, "token_file"), said)
        return self

    @model_validator(mode="after")
    def _unique_names(self) -> "Config":
        for what, names in (
            ("sources", [s.name for s in self.sources]),
            ("webhooks", [w.name for w in self.webhooks]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                message = f"expected a name of its own for each of {what} (got {', '.join(twice)} more than once)"
                raise ValueError(message)
        logs = [s.path for s in self.sources if isinstance(s, FileSource)]
        doubled = sorted({path for path in logs if logs.count(path) > 1})
        if doubled:
            raise ValueError(f"expected each log in one source (got {', '.join(doubled)} in several)")
        return self
