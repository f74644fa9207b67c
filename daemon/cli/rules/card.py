"""One rule with all that is known of it, for `tellwhy rules list` and `show`: as JSON, and for people."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import wrap

from daemon.cli.rules.catalogue import Catalogue, Entry
from daemon.cli.rules.words import outline, say_correlation, say_entity, say_logsource, say_sustain
from daemon.detection.rules_draft import Draft
from daemon.detection.wording import duration, visible
from daemon.rule_samples.reading import RuleSample

_LABEL = 12
_WIDTH = 100
_STATES = {
    (True, True): "on",
    (True, False): "on, counts for others",
    (False, False): "off",
}


def state_of(catalogue: Catalogue, entry: Entry) -> str:
    """How a rule stands: on, off, or only counting for correlations."""
    if entry.enabled or not any(one.enabled for one in catalogue.built_on(entry)):
        return _STATES[entry.enabled, entry.speaks]
    return "off, counts for others"


def brief(catalogue: Catalogue, entry: Entry) -> dict[str, object]:
    """What `list --json` says of a rule: exactly `id title level logsource techniques author path enabled`."""
    ref, source = entry.rule.ref, catalogue.logsource(entry)
    return {
        "id": ref.id,
        "title": ref.title,
        "level": ref.severity.name,
        "logsource": {
            "product": source.product or None,
            "category": source.category or None,
            "service": source.service or None,
        },
        "techniques": list(ref.techniques),
        "author": ref.author,
        "path": ref.path,
        "enabled": entry.enabled,
    }


def whole(catalogue: Catalogue, entry: Entry, samples: list[RuleSample]) -> dict[str, object]:
    """What `show --json` says of a rule: the same and everything else."""
    rule, ref = entry.rule, entry.rule.ref
    return {
        **brief(catalogue, entry),
        "line": int(entry.where.rpartition(":")[2]),
        "name": str(entry.draft.document.data.get("name") or "") or None,
        "status": entry.status or None,
        "license": ref.license,
        "description": ref.description,
        "tactics": list(ref.tactics),
        "references": list(ref.references),
        "falsepositives": list(ref.falsepositives),
        "runbook": ref.runbook,
        "condition": condition_of(catalogue, entry),
        "entity": say_entity(rule),
        "sustain": _sustained(entry),
        "speaks": entry.speaks,
        "built_upon": [_named(one) for one in catalogue.inputs(entry)],
        "counts_for": [_named(one) for one in catalogue.built_on(entry)],
        "filters": [_filter(one.draft) for one in catalogue.filters_of(entry)],
        "samples": [
            {"name": one.name, "kind": "hit" if one.hits else "miss", "path": one.path, "line": one.line}
            for one in samples
        ],
    }


def condition_of(catalogue: Catalogue, entry: Entry) -> str:
    """The condition in words, on one line."""
    if entry.rule.correlation is not None:
        return say_correlation(entry.rule.correlation, _names(catalogue, entry))
    return str(entry.rule.condition)


def _names(catalogue: Catalogue, entry: Entry) -> Mapping[str, str]:
    return {name: one.title for one in catalogue.inputs(entry) for name in one.draft.names}


def _sustained(entry: Entry) -> dict[str, str] | None:
    sustain = entry.rule.sustain
    if sustain is None:
        return None
    return {"for": duration(sustain.hold), "resolve_after": duration(sustain.resolve_after)}


def _named(entry: Entry) -> dict[str, str]:
    return {"id": entry.rule.ref.id, "title": entry.title}


def _filter(draft: Draft) -> dict[str, object]:
    return {"title": draft.ref.title, "path": draft.document.path, "line": draft.document.line_of("title")}


def card(catalogue: Catalogue, entry: Entry, samples: list[RuleSample]) -> str:
    """The rule for a person. What its author wrote is shown as it is, but no control character of it."""
    lines = [visible(entry.title)]
    for label, texts in _rows(catalogue, entry, samples):
        for number, text in enumerate(texts):
            lines.append(f"  {label if not number else '':{_LABEL}}{visible(text)}".rstrip())
    return "\n".join(lines)


def _rows(catalogue: Catalogue, entry: Entry, samples: list[RuleSample]) -> Iterator[tuple[str, list[str]]]:
    ref = entry.rule.ref
    yield "id", [ref.id]
    yield "name", _some(str(entry.draft.document.data.get("name") or ""))
    yield "level", [ref.severity.name]
    yield "status", _some(entry.status)
    yield "state", [state_of(catalogue, entry)]
    yield "author", _some(" – ".join(part for part in (ref.author, ref.license) if part))
    told = [f"those that the event names in {field}" for field in entry.rule.quotes.techniques]
    yield "techniques", _some(", ".join([*ref.techniques, *told]))
    yield "says", wrap(ref.description, _WIDTH)
    yield "looks at", [say_logsource(catalogue.logsource(entry))]
    yield "fires on", _fires(catalogue, entry)
    yield "about", [say_entity(entry.rule)]
    yield "built upon", [_line(one) for one in catalogue.inputs(entry)]
    yield "counts for", [_line(one) for one in catalogue.built_on(entry)]
    yield (
        "filtered by",
        [
            f"{one.draft.ref.title} ({one.draft.document.path}:{one.draft.document.line_of('title')})"
            for one in catalogue.filters_of(entry)
        ],
    )
    yield "harmless if", list(ref.falsepositives)
    yield "runbook", ref.runbook.strip().splitlines()
    yield "see", list(ref.references)
    yield (
        "samples",
        [f"{'hit' if one.hits else 'miss':5}{one.name} ({Path(one.path).name}:{one.line})" for one in samples]
        or ["none: nothing shows that it fires"],
    )
    yield "file", [entry.where]


def _some(text: str) -> list[str]:
    return [text] if text else []


def _fires(catalogue: Catalogue, entry: Entry) -> list[str]:
    rule = entry.rule
    if rule.condition is None:
        return [condition_of(catalogue, entry)]
    lines = list(outline(rule.condition.node))
    return [*lines, say_sustain(rule.sustain)] if rule.sustain is not None else lines


def _line(entry: Entry) -> str:
    return f"{entry.title} ({entry.where})"
