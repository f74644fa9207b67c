"""Every rule there is, as written and as it stands here: which are on, what is built on what, what filters it."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from daemon.config import Config
from daemon.detection.rules import Rule, parse_rules
from daemon.detection.rules_draft import Draft, canonical, read_drafts
from daemon.detection.rules_filter import Exclusion, read_exclusion
from daemon.loading import build
from daemon.model import Logsource, Problem

_CLOSE = 5


class Entry(Struct, frozen=True):
    """One rule. `enabled` is false when the configuration switches it off (`rules.disabled`). `speaks` is false for a
    rule that says nothing of its own: one that is off, or a building block, which only counts for correlations.
    """

    rule: Rule
    draft: Draft
    enabled: bool
    speaks: bool

    @property
    def title(self) -> str:
        """As people call it."""
        return self.rule.ref.title

    @property
    def where(self) -> str:
        """`path:line` of its first line."""
        return f"{self.draft.document.path}:{self.draft.document.line_of('title')}"

    @property
    def status(self) -> str:
        """Sigma's, empty where the rule says none."""
        return str(self.draft.document.data.get("status") or "").lower()


class Catalogue(Struct, frozen=True):
    """The rules in the order of their files, the filters, and what cannot be used."""

    entries: tuple[Entry, ...]
    filters: tuple[Exclusion, ...]
    problems: tuple[Problem, ...]

    def inputs(self, entry: Entry) -> list[Entry]:
        """The rules that a correlation is built upon, each once, in the order written."""
        known = {one.rule.ref.id: one for one in self.entries}
        return [known[rule_id] for rule_id in dict.fromkeys(entry.rule.inputs)]

    def plain(self, entry: Entry) -> list[Entry]:
        """The rules that look at events on behalf of this one: itself, or what a correlation comes down to."""
        if entry.rule.correlation is None:
            return [entry]
        found = {one.rule.ref.id: one for below in self.inputs(entry) for one in self.plain(below)}
        return list(found.values())

    def built_on(self, entry: Entry) -> list[Entry]:
        """The correlations that are built upon a rule."""
        return [one for one in self.entries if entry.rule.ref.id in one.rule.inputs]

    def filters_of(self, entry: Entry) -> list[Exclusion]:
        """The filters that keep something away from a rule; from a correlation, through the rules that it counts."""
        return [one for one in self.filters if any(one.is_for(below.draft) for below in self.plain(entry))]

    def logsource(self, entry: Entry) -> Logsource:
        """What a rule looks at; of a correlation, what all the rules that it comes down to have in common."""
        sources = [below.rule.logsource for below in self.plain(entry)]
        parts = ({getattr(source, key) for source in sources} for key in ("product", "category", "service"))
        return Logsource(*(part.pop() if len(part) == 1 else "" for part in parts))

    def find(self, name: str) -> list[Entry]:
        """The rules that are meant: by id, by `name`, by title in any case, or by the beginning of the id."""
        wanted = canonical(name.strip())
        folded = wanted.casefold()
        for found in (
            [one for one in self.entries if wanted in one.draft.names],
            [one for one in self.entries if one.title.casefold() == folded],
            [one for one in self.entries if folded and one.rule.ref.id.startswith(folded)],
        ):
            if found:
                return found
        return []

    def near(self, name: str) -> list[str]:
        """The titles that may have been meant, the closest first: those that look like it, then those that hold it."""
        folded = name.strip().casefold()
        called = {spelled.casefold(): one.title for one in self.entries for spelled in (*one.draft.names, one.title)}
        close = [called[spelled] for spelled in difflib.get_close_matches(folded, called, n=_CLOSE)]
        holding = [title for spelled, title in called.items() if folded and folded in spelled]
        return list(dict.fromkeys([*close, *holding]))[:_CLOSE]


def read_catalogue(config: Config, path: Path | None, files: Mapping[str, str]) -> Catalogue:
    """Everything in these rule files, under the configuration that was read from `path`."""
    standing = build(config, path, files).rules
    placeholders = config.rules.placeholders
    whole = standing if not config.rules.disabled else parse_rules(files, placeholders=placeholders)
    drafts, _ = read_drafts(files, placeholders)
    compiled = {rule.ref.id: rule for rule in whole.rules}
    off = {ref.id for ref in standing.disabled}
    speaking = {rule.ref.id for rule in standing.rules if rule.fires}
    entries = [
        Entry(compiled[one.ref.id], one, one.ref.id not in off, one.ref.id in speaking)
        for one in drafts
        if one.ref.id in compiled
    ]
    filters = _filters([one for one in drafts if one.ref.id not in off], drafts, placeholders)
    return Catalogue(tuple(entries), tuple(filters), standing.problems)


def _filters(
    on: Sequence[Draft], drafts: Sequence[Draft], placeholders: Mapping[str, Sequence[str]]
) -> Iterator[Exclusion]:
    for draft in on:
        exclusion = read_exclusion(draft, drafts, placeholders, []) if draft.kind == "filter" else None
        if exclusion is not None:
            yield exclusion
