"""The event of a program's start, of what following it has left: the same as the taxonomy makes of all its records."""

from collections.abc import Sequence

from msgspec import Struct

from daemon.events.audit_caller import Caller
from daemon.events.audit_shape import Shape, read_directory
from daemon.events.audit_values import to_text
from daemon.events.processes import Process
from daemon.events.taxonomy import fields_of_parent, name_event, show_fields
from daemon.model import Event, Logsource, Position, Value

_CATEGORY = "process_creation"
_SOURCE = Logsource(category=_CATEGORY)
_NOTHING = "(null)"


class Started(Struct, frozen=True, gc=False):
    """A program's start: what SHAPE found, who made the call, the new process and its parent at that time."""

    row: Sequence[bytes]
    caller: Caller
    process: Process
    parent: Process | None


def start_event(started: Started, *, source: str, host: str, at: float, position: Position) -> Event:
    """`host` is this one, `at` what the row says, and `position` where it begins."""
    shape, caller, process, parent = Shape._make(started.row), started.caller, started.process, started.parent
    fields: dict[str, Value] = {
        "User": process.user,
        "Image": process.image,
        "ProcessId": to_text(shape.pid),
        "ParentProcessId": to_text(shape.ppid),
        "LogonId": caller.auid,
    }
    if process.command_line:
        fields["CommandLine"] = process.command_line
    if shape.cwd:
        fields["CurrentDirectory"] = to_text(read_directory(shape.cwd) or b"")
    fields |= {"uid": caller.uid, "euid": caller.euid, "auid": caller.auid}
    fields |= {key: value for key, value in (("tty", caller.tty), ("key", caller.key)) if value not in {"", _NOTHING}}
    fields |= {"success": "yes", "SYSCALL": caller.name}
    fields |= {key: value for key, value in fields_of_parent(parent).items() if value}
    named = name_event(to_text(shape.node[5:-1]), to_text(shape.stamp), to_text(shape.serial))
    return Event(
        f"{named}:{_CATEGORY}",
        at,
        process.node or host,
        source,
        _SOURCE,
        fields,
        show_fields(fields),
        position,
    )
