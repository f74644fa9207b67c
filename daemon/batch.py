"""What items caused and no transaction has stored yet."""

from collections.abc import Callable

from daemon.model import Anomaly, Checkpoint, Forgotten, Incident, Snapshot, Unseen
from daemon.state import Commit, GapHooks, Told


class Batch:
    """What was caused since the last commit; `receipts` are called once it is stored."""

    def __init__(self) -> None:
        self.receipts: list[Callable[[], None]] = []
        self.checkpoints: dict[tuple[str, str], Checkpoint] = {}
        self.incidents: dict[str, Incident] = {}
        self.anomalies: list[tuple[str, Anomaly]] = []
        self.told: list[Told] = []
        self.forgotten: dict[tuple[str, str], Forgotten] = {}
        self.unseen: list[Unseen] = []
        self.dirty = False

    def reach(self, checkpoint: Checkpoint) -> None:
        """Reading got so far."""
        key = (checkpoint.source, checkpoint.position.path)
        self.checkpoints[key] = checkpoint
        self.forgotten.pop(key, None)

    def forget(self, gone: Forgotten) -> None:
        """Nothing resumes there any more."""
        self.checkpoints.pop((gone.source, gone.path), None)
        self.forgotten[gone.source, gone.path] = gone
        self.dirty = True

    def commit(self, now: float, snapshots: tuple[Snapshot, ...], gap_hooks: GapHooks) -> Commit:
        """The transaction."""
        return Commit(
            at=now,
            checkpoints=tuple(self.checkpoints.values()),
            anomalies=tuple(self.anomalies),
            incidents=tuple(self.incidents.values()),
            told=tuple(self.told),
            snapshots=snapshots,
            forgotten=tuple(self.forgotten.values()),
            unseen=tuple(self.unseen),
            gap_hooks=gap_hooks,
        )
