"""What items caused, until a transaction takes it."""

from daemon.batch import Batch
from daemon.model import Checkpoint, Forgotten, Position

HERE = Checkpoint("auth", Position("/var/log/auth.log", "1:2:x", 10))


def test_a_place_is_reached_or_forgotten_whichever_came_last() -> None:
    batch = Batch()
    batch.reach(HERE)
    batch.forget(Forgotten("auth", "/var/log/auth.log"))
    gone = batch.commit(5.0, (), ())
    assert (gone.at, gone.checkpoints, len(gone.forgotten)) == (5.0, (), 1)
    batch.reach(HERE)
    again = batch.commit(6.0, (), ())
    assert (again.checkpoints, again.forgotten) == ((HERE,), ())


def test_receipts_are_not_part_of_the_transaction() -> None:
    batch, told = Batch(), []
    batch.receipts.append(lambda: told.append(1))
    batch.commit(5.0, (), ())
    assert told == []
