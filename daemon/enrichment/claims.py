"""What a sentence of a model may not say, however well it is cited: verdicts, orders, links, mentions, our own prompt.

Log text can talk a model into any of these, and then it is "grounded" in that very log text. A verdict (benign, false
positive, expected) is an analyst's to give: it stands only when it cites a past incident whose outcome says the same.
"""

import re
from collections.abc import Sequence

from daemon.enrichment.hard_values import normal
from daemon.enrichment.plain import plain
from daemon.enrichment.prompt import SYSTEM
from daemon.enrichment.reassurance import reassuring
from daemon.enrichment.sentence_grammar import fragment, order
from daemon.enrichment.step_grammar import looks_only, names_page, strange_words

_CALM = (
    r"benign|harmless|innocuous|legitimate|legit|authori[sz]ed(?![ _-]keys)|approved|sanctioned|expected|routine"
    r"|planned|innocent|safe"
    r"|known[- ]good|trusted"
)
_NEGATED = re.compile(
    rf"\b(?:not|no|never|nor|isn't|wasn't|without|un|hardly)\s+(?:an?\s+|any\s+|be\s+|seem\s+|appear\s+)?(?:{_CALM}"
    rf"|ignored"
    r"|dismissed|suppressed|disregarded)\b"
    r"|\b(?:than|exceed(?:s|ed|ing)?|above|beyond|outside)\s+(?:the\s+|its\s+)?(?:expected|planned|approved|normal)\b"
)
_VERDICT = re.compile(
    rf"\b(?:{_CALM}|false[- ](?:positives?|alarms?)|non-?issue|not\s+(?:an?\s+)?(?:malicious|suspicious|threat|attack|"
    r"incident|security\s+(?:issue|incident)|dangerous|a\s+concern)|no(?:t)?\s+(?:cause|reason)\s+for\s+concern"
    r"|nothing\s+to\s+worry|no\s+(?:action|response|investigation|further\s+\w+|threat|risk|impact|malicious)"
    r"|normal\s+(?:activity|behaviou?r|operations?|system|admin\w*|maintenance|use|usage|traffic)"
    r"|scheduled\s+(?:\w+\s+)?(?:backups?|maintenance|updates?|upgrades?|scans?|tests?|drills?)"
    r"|maintenance\s+(?:mode|window)"
    r"|penetration\s+test|pentest|red\s+team\s+exercise|security\s+(?:drill|exercise)"
    r"|(?:approved|cleared|closed)\s+by|marked\s+as)\b"
)
_ORDER = re.compile(
    r"\b(?:ignor(?:e|ed|ing)|suppress(?:ed|ing)?|acknowledg(?:e|ed|ing)|disregard(?:ed|ing)?|dismiss(?:ed|ing)?"
    r"|mut(?:e|ed|ing)"
    r"|silenc(?:e|ed|ing)|whitelist(?:ed|ing)?|allowlist(?:ed|ing)?|downgrad(?:e|ed|ing)|de-?escalat(?:e|ed|ing)"
    r"|do\s+not\s+notify"
    r"|severity|(?:close|drop|delete|lower|reduce)\s+(?:the|this)\s+(?:alert|incident|priority|case|ticket))\b"
)
_FORBIDDEN = re.compile(
    r"[a-z][a-z0-9+.-]*://|\b(?:www\.|mailto:|javascript:|data:\w+/)|\]\s*\(|!\[|<[a-z/!@#|?]|\|>|\[/?inst\]|<<|>>"
    r"|(?:^|[\s(\"'`])@(?!(?:reboot|hourly|daily|weekly|monthly|yearly|annually|midnight)\b)\w|```"
    r"|\b(?:previous|prior|above|earlier|all)\s+instructions\b|\bsystem\s+prompt\b|\blanguage\s+model\b"
    r"|\bas\s+an\s+ai\b"
    r"|\b(?:click|visit|paste|call\s+this|download\s+and\s+run)\b|\brecommended\s+remediation\b"
    r"|\b(?:curl|wget|bash|sh|base64)\b[^.]*\|\s*(?:sudo\s+)?(?:ba|z|da|k)?sh\b"
)
_OPAQUE = re.compile(r"[A-Za-z0-9+_-]{32,}={0,2}")
_SHELL = re.compile(
    r"\|\||&&|\||\$[({]|;|[<>]|\\|\bsudo\b(?! (?:us(?:e|age)|privileges?|rights|permissions?|logs?|access|group"
    r"|commands?|rules|configuration|sessions?|by|since|to)\b)|\b(?:rm|dd|mkfs\S*|shred)\s+[-/]"
    r"|\bchmod\s+\S*[0-7]{3}|\bkill\s+-"
)
_BLINDING = re.compile(
    r"\b(?:disabl(?:e|ing)|stop(?:ping)?|turn(?:ing)?\s+off|mask|remov(?:e|ing)|uninstall\w*|delet(?:e|ing)"
    r"|clear(?:ing)?|purg(?:e|ing)"
    r"|wip(?:e|ing)|flush(?:ing)?|truncat(?:e|ing)|whitelist\w*|setenforce|auditctl)\b.{0,40}\b(?:audit\w*|logs?"
    r"|logging|firewall|selinux"
    r"|apparmor|monitor\w*|alert\w*|rules?|tellwhy|history|evidence|edr|antivirus|journal\w*|rsyslog|defen[cs]es?)\b"
    r"|\bsetenforce\b"
)
_WHETHER = re.compile(
    r"^(?:check|confirm|verify|ask|review|determine|find\s+out|see|establish|clarify|contact|identify|examine"
    r"|investigate)\b.*\b(?:whether|if|who|with)\b"
)
_OPTION = re.compile(r"\b[a-z][\w.+-]*\s+--?[a-z][\w-]*", re.IGNORECASE)
_SHINGLE = 7
_QUERY = re.compile(r"\?[^\s\"'<>|)]{1,2000}")
_QUERY_VALUE = re.compile(r"=([^&;=#]{6,})")
_TIDY = {ord(char): replacement for char, replacement in (("\u2011", "-"), ("\ufe0f", ""), ("\u00ad", ""))}


