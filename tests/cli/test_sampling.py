"""What the ends of the logs show."""

from pathlib import Path

from daemon.cli.sampling import sample_sources
from daemon.config import Config
from daemon.events import Sight
from daemon.telemetry import HealthState
from tests.doubles.audit_lines import execve


def config(top: Path, *names: str) -> Config:
    sources = [{"type": "file", "name": name, "path": str(top / f"{name}.log")} for name in names]
    return Config.model_validate({"sources": [*sources, {"type": "host"}]})


def test_each_file_shows_what_it_is_worth(tmp_path: Path) -> None:
    whole = [line for serial in range(20) for line in execve(serial, "true")]
    (tmp_path / "audit.log").write_text("\n".join(whole) + "\n")
    (tmp_path / "untitled.log").write_text("\n".join(line for line in whole if "PROCTITLE" not in line) + "\n")
    (tmp_path / "few.log").write_text(execve(1, "true")[0] + "\n")
    (tmp_path / "kern.log").write_text("Nov 21 11:20:00 vm kernel: [    0.000000] Linux version 6.1\n")
    (tmp_path / "auth.log").write_text("Nov 21 11:20:00 vm sshd[1]: Server listening\n")

    states, sights = sample_sources(config(tmp_path, "audit", "untitled", "few", "kern", "auth", "gone"))

    assert sights == {
        "audit": Sight(records=True),
        "untitled": Sight(records=True, absent=("PROCTITLE",)),
        "few": Sight(records=True),
        "kern": Sight(kernel=True),
        "auth": Sight(),
        "gone": Sight(),
    }
    assert [(name, row.state) for name, row in states.items()] == [("gone", HealthState.degraded)]
    assert states["gone"].detail == f"{tmp_path}/gone.log is not there"


def test_only_the_end_is_looked_at(tmp_path: Path) -> None:
    """Bounded: a quarter of a mebibyte of each file."""
    (tmp_path / "kern.log").write_text("Nov 21 11:20:00 vm kernel: x\n" + "y\n" * 200_000)
    assert sample_sources(config(tmp_path, "kern"))[1] == {"kern": Sight()}
