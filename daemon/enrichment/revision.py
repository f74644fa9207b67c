"""How an alert grows, and who is told: the one place where what was found enters it. Pure.

Only `similar`, `explanation` and `gaps` can ever differ from the base alert: severity, routing, grouping and timing
belong to the rules, and there is no way from a model's answer to them.
"""

from collections.abc import Iterable, Sequence

import msgspec

from daemon.config.schema import Webhook
from daemon.model import Alert, Explanation, Gap, Severity, Similar


def with_similar(alert: Alert, found: Sequence[Similar], gap: Gap | None) -> Alert:
    """The alert with the similar incidents that were found, or the reason why none could be looked for."""
    gaps = tuple(one for one in alert.gaps if one.part != "similar")
    return msgspec.structs.replace(alert, similar=tuple(found), gaps=(*gaps, gap) if gap else gaps)


def with_explanation(alert: Alert, explanation: Explanation | None, gaps: Iterable[Gap]) -> Alert:
    """The alert with a model's explanation; without one, it keeps its own and says why in `gaps`."""
    new = tuple(gaps)
    again = {(gap.part, gap.why) for gap in new}
    kept = tuple(gap for gap in alert.gaps if gap.part != "explanation" and (gap.part, gap.why) not in again)
    return msgspec.structs.replace(alert, explanation=explanation or alert.explanation, gaps=(*kept, *new))


def receivers(webhooks: Iterable[Webhook], alert: Alert, present: Alert) -> list[str]:
    """The webhooks that want this revision of `present`, the version that they were sent or will be.

    `explained` wants what adds similar incidents or an explanation, `all` also what only adds a gap, `base` nothing.
    """
    richer = (bool(alert.similar) and alert.similar != present.similar) or (
        alert.explanation.origin == "model" and alert.explanation != present.explanation
    )
    accepting = {"explained", "all"} if richer else {"all"} if alert.gaps != present.gaps else set()
    return [
        hook.name for hook in webhooks if hook.versions in accepting and Severity[hook.min_severity] <= alert.severity
    ]