def tidy(text: str) -> str:
    """One line with single blanks; empty if it holds a character that cannot be seen or drives a terminal."""
    if any(char in text for char in "\x0b\x0c\x1c\x1d\x1e\x1f\x85\u2028\u2029"):
        return ""
    line = " ".join(text.translate(_TIDY).split())
    return line if plain(line) == line else ""


def forbidden(text: str) -> bool:
    """Links, mentions, markup, chat-template tokens, orders to the reader, or words of our own prompt."""
    said = normal(text)
    return bool(_FORBIDDEN.search(said)) or order(said) or _leaks(said) or _opaque(text)


def not_a_claim(text: str) -> bool:
    """Whether a sentence states nothing, or names an address on the web to go to."""
    said = normal(text)
    return fragment(said) or names_page(said)


def _opaque(text: str) -> bool:
    """Encoded text that a reader cannot judge; hashes in hex are fine."""
    runs = [run for run in _OPAQUE.findall(text) if any(map(str.isdigit, run)) and any(map(str.isalpha, run))]
    return any(run != run.lower() and run != run.upper() for run in runs)


def verdict(text: str) -> bool:
    """Whether the sentence judges the alert as unimportant, or says what should be done with it."""
    whole = normal(text)
    said = _NEGATED.sub(" ", whole)
    return bool(_VERDICT.search(said) or _ORDER.search(said)) or reassuring(whole)


def calming(outcome: str) -> bool:
    """Whether an analyst's outcome of a past incident is such a verdict."""
    said = _NEGATED.sub(" ", normal(outcome.replace("_", " ")))
    return bool(_VERDICT.search(said)) or said in {"fp", "known", "accepted", "ignored"}


def unsafe_step(step: str) -> bool:
    """Whether a next step does more than look, holds a command line, blinds the defenders, or is a verdict."""
    said = normal(step)
    if not looks_only(said) or any(pattern.search(said) for pattern in (_FORBIDDEN, _SHELL, _BLINDING)):
        return True
    if _leaks(said) or _opaque(step):
        return True
    return verdict(said) and not (_WHETHER.match(said) and not _ORDER.search(said))


def unfamiliar(step: str) -> list[str]:
    """Words of a step that are no plain English: allowed only if the evidence has them."""
    return strange_words(normal(step))


def command_options(step: str) -> list[str]:
    """`tool --option` in a step: allowed only if the evidence has the very words."""
    return [" ".join(found.split()) for found in _OPTION.findall(normal(step))]


def query_values(texts: Sequence[str]) -> set[str]:
    """Values in query strings of URLs: there stolen data travels, and nobody needs it repeated outside the evidence."""
    queries = [query for text in texts for query in _QUERY.findall(normal(text))]
    return {value for query in queries for value in _QUERY_VALUE.findall(query)}


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text)
    return {tuple(words[at : at + _SHINGLE]) for at in range(len(words) - _SHINGLE + 1)}


_PROMPT = _shingles(normal(SYSTEM))


def _leaks(said: str) -> bool:
    return not _PROMPT.isdisjoint(_shingles(said))
