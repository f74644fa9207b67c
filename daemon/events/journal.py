"""JSON records that carry a program's log line: journald's (`journalctl -o json`), and those of syslog forwarders.

A journal has a value that is no clean text (a control character, a stray byte) as an array of its bytes: it is put
together again, because a message must not hide from rules by holding one. Who said something is the sender's word
(`SYSLOG_IDENTIFIER`); what journald saw of the sender decides whether it is believed (`vouching`). A message that is
not its program's own becomes a plain event of service `syslog`: `claimed_program` and `claimed_service` are what it
would have been, `program` is who sent it, and `trust` says why.
"""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from daemon.events.audit_in_syslog import parse_syslogged_record
from daemon.events.messages import understand, unfold
from daemon.events.programs import plain_name
from daemon.events.vouching import is_claim, judge
from daemon.model import Value

_FORWARDED = (("programname", "msg"), ("programname", "message"), ("appname", "message"), ("ident", "message"))
"""Keys of the program and of its words: rsyslog, Vector, Fluentd."""
_LONGEST_AUDIT = 16_384
_BYTES = range(256)
_NUMBER = re.compile(r"[0-9]{1,19}")


class Said(Struct, frozen=True):
    """What a record says in a program's name: Sigma's service, all fields, and how many messages it stands for."""

    service: str
    fields: dict[str, Value]
    times: int = 1


def said_by_program(record: Mapping[str, Any], fields: Mapping[str, Value]) -> Said | None:
    """The service and fields of a record (`fields`: its own, flat); None where it names no program, or says nothing.

    The record's own keys win over what its message is found to say.
    """
    own = {**fields, **_texts_of_bytes(record)} if _is_journal(record) else dict(fields)
    program, message = _program_and_message(own)
    if not message:
        return Said(understand(program, "")[0], own) if program and "SYSLOG_IDENTIFIER" in own else None
    transport = own.get("_TRANSPORT")
    if transport == "audit":
        return Said("auditd", {**own, **_audit_record(own, message), "program": program})
    times, once = unfold(message)
    service, said = understand(program, once, _number(own.get("SYSLOG_FACILITY")))
    if service == "syslog" and not said and "SYSLOG_IDENTIFIER" not in own and "_COMM" not in own:
        return None
    trust = judge(program, own, action=str(said.get("action", "")), of_auth=once.startswith(("pam_", "PAM ")))
    if not trust.believed:
        claim = {"claimed_program": program, "claimed_service": service, "trust": trust.value}
        return Said("syslog", {**own, "program": sender_of(own), **claim})
    return Said(service, {**said, **own, "program": program} | ({"trust": trust.value} if trust else {}), times)


def sender_of(fields: Mapping[str, Value]) -> str:
    """The program that really sent it, as far as journald saw: by its path, where its name is one to lie in."""
    exe, comm = (value if isinstance(value, str) else "" for value in (fields.get("_EXE"), fields.get("_COMM")))
    name = exe.rpartition("/")[2] or comm
    if is_claim(plain_name(name)):
        return exe or "unknown"
    return name or "unknown"


def _is_journal(record: Mapping[str, Any]) -> bool:
    return "MESSAGE" in record or "__REALTIME_TIMESTAMP" in record


def _texts_of_bytes(record: Mapping[str, Any]) -> dict[str, Value]:
    """The fields of a journal (their names are in capitals) whose value is an array of bytes."""
    arrays = {key: value for key, value in record.items() if isinstance(value, list) and key == key.upper()}
    return {
        key: bytes(value).decode("utf-8", "backslashreplace")
        for key, value in arrays.items()
        if value and all(type(item) is int and item in _BYTES for item in value)
    }


def _program_and_message(fields: Mapping[str, Value]) -> tuple[str, str]:
    program, message = fields.get("SYSLOG_IDENTIFIER", fields.get("_COMM")), fields.get("MESSAGE")
    if isinstance(program, str):
        return program, message if isinstance(message, str) else ""
    for program_key, message_key in _FORWARDED:
        program, message = fields.get(program_key), fields.get(message_key)
        if isinstance(program, str) and isinstance(message, str):
            return program, message
    return "", ""


def _audit_record(fields: Mapping[str, Value], message: str) -> Mapping[str, Value]:
    """The record that journald read from the audit socket: `MESSAGE` is its type's name and its text."""
    name, _, text = message[:_LONGEST_AUDIT].partition(" ")
    microseconds, serial = _number(fields.get("_SOURCE_REALTIME_TIMESTAMP")), _number(fields.get("_AUDIT_ID"))
    stamp = f"audit({(microseconds or 0) // 1_000_000}.{(microseconds or 0) // 1000 % 1000:03}:{serial or 0})"
    return parse_syslogged_record("audispd", f"type={name} msg={stamp}: {text}")


def _number(value: Value) -> int | None:
    return int(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else None
