"""The grammar of one audit record: a line → a `Record` → its fields, decoded.

Bytes first: auditd separates the ENRICHED part by 0x1D, which `str` takes for white space and which a user-space
message may contain. What the kernel cannot quote it writes as upper-case hex without quotes
(see `audit_values`), so quoted means literal and only certain fields may be hex.

What a user-space program says (`msg='…'`) is hostile; what the kernel and auditd say around it is not. So the kernel's
own keys win over keys inside the message, inside it the last `exe= hostname= addr= terminal= res=` wins (libaudit
appends them after the program's text), and upper-case keys count only outside of it.
"""

import re
import zlib
from collections.abc import Iterable, Sequence

from msgspec import Struct

from daemon.events.audit_values import (
    HEX_KEYS,
    NAMED_IDS,
    argument_bytes,
    decode_hex,
    is_hex,
    one_line,
    show,
    to_text,
    unquoted,
)
from daemon.model import Position, Value

_HEAD = re.compile(
    rb"(?:node=([^ ]{0,255}) )?type=([^ ]{1,64}) msg=audit\(([0-9]{1,11}(?:\.[0-9]{1,9})?):([0-9]{1,10})\):? ?"
)
_PAIR = re.compile(r'([^ ="]{1,64}+)=(?:"([^"]*+)"|([^ ]*+))')  # bounded: a block of NULs has no end of a key
_NESTED_KEY = re.compile(r"(?:^|[ (,])([a-z][a-z0-9_-]{0,63})=")
_TRUSTED_TAIL = re.compile(r' exe=("[^"]*"|[^ "]*) \(?hostname=([^ ]*) addr=([^ ]*) terminal=([^ ]*)(?: res=([^ ]*))?$')
_ENRICHED = re.compile(
    "(ARCH|SYSCALL|SADDR|OLD-AUID|OAUID|SAUID|AUID|FSUID|EUID|SUID|OUID|UID|FSGID|EGID|SGID|OGID|GID|ID)="
)
_ARGUMENT = re.compile(rb'a([0-9]{1,7})(?:\[([0-9]{1,7})\])?=("[^"]*"|[^ ]*)')
_ARGC = re.compile(rb"argc=([0-9]{1,10})")
_BARE_HEX = re.compile(r"[a-z][a-z0-9_-]{0,63}=[0-9A-F]+(?![^ ,:()'])")
_AVC = re.compile(r"^avc: +(denied|granted) +\{ ([^}]*) \}(?: +for\b)?")

_KERNEL_KEYS = {
    "SYSCALL": ("comm", "exe", "key"),
    "PATH": ("name",),
    "CWD": ("cwd",),
    "PROCTITLE": ("proctitle",),
    "SOCKADDR": (),
}


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
        to_text(kind),
        to_text(node) if node else "",
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
        return _decode_user_record(record, to_text(line[: record.body]), *said)
    # the kernel writes no 0x1D into its own part, so the one that auditd wrote is the only one
    text = to_text(line).replace("\x1d", " ")
    own = text[record.body :] if line.isascii() else to_text(line[record.body :]).replace("\x1d", " ")
    rewrite = _REWRITES.get(record.kind)
    if rewrite is not None:
        own = rewrite(own)
    pairs = _PAIR.findall(own)
    fields: dict[str, Value] = {key: quoted or bare for key, quoted, bare in pairs}
    if record.kind == "SOCKADDR":
        _keep_saddr_whole(fields, own)
    elif b"\x1d" not in line and ("ARCH=" in own or "ID=" in own):
        _restore_separator(fields, pairs)
    if own.count("ID=") != own.count('ID="'):
        text = _decode_hex(fields, NAMED_IDS, pairs, text)
    text = _decode_hex(fields, _KERNEL_KEYS.get(record.kind, HEX_KEYS), pairs, text)
    fields["type"] = record.kind
    return Decoded(fields, text)


def _decode_user_record(record: Record, head: str, own: str, nested: str, suffix: str) -> Decoded:
    fields: dict[str, Value] = {key: quoted or bare for key, quoted, bare in _PAIR.findall(own)}
    text = _add_nested(fields, nested, f"{head}{own}msg='{nested}' {suffix}".rstrip(" "))
    # auditd names the ids in the order of the record: what the kernel said first, what the program said last
    pairs = _PAIR.findall(suffix)
    fields.update({key: quoted or bare for key, quoted, bare in reversed(pairs) if key.isupper()})
    text = _decode_hex(fields, NAMED_IDS, pairs, text)
    fields["type"] = record.kind
    return Decoded(fields, text)


