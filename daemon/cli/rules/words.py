"""A rule in words: its condition as an outline, a correlation as a sentence, where it looks, whom it is about."""

import re
from collections.abc import Iterator, Mapping
from itertools import groupby

from daemon.detection.attributes import Sustain
from daemon.detection.entity import default_fields
from daemon.detection.nodes import AllOf, AnyOf, Node, Not
from daemon.detection.rules import Rule
from daemon.detection.rules_correlation import Correlation
from daemon.detection.rules_draft import canonical
from daemon.detection.wording import duration, number, quoted
from daemon.model import Event, Logsource

_INDENT = "  "
_HOW_MANY = {
    "gte": "{} or more",
    "gt": "more than {}",
    "lte": "{} or fewer",
    "lt": "fewer than {}",
    "eq": "exactly {}",
    "neq": "any number but {}",
}
_HOW_MUCH = {
    "gte": "at least {}",
    "gt": "more than {}",
    "lte": "at most {}",
    "lt": "less than {}",
    "eq": "exactly {}",
    "neq": "not {}",
}
_MEASURE = {"value_sum": "the sum of", "value_avg": "the average of", "value_median": "the median of"}
_THINGS = {
    "process_creation": "programs that are started",
    "file_event": "files that are written, or have their rights changed",
    "network_connection": "connections that are made",
    "host_metrics": "readings of the host",
    "gpu_metrics": "readings of GPUs",
    "evidence_loss": "losses of evidence",
}
_MOST_ORDERS = 3
_NAME = re.compile(r"[\w.-]+")


def outline(node: Node, depth: int = 0) -> Iterator[str]:
    """A condition, one comparison a line; what belongs together is indented below `all of` or `any of`."""
    lead = _INDENT * depth
    if isinstance(node, AllOf | AnyOf):
        yield f"{lead}{'all' if isinstance(node, AllOf) else 'any'} of{_called(node.search)}:"
        for part in node.parts:
            yield from outline(part, depth + 1)
    elif isinstance(node, Not):
        first, *rest = outline(node.part, depth)
        yield f"{lead}not {first.removeprefix(lead)}"
        yield from rest
    else:
        yield f"{lead}{node}"


def _called(search: str) -> str:
    return f" ({search})" if search else ""


def say_sustain(sustain: Sustain) -> str:
    """How long it must hold, and when it is over."""
    over = duration(sustain.resolve_after)
    return f"once this has held for {duration(sustain.hold)}; it is over once it has not for {over}"


def say_correlation(correlation: Correlation, names: Mapping[str, str]) -> str:
    """What a correlation waits for. `names` are titles by every name that a condition in words may use."""
    kind = correlation.kind
    if kind in _MEASURE or kind == "value_percentile":
        said = _measured(correlation)
    elif kind in {"event_count", "value_count"}:
        said = _counted(correlation)
    elif kind == "temporal_ordered" and len(correlation.orders) <= _MOST_ORDERS:
        said = _ordered(correlation)
    elif correlation.expression:
        said = _NAME.sub(lambda match: _titled(match[0], names), correlation.expression)
        said += " in this order" if kind == "temporal_ordered" else ""
    else:
        said = _together(correlation)
    return f"{said}{_grouped(correlation)} within {duration(correlation.timespan)}"


def _titled(name: str, names: Mapping[str, str]) -> str:
    title = names.get(canonical(name))
    return quoted(title) if title is not None else name


def _counted(correlation: Correlation) -> str:
    amount = _bounds(correlation, _HOW_MANY)
    if correlation.kind == "event_count":
        return f"{amount} of {_any(correlation)}"
    return f"{amount} different values of {_joined(correlation.fields, 'and')} in {_any(correlation)}"


def _measured(correlation: Correlation) -> str:
    what = _MEASURE.get(correlation.kind, f"the {_ordinal(correlation.percentile)} percentile of")
    fields = _joined(correlation.fields, "and")
    return f"{what} {fields} in {_any(correlation)} is {_bounds(correlation, _HOW_MUCH)}"


def _together(correlation: Correlation) -> str:
    titles = [quoted(title) for title in dict.fromkeys(correlation.titles)]
    if correlation.operator == "gte" and correlation.count == len(correlation.inputs) and not correlation.also:
        return ("all of " if len(titles) > 2 else "") + _joined(titles, "and")  # noqa: PLR2004 - both needs no word
    return f"{_bounds(correlation, _HOW_MANY)} of the rules {_joined(titles, 'and')}"


def _ordered(correlation: Correlation) -> str:
    titles = dict(zip(correlation.inputs, correlation.titles, strict=True))
    orders = correlation.orders or (correlation.inputs,)
    chains = [" then ".join(_runs([titles[rule_id] for rule_id in order])) for order in orders]
    return chains[0] if len(chains) == 1 else " or ".join(f"({chain})" for chain in chains)


def _runs(titles: list[str]) -> Iterator[str]:
    for title, run in groupby(titles):
        many = len(list(run))
        yield quoted(title) if many == 1 else f"{many} × {quoted(title)}"


def _bounds(correlation: Correlation, words: Mapping[str, str]) -> str:
    bounds = correlation.bounds
    limits = dict(bounds)
    if len(bounds) == 2 and limits.keys() == {"gte", "lte"}:  # noqa: PLR2004 - a range has two ends
        return f"{number(limits['gte'])} to {number(limits['lte'])}"
    return " and ".join(words[operator].format(number(limit)) for operator, limit in bounds)


def _any(correlation: Correlation) -> str:
    return _joined([quoted(title) for title in dict.fromkeys(correlation.titles)], "or")


def _grouped(correlation: Correlation) -> str:
    if not correlation.group_by:
        return ""
    return f" by the same {_joined([_aliased(correlation, name) for name in correlation.group_by], 'and')}"


def _aliased(correlation: Correlation, name: str) -> str:
    titles = dict(zip(correlation.inputs, correlation.titles, strict=True))
    meant = [f"{field} in {quoted(titles[rule_id])}" for rule_id, field in correlation.aliases.get(name, {}).items()]
    return f"{name} ({', '.join(meant)})" if meant else name


def _joined(parts: list[str] | tuple[str, ...], word: str) -> str:
    return ", ".join(parts[:-1]) + f" {word} " + parts[-1] if len(parts) > 1 else "".join(parts)


def _ordinal(value: float) -> str:
    whole = int(value)
    teen = whole % 100 in {11, 12, 13}
    ending = "th" if teen or whole != value else {1: "st", 2: "nd", 3: "rd"}.get(whole % 10, "th")
    return f"{number(value)}{ending}"


def say_logsource(source: Logsource) -> str:
    """Which events a rule looks at, with Sigma's own words behind."""
    if source.category:
        what = _THINGS.get(source.category, f"events of the category {source.category}")
        what += f" by {source.service}" if source.service else ""
    else:
        what = f"lines of {source.service}" if source.service else "lines of every log"
    where = f" on {source.product.capitalize()}" if source.product else ""
    pairs = (("product", source.product), ("category", source.category), ("service", source.service))
    spelled = ", ".join(f"{key} {value}" for key, value in pairs if value)
    return f"{what}{where}" + (f" ({spelled})" if spelled else "")


def say_entity(rule: Rule) -> str:
    """Whose incident it is: what the rule says, else what fits."""
    if rule.entity:
        return ", ".join(rule.entity)
    if rule.correlation is not None:
        return ", ".join(rule.correlation.group_by) or "host"
    fields = default_fields(Event("", 0.0, "", "", rule.logsource, {}, ""))
    usual = ", ".join(fields) or "what is measured"
    return f"{usual} (as is usual for such events)"
