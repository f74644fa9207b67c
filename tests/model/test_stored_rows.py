from daemon.model import Snapshot
from daemon.model.stored_rows import read_rows


def test_only_whole_rows_of_the_step_are_read() -> None:
    """The worst bug: one row that was written by another version keeps the daemon from starting."""
    rows = [
        Snapshot("mine", "a", b"[1,2]"),
        Snapshot("other", "b", b"[3]"),
        Snapshot("mine", "gone", None),
        Snapshot("mine", "torn", b"[4"),
        Snapshot("mine", "of another kind", b'{"x":1}'),
        Snapshot("mine", "not text", b"\xff"),
        Snapshot("mine", "c", b"[]"),
    ]
    assert list(read_rows(rows, "mine", list[int])) == [("a", [1, 2]), ("c", [])]
