"""A model's text → an explanation of which every sentence can be checked, or the reason why there is none.

A sentence stays if it cites evidence that exists, if every hard value in it occurs in what it cites, and if it is no
verdict, order, link or mention. Whatever else the text holds (severity, routes, ids) is never read: no output value can
change what is done with the alert. Any text at all is an input; nothing raises.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from daemon.enrichment import Grounded
from daemon.enrichment.answer_json import read_object
from daemon.enrichment.claims import (
    calming,
    command_options,
    forbidden,
    not_a_claim,
    query_values,
    tidy,
    unfamiliar,
    unsafe_step,
    verdict,
)
from daemon.enrichment.hard_values import HardValue, Holder, Kind, hard_values, normal
from daemon.enrichment.plain import iso
from daemon.enrichment.prompt import PROMPT_VERSION, similar_id
from daemon.model import Evidence, Explanation, Sentence, Similar

SECTIONS = ("what_happened", "likely_cause", "impact", "answer")
MAX_SENTENCES = 8
MAX_SENTENCE = 600
MAX_STEPS = 5
MAX_STEP = 240
_MAX_RAW = 2000
"""Longer items are no sentences; they are dropped before anything is matched against them."""
_MAX_CITES = 8
_MOST_STRANGE = 3
"""One word in three may be unknown to us."""
_INLINE = re.compile(r"\s*[\[(]((?:[ES]\d{1,3})(?:\s*(?:,|;|and|&)\s*[ES]\d{1,3})*)[\])]", re.IGNORECASE)
_ID = re.compile(r"\b[ES]\d{1,3}\b")


class _Claim:
    """One item of a section as it came: its text and the ids it cites."""

    def __init__(self, text: str, cites: Sequence[str]) -> None:
        text = text if len(text) <= _MAX_RAW else ""
        inline = [name for group in _INLINE.findall(text) for name in _ID.findall(group.upper())]
        self.text = tidy(_INLINE.sub("", text))
        named = [cite.strip().strip("[]()").upper() for cite in cites]
        self.cites = tuple(dict.fromkeys([*named, *inline]))


def ground(
    text: str,
    evidence: Sequence[Evidence],
    similar: Sequence[Similar],
    *,
    model: str,
    digest: str,
    took: float,
) -> Grounded:
    """`similar[0]` is cited as `S1`. `why` is `invalid_schema`, `insufficient_evidence`, `ungrounded` or empty."""
    answer = read_object(text)
    claims = None if answer is None else _claims(answer)
    if answer is None or claims is None:
        return Grounded(None, "invalid_schema")
    if answer.get("insufficient_evidence") is True:
        return Grounded(None, "insufficient_evidence", len(claims))
    sources = _Sources(evidence, similar)
    kept: dict[str, Sentence] = {}
    for claim in claims:
        if len(kept) < MAX_SENTENCES and sources.support(claim):
            kept.setdefault(claim.text, Sentence(claim.text, claim.cites))
    dropped = len(claims) - len(kept)
    if not kept:
        return Grounded(None, "ungrounded", dropped)
    explanation = Explanation(
        origin="model",
        sentences=tuple(kept.values()),
        next_steps=sources.steps(answer.get("next_steps", [])),
        model=model,
        model_digest=digest,
        prompt_version=PROMPT_VERSION,
        took=took,
        dropped=dropped,
    )
    return Grounded(explanation, dropped=dropped)


def _claims(answer: Mapping[str, Any]) -> list[_Claim] | None:
    """The items of all sections in order; None if the answer is not of our schema. Unknown keys are not looked at."""
    if not isinstance(answer.get("insufficient_evidence", False), bool):
        return None
    if not any(name in answer for name in (*SECTIONS, "insufficient_evidence")):
        return None
    steps = answer.get("next_steps", [])
    if not isinstance(steps, list) or not all(isinstance(step, str) for step in steps):
        return None
    claims: list[_Claim] = []
    for name in SECTIONS:
        section = answer.get(name, [])
        if not isinstance(section, list) or not all(map(_is_claim, section)):
            return None
        claims += [_Claim(item["text"], item["cites"]) for item in section]
    return claims


def _is_claim(item: Any) -> bool:
    if not isinstance(item, dict) or not isinstance(item.get("text"), str):
        return False
    cites = item.get("cites")
    return isinstance(cites, list) and all(isinstance(cite, str) for cite in cites)


class _Sources:
    """What can be cited, and the one question about it: does it support this?"""

    def __init__(self, evidence: Sequence[Evidence], similar: Sequence[Similar]) -> None:
        self._texts = {item.id: _evidence_texts(item) for item in evidence}
        self._texts |= {similar_id(index): _similar_texts(one) for index, one in enumerate(similar)}
        self._calm = {similar_id(index) for index, one in enumerate(similar) if calming(one.outcome)}
        self._secretive = query_values([text for texts in self._texts.values() for text in texts])
        self._holders: dict[tuple[str, ...], Holder] = {}

    def support(self, claim: _Claim) -> bool:
        """Whether a claim may be published."""
        named = set(_ID.findall(claim.text))
        if not claim.text or len(claim.text) > MAX_SENTENCE or not 0 < len(claim.cites) <= _MAX_CITES:
            return False
        if not all(name in self._texts for name in {*claim.cites, *named}):
            return False
        if forbidden(claim.text) or not_a_claim(claim.text) or self._repeats_query(claim.text):
            return False
        if verdict(claim.text) and self._calm.isdisjoint(claim.cites):
            return False
        cites = tuple(sorted(claim.cites))
        return self._holds(claim.text, cites) and self._in_english(claim.text, cites)

    def _in_english(self, text: str, cites: tuple[str, ...]) -> bool:
        """Whether most words are ones that the checks above can judge: English, or in the evidence."""
        strange = [word for word in unfamiliar(text) if not self._holder(cites).holds(HardValue(Kind.text, word))]
        return len(strange) * _MOST_STRANGE <= len(text.split())

    def steps(self, steps: Sequence[str]) -> tuple[str, ...]:
        """The model's next steps that are plain words about what is in evidence; at most five."""
        kept = [
            step
            for text in steps[: MAX_STEPS * 4]
            if len(text) <= _MAX_RAW and (step := tidy(_INLINE.sub("", text))) and self._step(step)
        ]
        return tuple(dict.fromkeys(kept))[:MAX_STEPS]

    def _step(self, step: str) -> bool:
        everything = tuple(sorted(self._texts))
        if len(step) > MAX_STEP or unsafe_step(step) or self._repeats_query(step):
            return False
        if not all(name in self._texts for name in _ID.findall(step)):
            return False
        said = " ".join(normal(text) for texts in self._texts.values() for text in texts)
        if not all(option in said for option in command_options(step)) or not self._holds(step, everything):
            return False
        return all(self._holder(everything).holds(HardValue(Kind.text, word)) for word in unfamiliar(_ID.sub("", step)))

    def _holds(self, text: str, cites: tuple[str, ...]) -> bool:
        return all(self._holder(cites).holds(value) for value in hard_values(_ID.sub("", text)))

    def _holder(self, cites: tuple[str, ...]) -> Holder:
        if cites not in self._holders:
            self._holders[cites] = Holder([part for name in cites for part in self._texts[name]])
        return self._holders[cites]

    def _repeats_query(self, text: str) -> bool:
        said = normal(text)
        return any(value in said for value in self._secretive)


def _evidence_texts(item: Evidence) -> list[str]:
    return [item.text, item.source, iso(item.at), *(f"{name} = {value}" for name, value in item.fields.items())]


def _similar_texts(one: Similar) -> list[str]:
    score = [f"{one.score:.2f}", f"{one.score:.0%}"] if math.isfinite(one.score) else []
    return [
        one.incident_id,
        one.title,
        one.entity,
        one.because,
        one.outcome,
        one.why,
        iso(one.at),
        str(one.count),
        *score,
    ]
