"""What sshd says → fields. A user name, a certificate's id, a service or a reason in it may be an attacker's.

Three facts about OpenSSH (auth.c, auth2.c, packet.c and log.c of openssh-portable) decide which part is sshd's own:

* A user name holds no colon: `input_userauth_request` cuts it at the first one. So in a message that *ends* in free
  text (a certificate's id, a reason) what sshd wrote of the peer stands before the first colon that is not of the
  address, and the last address before that colon is the true one.
* In all other messages the *last* ` from A port N` is sshd's, and nothing else is tried: a user called
  `root from 192.0.2.1 port 1 ssh2` forges nothing.
* It cuts its messages at 1023 bytes (a relay that keeps to RFC 3164 a little earlier). One of about that length may
  have lost the end that sshd wrote, so it gives no field that is read from its end.
"""

import re
from collections.abc import Callable

from daemon.events.peers import Fields, is_address, last_place, source_fields, user_fields
from daemon.events.sshd_connections import CONNECTIONS, FROM_THE_START

_LONGEST = 16_384
_CUT = range(960, 1024)

_LEVEL = re.compile(r"(?:error|fatal|debug[123]?): ")
_TYPE, _HASH = r"[A-Za-z0-9-]{2,40}", r"(?:SHA256:|MD5:|\(null\))[^ ,]{0,128}"
_KEY = re.compile(
    rf"(?P<type>{_TYPE}) (?P<print>{_HASH})(?: ID .* \(serial [0-9]{{1,20}}\) CA {_TYPE} {_HASH})?", re.DOTALL
)
_OLD_CERTIFICATE = re.compile(
    rf"(?P<type>{_TYPE}-CERT) ID .* \(serial [0-9]{{1,20}}\) CA {_TYPE} (?P<print>{_HASH})", re.DOTALL
)
_CUT_KEY = re.compile(rf"(?P<type>{_TYPE})(?: (?P<print>{_HASH}))?(?: ID |, client user \")")
_CLIENT = ', client user "'
_KEYED = ("publickey", "hostbased")
_WHAT = re.compile(
    r"Starting session: (?:(?P<plain>(?:shell|command)(?: on [^ ]{1,64})? for )|(?:forced-command|subsystem) .)"
)
_ORDINARY = re.compile(
    r"(?P<verdict>Failed|Accepted) (?P<method>[^ ]{1,64}) for (?P<invalid>invalid user )?(?P<user>[^ ]*) "
    r"from (?P<src_ip>[0-9A-Fa-f:.]{2,45}) port (?P<src_port>[0-9]{1,5}) ssh2"
    rf"(?:: (?P<type>{_TYPE}) (?P<print>{_HASH}))?"
)
"""Most lines: without a blank in the name there is nothing that it could be mistaken for."""
_SAID: dict[str, Fields] = {
    "Failed": {"action": "login_failed", "result": "failure"},
    "Accepted": {"action": "login", "result": "success"},
    "Postponed": {"action": "key_postponed"},
    "Partial": {"action": "login_partial"},
}
_NOT_ALLOWED = (
    *("listed in DenyUsers", "not listed in AllowUsers", "not in any group", "a group is listed in DenyGroups"),
    "none of user's groups are listed in AllowGroups",
)
_DENIED: Fields = {"action": "login_denied", "result": "failure"}


def parse_sshd(message: str) -> Fields:
    """`action`, `result`, `user`, `method`, `invalid_user`, `src_ip` (or `src_host`), `src_port`, `key_type`,
    `fingerprint`: what the message has.

    Empty for messages that are none of sshd's kinds, or that only look like one.
    """
    if len(message) > _LONGEST:
        return {}
    level = _LEVEL.match(message) if message[:1] in "efd" else None
    said = (message[level.end() :] if level else message).removesuffix(" [preauth]")
    parse = _KINDS.get(said.partition(" ")[0])
    if parse is None or (len(message) in _CUT and parse not in _SAFE_WHEN_CUT):
        return {}
    return parse(said)


