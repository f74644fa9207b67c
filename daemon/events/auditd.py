"""The grammar of one audit record: a line → a `Record` → its fields, decoded.

Bytes first: auditd separates the ENRICHED part by 0x1D, which `str` takes for white space and which a user-space
message may contain. What the kernel cannot quote it writes as upper-case hex without quotes
(`audit_log_untrustedstring` in `kernel/audit.c`), so quoted means literal and only certain fields may be hex.

What a user-space program says (`msg='…'`) is hostile; what the kernel and auditd say around it is not. So the kernel's
own keys win over keys inside the message, inside it the last `exe= hostname= addr= terminal= res=` wins (libaudit
appends them after the program's text), and upper-case keys count only outside of it.
"""

import re
import zlib
from collections.abc import Iterable, Sequence

from msgspec import Struct

from daemon.model import Position, Value

_HEAD = re.compile(
    rb"(?:node=([^ ]{0,255}) )?type=([^ ]{1,64}) msg=audit\(([0-9]{1,11}(?:\.[0-9]{1,9})?):([0-9]{1,10})\):? ?"
)
_PAIR = re.compile(r'([^ ="]+)=(?:"([^"]*)"|([^ ]*))')
_NESTED_KEY = re.compile(r"(?:^|[ (,])([a-z][a-z0-9_-]{0,63})=")
_TRUSTED_TAIL = re.compile(r' exe=("[^"]*"|[^ "]*) \(?hostname=([^ ]*) addr=([^ ]*) terminal=([^ ]*)(?: res=([^ ]*))?$')
_ENRICHED = re.compile(
    "(ARCH|SYSCALL|SADDR|OLD-AUID|OAUID|SAUID|AUID|FSUID|EUID|SUID|OUID|UID|FSGID|EGID|SGID|OGID|GID|ID)="
)
_HEX = re.compile(r"(?:[0-9A-F]{2})+")
_ARGUMENT = re.compile(rb'a([0-9]{1,7})(?:\[([0-9]{1,7})\])?=("[^"]*"|[^ ]*)')
_ARGC = re.compile(rb"argc=([0-9]{1,10})")
_CONTROLS = dict.fromkeys([*range(32), 127], " ")

_HEX_KEYS = frozenset(
    {
        *("acct", "cmd", "comm", "cwd", "data", "device", "dir", "exe", "file", "grp", "invalid_context", "key"),
        *("label", "name", "new-disk", "new-fs", "new-net", "ocomm", "old-disk", "old-fs", "old-net", "path"),
        *("peer", "proctitle", "profile", "root_dir", "sw", "target", "vm", "watch"),
    }
)
_KERNEL_KEYS = {
    "SYSCALL": ("comm", "exe", "key"),
    "PATH": ("name",),
    "CWD": ("cwd",),
    "PROCTITLE": ("proctitle",),
    "SOCKADDR": (),
}
_KEY_SEPARATOR = "\x01"


class Record(Struct, frozen=True, gc=False):
    """One audit line, its head taken apart.

    `stamp` is the time as written (it is part of the event's identity), `body` where the head ends, `digest` the
    CRC-32 of the line: it tells the records of one event apart, whatever their order.
    """

    kind: str
    node: str
    stamp: str
    serial: int
    at: float
    line: bytes
    body: int
    digest: int
    position: Position


class Decoded(Struct, frozen=True):
    """A record for rules to look at: its own keys, and the record as one line of decoded text."""

    fields: dict[str, Value]
    text: str


def parse_record(line: bytes, position: Position) -> Record | None:
    """The record of one line (without its newline); None when it is none (torn, empty, foreign)."""
    head = _HEAD.match(line)
    if head is None:
        return None
    node, kind, stamp, serial = head.groups()
    return Record(
        kind.decode("utf-8", "backslashreplace"),
        node.decode("utf-8", "backslashreplace") if node else "",
        stamp.decode("ascii"),
        int(serial),
        float(stamp),
        line,
        head.end(),
        zlib.crc32(line),
        position,
    )


