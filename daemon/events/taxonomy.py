"""A group of audit records → events in Sigma's names.

Every record is one event of service `auditd` with its own keys (SigmaHQ's rules for auditd look at single records), and
beside them, in Sysmon's names, who made the system call: `User`, `Image`, `ProcessId`, `ParentProcessId`, `LogonId`.
What a group as a whole says becomes an event of its own, in the taxonomy of Sysmon for Linux:

* `process_creation`: a successful execve or execveat. `Image` is the resolved program (as Sysmon has it) and, where it
  differs, also the path as it was called: `/bin/sh` on a host where that is dash matches rules for either.
* `file_event`: a path that was created (`nametype: CREATE`), or a regular file that was opened for writing (`NORMAL`):
  Sysmon tells of both alike. `CommandLine` is that of the program that wrote (the kernel's copy, 128 bytes).
* `network_connection`: a connect (`Initiated: true`) or accept (`false`) with an internet address, successful or not.

Ids are made of node, time, serial and record, so a second reading gives the same ids.
"""

from collections.abc import Callable, Container, Iterator, Mapping
from typing import TypeAlias

from msgspec import Struct

from daemon.events.assemble import Group
from daemon.events.auditd import Decoded, Record
from daemon.events.line_events import same_host
from daemon.events.processes import Process, Processes
from daemon.events.scene import Scene, build_scene, role_of, text_of
from daemon.events.sockaddr import parse_sockaddr
from daemon.model import Event, Logsource, Value

_Find: TypeAlias = Callable[[str, int], Process | None]

_AUDITD = Logsource(service="auditd")
_EXEC = frozenset({"execve", "execveat"})
_FORK = frozenset({"clone", "clone3", "fork", "vfork"})
_CLONE_THREAD = 0x10000
_SOCKETCALL = {"3": "connect", "5": "accept", "12": "accept4"}  # hex numbers of linux/net.h
_UNSET = "4294967295"


class Taxonomy:
    """Groups of one source → events. `usernames` is asked only about uids of this host."""

    def __init__(self, source: str, *, host: str, usernames: Callable[[int], str], processes: Processes) -> None:
        self._source = source
        self._host = host
        self._usernames = usernames
        self._processes = processes

    def events(self, group: Group) -> list[Event]:
        """The events of one group; those of its records first, in their order."""
        scene = build_scene(group)
        told = self._told(scene)
        events = [self._record_event(scene, told, record, decoded) for record, decoded in scene.records]
        if group.closed_by == "late":  # the whole was told without it
            return events
        events.extend(self._activities(scene, told, self._processes.find))
        self._learn(scene, told)
        return events

    def events_after(self, scene: Scene, parent: Process | None, categories: Container[str]) -> list[Event]:
        """The events of these categories (empty: those of records) of a scene from which the table of processes has
        learnt already, with the parent of that time.
        """
        told = self._told(scene)
        events: list[Event] = []
        if "" in categories:
            events += [self._record_event(scene, told, record, decoded) for record, decoded in scene.records]
        activities = self._activities(scene, told, lambda _node, _pid: parent)
        return events + [one for one in activities if one.logsource.category in categories]

    def _told(self, scene: Scene) -> "_Told":
        group = scene.group
        ours = same_host(group.node, self._host)
        node = "" if ours else group.node
        actor: dict[str, Value] = {}
        if scene.call:
            actor = {
                "User": self._user(scene, node),
                "Image": scene.image,
                "ProcessId": scene.value("pid"),
                "ParentProcessId": scene.value("ppid"),
                "LogonId": scene.value("auid"),
            }
        return _Told(
            name_event(group.node, group.stamp, group.serial), self._host if ours else node, node, _present(actor)
        )

    def _user(self, scene: Scene, node: str) -> str:
        return self.user_name(scene.value("UID"), scene.value("uid"), node)

    def user_name(self, name: str, uid: str, node: str) -> str:
        """Who a uid is: as auditd named it, else by this host's users where the node is this host (empty)."""
        if name and not name.startswith("unknown("):
            return name
        if uid == _UNSET:
            return "unset"
        number = _number(uid)
        known = self._usernames(number) if number is not None and not node else ""
        return known or name or uid

    def _record_event(self, scene: Scene, told: "_Told", record: Record, decoded: Decoded) -> Event:
        fields, text = decoded.fields, decoded.text
        fields.update(told.actor)
        if record.kind == "SYSCALL" and scene.name and fields.get("SYSCALL") != scene.call["SYSCALL"]:
            fields["SYSCALL"] = scene.name
            text = f"{text} SYSCALL={scene.name}"
        elif record.kind == "SOCKADDR":
            said = _address_fields(text_of(fields, "saddr"))
            text = text if "SADDR" in fields else " ".join([text, *(f"{key}={value}" for key, value in said.items())])
            fields.update(said)
        identity = f"{told.prefix}:{record.kind.lower()}:{record.digest:08x}"
        return Event(identity, record.at, told.host, self._source, _AUDITD, fields, text, record.position)

    def _activities(self, scene: Scene, told: "_Told", find: "_Find") -> Iterator[Event]:
        started = scene.name in _EXEC and scene.value("success") == "yes"
        if started or (not scene.call and scene.has_execve):
            fields = self._process_fields(scene, told, find)
            yield self._activity(scene, told, "process_creation", "process_creation", fields)
        for index, path in enumerate(scene.written):
            name = text_of(path, "name")
            if name:
                fields = {"TargetFilename": scene.resolve(name), **told.actor, **_extras(scene)}
                said: dict[str, Value] = {"CommandLine": scene.title, "nametype": role_of(path)}
                yield self._activity(scene, told, "file_event", f"file_event:{index}", fields | _present(said))
        connection = _connection(scene)
        if connection:
            fields = {**connection, **told.actor, **_extras(scene)}
            yield self._activity(scene, told, "network_connection", "network_connection", fields)

    def _process_fields(self, scene: Scene, told: "_Told", find: "_Find") -> dict[str, Value]:
        fields: dict[str, Value] = {
            **told.actor,
            "Image": _images(scene),
            "CommandLine": scene.command_line,
            "CurrentDirectory": scene.cwd,
            **_extras(scene),
        }
        if not scene.has_execve or scene.cut_short or not scene.call or scene.group.closed_by == "limit":
            fields["incomplete"] = "true"
        ppid = _number(scene.value("ppid"))
        parent = find(told.node, ppid) if ppid is not None else None
        return _present(fields | fields_of_parent(parent))

    def _learn(self, scene: Scene, told: "_Told") -> None:
        """Tell the table of processes what this group says of them."""
        node = told.node
        if scene.group.records[0].kind == "SYSTEM_BOOT":
            self._processes.rebooted(node)
        pid = _number(scene.value("pid"))
        if pid is None:
            return
        done = scene.value("success") == "yes"
        if scene.name == "exit_group":
            self._processes.exited(node, pid)
            return
        started = done and scene.name in _EXEC
        image = _images(scene) if started else scene.image
        if not image:
            return
        # who was running before auditing began is learnt from what it does
        if started or not self._processes.is_running(node, pid, scene.image):
            ppid = _number(scene.value("ppid")) or 0
            user = text_of(told.actor, "User")
            # the arguments of a start that failed are not those of the program that tried it
            said = scene.command_line if started else scene.title
            self._processes.started(Process(pid, image, said, ppid, user, node))
        child = _number(scene.value("exit")) if done and scene.name in _FORK else None
        if child and not _is_thread(scene):
            self._processes.forked(node, pid, child)

    def _activity(self, scene: Scene, told: "_Told", category: str, suffix: str, fields: dict[str, Value]) -> Event:
        return Event(
            f"{told.prefix}:{suffix}",
            scene.group.at,
            told.host,
            self._source,
            Logsource(category=category),
            fields,
            show_fields(fields),
            scene.group.records[0].position,
        )


