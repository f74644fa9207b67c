from pathlib import Path

from daemon.state.ballast import Ballast


def test_room_is_really_allocated_and_given_back(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "ballast", 1 << 20)

    assert ballast.fill()
    assert (tmp_path / "ballast").stat().st_blocks * 512 >= 1 << 20
    assert ballast.release()
    assert not ballast.held
    assert not ballast.release()


def test_a_disk_without_room_leaves_no_half_ballast(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "ballast", 1 << 62)

    assert not ballast.fill()
    assert not ballast.held