def decode_record(record: Record) -> Decoded:
    """The fields of one record. For EXECVE use `decode_execve`, which wants all of them at once."""
    line = record.line
    said = _said_by_program(line[record.body :]) if record.kind not in _KERNEL_KEYS else None
    if said is not None:
        return _decode_user_record(record, _str(line[: record.body]), *said)
    # the kernel writes no 0x1D into its own part, so the one that auditd wrote is the only one
    text = _str(line).replace("\x1d", " ")
    own = text[record.body :] if text.isascii() else _str(line[record.body :]).replace("\x1d", " ")
    if record.kind == "LOGIN":
        own = _modern_login(own)
    fields: dict[str, Value] = {key: quoted or bare for key, quoted, bare in _PAIR.findall(own)}
    if record.kind == "SOCKADDR":
        _keep_saddr_whole(fields, own)
    elif b"\x1d" not in line and ("ARCH=" in own or "ID=" in own):
        _restore_separator(fields, own)
    text = _decode_hex(fields, _KERNEL_KEYS.get(record.kind, _HEX_KEYS), own, text)
    fields["type"] = record.kind
    return Decoded(fields, text)


def _decode_user_record(record: Record, head: str, own: str, nested: str, suffix: str) -> Decoded:
    fields: dict[str, Value] = {key: quoted or bare for key, quoted, bare in _PAIR.findall(own)}
    text = _add_nested(fields, nested, f"{head}{own}msg='{nested}' {suffix}".rstrip(" "))
    fields.update((key, quoted or bare) for key, quoted, bare in _PAIR.findall(suffix) if key.isupper())
    fields["type"] = record.kind
    return Decoded(fields, text)


def _decode_hex(fields: dict[str, Value], keys: Iterable[str], own: str, text: str) -> str:
    """Decode the fields that the kernel wrote as hex; gives the text with them shown decoded."""
    for key in keys:
        bare = fields.get(key)
        if isinstance(bare, str) and _HEX.fullmatch(bare) and f"{key}={bare}" in own:
            value = _decoded_value(key, bytes.fromhex(bare))
            fields[key] = value
            text = _show(text, key, bare, value)
    return text


def decode_execve(records: Sequence[Record]) -> tuple[Decoded, tuple[str, ...]]:
    """All EXECVE records of one event as one record, and its argument vector.

    Long arguments come in chunks (`a2[0]=… a2[1]=…`), many arguments in several records; chunks are joined as bytes
    before they are decoded, because a chunk may end inside a character.
    """
    chunks: dict[int, dict[int, bytes]] = {}
    fields: dict[str, Value] = {"type": "EXECVE"}
    for record in records:
        body = record.line[record.body :]
        argc = _ARGC.match(body)
        if argc:
            fields["argc"] = argc[1].decode("ascii")
        for number, chunk, value in _ARGUMENT.findall(body):
            chunks.setdefault(int(number), {})[int(chunk or b"0")] = _argument_bytes(value)
    arguments: list[str] = []
    for number in sorted(chunks):
        parts = chunks[number]
        joined = b"".join(parts[index] for index in sorted(parts))
        arguments.append(joined.decode("utf-8", "backslashreplace"))
        fields[f"a{number}"] = arguments[-1]
    head = records[0].line[: records[0].body].decode("utf-8", "backslashreplace")
    shown = " ".join(f'{key}="{value}"' for key, value in fields.items() if key not in {"type", "argc"})
    argc_text = f"argc={fields['argc']} " if "argc" in fields else ""
    return Decoded(fields, f"{head}{argc_text}{shown.translate(_CONTROLS)}"), tuple(arguments)


def _argument_bytes(value: bytes) -> bytes:
    if value[:1] == b'"':
        return value[1:-1] if len(value) > 1 and value[-1:] == b'"' else value[1:]
    try:
        # old kernels wrote clean arguments without quotes: what is no upper-case hex is literal
        return bytes.fromhex(value.decode("ascii")) if value.upper() == value else value
    except ValueError:
        return value


def _said_by_program(body: bytes) -> tuple[str, str, str] | None:
    """(what the kernel wrote, what a program said inside msg='…', what auditd appended), if it is such a record.

    Before msg=' the kernel writes only numbers and a security label; a quote there means that msg=' stands in a value.
    The message ends at the last quote: it may contain quotes itself, and what auditd appends has none.
    """
    start = body.find(b"msg='")
    if start < 0 or b'"' in body[:start]:
        return None
    end = body.rfind(b"'")
    if end <= start + 4:
        end = len(body)
    return _str(body[:start]), _str(body[start + 5 : end]), _str(body[end + 1 :]).lstrip("\x1d ")


