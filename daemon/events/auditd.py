"""The grammar of one audit record: a line → a `Record` → its fields, decoded.

Bytes first: auditd separates the ENRICHED part by 0x1D, which `str` takes for white space and which a user-space
message may contain. What the kernel cannot quote it writes as upper-case hex without quotes (`audit_log_untrustedstring`
in `kernel/audit.c`), so quoted means literal and only certain fields may be hex. Other text is kept as it is.

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
_PAIR = re.compile(r'([^ ="]+)=("[^"]*"|[^ ]*)')
_NESTED_KEY = re.compile(r"(?:^|[ (,])([a-z][a-z0-9_-]{0,63})=")
_TRUSTED_TAIL = re.compile(r' exe=("[^"]*"|[^ "]*) \(?hostname=([^ ]*) addr=([^ ]*) terminal=([^ ]*)(?: res=([^ ]*))?$')
_ENRICHED = re.compile(r"(ARCH|SYSCALL|SADDR|(?:OLD-)?AUID|O?AUID|[A-Z]{0,2}[UG]ID|ID)=")
_HEX = re.compile(r"(?:[0-9A-F]{2})+")
_ARGUMENT = re.compile(rb'a([0-9]{1,7})(?:\[([0-9]{1,7})\])?=("[^"]*"|[^ ]*)')
_ARGC = re.compile(rb"argc=([0-9]{1,10})")
_CONTROLS = dict.fromkeys([*range(32), 127], " ")

_HEX_KEYS = frozenset(
    "acct cmd comm cwd data device dir exe file grp invalid_context key label name new-disk new-fs new-net ocomm "
    "old-disk old-fs old-net path peer proctitle profile root_dir sw target vm watch".split()
)
_HEX_KEYS_OF = {
    "SYSCALL": ("comm", "exe", "key"),
    "PATH": ("name",),
    "CWD": ("cwd",),
    "PROCTITLE": ("proctitle",),
    "SOCKADDR": (),
}
_KEY_SEPARATOR = "\x01"


class Record(Struct, frozen=True, gc=False):
    """One audit line, its head taken apart. `stamp` is the time as written (it is part of the event's identity)."""

    kind: str
    node: str
    stamp: str
    serial: int
    at: float
    line: bytes
    body: int
    position: Position

    @property
    def digest(self) -> int:
        """CRC-32 of the line: tells the records of one event apart, whatever their order."""
        return zlib.crc32(self.line)


class Decoded(Struct, frozen=True):
    """A record for rules to look at: its own keys, and the record as one line of decoded text."""

    fields: dict[str, Value]
    text: str


def parse_record(line: bytes, position: Position) -> Record | None:
    """The record of one line (without `\\n`); None when it is none (torn, empty, foreign)."""
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
        position,
    )


def decode_record(record: Record) -> Decoded:
    """The fields of one record. For EXECVE use `decode_execve`, which wants all of them at once."""
    own, nested, suffix = _parts(record.line[record.body :], user_space=record.kind not in _HEX_KEYS_OF)
    pairs = dict(_PAIR.findall(_modern_login(own) if record.kind == "LOGIN" else own))
    if suffix is None:
        _restore_separator(pairs)
    text = _text(record.line)
    decoded: dict[str, Value] = {}
    for key in _HEX_KEYS_OF.get(record.kind) or pairs.keys() & _HEX_KEYS:
        bare = pairs.get(key, "")
        if bare[:1] != '"' and _HEX.fullmatch(bare):
            decoded[key] = _decoded_value(key, bytes.fromhex(bare))
            text = _show(text, key, bare, decoded[key])
    fields: dict[str, Value] = {key: _unquoted(value) for key, value in pairs.items()}
    fields.update(decoded)
    if nested is not None:
        text = _add_nested(fields, nested, text)
    if suffix:
        _add_suffix(fields, suffix)
    fields["type"] = record.kind
    return Decoded(fields, text)


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


def _parts(body: bytes, *, user_space: bool) -> tuple[str, str | None, str | None]:
    """(what the kernel wrote, what a program said inside msg='…', what auditd appended; None where absent)."""
    start = body.find(b"msg='") if user_space else -1
    if start >= 0 and b'"' not in body[:start]:
        end = body.rfind(b"'")
        if end <= start + 4:
            end = len(body)
        return _str(body[:start]), _str(body[start + 5 : end]), _str(body[end + 1 :]).lstrip("\x1d ")
    own, separator, suffix = body.partition(b"\x1d")
    if separator:
        return _str(own), None, _str(suffix)
    return _str(own), None, None if b"=" in own else ""


def _str(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


def _text(line: bytes) -> str:
    return line.decode("utf-8", "backslashreplace").replace("\x1d", " ")


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


def _restore_separator(pairs: dict[str, str]) -> None:
    """Some copies of ENRICHED logs lost the 0x1D (`key=(null)ARCH=x86_64`): cut the value where the first key begins.

    Only values without quotes can hide one, and the kernel lets no hostile text into those.
    """
    for key, value in [*pairs.items()]:
        if "=" not in value or value[0] == '"':
            continue
        hidden = _ENRICHED.search(value)
        if hidden is not None and hidden.start() > 0:
            pairs[key] = value[: hidden.start()]
            pairs[hidden[1]] = value[hidden.end() :]


def _add_suffix(fields: dict[str, Value], suffix: str) -> None:
    if suffix.startswith("SADDR="):  # its braces may hold a hostile socket path
        fields["SADDR"] = suffix.removeprefix("SADDR=")
        return
    fields.update((key, _unquoted(value)) for key, value in _PAIR.findall(suffix) if key.isupper())


def _add_nested(fields: dict[str, Value], nested: str, text: str) -> str:
    """Add what a program said; the kernel's own keys stay. Gives the text with hex shown decoded."""
    said: dict[str, Value] = {}
    for key, value in _nested_pairs(nested):
        if key in _HEX_KEYS and _HEX.fullmatch(value):
            said[key] = _decoded_value(key, bytes.fromhex(value))
            text = _show(text, key, value, said[key])
        else:
            said[key] = _unquoted(value)
    start = nested.rfind(" exe=")
    tail = _TRUSTED_TAIL.match(nested, start) if start >= 0 else None
    if tail is not None:
        names = ("exe", "hostname", "addr", "terminal", "res")
        trusted = zip(names, tail.groups(), strict=True)
        said.update((name, _unquoted(value.strip(",)"))) for name, value in trusted if value is not None)
    for key, value in said.items():
        fields.setdefault(key, value)
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
