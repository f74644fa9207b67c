"""Failed units, from a real child; absent where systemd does not run or does not answer."""

import sys
from pathlib import Path

import pytest

from daemon.sources import host_units
from daemon.sources.host_units import read_units


def says(text: str) -> tuple[str, ...]:
    return (sys.executable, "-c", f"print({text!r})")


def test_how_many_and_which(tmp_path: Path) -> None:
    out = "nginx.service     loaded failed failed A web server\nbackup@x.service loaded failed failed Backup"
    assert read_units(tmp_path, says(out)) == (
        {"units.failed": 2.0},
        {"units.failed_names": ("nginx.service", "backup@x.service")},
    )


def test_none_is_zero(tmp_path: Path) -> None:
    assert read_units(tmp_path, says("")) == ({"units.failed": 0.0}, {})


def test_names_are_bounded(tmp_path: Path) -> None:
    values, context = read_units(tmp_path, says("\n".join(f"u{number}.service x" for number in range(50))))
    assert values == {"units.failed": 50.0}
    assert context["units.failed_names"][-2:] == ("u7.service", "and 42 more")


def test_where_systemd_does_not_run(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_units(tmp_path / "none", says(""))


@pytest.mark.parametrize(
    "command",
    [(sys.executable, "-c", "exit(1)"), ("/no/such/program",), (sys.executable, "-c", "input()\nwhile True: pass")],
)
def test_where_it_does_not_answer(tmp_path: Path, command: tuple[str, ...]) -> None:
    with pytest.raises(OSError, match=r"systemctl|No such file"):
        read_units(tmp_path, command)


def test_a_child_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_units, "PATIENCE", 0.2)
    with pytest.raises(OSError, match="timed out"):
        read_units(tmp_path, (sys.executable, "-c", "while True: pass"))