def _attempt(said: str) -> Fields:
    """`VERDICT METHOD for [invalid user ]U from A port N[ ssh2[: KEY]]`."""
    ordinary = _ORDINARY.fullmatch(said)
    if ordinary is not None and (ordinary["type"] is None or ordinary["method"] in _KEYED):
        return _ordinary(*ordinary.groups())
    verdict, _, rest = said.partition(" ")
    method, _, rest = rest.partition(" ")
    if not rest.startswith("for "):
        return {}
    key: Fields = {}
    if method.startswith("gssapi"):  # the principal follows, of whom the server of tickets has vouched
        body = rest[4:].partition(" ssh2: ")[0].removesuffix(" ssh2")
    else:
        body, key = _without_key(rest[4:], keyed=method in _KEYED)
    placed = last_place(body) if key or len(said) not in _CUT else None
    if placed is None:
        return {}
    return {**_SAID[verdict], "method": method, **user_fields(placed[0]), **placed[1], **key}


def _ordinary(
    verdict: str, method: str, invalid: str | None, user: str, source: str, port: str, kind: str | None, key: str | None
) -> Fields:
    fields: Fields = {
        **_SAID[verdict],
        "method": method,
        "user": user,
        "invalid_user": "true" if invalid else "false",
        "src_ip": source,
        "src_port": port,
    }
    if kind is not None and key is not None:
        fields["key_type"] = kind
        fields["fingerprint"] = key
    return fields


def _without_key(body: str, *, keyed: bool) -> tuple[str, Fields]:
    """The message up to its ` ssh2`, and the key's fields. Only methods that have a key have text behind `ssh2: `.

    The first `ssh2: ` is sshd's, as the name before it holds no colon; one that no key follows is none of its own.
    """
    before, found, text = body.partition(" ssh2: ") if keyed else (body, "", "")
    if not found:
        return body.removesuffix(" ssh2"), {}
    key = _key(text) or (_CUT_KEY.match(text) if len(body) > _CUT.start - 64 else None)
    if key is None:
        before, _, text = body.rpartition(" ssh2: ")
        key = _key(text)
    if key is None:
        return body.removesuffix(" ssh2"), {}
    named = {"key_type": key["type"], "fingerprint": key["print"] or ""}
    return before, {name: value for name, value in named.items() if value}


def _key(text: str) -> re.Match[str] | None:
    """`TYPE HASH[ ID I (serial S) CA TYPE HASH][, client user "U", client host "H"]`, whole."""
    key = _KEY.fullmatch(text) or _OLD_CERTIFICATE.fullmatch(text)
    if key is None and text.endswith('"') and _CLIENT in text:
        key = _KEY.fullmatch(text, 0, text.index(_CLIENT)) or _KEY.fullmatch(text, 0, text.rindex(_CLIENT))
    return key


def _exceeded(said: str) -> Fields:
    """`maximum authentication attempts exceeded for [invalid user ]U from A port N ssh2`."""
    _, found, rest = said.partition(" authentication attempts exceeded for ")
    placed = last_place(rest.removesuffix(" ssh2")) if found else None
    return {"action": "max_attempts", "result": "failure", **user_fields(placed[0]), **placed[1]} if placed else {}


def _invalid(said: str) -> Fields:
    """`Invalid user U from A[ port N]`."""
    placed = last_place(said[13:], port_needed=False) if said[7:13] == " user " else None
    if placed is None:
        return {}
    return {"action": "invalid_user", "result": "failure", **user_fields(placed[0], exists=False), **placed[1]}


def _requested(said: str) -> Fields:
    """`input_userauth_request: invalid user U`: said beside `Invalid user U from A`."""
    user = said.removeprefix("input_userauth_request: invalid user ")
    return {} if user == said else {"action": "auth_request", **user_fields(user, exists=False)}


def _denied(said: str) -> Fields:
    """`User U [from A] not allowed because R`; the user exists, but in a directory it may have any name."""
    before, found, reason = said[5:].rpartition(" not allowed because ")
    if found and reason in _NOT_ALLOWED:
        name, named, source = before.rpartition(" from ")
        if named and source and " " not in source:
            return {**_DENIED, "reason": reason, **user_fields(name, exists=True), **source_fields(source)}
    shell = reason.startswith("shell ") and reason.endswith((" does not exist", " is not executable"))
    if found and (shell or reason in _NOT_ALLOWED or reason == "account is locked"):
        return {**_DENIED, "reason": reason, **user_fields(before, exists=True)}
    return {}


