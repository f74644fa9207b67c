"""The desk in memory, with the promises of `daemon.state.Desk`, and failures on request."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from daemon.model import Alert, Anomaly, Delivery, DeliveryState, Incident
from daemon.state import Outstanding


@dataclass
class _Enrichment:
    draft: Alert
    attempts: int = 0


class MemoryDesk:
    """`tell` and `begin` do what pipeline and dispatcher would. `failures` are raised by the next calls, one each.

    `changed` is set whenever something is written; `finals` lists what was stored as final.
    """

    def __init__(self) -> None:
        self.versions: dict[str, list[Alert]] = {}
        self.rows: dict[str, Incident] = {}
        self.owed: list[Delivery] = []
        self.enrichments: dict[str, _Enrichment] = {}
        self.states: dict[str, tuple[int, int]] = {}  # incident → versions (told, remembered)
        self.finals: list[Alert] = []
        self.failures: deque[Exception] = deque()
        self.broken: Exception | None = None
        self.changed = asyncio.Event()

    # what others do

    def tell(
        self,
        alert: Alert,
        *webhooks: str,
        due_at: float = 0.0,
        incident: Incident | None = None,
        enrich: bool = True,
    ) -> Alert:
        """A new version of an alert, as the pipeline's commit stores it."""
        stored = self._append(alert)
        self._owe(stored, webhooks, due_at)
        if incident is not None:
            self.rows[incident.id] = incident
        self.enrichments.pop(stored.id, None)
        if enrich:
            self.enrichments[stored.id] = _Enrichment(stored)
        _, remembered = self.states.get(alert.incident_id, (0, 0))
        self.states[alert.incident_id] = (stored.version, remembered)
        return stored

    def begin(self, alert: Alert) -> None:
        """The dispatcher begins to send this version."""
        self.owed = [
            msgspec.structs.replace(row, attempts=row.attempts + 1)
            if (row.alert.id, row.alert.version) == (alert.id, alert.version)
            else row
            for row in self.owed
        ]

    def newest(self, alert_id: str) -> Alert:
        """The newest version of an alert."""
        return self.versions[alert_id][-1]

    def owed_to(self, webhook: str) -> list[int]:
        """The versions owed to a webhook, in order."""
        return [row.alert.version for row in self.owed if row.webhook == webhook]

    # the contract

    async def unenriched(self, limit: int) -> list[Outstanding]:
        self._pass()
        rows = sorted(self.enrichments.values(), key=lambda row: (-row.draft.severity, -row.draft.made_at))
        return [
            Outstanding(alert=row.draft, base_sent=not self._untouched(row.draft), attempts=row.attempts)
            for row in rows[:limit]
        ]

    async def tried(self, alert_id: str) -> None:
        self._pass(writing=True)
        if alert_id in self.enrichments:
            self.enrichments[alert_id].attempts += 1

    async def revise(self, alert: Alert, *, final: bool, now: float, webhooks: Sequence[str]) -> Alert:
        self._pass(writing=True)
        present = self.versions[alert.id][-1] if alert.id in self.versions else None
        if present is None or present.version != alert.version:
            return present or alert
        if final:
            return self._end(alert, present, now, webhooks)
        if webhooks and alert.similar != present.similar and not self._untouched(alert):
            alert = self._append(msgspec.structs.replace(alert, made_at=now))
            self._owe(alert, webhooks, now)
        if alert.id in self.enrichments:
            self.enrichments[alert.id].draft = alert
        if self._untouched(alert):
            self.versions[alert.id][-1] = alert
            self.owed = [
                msgspec.structs.replace(row, alert=alert, due_at=min(row.due_at, now))
                if (row.alert.id, row.alert.version) == (alert.id, alert.version)
                else row
                for row in self.owed
            ]
        return alert

    async def remembered(self, alert: Alert) -> None:
        self._pass(writing=True)
        told, _ = self.states[alert.incident_id]
        if told <= alert.version:
            self.states[alert.incident_id] = (told, told)

    async def forgotten(self) -> None:
        self._pass(writing=True)
        self.states = {incident: (told, 0) for incident, (told, _) in self.states.items()}

    async def unremembered(self, limit: int) -> list[Alert]:
        self._pass()
        newest = [
            versions[-1]
            for versions in self.versions.values()
            if self.states[versions[-1].incident_id][1] < self.states[versions[-1].incident_id][0]
        ]
        return sorted(newest, key=lambda alert: alert.last_at)[:limit]

    async def incident(self, incident_id: str) -> Incident | None:
        self._pass()
        return self.rows.get(incident_id)

    async def incidents(
        self,
        *,
        limit: int,
        before: float | None = None,
        severity: int = 0,
        status: str = "",
        rule: str = "",
        text: str = "",
    ) -> list[Incident]:
        self._pass()
        found = [
            one
            for one in self.rows.values()
            if one.severity >= severity
            and (before is None or one.last_at < before)
            and (not status or one.status.value == status)
            and (not rule or one.rule.id == rule)
            and all(word in _search(one) for word in text.lower().split())
        ]
        return sorted(found, key=lambda one: (-one.last_at, one.id))[:limit]

    async def alerts(self, incident_id: str) -> list[Alert]:
        self._pass()
        return [one for versions in self.versions.values() for one in versions if one.incident_id == incident_id]

    async def anomalies(self, incident_id: str, limit: int = 100) -> list[Anomaly]:
        self._pass()
        found = self.rows.get(incident_id)
        return sorted(found.anomalies if found else (), key=lambda one: one.at)[:limit]

    async def deliveries(self, incident_id: str) -> list[Delivery]:
        self._pass()
        return [row for row in self.owed if row.alert.incident_id == incident_id]

    async def counts(self) -> dict[str, int]:
        self._pass()
        return {
            "incidents": len(self.rows),
            "alerts": sum(map(len, self.versions.values())),
            "enrichments": len(self.enrichments),
            "deliveries": len(self.owed),
        }

    # inside

    def _pass(self, *, writing: bool = False) -> None:
        if self.broken is not None:
            raise self.broken
        if self.failures:
            raise self.failures.popleft()
        if writing:
            self.changed.set()

    def _append(self, alert: Alert) -> Alert:
        versions = self.versions.setdefault(alert.id, [])
        stored = msgspec.structs.replace(alert, version=len(versions) + 1)
        versions.append(stored)
        return stored

    def _owe(self, alert: Alert, webhooks: Sequence[str], due_at: float) -> None:
        for webhook in webhooks:
            self.owed.append(
                Delivery(
                    id=len(self.owed) + 1, alert=alert, webhook=webhook, attempts=0, due_at=due_at,
                    created_at=alert.made_at, state=DeliveryState.due,
                )
            )  # fmt: skip

    def _end(self, alert: Alert, present: Alert, now: float, webhooks: Sequence[str]) -> Alert:
        self.enrichments.pop(alert.id, None)
        self.finals.append(alert)
        if _says(present) == _says(alert):
            return present
        stored = self._append(msgspec.structs.replace(alert, made_at=now))
        self._owe(stored, webhooks, now)
        return stored

    def _untouched(self, alert: Alert) -> bool:
        rows = [row for row in self.owed if (row.alert.id, row.alert.version) == (alert.id, alert.version)]
        return bool(rows) and not any(row.attempts for row in rows)


def _says(alert: Alert) -> tuple[object, ...]:
    return (alert.similar, alert.explanation, alert.gaps, alert.next_steps)


def _search(incident: Incident) -> str:
    rule = incident.rule
    words = f"{rule.title} {incident.entity} {incident.host} {incident.because} {' '.join(rule.techniques)}"
    return words.lower()
