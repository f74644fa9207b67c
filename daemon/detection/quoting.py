"""What an anomaly says of itself in the words of its event: for rules that pass on what another tool found, and know of
it only what that tool says. Those words are hostile: what is taken has the shape that is wanted, and is bounded.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from msgspec.structs import replace

from daemon.detection.rules import Rule
from daemon.detection.wording import shorten_words, visible
from daemon.model import Event, RuleRef

_TITLE = 120
_MOST_WORDS = 256
"""Words of an event in which techniques are looked for."""
_MOST = 16
_TECHNIQUE = re.compile(r"(?:mitre[._-])?(?:attack[._-])?(t[0-9]{4}(?:\.[0-9]{3})?)", re.IGNORECASE)
_NOT_A_LETTER = re.compile(r"[^a-z]+")
_TACTICS = frozenset(
    {
        *("reconnaissance", "resource-development", "initial-access", "execution", "persistence"),
        *("privilege-escalation", "defense-evasion", "stealth", "defense-impairment", "credential-access"),
        *("discovery", "lateral-movement", "collection", "command-and-control", "exfiltration", "impact"),
    }
)
"""The tactics of ATT&CK for enterprises, up to version 18 and since, as Sigma's tags spell them."""


def quoting(rule: Rule, event: Event) -> RuleRef:
    """The rule as it speaks of this event. `event` is redacted, and of one that came from a rule without `title_from`
    and `techniques_from` nothing is said.
    """
    quotes = rule.quotes
    if not (quotes.title or quotes.techniques):
        return rule.ref
    words = list(islice(_words(event, quotes.techniques), _MOST_WORDS))
    return replace(
        rule.ref,
        title=_title(rule.ref.title, _texts(event, quotes.title)),
        techniques=_with(
            rule.ref.techniques, (found[1].upper() for found in map(_TECHNIQUE.fullmatch, words) if found)
        ),
        tactics=_with(rule.ref.tactics, filter(_TACTICS.__contains__, map(_as_tactic, words))),
    )


def _title(title: str, said: Iterable[str]) -> str:
    first = next((text for text in (" ".join(one.split()) for one in said) if text), "")
    return f"{title}: {visible(shorten_words(first, _TITLE))}" if first else title


def _texts(event: Event, fields: Iterable[str]) -> Iterator[str]:
    for field in fields:
        value = event.fields.get(field)
        if value is not None:
            yield from map(str, value if isinstance(value, tuple) else (value,))


def _words(event: Event, fields: Iterable[str]) -> Iterator[str]:
    """Each word of the values, and each value whole (`Initial Access`)."""
    for text in _texts(event, fields):
        parts = text[:2048].replace(",", " ").replace(";", " ").split()
        yield from dict.fromkeys([" ".join(parts), *parts])


def _as_tactic(word: str) -> str:
    """`mitre_credential_access`, `attack.credential-access` and `Credential Access` → `credential-access`."""
    plain = _NOT_A_LETTER.sub("-", word.lower())
    return plain.removeprefix("mitre-").removeprefix("attack-")


def _with(own: tuple[str, ...], said: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*own, *said]))[:_MOST]
