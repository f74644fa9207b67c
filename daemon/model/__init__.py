"""The nouns of tellwhy: frozen values, and the two errors that cross a contract.

Instants are UTC seconds since the epoch as `float` (`at`, `*_at`); durations are seconds as `float`.
Nothing here does anything: no clock, no file, no log.
"""

from daemon.model.alerts import Alert, Delivery, DeliveryState, Evidence, Explanation, Sentence, Similar
from daemon.model.failures import Problem, ProblemsError, Refused, Transient
from daemon.model.gaps import Gap, Unseen
from daemon.model.happenings import (
    Checkpoint,
    Event,
    Forgotten,
    Lines,
    Logsource,
    Lost,
    Position,
    Sample,
    Snapshot,
    Value,
)
from daemon.model.incidents import Anomaly, Decision, Incident, IncidentChange, IncidentStatus, RuleRef, Severity

__all__ = [
    "Alert",
    "Anomaly",
    "Checkpoint",
    "Decision",
    "Delivery",
    "DeliveryState",
    "Event",
    "Evidence",
    "Explanation",
    "Forgotten",
    "Gap",
    "Incident",
    "IncidentChange",
    "IncidentStatus",
    "Lines",
    "Logsource",
    "Lost",
    "Position",
    "Problem",
    "ProblemsError",
    "Refused",
    "RuleRef",
    "Sample",
    "Sentence",
    "Severity",
    "Similar",
    "Snapshot",
    "Transient",
    "Unseen",
    "Value",
]
