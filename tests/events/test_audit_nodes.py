"""The places in a node's numbers: pieces of a gap, and which smaller number begins anew."""

import pytest

from daemon.events.audit_nodes import (
    Gap,
    Node,
    Start,
    Track,
    begins_anew,
    choose_track,
    is_of_another,
    is_over,
    leave_track,
    reach,
    without,
    without_track,
)


def test_a_late_number_leaves_the_pieces_around_it() -> None:
    gap = Gap(4294967294, 2, 5.0, since=1.0, anew=True)
    assert gap.count == 5
    assert [(one.first, one.last, one.since, one.anew) for one in without(gap, 0)] == [
        (4294967294, 4294967295, 1.0, True),
        (1, 2, 1.0, True),
    ]
    assert without(Gap(7, 7, 1.0), 7) == []
    assert without(gap, 3) == [gap]


@pytest.mark.parametrize(
    ("node", "serial", "at", "anew"),
    [
        (Node(3000, 100.0), 2999, 100.0, False),  # late
        (Node(3000, 100.0), 1, 101.9, False),
        (Node(3000, 100.0), 1, 102.1, True),  # later than all before it
        (Node(90_000, 100.0), 1, 50.0, True),  # far behind, whatever the clock says
        (Node(3000, 100.0, start=Start(99.0, 99.0, killed=False)), 1, 50.0, True),  # the first after auditd began
        (Node(3000, 100.0, start=Start(99.0, 99.0, killed=False, fresh=False)), 2999, 100.0, False),
        (Node(5, 100.0), 4294967290, 100.0, False),  # late, before the numbers wrapped
    ],
)
def test_a_smaller_number_is_late_or_of_a_new_boot(node: Node, serial: int, at: float, *, anew: bool) -> None:
    assert begins_anew(node, serial, at) is anew


def test_patience_ends_by_the_log_by_the_clock_or_at_the_end() -> None:
    assert is_over(2.0, 10.0, None, 12.0, None)
    assert not is_over(2.0, 10.0, None, 11.9, None)
    assert is_over(2.0, 10.0, 50.0, None, 52.0)
    assert not is_over(2.0, 10.0, None, None, 1000.0)  # never ticked since
    assert is_over(2.0, 10.0, None, None, float("inf"))


@pytest.mark.parametrize(
    ("serial", "at", "highest"),
    [
        (9001, 110.0, 9000),  # goes on there
        (8997, 110.0, 9000),  # late there
        (51, 110.0, 50),  # goes on here
        (60, 110.0, 50),  # a gap here is nearer
        (9001, 160.1, 50),  # an earlier boot
        (9001, 97.9, 50),
        (40_000, 110.0, 50),
    ],
)
def test_a_number_goes_on_where_it_is_nearest(serial: int, at: float, highest: int) -> None:
    node = Node(50, 110.0, first=1, tracks=[Track(9000, 100.0, 8000)])
    choose_track(node, serial, at)
    assert node.highest == highest
    assert [track.highest for track in node.tracks] == [50 if highest == 9000 else 9000]


def test_few_tracks_are_remembered() -> None:
    node = Node(1)
    for number in range(100):
        node.highest = number * 10_000
        leave_track(node)
    assert [track.highest for track in node.tracks] == [990_000, 980_000, 970_000, 960_000]


def test_a_long_gap_in_which_numbers_go_on_is_none() -> None:
    short, long = Gap(10, 20, 1.0), Gap(5001, 899_999, 1.0)
    assert without_track([short, long], 5001) == [short]
    assert without_track([short, long], 15) == [short, long]


@pytest.mark.parametrize(
    ("at", "latest", "noticed"),
    [
        (110.0, 110.0, 9e9),
        (99.0, 100.0, 9e9),  # a little late
        (40.0, 100.0, 9e9),
        (39.0, 39.0, 39.0),  # the clock was set back, and what was dated years ahead is dated anew
        (-90_000.0, -90_000.0, -90_000.0),
    ],
)
def test_how_far_the_time_of_a_node_reaches(at: float, latest: float, noticed: float) -> None:
    node = Node(50, 100.0, gaps=[Gap(1, 2, 9e9), Gap(3, 4, 101.0)], start=Start(9e9, 100.0, killed=True))
    reach(node, at)
    assert node.start is not None
    assert (node.latest, node.gaps[0].noticed, node.start.at) == (latest, noticed, noticed)
    assert node.gaps[1].noticed == (101.0 if at > -80_000 else at)


def test_of_another_host_are_numbers_far_behind_that_are_later_again_and_again() -> None:
    node = Node(5000, 100.0)
    assert [is_of_another(node, 4000 + n, 100.5 + n) for n in range(20)].index(True) == 7
    early, near, rare = Node(5000, 100.0), Node(5000, 100.0), Node(5000, 100.0)
    assert not any(is_of_another(early, 4000 + n, 99.0) for n in range(20))
    assert not any(is_of_another(near, 4744 + n, 100.5 + n) for n in range(20))
    assert not any(is_of_another(rare, 4000 + n, 100.0 + 9 * n) for n in range(20))
