"""The sources that are no files of ours: systemd's journal, and what other tools hand over."""

import re
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, field_validator, model_validator

from daemon.config.section import Name, Section

AbsolutePath: TypeAlias = Annotated[str, Field(pattern=r"^/")]
_UNIT = re.compile(r"[A-Za-z0-9:_.@*?\[\]\\][A-Za-z0-9:_.@*?\[\]\\-]{0,254}")
_FIELD = re.compile(r"_{0,2}[A-Z][A-Z0-9_]{0,63}")
Shape: TypeAlias = Literal["auto", "generic", "falco", "suricata", "sysmon", "kubernetes_audit", "alertmanager"]


class Mapping(Section):
    """Where our fields stand in a record of another tool: paths such as `event.user.name`, tried in their order.

    `product`, `category` and `service` are the logsource that rules ask for; `time`, `host` and `severity` are what
    they say; `fields` are all others. What is not named keeps the name that it has.
    """

    product: Annotated[str, Field(min_length=1, max_length=64)] = "linux"
    category: Annotated[str, Field(max_length=64)] = ""
    service: Annotated[str, Field(max_length=64)] = ""
    time: tuple[str, ...] = ()
    host: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    fields: dict[Annotated[str, Field(min_length=1, max_length=200)], tuple[str, ...]] = {}  # noqa: RUF012 - pydantic copies it

    @field_validator("time", "host", "severity", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("fields", mode="before")
    @classmethod
    def _paths(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {name: (path,) if isinstance(path, str) else path for name, path in value.items()}

    @model_validator(mode="after")
    def _names_something(self) -> "Mapping":
        for name, paths in (
            *self.fields.items(),
            ("time", self.time),
            ("host", self.host),
            ("severity", self.severity),
        ):
            if not all(path.strip(".") == path and path for path in paths) or (name in self.fields and not paths):
                raise ValueError(f"expected paths such as event.user.name for {name} (got {list(paths)!r})")
        return self


class JournalSource(Section):
    """systemd's journal, by journalctl. Without `directory` and `files` it is this host's own.

    `units` and `matches` (`FIELD=value`) choose entries as journalctl does; `fields` are asked for besides the usual.
    """

    type: Literal["journal"]
    name: Name = "journal"
    directory: Path | None = None
    files: tuple[AbsolutePath, ...] = ()
    units: tuple[str, ...] = ()
    matches: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    start: Literal["end", "beginning"] = "end"
    max_line: int = Field(default=1_048_576, ge=4096, le=16_777_216)

    @field_validator("units", "matches", "fields")
    @classmethod
    def _no_options(cls, values: tuple[str, ...], info: object) -> tuple[str, ...]:
        """They become arguments of journalctl: none of them may be an option."""
        what = getattr(info, "field_name", "")
        for value in values:
            name, _, wanted = value.partition("=")
            good = {
                "units": bool(_UNIT.fullmatch(value)),
                "matches": value == "+" or bool(_FIELD.fullmatch(name) and wanted and wanted.isprintable()),
                "fields": bool(_FIELD.fullmatch(value)),
            }[what]
            if not good:
                shape = {"units": "ssh.service", "matches": "_TRANSPORT=kernel", "fields": "CONTAINER_NAME"}[what]
                raise ValueError(f"expected {what} such as {shape} (got {value!r})")
        return values

    @model_validator(mode="after")
    def _one_place(self) -> "JournalSource":
        if self.directory is not None and self.files:
            raise ValueError("expected directory or files, not both")
        if self.directory is not None and not self.directory.is_absolute():
            raise ValueError(f"expected an absolute path as directory (got {str(self.directory)!r})")
        return self


class IntakeSource(Section):
    """What other tools post to the endpoint (`POST /api/v1/events`). Without `token_file`, the API's token opens it.

    `rate` is how many requests a second are taken; `max_body` how many bytes one may have.
    """

    type: Literal["intake"]
    name: Name = "intake"
    preset: Shape = "auto"
    mapping: Mapping | None = None
    token_file: Path | None = None
    max_body: int = Field(default=1_048_576, ge=1024, le=16_777_216)
    rate: int = Field(default=500, ge=1, le=100_000)
