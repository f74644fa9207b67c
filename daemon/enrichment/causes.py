"""Alert → the cause that an explanation is about, so that ten alerts of one cause take one call of the model. Pure.

A cause is the alert's rule, host, entity and evidence with what is volatile (times, addresses, process ids, counts,
digests) replaced by numbered slots; a value that occurs twice has one slot. What tells causes apart stays: users,
programs, paths, options, exit codes, known ports, the kind of an address, the size of a number. An explanation is kept
with slots for values and filled from the alert at hand, so it never shows another alert's values; the caller grounds
it again before use.
"""

import hashlib
import ipaddress
import json
import math
import re
from collections.abc import Sequence

from msgspec import Struct

from daemon.model import Alert, Explanation

_OPEN, _CLOSE = "\ue000", "\ue001"
_SLOT = re.compile(f"{_OPEN}(\\d{{1,4}}){_CLOSE}")
_PRIVATE_USE = re.compile(f"[{_OPEN}{_CLOSE}]")
_SIMILAR_ID = re.compile(r"\bS\d{1,3}\b")
_MAX_SLOTS = 500
_EPHEMERAL = 32768
"""First port of Linux's default range for outgoing connections (net.ipv4.ip_local_port_range)."""

_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_PARTS = {
    "time": r"(?<!\d)\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:[Zz]|[+-]\d\d:?\d\d)?"
    r"|(?<![\w:])\d\d:\d\d:\d\d(?![\w:])",
    "uuid": r"(?<![0-9A-Fa-f-])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![0-9A-Fa-f-])",
    "address": rf"(?<![\w.]){_OCTET}(?:\.{_OCTET}){{3}}(?!\w)(?!\.\d)"
    r"|(?<![\w:])(?=[0-9A-Fa-f]*:[0-9A-Fa-f]*:)[0-9A-Fa-f:]{3,39}(?![\w:])",
    "digest": r"(?<!\w)(?=[A-Fa-f]*\d)[0-9A-Fa-f]{16,128}(?!\w)",
    "process": r"(?<=pid )\d{1,10}(?!\w)|(?<=pid=)\d{1,10}(?!\w)|(?<=\w\[)\d{1,10}(?=\])",
    "port": r"(?<=:)\d{5}(?![\w.:])|(?<=port )\d{5}(?!\w)",
    # one digit stays: a model may write it as a word (once, three), which no slot could follow
    "size": r"(?<![\w.])\d{2,15}(?= anomalies\b)|(?<=seen )\d{2,15}(?= times)|(?<=over )\d{2,15}(?= s\b)"
    r"|(?<![\w.])\d{1,15}\.\d{1,15}(?= per (?:minute|hour|day)\b)"
    r"|(?<![\w.])\d{2,15}(?= of \d+ distinct)|(?<= of )\d{2,15}(?= distinct)"
    r"|(?<![\w.:/=-])-?\d{1,15}\.\d{1,15}(?![\w.])|(?<== )-?\d{1,15}\.\d{1,15}(?![\w.])",
    "number": r"(?<!by )(?<![\w./:=-])\d{5,19}(?![\w./:-])",
}
_VOLATILE = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _PARTS.items()))
_SPELLED = re.compile(r"(?<= s) \((?:\d+ (?:d|h|min) ?)+\)")
"""A duration said a second time in larger units: implied by its seconds."""

_INTERNAL = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
)
"""RFC 1918, 6598 and 4193. Python's `is_private` also counts the ranges for documentation."""
_WHO = ("User", "Image", "ParentImage", "TargetFilename", "exe", "comm", "auid", "uid", "euid")
"""Fields that tell causes apart although a text may leave them out."""


class Cause(Struct, frozen=True):
    """`key` is equal for alerts of one cause; `values` are this alert's values, by slot."""

    key: str
    values: tuple[str, ...]


class Kept(Struct, frozen=True):
    """An explanation with slots for values: (text, cites) of each sentence, and the next steps."""

    sentences: tuple[tuple[str, tuple[str, ...]], ...]
    next_steps: tuple[str, ...]


