"""Alertmanager's notifications (its webhook, version 4): what is meant as one, and what is wrong with one that is made.

A notification in a file is read as far as it can be. Who posts one is told what no Alertmanager would send, while
somebody can still mend it: taken silently, it would be an alert that no rule ever finds. Nothing of what it holds is
said again, the names of its labels neither. Facts: prometheus.io/docs/alerting/latest/configuration, webhook_config.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

Record: TypeAlias = Mapping[str, Any]

_MARKS = frozenset(
    {"receiver", "groupLabels", "commonLabels", "commonAnnotations", "groupKey", "truncatedAlerts", "alerts"}
)
_ENOUGH = 3  # of the marks: no other tool has so many of these keys
_STATES = ("firing", "resolved")
_MOST_SAID = 5
_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "true or false"),
    (int, "a number"),
    (float, "a number"),
    (str, "a text"),
    (list, "a list"),
    (dict, "an object"),
)


def is_meant(record: Record) -> bool:
    """Whether a record is meant as a notification, be it well made or not."""
    if "alerts" in record and (record.get("version") == "4" or record.get("status") in _STATES):
        return True
    return len(_MARKS & record.keys()) >= _ENOUGH


def is_notification(record: Record) -> bool:
    """Whether it can be read as one: it is meant, and has a list of alerts with one in it (or none at all)."""
    alerts = record.get("alerts")
    if not isinstance(alerts, list) or (alerts and not any(isinstance(alert, dict) for alert in alerts)):
        return False
    return is_meant(record)


def count_alerts(record: Any) -> int:
    """How many events a record stands for: the alerts of a notification; 1 for anything else."""
    alerts = record.get("alerts") if isinstance(record, dict) else None
    return len(alerts) if isinstance(alerts, list) and alerts and is_meant(record) else 1


def find_misshape(record: Record) -> str:
    """What was expected of a record that is meant as a notification, the first few faults; "" for a good one."""
    faults = _faults(record)
    said = [fault for fault, _ in zip(faults, range(_MOST_SAID), strict=False)]
    return "; ".join(said)


def _faults(record: Record) -> Iterator[str]:
    for name in ("receiver", "status", "groupKey"):
        if not isinstance(record.get(name) or "", str):
            yield f"{name}: a text (got {_kind(record[name])})"
    for name in ("groupLabels", "commonLabels", "commonAnnotations"):
        yield from _texts(name, record.get(name) or {})
    alerts = record.get("alerts", ...)
    if not isinstance(alerts, list):
        yield f"alerts: a list of alerts (got {_kind(alerts)})"
        return
    for number, alert in enumerate(alerts):
        yield from _alert_faults(f"alerts.{number}", alert)


def _alert_faults(where: str, alert: Any) -> Iterator[str]:
    if not isinstance(alert, dict):
        yield f"{where}: an object with labels and status (got {_kind(alert)})"
        return
    labels = alert.get("labels", ...)
    yield from _texts(f"{where}.labels", labels)
    if labels == {}:
        yield f"{where}.labels: an object with a label in it (got an empty one)"
    yield from _texts(f"{where}.annotations", alert.get("annotations") or {})
    status = alert.get("status", ...)
    if status not in _STATES:
        yield f"{where}.status: firing or resolved (got {'another text' if isinstance(status, str) else _kind(status)})"
    for name in ("startsAt", "endsAt", "generatorURL", "fingerprint"):
        if not isinstance(alert.get(name) or "", str):
            yield f"{where}.{name}: a text (got {_kind(alert[name])})"


def _texts(where: str, found: Any) -> Iterator[str]:
    """At most one fault of what should be an object of texts."""
    if not isinstance(found, dict):
        yield f"{where}: an object of texts (got {_kind(found)})"
        return
    other = next((value for value in found.values() if not isinstance(value, str)), "")
    if other != "":
        yield f"{where}: an object of texts (got {_kind(other)} in it)"


def _kind(value: Any) -> str:
    if value is ...:
        return "nothing"
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "null")
