"""What mattered is told of until a rule could see it end; no more than there is room for."""

from daemon.sources.followed import LINGER, Followed


def test_it_is_told_of_for_a_while_after_it_mattered() -> None:
    followed: Followed[str] = Followed()
    assert followed.choose(["a"], 0.0) == ["a"]
    assert followed.choose([], LINGER) == ["a"]
    assert followed.choose([], LINGER + 1) == []


def test_those_that_still_matter_do_not_give_way() -> None:
    """The worst bug: sixteen of sixty busy workers, others each time, so that no rule ever sees one of them for long."""
    followed: Followed[int] = Followed(most=16)
    first = followed.choose(range(60), 0.0)
    assert first == list(range(16))
    assert followed.choose(reversed(range(60)), 5.0) == first


def test_those_that_have_been_quiet_for_longest_give_way() -> None:
    followed: Followed[str] = Followed(most=2)
    followed.choose(["a", "b"], 0.0)
    followed.choose(["b"], 5.0)
    assert sorted(followed.choose(["b", "c"], 10.0)) == ["b", "c"]
