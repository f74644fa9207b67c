"""Counts are exact while there are few, and bounded always."""

from daemon.delivery.tally import MAX_COUNTED, Tally


def test_each_delivery_is_counted_until_it_ends() -> None:
    tally = Tally()
    assert [tally.add(1), tally.add(2), tally.add(1)] == [1, 1, 2]
    tally.forget(1)
    tally.forget(1)
    assert [tally.add(1), tally.add(2)] == [1, 2]


def test_the_longest_uncounted_is_forgotten_at_the_bound() -> None:
    tally = Tally()
    for number in range(MAX_COUNTED):
        tally.add(number)
    tally.add(0)
    tally.add(MAX_COUNTED)
    assert len(tally) == MAX_COUNTED
    assert (tally.add(0), tally.add(1)) == (3, 1)
    assert len(tally) == MAX_COUNTED
