"""What a reload changes: rules by what became of them, configuration by key. Values are not shown: some are secret."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from daemon.api.endpoint import Changes, KeyChange, NamedRule
from daemon.config import Config
from daemon.detection.rules import ParsedRules
from daemon.loading import Loaded
from daemon.model import RuleRef

_NAMED = ("sources", "webhooks")
_LATER = ("api", "state_directory")
"""What the process takes only once, when it starts."""


def find_changes(before: Loaded, after: Loaded, started: Config | None = None) -> Changes:
    """What differs between what runs and what is about to. A rule is changed when anything in its text is, or in a rule
    that it is built upon, or in a filter that is for it: its windows begin anew then. `started` is the configuration
    with which the process started (`before` where that is the first), and of which it keeps what it takes only then.
    """
    kept = before.config if started is None else started
    was, now = _Standing(before.rules), _Standing(after.rules)
    both = was.refs.keys() & now.refs.keys()
    return Changes(
        added=now.named(now.refs.keys() - was.refs.keys()),
        removed=was.named(was.refs.keys() - now.refs.keys()),
        changed=now.named(one for one in both if was.refs[one] != now.refs[one] or _differ(was, now, one)),
        disabled=now.named(now.off - was.off),
        enabled=now.named((was.off - now.off) & now.refs.keys()),
        config=tuple(_keys(before.config, after.config)),
        at_next_start=tuple(name for name in _LATER if getattr(after.config, name) != getattr(kept, name)),
    )


class _Standing:
    """How the rules stand: all that there are by id, those that are switched off, and what each runs as."""

    refs: dict[str, RuleRef]
    off: set[str]
    revisions: dict[str, str]

    def __init__(self, parsed: ParsedRules) -> None:
        self.revisions = {rule.ref.id: rule.revision for rule in parsed.rules}
        self.refs = {ref.id: ref for ref in (*(rule.ref for rule in parsed.rules), *parsed.disabled)}
        self.off = {ref.id for ref in parsed.disabled}

    def named(self, rules: Iterable[str]) -> tuple[NamedRule, ...]:
        found = [NamedRule(rule_id, self.refs[rule_id].title) for rule_id in rules]
        return tuple(sorted(found, key=lambda rule: (rule.title, rule.id)))


def _differ(was: _Standing, now: _Standing, rule_id: str) -> bool:
    """Whether a rule runs before and after, and not as the same."""
    revisions = was.revisions.get(rule_id), now.revisions.get(rule_id)
    return None not in revisions and revisions[0] != revisions[1]


def _keys(old: Config, new: Config) -> Iterator[KeyChange]:
    """Every key that has another value now, dotted; sources and webhooks by their names instead of their places."""
    before, after = _tree(old), _tree(new)
    for key in [*before, *(key for key in after if key not in before)]:
        if key not in after:
            yield KeyChange(key, "removed")
        elif key not in before:
            yield KeyChange(key, "added")
        else:
            yield from _differing(before[key], after[key], key)


def _tree(config: Config) -> dict[str, Any]:
    tree: dict[str, Any] = config.model_dump()
    for section in _NAMED:
        rows: list[dict[str, Any]] = list(tree.pop(section))
        tree |= {f"{section}.{row['name']}": row for row in rows}
    return tree


def _differing(old: Any, new: Any, key: str) -> Iterator[KeyChange]:
    if isinstance(old, Mapping) and isinstance(new, Mapping) and old.keys() == new.keys():
        for name in old:
            yield from _differing(old[name], new[name], f"{key}.{name}")
    elif old != new:
        yield KeyChange(key, "changed")
