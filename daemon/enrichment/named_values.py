"""Names that a sentence gives to people, accounts and machines, told by where they stand.

A name can be any word, so the test is the other way round: in the place of a name (after `user`, `as`, `by`, `of`;
before `account`, `'s`; first in a sentence; with a capital) every word that is no ordinary English is to be held.
"""

import re
import unicodedata
from collections.abc import Iterator

from daemon.enrichment.ordinary_words import describes, ordinary

_NOUN = (
    r"(?:user|username|user name|account|account name|login|logon|host|hostname|machine|server|unit|group|container"
    r"|database|owner|person|identity|alias|actor|attacker|intruder|operator|employee|colleague|member|principal)s?"
)
_LINK = (
    r"(?:named|called|known as|identified as|labelled|titled|is|was|are|were|be|as|who is|who was|id|name|namely"
    r"|likely)"
)
_TOKEN = r"[^\W\d_](?:[\w.$\\@-]*\w)?"  # noqa: S105 - a pattern of words
_LISTED = rf"(?:{_TOKEN})(?:(?:,| and| or|, and|, or|/| &) (?:{_TOKEN}))*"
_GAP = r"[\s:=,;(\[{<\"'`*/|-]+"
_BEFORE = re.compile(
    rf"(?=\b(?:{_NOUN}(?:{_GAP}{_LINK})*|as|by|for|of|from|to|with|via|against|on|at|than|like|on behalf of|behind"
    rf"|into|and"
    rf"|impersonat(?:e|es|ed|ing)|becom(?:e|es|ing)|became|called|named){_GAP}({_LISTED}))"
)
_AFTER = re.compile(
    rf"({_TOKEN}) (?:user|account|login|logon|session|identity|user's|password|credentials?|home director(?:y|ies))s?\b"
)
_OWNER = re.compile(rf"({_TOKEN}?)'s\b")
_FIRST = re.compile(rf"(?:^|[.;:!?] |- )[\"'(]*({_TOKEN})")
_CAPITAL = re.compile(r"(?<![\w./@\\-])[A-Z][a-z]+(?:-[A-Za-z]+)*(?![\w/@\\]|\.\w)")
_SEPARATE = re.compile(r"(?:,| and| or|, and|, or|/| &) ")
_PLAIN_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_COMPOUND = re.compile(r"(?<![\w./@\\-])([a-z][a-z-]+)(?= ([a-z][a-z-]+))")
_MARKS = {"Mn", "Mc", "Me"}


def names(text: str, original: str) -> Iterator[str]:
    """Words of a normalised text that stand where a name stands and are not ordinary English, in lower case.

    `original` is the same text before its case was folded.
    """
    text = _COMPOUND.sub(lambda found: "the" if describes(found[1], found[2]) else found[0], text)
    for found in _BEFORE.finditer(text):
        yield from _strange(_SEPARATE.split(found[1]))
    for pattern in (_AFTER, _OWNER, _FIRST):
        yield from _strange([found[1] for found in pattern.finditer(text)])
    yield from _strange([found.casefold() for found in _CAPITAL.findall(original)])
    yield from (word for word in re.findall(r"[^\W_]+", text) if foreign(word))


def foreign(word: str) -> bool:
    """Whether a word has letters of a script that is not ours: a Cyrillic `a` makes another name of the same looks."""
    if word.isascii():
        return False
    return any(
        unicodedata.category(char) not in _MARKS and not unicodedata.name(char, "").startswith("LATIN ")
        for char in word
        if char.isalpha() and not char.isascii()
    )


def _strange(words: list[str]) -> Iterator[str]:
    """Of these, the plain words that are no English; others (`web01`, `a.b`) are hard values wherever they stand."""
    for word in words:
        bare = word.strip(".,'\"").removesuffix("'s")
        if _PLAIN_WORD.fullmatch(bare) and len(bare) > 1 and not ordinary(bare):
            yield bare
