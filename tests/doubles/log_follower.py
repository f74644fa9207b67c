"""A trail with a store of its own: feeds what was handed over back as checkpoints, also after a death."""

from pathlib import Path

from daemon.model import Checkpoint, Lines, Lost
from daemon.sources.ledger import Ledger
from daemon.sources.openings import Openings
from daemon.sources.tailed_file import Reading
from daemon.sources.trail import Trail


class LogFollower:
    """Follows one path; `lines` and `lost` are what came out, `rows` what a store would hold."""

    def __init__(self, path: Path, *, max_line: int = 65536) -> None:
        self.path = path
        self.clock = 0.0
        self.now = 7.0
        self.skipped: list[int] = []
        self.rows: dict[str, Checkpoint] = {}
        self.lines: list[bytes] = []
        self.lost: list[Lost] = []
        self.reading = Reading("app", max_line, lambda: self.now, self.skipped.append)
        self.ledger = Ledger()
        self.trail = self.start()

    def start(self) -> Trail:
        """A new process: nothing but the rows is known."""
        self.ledger = Ledger()
        for row in self.rows.values():
            self.ledger.remember(row)
        openings = Openings(str(self.path), self.reading, self.ledger)
        return Trail(openings, self.reading, stored=dict(self.rows), monotonic=lambda: self.clock)

    def die(self) -> None:
        """Kill -9 and start again."""
        self.trail.close()
        self.trail = self.start()

    def take(self, item: Lines | Lost) -> None:
        """Store one item, as the pipeline does: lines and checkpoint together."""
        if isinstance(item, Lost):
            self.lost.append(item)
            return
        self.lines.extend(line for _, line in item.split())
        self.rows[item.checkpoint.position.path] = item.checkpoint

    def read(self) -> list[bytes]:
        """Read until nothing more is there at once; what came."""
        before = len(self.lines)
        while True:
            for item in self.trail.read():
                self.take(item)
            if not self.trail.more:
                return self.lines[before:]

    def whys(self) -> list[str]:
        """The reasons of all losses."""
        return [lost.why for lost in self.lost]
