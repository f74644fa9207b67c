"""What a next step may say: look at something. An allow-list, because nobody can list all that does damage.

A step is one clause that begins with a verb of looking. What is joined to it is again something to look at: a noun, a
question, another verb of looking. It names no host to go to, and all its words are plain English or in the evidence.
"""

import re

from daemon.enrichment.ordinary_words import AMBIGUOUS, familiar, past, verb
from daemon.enrichment.vocabulary import FUNCTION, READ_ONLY, spelt, words

_LEAD = re.compile(
    r"^(?:(?:first|then|next|also|finally|immediately|carefully|manually|please|and|now|if possible|on the host"
    r"|in the logs?)[,:]? )+"
)
_NUMBERED = re.compile(r"^(?:\d{1,2}[.)]|[-*•]) +")
_SPECIAL = re.compile(
    r"^(?:look (?:at|for|up|into|through|in|closely|again)|find(?: out)?|see (?:if|whether|what|which|who|when|where"
    r"|how|the)|keep an eye on"
    r"|contact \S+(?: \S+){0,5} to (?:confirm|verify|ask|find out|clarify)"
    r"|take (?:a note|a copy|a look|a snapshot|a memory dump)|make a (?:note|list)|isolate (?:the|this"
    r"|that) (?:affected |compromised )?"
    r"(?:host|machine|server|container|system)\b(?! from the (?:audit|log|monitor)))\b"
)
_ASSERTED = re.compile(
    r"^(?:note|see|find|record|document) that\b|^ask \S+(?: \S+){0,3} (?:for|to)\b(?! confirm| explain| say| tell)"
    r"|^(?:document|record|list|note|preserve|collect|gather)\b.* as |^note (?!which|whether|when|who|what|how|where"
    r"|any|all)(?=.*\b(?:is|was|are|were|has|have)\b)"
    r"|^(?:document|record|list|note|preserve|collect|gather|read|view|locate|look up|search for)\b.*\b(?:passwords?"
    r"|private keys?|secrets?|credentials"
    r"|tokens?|shadow)\b|^look (?:elsewhere|away)\b|\bwhat happens\b|\bnext (?:week|month|year)\b|\btomorrow\b"
    r"|\bnothing\b"
    r"|\b(?:using|with|in|via|through|as) (?:a |the )?(?:bash|sh|zsh|shell|python\d?|perl|ruby|php|root|sudo|curl"
    r"|wget|nc|netcat|execution)\b(?! (?:log|history|rights))"
)
_ADDRESS = re.compile(r"(?<![\w/.~-])(?:[a-z0-9-]+\.)+([a-z][a-z0-9-]*)(/\S*)?(?::\d+)?")
_FILES = words("""
log conf cfg service timer socket target mount slice scope sh py pl rb php jsp lua so ko bin elf txt gz tgz zip xz bz
tar bak old tmp key pem crt pub json yaml yml toml xml ini csv db sqlite sql d local lock pid swp rules openbsd
traditional journal history html js
""")
_JOINT = re.compile(
    r"((?:\b(?:before|after|so|once|when|then|that|and) (?:you|we|they)|[,;:.!?]|\s[-&+/]"
    r"|\b(?:and|or|then|but|so|while|before|after|by|please)))"
    r"(?=\s+(?:then |also |if needed,? |just |now |simply |please )?([a-z][a-z-]*)(?: (\S+))?)"
)
_TO = re.compile(r"(\S+) to ([a-z][a-z-]*)")
_ABLE = words("""
attempt attempts tried tries trying commands command changes change used able access allowed connections connection
similar related belong belongs added written next prior due back came led compared relative from requests made
requested permitted possible likely
""")
_OBJECTS = words("it them him her this that these those the a an all everything your its their any")
_TIMELESS = words("run cut put set shut quit hit let spread split")
_INSIGHT = words("understand learn rule know exclude reconstruct date tell detect")
_WITH_NOUN = words("the it them a an all your off out up down away")
"""What no noun in a list is followed by: the word before it is a verb, known or not (`power off`)."""
_SENTENCE = re.compile(r"(?<=[.;!?])\s+")
_GERUND = "ing"


def looks_only(said: str) -> bool:
    """Whether a normalised step changes nothing and sends nobody anywhere."""
    step = _NUMBERED.sub("", said).strip()
    parts = [_LEAD.sub("", part) for part in _SENTENCE.split(step) if part.strip(" .;!?")]
    if not parts or not all(map(_looks, parts)) or names_host(step):
        return False
    return not any(_acts(found[1], found[2], found[3] or "") for found in _JOINT.finditer(step)) and not _aims(step)


def _looks(part: str) -> bool:
    first = spelt(part.split(" ", 1)[0].rstrip(",:.;!?"))
    return bool(_SPECIAL.match(part) or first in READ_ONLY - {"see"}) and not _ASSERTED.search(part)


def names_host(said: str) -> bool:
    """Whether a normalised text holds a host name, with or without a path: somewhere to go."""
    return any(found[2] or found[1] not in _FILES for found in _ADDRESS.finditer(said))


def names_page(said: str) -> bool:
    """Whether a normalised text holds a host name with a path after it."""
    return any(found[2] and found[1] not in _FILES for found in _ADDRESS.finditer(said))


def strange_words(said: str) -> list[str]:
    """Words of a normalised step that are no plain English: they have to be in the evidence."""
    return [
        word
        for word in re.findall(r"(?<![\w./@:\\-])[^\W\d_]+(?:-[^\W\d_]+)*(?![\w/@\\]|\.\w)", said)
        if not familiar(word)
    ]


def _acts(joint: str, word: str, following: str) -> bool:
    """Whether what is joined to a step is another deed. A noun that is also a verb is one if no object follows."""
    if joint.startswith("by"):
        return word.endswith(_GERUND) and _stem(word) not in READ_ONLY
    bare = following.strip(".,;:!?")
    if spelt(word) in READ_ONLY or word in FUNCTION or (past(word) and word not in _TIMELESS):
        return False
    if not verb(word):
        return bare in _WITH_NOUN
    if spelt(word) not in AMBIGUOUS or (not bare and joint.startswith("then")):
        return True
    return bare in _OBJECTS | _WITH_NOUN or (bool(bare) and not (bare.isalpha() and familiar(bare)))


def _aims(step: str) -> bool:
    """Whether the purpose of a step is a deed: `to disable …`, unless somebody else's attempt at it is looked for."""
    for found in _TO.finditer(step):
        word = found[2]
        deed = verb(word) and spelt(word) not in READ_ONLY | _INSIGHT and word not in FUNCTION
        if deed and found[1].strip(",") not in _ABLE:
            return True
    return False


def _stem(gerund: str) -> str:
    bare = gerund.removesuffix(_GERUND)
    return bare if bare in READ_ONLY else f"{bare}e"