class _Slots:
    """Text → text with slots. At most `_MAX_SLOTS` values; what comes after stays as it is."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def mask(self, text: str) -> str:
        return _VOLATILE.sub(self._slot, _SPELLED.sub("", _PRIVATE_USE.sub("", text)))

    def _slot(self, match: re.Match[str]) -> str:
        kind, value = match.lastgroup or "", match[0]
        known_port = kind == "port" and int(value) < _EPHEMERAL
        if known_port or (len(self.numbers) >= _MAX_SLOTS and value not in self.numbers):
            return value
        number = self.numbers.setdefault(value, len(self.numbers))
        likeness = {"address": _address_kind, "size": _magnitude}.get(kind, lambda _: "")
        return f"{_OPEN}{number}{_CLOSE}{kind}{likeness(value)}"


def _address_kind(value: str) -> str:
    """What makes two addresses different in kind, and not only in value."""
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return value
    if any(address in network for network in _INTERNAL if network.version == address.version):
        return f"{address.version}internal"
    kinds = ("is_unspecified", "is_loopback", "is_link_local", "is_multicast")
    return f"{address.version}{next((kind for kind in kinds if getattr(address, kind)), 'outside')}"


def _magnitude(value: str) -> str:
    """Numbers that differ by more than about half are not alike: 12 % of a disk is not 97 %."""
    number = float(value)
    return f"{'-' if number < 0 else ''}{round(math.log2(max(abs(number), 1)))}"


def cause_of(alert: Alert, *, model: str, prompt_version: str) -> Cause:
    """The cause of an alert, for answers of one `model` (its digest, else its name) and one version of the prompt."""
    slots = _Slots()
    evidence = [
        (item.id, item.source, slots.mask(item.text), [item.fields.get(name) for name in _WHO])
        for item in alert.evidence
    ]
    told = [slots.mask(text) for text in (alert.because, alert.entity)]
    rule = alert.rule
    parts = [model, prompt_version, rule.id, rule.title, rule.description, rule.falsepositives, alert.host, told]
    key = hashlib.sha256(json.dumps([parts, evidence]).encode("utf-8", "surrogatepass")).hexdigest()
    return Cause(key, tuple(slots.numbers))


def keep(explanation: Explanation, values: Sequence[str]) -> Kept | None:
    """What may be used again of a grounded explanation: not what it says of past incidents. None if nothing is left."""
    sentences = tuple(
        (_blank(one.text, values), one.cites)
        for one in explanation.sentences
        if not any(map(_SIMILAR_ID.search, (one.text, *one.cites)))
    )
    steps = tuple(_blank(step, values) for step in explanation.next_steps if not _SIMILAR_ID.search(step))
    return Kept(sentences, steps) if sentences else None


def fill(kept: Kept, values: Sequence[str]) -> str:
    """The answer that the model would have to give for an alert with these values; to be grounded like any answer."""
    said = [{"text": _fill(text, values), "cites": list(cites)} for text, cites in kept.sentences]
    steps = [_fill(step, values) for step in kept.next_steps]
    return json.dumps({"insufficient_evidence": False, "what_happened": said, "next_steps": steps})


def _blank(text: str, values: Sequence[str]) -> str:
    """Each value that stands as a whole → its slot; the longer of two that begin alike."""
    text = _PRIVATE_USE.sub("", text)
    slots = {value: number for number, value in enumerate(values) if value in text}
    if not slots:
        return text
    either = "|".join(re.escape(value) for value in sorted(slots, key=len, reverse=True))
    whole = re.compile(rf"(?<![\w.])(?:{either})(?!\w)(?!\.\d)")
    return whole.sub(lambda found: f"{_OPEN}{slots[found[0]]}{_CLOSE}", text)


def _fill(text: str, values: Sequence[str]) -> str:
    return _SLOT.sub(lambda slot: values[int(slot[1])] if int(slot[1]) < len(values) else "", text)