def _decode_hex(fields: dict[str, Value], keys: Iterable[str], pairs: list[tuple[str, str, str]], text: str) -> str:
    """Decode the fields that stand there as hex, without quotes; gives the text with them shown decoded."""
    for key in keys:
        bare = fields.get(key)
        if isinstance(bare, str) and is_hex(bare) and (key, "", bare) in pairs:
            value = decode_hex(key, bare)
            fields[key] = value
            text = show(text, key, bare, value)
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
            chunks.setdefault(int(number), {})[int(chunk or b"0")] = argument_bytes(value)
    arguments: list[str] = []
    for number in sorted(chunks):
        parts = chunks[number]
        joined = b"".join(parts[index] for index in sorted(parts))
        arguments.append(to_text(joined))
        fields[f"a{number}"] = arguments[-1]
    head = to_text(records[0].line[: records[0].body])
    shown = " ".join(f'{key}="{value}"' for key, value in fields.items() if key not in {"type", "argc"})
    argc_text = f"argc={fields['argc']} " if "argc" in fields else ""
    return Decoded(fields, f"{head}{argc_text}{one_line(shown)}"), tuple(arguments)


def _said_by_program(body: bytes) -> tuple[str, str, str] | None:
    """(what the kernel wrote, what a program said inside msg='…', what auditd appended), if it is such a record.

    Before msg=' the kernel writes only numbers and a security label; a quote there means that msg=' stands in a value.
    The message ends at the last quote: it may contain quotes itself. What auditd appends may have one only in a name
    (`UID="o'brien"`), so a line that goes on after the message is cut at the last separator.
    """
    start = body.find(b"msg='")
    if start < 0 or b'"' in body[:start]:
        return None
    end = body.rfind(b"'\x1d") if body[-1:] == b'"' else -1
    if end < 0:
        end = body.rfind(b"'")
    if end <= start + 4:
        end = len(body)
    return to_text(body[:start]), to_text(body[start + 5 : end]), to_text(body[end + 1 :]).lstrip("\x1d ")


def _modern_login(own: str) -> str:
    """Kernels before 3.x wrote `old auid=… new auid=…`; later ones `old-auid=… auid=…`."""
    return (
        own.replace("old auid=", "old-auid=")
        .replace("new auid=", "auid=")
        .replace("old ses=", "old-ses=")
        .replace("new ses=", "ses=")
    )


def _decision(own: str) -> str:
    """SELinux says `avc:  denied  { read write } for …`; the names are those of auparse."""
    return _AVC.sub(lambda found: f"seresult={found[1]} seperms={','.join(found[2].split())}", own)


_REWRITES = {"LOGIN": _modern_login, "AVC": _decision}


def _restore_separator(fields: dict[str, Value], pairs: list[tuple[str, str, str]]) -> None:
    """Some copies of ENRICHED logs lost the 0x1D (`key=(null)ARCH=x86_64`): cut the value where the first key begins.

    Only values without quotes can hide one, and the kernel lets no hostile text into those; after a quoted value the
    first key was found anyway.
    """
    for key, _, bare in tuple(pairs):
        hidden = _ENRICHED.search(bare) if "=" in bare else None
        if hidden is not None and hidden.start() > 0:
            fields[key] = bare[: hidden.start()]
            fields[hidden[1]] = bare[hidden.end() :].strip('"')
            pairs.append((key, "", bare[: hidden.start()]))


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
    shown: dict[str, str] = {}
    for key, value in _nested_pairs(_decision(nested)):
        if key in HEX_KEYS and is_hex(value):
            said[key] = decode_hex(key, value)
            bare = f"{key}={value}"
            shown[bare] = show(bare, key, value, said[key])
        else:
            said[key] = unquoted(value)
    if shown:  # at once, however often a hostile message repeats a key
        text = _BARE_HEX.sub(lambda found: shown.get(found[0], found[0]), text)
    start = nested.rfind(" exe=")
    tail = _TRUSTED_TAIL.match(nested, start) if start >= 0 else None
    if tail is not None:
        names = ("exe", "hostname", "addr", "terminal", "res")
        trusted = zip(names, tail.groups(), strict=True)
        said.update((name, unquoted(value.strip(",)"))) for name, value in trusted if value is not None)
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
