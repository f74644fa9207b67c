"""docs/fields.md as the tables have it: `python -m tests.doubles.fields_page` writes the page anew."""

from collections.abc import Iterator
from pathlib import Path

from daemon.model import fields
from daemon.model.fields import Fields

PAGE = Path(__file__).parents[2] / "docs" / "fields.md"
_HEAD = """\
# Fields

Which logsources there are here, and which fields their events have. Names are written as here, capitals included; values are
compared in any case. `tellwhy check` warns of a field that a logsource cannot have (`--strict` refuses it), and says which
was meant. Made of `daemon/model/fields.py`.

Records of JSON, those of other tools, and those of systemd's journal keep all fields of their own besides. A field
of which a line says nothing is absent.
"""
_CATEGORIES = """\
## Categories

`logsource: {product: linux, category: …}`. They are made of the kernel's audit records, of readings, and of losses.
"""
_SERVICES = """\
## Services

`logsource: {product: linux, service: …}`: lines of the system's logs, by the program that says them.
"""
_REST = """\
### host_metrics, gpu_metrics

Readings: every gauge with what is derived of it is in [gauges.md](gauges.md).

### auditd

Every audit record with its own keys (`type`, `SYSCALL`, `exe`, `a0`, `key`, `name`, `nametype`, `auid`, `res` …), decoded, as
in the [field dictionary](https://github.com/linux-audit/audit-documentation/blob/main/specs/fields/field-dictionary.csv) of
the Linux audit project. Beside them stands who made the system call: `User`, `Image`, `ProcessId`, `ParentProcessId`, `LogonId`.
Arguments are decoded in records of `type: EXECVE` alone; in those of `SYSCALL`, `a0` to `a3` are numbers.
"""
_COMMON = """\
### Every service

All lines of text have these; `clamav`, `guacamole` and lines of unknown programs (`syslog`) have no others.
"""
_NO_OWN = frozenset({"clamav", "guacamole"})


def page() -> str:
    """The whole page."""
    head = fields.SERVICES["clamav"]
    parts = [_HEAD, _CATEGORIES]
    parts += [f"### {name}\n\n{_table(of)}" for name, of in fields.CATEGORIES.items()]
    parts += [_REST, _SERVICES, _COMMON + "\n" + _table(head)]
    for name, of in fields.SERVICES.items():
        if name not in _NO_OWN:
            own = {field: told for field, told in of.items() if field not in head}
            parts.append(f"### {name}\n\n{_table(own)}")
    return "\n".join(parts)


def _table(of: Fields) -> str:
    return "\n".join(["| field | what it is | values |", "|---|---|---|", *_rows(of)]) + "\n"


def _rows(of: Fields) -> Iterator[str]:
    for name, (what, values) in of.items():
        shown = ", ".join(f"`{value}`" for value in values.split(", ")) if values else ""
        yield f"| `{name}` | {what} | {shown} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
