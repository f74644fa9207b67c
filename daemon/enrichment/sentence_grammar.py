"""What kind of speech a sentence is: a description, an order to the reader, or nothing.

An answer describes. Orders are told by grammar more than by words, because log text can word them in any way: a
description begins with what it is about, has a finite verb, and speaks to nobody.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from daemon.enrichment.ordinary_words import AMBIGUOUS, ordinary, past, third_person, verb
from daemon.enrichment.vocabulary import FUNCTION, spelt, words

_CLAUSE = re.compile(r"(?:[.;:!?]+['\")]*|\s-)\s+")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_ABBREVIATED = re.compile(r"\b(e\.g|i\.e|etc|vs|cf|approx|incl)\.")
_WORD = re.compile(r"[^\s,()\"]+")
_LEAD = words("""
and but so or also now then just first next finally simply quickly immediately kindly later therefore thus always
never carefully meanwhile afterwards otherwise instead in short
""")
_AUXILIARY = words("is are was were be been being has have had does did can could may might would will cannot")
_CONNECTS = words("of by to from with on in at for as and between against via into over")
_OBJECT = (
    r"(?:the|this|that|these|those|it|them|him|her|an?|all|any|everything|your|its|their|to|on|off|up|down|out"
    r"|[^\sa-z(]\S*|\S*[./]\w\S*)"
)
_NUMBERED = words("process command event host file port script address evidence")
"""Nouns that a number or a path follows."""
_TOLD = re.compile(
    r"\b(?:you|your\w*|please|kindly|let's|let us|we|our|us|everyone|reader)\b"
    r"|\b(?:should|must|ought to|shall|recommend\w*|advis(?:e|ed|able)|(?<!would )(?:needs? to|ha(?:s|ve) to))\b"
    r"|\b(?:no need|feel free|make sure|be sure|take care|never mind|move on|go ahead)\b|\bdo(?: not|n't) [a-z]"
)
_REASONED = re.compile(
    r"\bmust (?:not )?have\b|\b(?:do|does|did)(?: not|n't) (?:show|say|tell|indicate|contain|prove|reveal|explain"
    r"|name|include|state|mention)\b"
    r"|\bshould (?:therefore |also )?be (?:considered|treated|regarded|assumed)(?: as| to be)?(?: \w+)? "
    r"(?:compromised|malicious|suspicious|stolen|leaked|exposed|untrusted|hostile|known to the attacker)\b"
)
_JOINED = re.compile(
    rf"(,|\band|\bthen|\bso|\bor|\bbut)\s+(?:then |now |just |simply |also )?([a-z][a-z-]*)(?= {_OBJECT}(?:[\s,.;]|$))"
)
_INFINITIVE = re.compile(r"\b(?:to|can|could|may|might|would|will|did|does|cannot)\b(?: \S+){1,12} ?$")


def order(said: str) -> bool:
    """Whether a normalised text speaks to the reader: an imperative in any of its clauses, `you`, advice."""
    if _TOLD.search(_REASONED.sub(" ", said)):
        return True
    return any(_imperative(clause) for clause in clauses(said))


def clauses(said: str) -> Iterator[str]:
    """The parts of a text that can be sentences of their own."""
    return (clause for clause in _CLAUSE.split(_ABBREVIATED.sub(r"\1", said)) if clause.strip())


def _imperative(clause: str) -> bool:
    told = [word.strip("'.,:;!?") for word in _WORD.findall(clause)]
    while told and told[0] in _LEAD:
        told.pop(0)
    if told and _orders(told):
        return True
    for found in _JOINED.finditer(clause):
        infinitive = found[1] in {"and", "or"} and _INFINITIVE.search(clause[: found.start()])
        if verb(found[2]) and not _tells(found[2]) and not infinitive:
            return True
    return False


def _tells(word: str) -> bool:
    """Whether a base form is also a past tense (`read`, `set`, `put`) or a word of grammar."""
    return word in FUNCTION or (past(word) and word != "run")


def _orders(told: list[str]) -> bool:
    """Whether a clause begins as an order does. A noun or adjective may look like one: what follows tells."""
    first, second, third = [*told, "", "", ""][:3]
    if first in {"do", "don't", "let", "never"}:
        return True
    if not verb(first) or (first in FUNCTION and first not in {"go", "see"}):
        return False
    if spelt(first) not in AMBIGUOUS or not second or not any(map(_finite, told[1:])):
        return True
    if second in _CONNECTS or second in _AUXILIARY or past(second):
        return False
    if any(map(str.isdigit, second)) or second.startswith("/"):
        return first not in _NUMBERED
    return second in FUNCTION or not ordinary(second) or not (third in _CONNECTS or _finite(third))


def _finite(word: str) -> bool:
    return word in _AUXILIARY or past(word) or third_person(word)


def fragment(said: str) -> bool:
    """Whether a normalised text has a sentence without a finite verb, which states nothing, as in `A false alert`."""
    return not said or any(map(_stateless, _SENTENCE.split(_ABBREVIATED.sub(r"\1", said))))


def _stateless(sentence: str) -> bool:
    told = [word.strip("'.,:;!?") for word in _WORD.findall(sentence)]
    plural = any(one.endswith("s") and verb(two) for one, two in pairwise(told))
    return not plural and not any(map(_finite, told))
