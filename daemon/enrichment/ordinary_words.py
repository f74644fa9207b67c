"""Which words are ordinary English, so that any other counts as somebody's name.

Whoever writes a log chooses its names, so names cannot be listed; ordinary words can. Words that also name accounts,
hosts or databases (`guest`, `backup`) are ordinary only in running text.
"""

import re

from daemon.enrichment.vocabulary import (
    ACTION,
    ALSO_NAMES,
    FUNCTION,
    IRREGULAR,
    MANNER,
    NOUNS,
    NUMERALS,
    QUALITIES,
    READ_ONLY,
    WHOSE,
    spelt,
)

_SHORTEST = 3
"""Letters that a stem keeps: `ted` is no inflection of anything."""
_VERBS = ACTION | READ_ONLY
AMBIGUOUS = (NOUNS | QUALITIES | ALSO_NAMES) & _VERBS
"""Verbs that are also nouns or adjectives: `open ports`, `run time`."""
_STEMS = FUNCTION | _VERBS | IRREGULAR | NOUNS | QUALITIES | MANNER | NUMERALS
_PREFIX = re.compile(
    r"(?:un|re|non|pre|mis|sub|multi|over|under|pseudo|co|de|in|anti|micro|auto|inter|self|super|dis)-?"
)


def ordinary(word: str) -> bool:
    """Whether a word (lower case, hyphens inside allowed) is English that names nobody, wherever it stands."""
    return spelt(word) not in ALSO_NAMES and familiar(word)


def familiar(word: str) -> bool:
    """Whether a word belongs to the vocabulary at all."""
    said = spelt(word)
    if said in ALSO_NAMES or _inflected(said):
        return True
    if "-" in said:
        return all(part and familiar(part) for part in said.split("-"))
    rest = _PREFIX.match(said)
    return rest is not None and len(said) - rest.end() > _SHORTEST and _inflected(said[rest.end() :])


def describes(word: str, following: str) -> bool:
    """Whether a word that may be a name is rather the first part of a compound: `web server`, `system files`."""
    said, noun = spelt(word), spelt(following)
    if said not in ALSO_NAMES or noun in WHOSE or noun in FUNCTION | IRREGULAR:
        return False
    return noun in NOUNS or any(stem in NOUNS for stem in _stems(noun) if noun.endswith("s"))


def past(word: str) -> bool:
    """Whether a word can be a verb in the past tense."""
    said = spelt(word)
    return said in IRREGULAR or (said.endswith("ed") and any(stem in _VERBS for stem in _stems(said)))


def verb(word: str) -> bool:
    """Whether a word can be a verb in its base form, as it begins an order."""
    said = spelt(word)
    return said in _VERBS or (said.startswith(("re", "un")) and said[2:].lstrip("-") in _VERBS)


def third_person(word: str) -> bool:
    """Whether a word can be a verb in the third person, as in `it shows`."""
    said = spelt(word)
    return said.endswith("s") and said not in FUNCTION and any(stem in _VERBS for stem in _stems(said))


def _inflected(said: str) -> bool:
    return said in _STEMS or any(stem in _STEMS for stem in _stems(said))


def _stems(said: str) -> list[str]:
    """What a word may be an inflection of."""
    found: list[str] = []
    for ending, repairs in _ENDINGS:
        if said.endswith(ending) and len(said) - len(ending) >= _SHORTEST - (ending in {"s", "ies", "ied"}):
            bare = said.removesuffix(ending)
            found += [bare + repair for repair in repairs]
            if bare[-1] == bare[-2] and ending in {"ed", "ing", "er"}:
                found.append(bare[:-1])
    return found


_ENDINGS = (
    ("s", ("",)), ("es", ("", "is")), ("ies", ("y",)), ("ed", ("", "e")), ("ied", ("y",)), ("ing", ("", "e")),
    ("ly", ("", "le")), ("ily", ("y",)), ("ally", ("",)), ("ness", ("",)), ("er", ("", "e")), ("ers", ("", "e")),
    ("est", ("", "e")), ("able", ("", "e")),
)  # fmt: skip
