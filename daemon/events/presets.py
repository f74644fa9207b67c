"""Records of other tools → Sigma's names: Falco, Suricata EVE, Sysmon for Linux, Kubernetes audit, Alertmanager.

A preset keeps every key of the record under its own (dotted) name and adds ours. What a record also is in Sigma's
taxonomy (a Falco alert about an execve is a process creation) becomes an event of its own behind it. Tools whose
records are no Linux log have a product of their own (`falco`, `suricata`, `kubernetes`, `alertmanager`), so that no
rule for logs looks at them.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from msgspec import Struct

from daemon.events.alertmanager import is_notification
from daemon.events.sysmon import is_sysmon, sysmon_fields
from daemon.model import Logsource, Value

Record: TypeAlias = Mapping[str, Any]
Flat: TypeAlias = Mapping[str, Value]


class Shaped(Struct, frozen=True):
    """One event in a record. `time` is what the record says of it, as it stands there; `key` names the record as its
    sender does ("" where it does not), the same however often it is sent.
    """

    logsource: Logsource
    fields: dict[str, Value]
    time: Value = None
    host: str = ""
    key: str = ""


_SEVERITIES = {
    "emergency": "emergency",
    "emerg": "emergency",
    "alert": "alert",
    "critical": "critical",
    "crit": "critical",
    "error": "error",
    "err": "error",
    "warning": "warning",
    "warn": "warning",
    "notice": "notice",
    "informational": "informational",
    "info": "informational",
    "debug": "debug",
}
_FALCO = {
    "CommandLine": ("proc.cmdline",),
    "Image": ("proc.exepath", "proc.exe", "proc.name"),
    "ProcessId": ("proc.pid",),
    "ParentProcessId": ("proc.ppid",),
    "ParentImage": ("proc.pexepath", "proc.pexe", "proc.pname"),
    "ParentCommandLine": ("proc.pcmdline",),
    "CurrentDirectory": ("proc.cwd",),
    "User": ("user.name",),
    "LogonId": ("user.loginuid",),
    "TargetFilename": ("fs.path.name", "fd.name"),
    "DestinationIp": ("fd.rip", "fd.sip"),
    "DestinationPort": ("fd.rport", "fd.sport"),
    "SourceIp": ("fd.lip", "fd.cip"),
    "SourcePort": ("fd.lport", "fd.cport"),
}
_FALCO_ACTIVITIES: tuple[tuple[str, frozenset[str], tuple[str, ...]], ...] = (
    ("process_creation", frozenset({"execve", "execveat"}), ("CommandLine", "Image")),
    ("network_connection", frozenset({"connect", "accept", "accept4"}), ("DestinationIp",)),
    ("file_event", frozenset({"creat", "rename", "renameat", "renameat2"}), ("TargetFilename",)),
)
_OPENS = frozenset({"open", "openat", "openat2", "open_by_handle_at"})
_SURICATA = {
    "SourceIp": ("src_ip",),
    "SourcePort": ("src_port",),
    "DestinationIp": ("dest_ip",),
    "DestinationPort": ("dest_port",),
    "Protocol": ("proto",),
    "DestinationHostname": ("tls.sni", "http.hostname", "dns.rrname"),
}
_PROXY = {
    "c-uri": ("http.url",),
    "cs-host": ("http.hostname",),
    "cs-method": ("http.http_method",),
    "c-useragent": ("http.http_user_agent",),
    "cs-referrer": ("http.http_refer",),
    "sc-status": ("http.status",),
}
_KUBERNETES = {
    "apiGroup": ("objectRef.apiGroup",),
    "resource": ("objectRef.resource",),
    "subresource": ("objectRef.subresource",),
    "namespace": ("objectRef.namespace",),
    "name": ("objectRef.name",),
    "user": ("user.username",),
}


def recognise(record: Record) -> str:
    """The preset whose records have this shape; "" where it is none that we know."""
    return next((name for name, (has_shape, _) in _PRESETS.items() if has_shape(record)), "")


def shape_record(preset: str, record: Record, flat: Flat) -> list[Shaped]:
    """The events in a record, the record itself first; none where it has not the shape of the preset."""
    has_shape, shape = _PRESETS[preset]
    return list(shape(record, flat)) if has_shape(record) else []


def _is_falco(record: Record) -> bool:
    """Its fields or its text may be left out by its configuration (`json_include_output_property`), never both."""
    if not record.keys() >= {"rule", "priority"}:
        return False
    if "output_fields" in record:
        return isinstance(record["output_fields"], dict) and bool({"output", "time"} & record.keys())
    return record.keys() >= {"output", "time", "source"} and str(record["priority"]).lower() in _SEVERITIES


def _falco(record: Record, flat: Flat) -> Iterator[Shaped]:
    inner = {key.removeprefix("output_fields."): value for key, value in flat.items()}
    mapped = {name: value for name, value in renamed(inner, _FALCO).items() if value not in {"", "<NA>", None}}
    if not str(mapped.get("TargetFilename", "/")).startswith("/"):  # fd.name of a socket is its two ends
        del mapped["TargetFilename"]
    severity = _SEVERITIES.get(str(record["priority"]).lower(), "")
    fields: dict[str, Value] = {**inner, **mapped, "severity": severity}
    host, time = str(record.get("hostname") or ""), flat.get("time", inner.get("evt.time"))
    parts = (record.get("uuid") or [record.get("time"), host, record["rule"], record.get("output")]) if time else ""
    key = str(parts)
    yield Shaped(Logsource("falco", service="alert"), fields, time, host, key)
    category = _falco_activity(fields)
    if category:
        yield Shaped(Logsource(category=category), fields, time, host, key)


def _falco_activity(fields: Flat) -> str:
    call = str(fields.get("evt.type", ""))
    if call in _OPENS and fields.get("evt.is_open_write") in {True, "true"} and "TargetFilename" in fields:
        return "file_event"
    for category, calls, needed in _FALCO_ACTIVITIES:
        if call in calls and all(name in fields for name in needed):
            return category
    return ""


def _is_suricata(record: Record) -> bool:
    kind = record.get("event_type")
    return isinstance(kind, str) and "timestamp" in record and bool({"flow_id", "src_ip", kind} & record.keys())


def _suricata(record: Record, flat: Flat) -> Iterator[Shaped]:
    kind, time, host = str(record["event_type"]), flat.get("timestamp"), str(record.get("host") or "")
    fields = {**flat, **renamed(flat, _SURICATA)}
    yield Shaped(Logsource("suricata", service=kind), fields, time, host)
    if kind == "http":
        yield Shaped(Logsource("suricata", "proxy"), {**fields, **renamed(flat, _PROXY)}, time, host)
    if kind == "dns" and isinstance(flat.get("dns.rrname"), str):
        query: dict[str, Value] = {"query": flat["dns.rrname"], "record_type": flat.get("dns.rrtype")}
        yield Shaped(Logsource("suricata", "dns"), {**fields, **query}, time, host)


def _sysmon(record: Record, flat: Flat) -> Iterator[Shaped]:
    fields, category = sysmon_fields(record)
    time = fields.get("UtcTime")
    stamp = f"{time}Z" if isinstance(time, str) and time[-1:].isdigit() else time  # its name says that it is UTC
    service = "" if category else "sysmon"
    number = fields.get("EventRecordID")  # it begins anew where Sysmon's state is deleted, so the time names it, too
    key = f"{fields.get('Computer', '')}:{number}:{time}" if number is not None else ""
    own = {
        name: value
        for name, value in flat.items()
        if isinstance(value, str) and value != "-" and not value.startswith("<Event>")
    }
    yield Shaped(Logsource("linux", category, service), {**own, **fields}, stamp, str(fields.get("Computer", "")), key)


def _is_kubernetes(record: Record) -> bool:
    return record.get("kind") == "Event" and str(record.get("apiVersion", "")).startswith("audit.k8s.io/")


def _kubernetes(record: Record, flat: Flat) -> Iterator[Shaped]:
    fields = {**flat, **renamed(flat, _KUBERNETES)}
    addresses = flat.get("sourceIPs")
    if isinstance(addresses, tuple) and addresses:
        fields["src_ip"] = addresses[0]
    asked = record.get("requestObject")
    for name, wanted in (("hostPath", "path"), ("capabilities", "add")):
        found = tuple(_found_below(asked, name, wanted))
        if found:
            fields[name] = found
    if any(value is True for value in _values_of(asked, "privileged")):
        fields["privileged"] = "true"
    time = flat.get("stageTimestamp", flat.get("requestReceivedTimestamp"))
    key = f"{record['auditID']}:{record.get('stage', '')}" if record.get("auditID") else ""
    yield Shaped(Logsource("kubernetes", service="audit"), fields, time, "", key)


def _values_of(value: Any, key: str, depth: int = 0) -> Iterator[Any]:
    """Every value of a key, however deep (as deep as any object of Kubernetes is)."""
    if depth > 24:  # noqa: PLR2004 - deeper than a pod in a template in a list
        return
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, dict) and key in value:
        yield value[key]
    for one in inner:
        yield from _values_of(one, key, depth + 1)


def _found_below(value: Any, key: str, wanted: str) -> Iterator[str]:
    for found in _values_of(value, key):
        inner = found.get(wanted, "") if isinstance(found, dict) else found
        for one in inner if isinstance(inner, list) else [inner]:
            yield str(one)


def _alertmanager(record: Record, flat: Flat) -> Iterator[Shaped]:
    """One event for each alert of a notification. It happened now: a firing alert is told again and again, and its
    `startsAt` may be days ago.
    """
    for alert in record["alerts"]:
        if isinstance(alert, dict):
            yield _one_alert(alert, {name: flat[name] for name in ("receiver", "groupKey") if name in flat})


def _one_alert(alert: Record, around: Flat) -> Shaped:
    labels, notes = (_texts(alert.get(name)) for name in ("labels", "annotations"))
    ends = str(alert.get("endsAt", "")) if alert.get("status") == "resolved" else ""
    simple = {name: str(alert[name]) for name in ("status", "startsAt", "generatorURL", "fingerprint") if name in alert}
    fields: dict[str, Value] = {
        **around,
        **{f"labels.{name}": value for name, value in labels.items()},
        **{f"annotations.{name}": value for name, value in notes.items()},
        **simple,
        **{name: labels[name] for name in ("alertname", "instance", "job") if name in labels},
        "severity": _SEVERITIES.get(labels.get("severity", "").lower(), labels.get("severity", "").lower()),
        **({"endsAt": ends} if ends else {}),
    }
    named = [simple.get(name, "") for name in ("fingerprint", "startsAt", "status")]
    return Shaped(
        Logsource("alertmanager", service="alert"),
        fields,
        host=_host_of(labels),
        key=str([*named, ends]) if named[0] else "",
    )


def _texts(value: Any) -> dict[str, str]:
    return {str(name): str(inner) for name, inner in value.items()} if isinstance(value, dict) else {}


def _host_of(labels: Mapping[str, str]) -> str:
    """The host that an alert is about: `instance` is usually host:port."""
    named = next((labels[name] for name in ("host", "hostname", "nodename", "node") if labels.get(name)), "")
    instance = labels.get("instance", "")
    host, _, port = instance.rpartition(":")
    return named or (host.strip("[]") if port.isdigit() and host else instance)


def renamed(flat: Flat, names: Mapping[str, tuple[str, ...]]) -> dict[str, Value]:
    """Our names with the value of the first of their keys that the record has."""
    found = {ours: next((flat[key] for key in keys if flat.get(key) is not None), None) for ours, keys in names.items()}
    return {name: value for name, value in found.items() if value is not None}


_PRESETS: Mapping[str, tuple[Callable[[Record], bool], Callable[[Record, Flat], Iterator[Shaped]]]] = {
    "falco": (_is_falco, _falco),
    "kubernetes_audit": (_is_kubernetes, _kubernetes),
    "alertmanager": (is_notification, _alertmanager),
    "sysmon": (is_sysmon, _sysmon),
    "suricata": (_is_suricata, _suricata),
}