def _denied_by_pam(said: str) -> Fields:
    """`Access denied for user U by PAM account configuration`."""
    user, found, rest = said.removeprefix("Access denied for user ").rpartition(" by PAM account configuration")
    return {**_DENIED, **user_fields(user, exists=True)} if found and not rest and user != said else {}


def _denied_host(said: str) -> Fields:
    """`Authentication tried for U with correct key but not from a permitted host (host=H, ip=A[, …]).`."""
    user, found, rest = said.removeprefix("Authentication tried for ").rpartition(" with correct key but not from ")
    source = rest.rpartition(", ip=")[2].partition(",")[0].rstrip(".").removesuffix(")")
    if not found or not is_address(source):
        return {}
    return {**_DENIED, **user_fields(user, exists=True), **source_fields(source)}


def _root_refused(said: str) -> Fields:
    """`ROOT LOGIN REFUSED FROM A[ port N]`."""
    placed = last_place(said.replace(" FROM ", " from ", 1), port_needed=False)
    if placed is None or placed[0] != "ROOT LOGIN REFUSED":
        return {}
    return {**_DENIED, **user_fields("root", exists=True), **placed[1]}


def _pam(said: str) -> Fields:
    """`PAM: R for [illegal user ]U from A`: said beside the `Failed keyboard-interactive` of the same attempt."""
    placed = last_place(said, port_needed=False)
    reason, found, user = placed[0].removeprefix("PAM: ").partition(" for ") if placed else ("", "", "")
    if placed is None or not found:
        return {}
    return {"action": "auth_failure", "result": "failure", "reason": reason, **user_fields(user), **placed[1]}


def _session(said: str) -> Fields:
    """`Starting session: WHAT for U from A port N[ id I]`; WHAT may name a subsystem of the user's choice."""
    body, found, number = said.rpartition(" id ")
    placed = last_place(body if found and number.isdecimal() else said)
    what = _WHAT.match(placed[0]) if placed else None
    if placed is None or what is None:
        return {}
    user = placed[0][what.end() :] if what["plain"] else placed[0].rpartition("' for ")[2]
    return {"action": "session", **user_fields(user, exists=True), **placed[1]}


def _session_closed(said: str) -> Fields:
    """`Close session: user U from A port N id I`."""
    placed = last_place(said.rpartition(" id ")[0])
    user = placed[0].removeprefix("Close session: user ") if placed else ""
    if placed is None or user == placed[0]:
        return {}
    return {"action": "session_closed", **user_fields(user, exists=True), **placed[1]}


def _subsystem(said: str) -> Fields:
    """`subsystem request for S[ by user U][ failed, subsystem not found]`."""
    said = said.removesuffix(" failed, subsystem not found")
    text = said.removeprefix("subsystem request for ")
    if text == said:
        return {}
    name, found, user = text.rpartition(" by user ")
    if not found:
        return {"action": "subsystem", "subsystem": text}
    return {"action": "subsystem", "subsystem": name, **user_fields(user, exists=True)}


def _sftp_session(said: str) -> Fields:
    """`session opened|closed for local user U from [A]`."""
    what, found, rest = said.partition(" for local user ")
    user, placed, source = rest.removesuffix("]").rpartition(" from [")
    if not found or not placed or what not in {"session opened", "session closed"}:
        return {}
    action = "sftp_" + what.replace(" ", "_")
    return {"action": action, **user_fields(user, exists=True), **source_fields(source)}


_KINDS: dict[str, Callable[[str], Fields]] = {
    **dict.fromkeys(_SAID, _attempt),
    **dict.fromkeys(("Invalid", "Illegal"), _invalid),
    **CONNECTIONS,
    "maximum": _exceeded,
    "input_userauth_request:": _requested,
    "User": _denied,
    "Access": _denied_by_pam,
    "Authentication": _denied_host,
    "ROOT": _root_refused,
    "PAM:": _pam,
    "Starting": _session,
    "Close": _session_closed,
    "subsystem": _subsystem,
    "session": _sftp_session,
}
_SAFE_WHEN_CUT = {_attempt, *FROM_THE_START}