def _str(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


def _unquoted(value: str) -> str:
    if value[:1] != '"':
        return value
    return value[1:-1] if len(value) > 1 and value[-1] == '"' else value[1:]


def _decoded_value(key: str, data: bytes) -> Value:
    if key == "proctitle":
        return data.rstrip(b"\0").replace(b"\0", b" ").decode("utf-8", "backslashreplace")
    value = data.decode("utf-8", "backslashreplace")
    if key == "key" and _KEY_SEPARATOR in value:
        return tuple(part for part in value.split(_KEY_SEPARATOR) if part)
    return value


def _show(text: str, key: str, bare: str, value: Value) -> str:
    values = value if isinstance(value, tuple) else (value,)
    shown = " ".join(f'{key}="{one}"' for one in values).translate(_CONTROLS)
    return text.replace(f"{key}={bare}", shown, 1)


def _modern_login(own: str) -> str:
    """Kernels before 3.x wrote `old auid=… new auid=…`; later ones `old-auid=… auid=…`."""
    return (
        own.replace("old auid=", "old-auid=")
        .replace("new auid=", "auid=")
        .replace("old ses=", "old-ses=")
        .replace("new ses=", "ses=")
    )


def _restore_separator(fields: dict[str, Value], own: str) -> None:
    """Some copies of ENRICHED logs lost the 0x1D (`key=(null)ARCH=x86_64`): cut the value where the first key begins.

    Only values without quotes can hide one, and the kernel lets no hostile text into those; after a quoted value the
    first key was found anyway.
    """
    for key, _, bare in _PAIR.findall(own):
        hidden = _ENRICHED.search(bare) if "=" in bare else None
        if hidden is not None and hidden.start() > 0:
            fields[key] = bare[: hidden.start()]
            fields[hidden[1]] = bare[hidden.end() :].strip('"')


def _keep_saddr_whole(fields: dict[str, Value], own: str) -> None:
    """Auditd's reading of an address (`SADDR={ … }`) may hold a hostile socket path: no keys out of that."""
    raw, found, reading = own.partition("SADDR=")
    if found:
        fields.clear()
        fields["saddr"] = raw.removeprefix("saddr=").rstrip(" ")
        fields["SADDR"] = reading


def _add_nested(fields: dict[str, Value], nested: str, text: str) -> str:
    """Add what a program said; the kernel's own keys stay. Gives the text with hex shown decoded."""
    said: dict[str, Value] = {}
    for key, value in _nested_pairs(nested):
        if key in _HEX_KEYS and _HEX.fullmatch(value):
            decoded = _decoded_value(key, bytes.fromhex(value))
            text = _show(text, key, value, decoded)
            said[key] = decoded
        else:
            said[key] = _unquoted(value)
    start = nested.rfind(" exe=")
    tail = _TRUSTED_TAIL.match(nested, start) if start >= 0 else None
    if tail is not None:
        names = ("exe", "hostname", "addr", "terminal", "res")
        trusted = zip(names, tail.groups(), strict=True)
        said.update((name, _unquoted(value.strip(",)"))) for name, value in trusted if value is not None)
    for key, meant in said.items():
        fields.setdefault(key, meant)
    return text


def _nested_pairs(nested: str) -> Iterable[tuple[str, str]]:
    """`key=value` where a value without quotes runs up to the next key (`op=adding user to group acct="x"`)."""
    match = _NESTED_KEY.search(nested)
    while match is not None:
        start = match.end()
        if nested[start : start + 1] == '"':
            end = nested.find('"', start + 1)
            end = len(nested) if end < 0 else end + 1
            following = _NESTED_KEY.search(nested, end)
            yield match[1], nested[start:end]
        else:
            following = _NESTED_KEY.search(nested, start)
            end = len(nested) if following is None else following.start()
            yield match[1], nested[start:end].rstrip(" ,:()")
        match = following
