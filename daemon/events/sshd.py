"""What sshd says → fields. Everything between the fixed words may be chosen by an attacker.

So each pattern is anchored at the end that sshd itself wrote: where a user name comes before the address, the name is
taken greedily and the *last* ` from A port N` counts; where the attacker's text comes last (the reason of a
disconnect), the first address counts. A user called `root from 192.0.2.1 port 1 ssh2` forges nothing.
"""

import re

from daemon.model import Value

_AT = r"(?P<src>[^ ]{1,255})"
_PORT = r"port (?P<port>[0-9]{1,5})"
_AT_PORT = rf"{_AT}(?: {_PORT})?"
_INVALID = r"(?P<invalid>(?:invalid|illegal) user )"
_WHO = rf"{_INVALID}?(?P<user>.*) from {_AT} {_PORT}"
_PEER = rf"(?:{_INVALID}|authenticating user |user )?(?:(?P<user>.*) )?{_AT} {_PORT}"
_HASH = r"[A-Z0-9-]{2,40} (?:SHA256|MD5):[^ ]+"
_KEY = rf"(?:: {_HASH}(?: ID .* \(serial [0-9]+\) CA {_HASH})?)?"
_SSH2 = rf"(?: ssh2{_KEY})?"
_LONGEST = 2048  # sshd cuts its own messages at 1024 bytes; what is longer was not written by it

# (action, result, the message); looked up by its first word
_MESSAGES = (
    ("login_failed", "failure", rf"Failed (?P<method>[^ ]+) for {_WHO}{_SSH2}"),
    ("login", "success", rf"Accepted (?P<method>[^ ]+) for {_WHO}{_SSH2}"),
    ("key_postponed", "", rf"Postponed (?P<method>[^ ]+) for {_WHO}{_SSH2}"),
    ("invalid_user", "failure", rf"Invalid user (?P<user>.*) from {_AT_PORT}"),
    ("invalid_user", "failure", rf"Illegal user (?P<user>.*) from {_AT_PORT}"),
    ("max_attempts", "failure", rf"maximum authentication attempts exceeded for {_WHO}{_SSH2}"),
    ("login_denied", "failure", rf"User (?P<user>.*) from {_AT} not allowed because .*"),
    ("login_denied", "failure", rf"ROOT LOGIN REFUSED FROM {_AT_PORT}"),
    ("disconnect", "", rf"Received disconnect from {_AT}(?: {_PORT}:|: )[0-9]+:.*"),
    ("disconnect", "", rf"Disconnected from {_PEER}"),
    ("disconnect", "", rf"Connection (?:closed|reset) by {_PEER}"),
    ("disconnect", "", rf"Connection (?:closed|reset) by {_AT}"),
    ("disconnect", "", rf"Disconnecting {_PEER}: [^:]*"),
    ("disconnect", "", rf"Disconnecting: Too many authentication failures(?: for {_INVALID}?(?P<user>.*))?"),
    ("connection", "", rf"Connection from {_AT} {_PORT} on .*"),
    ("no_identification", "", rf"Did not receive identification string from {_AT_PORT}"),
    ("bad_protocol", "", rf"Bad protocol version identification '.*' from {_AT_PORT}"),
    ("bad_protocol", "", rf"banner exchange: Connection from {_AT} {_PORT}: .*"),
    ("bad_protocol", "", rf"Unable to negotiate with {_AT} {_PORT}: .*"),
    ("bad_protocol", "", rf"ssh_dispatch_run_fatal: Connection from {_PEER}: [^:]*"),
    ("timeout", "", rf"Timeout before authentication for connection from {_AT} to .*"),
    ("timeout", "", rf"Timeout before authentication for {_AT_PORT}"),
    ("penalised", "", r"drop connection #[0-9]+ from \[(?P<src>[^ \]]{1,255})\]:(?P<port>[0-9]{1,5}) on .*"),
    ("session", "", rf"Starting session: .* for (?P<user>.*) from {_AT} {_PORT}(?: id [0-9]+)?"),
    ("break_in_attempt", "", r"reverse mapping checking getaddrinfo for .* \[(?P<src>[^ \]]{1,255})\] failed.*"),
    ("break_in_attempt", "", rf"Address {_AT} maps to .*, but this does not map back to the address.*"),
)
_LEVEL = re.compile(r"(?:error|fatal|debug[123]?): ")
_ADDRESS = re.compile(r"[0-9A-Fa-f.:]{2,45}(?:%[A-Za-z0-9_.-]{1,15})?")


def _by_first_word() -> dict[str, list[tuple[str, str, re.Pattern[str]]]]:
    table: dict[str, list[tuple[str, str, re.Pattern[str]]]] = {}
    for action, result, pattern in _MESSAGES:
        row = (action, result, re.compile(rf"{pattern}(?: \[preauth\])?"))
        table.setdefault(pattern.partition(" ")[0], []).append(row)
    return table


_PATTERNS = _by_first_word()


def parse_sshd(message: str) -> dict[str, Value]:
    """`action`, `result`, `user`, `method`, `invalid_user`, `src_ip` (or `src_host`), `src_port`: what the message has.

    Empty for messages that we have no pattern for.
    """
    if len(message) > _LONGEST:
        return {}
    level = _LEVEL.match(message)
    said = message[level.end() :] if level else message
    for action, result, pattern in _PATTERNS.get(said.partition(" ")[0], ()):
        match = pattern.fullmatch(said)
        if match is not None:
            return _fields(action, result, match.groupdict())
    return {}


def _fields(action: str, result: str, groups: dict[str, str | None]) -> dict[str, Value]:
    fields: dict[str, Value] = {"action": action}
    if result:
        fields["result"] = result
    for name, key in (("method", "method"), ("port", "src_port")):
        value = groups.get(name)
        if value:
            fields[key] = value
    user = groups.get("user")
    if user is not None:
        fields["user"] = user
        fields["invalid_user"] = "true" if groups.get("invalid") or action == "invalid_user" else "false"
    return fields | source_fields(groups.get("src") or "")


def source_fields(source: str) -> dict[str, Value]:
    """`src_ip` for an address, `src_host` for a name (`UseDNS yes`), nothing for nothing."""
    if not source:
        return {}
    return {"src_ip" if _ADDRESS.fullmatch(source) else "src_host": source}