class _Told(Struct, frozen=True):
    """What all events of a group share. `node` is "" for this host; `actor` is who made the system call."""

    prefix: str
    host: str
    node: str
    actor: dict[str, Value]


def _images(scene: Scene) -> str | tuple[str, ...]:
    """The program as resolved, then as called if that is another path."""
    for path in scene.paths:
        name = text_of(path, "name") if path.get("item") == "0" else ""
        called = scene.resolve(name) if name else ""
        if called.startswith("/") and called != scene.image:
            return (scene.image, called) if scene.image else called
    return scene.image


def _extras(scene: Scene) -> dict[str, Value]:
    keys = ("uid", "euid", "auid", "tty", "key", "success", "SYSCALL")
    return {key: scene.call[key] for key in keys if key in scene.call and scene.call[key] != "(null)"}


def _connection(scene: Scene) -> dict[str, Value]:
    address = scene.address
    if address is None or not address.is_remote:
        return {}
    name = _SOCKETCALL.get(scene.value("a0"), "") if scene.name == "socketcall" else scene.name
    port = str(address.port)
    if name == "connect":
        return {"DestinationIp": address.host, "DestinationPort": port, "Initiated": "true"}
    if name in {"accept", "accept4"}:
        return {"SourceIp": address.host, "SourcePort": port, "Initiated": "false"}
    return {}


def _address_fields(saddr: str) -> dict[str, Value]:
    """In the names that auparse interprets a saddr with."""
    address = parse_sockaddr(saddr)
    if address is None:
        return {}
    if address.is_remote:
        return {"saddr_fam": address.family, "laddr": address.host, "lport": str(address.port)}
    if address.family == "local":
        return {"saddr_fam": address.family, "path": address.host}
    return {"saddr_fam": address.family}


def _is_thread(scene: Scene) -> bool:
    try:
        return scene.name == "clone" and bool(int(scene.value("a0") or "0", 16) & _CLONE_THREAD)
    except ValueError:
        return False


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else None  # noqa: PLR2004 - 2**32


def _present(fields: dict[str, Value]) -> dict[str, Value]:
    return {key: value for key, value in fields.items() if value not in {"", None}}


def name_event(node: str, stamp: str, serial: int | str) -> str:
    """How the ids of all events of one group begin."""
    return f"audit:{node}:{stamp}:{serial}" if node else f"audit:{stamp}:{serial}"


def fields_of_parent(parent: Process | None) -> dict[str, Value]:
    """What an event says of the process that started another."""
    if parent is None:
        return {}
    return {"ParentImage": parent.image, "ParentCommandLine": parent.command_line, "ParentUser": parent.user}


def show_fields(fields: Mapping[str, Value]) -> str:
    """The text of an event that several records make."""
    return " ".join([f'{key}="{_shown(value)}"' for key, value in fields.items()])


def _shown(value: Value) -> str:
    return " ".join(value) if isinstance(value, tuple) else str(value)
