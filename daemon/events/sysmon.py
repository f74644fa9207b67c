"""Sysmon for Linux: its XML, wherever a collector puts it, and the JSON that others make of it → Sysmon's own names.

The XML is read for its `Data` elements alone, by a pattern: no entity is resolved but the five of XML and numbers, and
nothing nests. Values that are `-` are none (Sysmon's own sign for that).
"""

import html
import re
from collections.abc import Mapping
from typing import Any

from daemon.events.vouching import judge
from daemon.model import Value

_LONGEST = 262_144
_DATA = re.compile(r'<Data Name="([A-Za-z0-9]{1,64})">([^<]{0,65536})</Data>')
_SYSTEM = re.compile(r"<(EventID|EventRecordID|Computer)>([^<]{1,256})</\1>")
_PROVIDER = re.compile(r'<Provider Name="Linux-Sysmon"')
_CARRIERS = ("Message", "message", "MESSAGE", "msg", "Event", "event", "Raw", "raw", "xml", "log")
_CATEGORIES = {
    "1": "process_creation",
    "3": "network_connection",
    "4": "sysmon_status",
    "5": "process_termination",
    "9": "raw_access_thread",
    "11": "file_event",
    "16": "sysmon_status",
    "23": "file_delete",
}
_NAME, _TEXT = ("Name", "@Name", "_Name", "-Name"), ("#text", "_text", "$text", "text", "Value", "@value", "content")


def sysmon_xml(record: Mapping[str, Any]) -> str:
    """The XML that a record carries; "" where it carries none of Sysmon's, or (in a journal) somebody else's."""
    if not judge("sysmon", record).believed:
        return ""
    for key in _CARRIERS:
        value = record.get(key)
        if isinstance(value, str) and value.startswith("<Event>") and _PROVIDER.search(value, 0, 512):
            return value[:_LONGEST]
    return ""


def is_sysmon(record: Mapping[str, Any]) -> bool:
    """Whether a record is one of Sysmon for Linux."""
    if sysmon_xml(record):
        return True
    event = _below(record, "Event") or record
    system = _below(event, "System")
    names = {_inner(system, "Provider", "Name"), _inner(system, "Provider", "@Name"), str(system.get("Channel", ""))}
    return bool(_below(event, "EventData")) and any(name.startswith("Linux-Sysmon") for name in names)


def sysmon_fields(record: Mapping[str, Any]) -> tuple[dict[str, Value], str]:
    """The fields of a record in Sysmon's names, and Sigma's category of it ("" for what has none)."""
    xml = sysmon_xml(record)
    fields = _of_xml(xml) if xml else _of_json(_below(record, "Event") or record)
    kept = {name: value for name, value in fields.items() if value not in {"-", ""}}
    return kept, _CATEGORIES.get(str(kept.get("EventID", "")), "")


def _of_xml(xml: str) -> dict[str, Value]:
    found = [*_SYSTEM.findall(xml), *_DATA.findall(xml)]
    return {name: html.unescape(text) for name, text in found}


def _of_json(event: Mapping[str, Any]) -> dict[str, Value]:
    system, data = _below(event, "System"), _below(event, "EventData")
    listed = data.get("Data")
    pairs = dict(_pair(one) for one in listed if isinstance(one, dict)) if isinstance(listed, list) else data
    head = {name: _plain(system[name]) for name in ("EventID", "EventRecordID", "Computer") if name in system}
    return {**head, **{name: _plain(value) for name, value in pairs.items() if name}}


def _pair(one: Mapping[str, Any]) -> tuple[str, Any]:
    name = next((one[key] for key in _NAME if key in one), "")
    return str(name), next((one[key] for key in _TEXT if key in one), "")


def _plain(value: Any) -> str:
    """Numbers as Sysmon's XML has them: as text."""
    if isinstance(value, dict):
        value = next((value[key] for key in _TEXT if key in value), "")
    return "" if value is None else str(value)


def _below(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    inner = value.get(key)
    return inner if isinstance(inner, dict) else {}


def _inner(value: Mapping[str, Any], key: str, name: str) -> str:
    return str(_below(value, key).get(name, ""))
