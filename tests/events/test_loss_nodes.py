"""Which nodes are followed where there are too many: none that writes makes room, and what is left out is said."""

import math

from daemon.events.loss_nodes import MAX_NODES, SILENT, LossNodes
from daemon.model import Snapshot

STEP = "losses:a"


def full(at: float = 100.0, *, ticked: float | None = None) -> LossNodes:
    kept = LossNodes(STEP)
    if ticked is not None:
        kept.tick(ticked)
    for number in range(MAX_NODES):
        kept.open(f"n{number}", 1, at)
    return kept


def test_the_node_that_was_silent_for_longest_makes_room() -> None:
    kept = full(ticked=5000.0)
    kept.changes()
    for number in range(MAX_NODES):
        kept.by_name[f"n{number}"].touched = 5000.0 + (number != 7)
    kept.tick(5000.0 + SILENT)
    kept.open("new", 1, 200.0)
    assert ("new" in kept.by_name, "n7" in kept.by_name, len(kept.by_name)) == (True, False, MAX_NODES)
    assert (kept.evictions, kept.crowded) == (1, False)
    assert [(row.key, row.value is None) for row in kept.changes()] == [("n7", True), ("new", False)]


def test_a_node_that_writes_makes_no_room_and_the_new_one_is_said_to_be_left_out() -> None:
    """Its clock may be wrong by years: the caller's counts."""
    kept = full(ticked=5000.0)
    kept.tick(5000.0 + SILENT - 1)
    kept.open("new", 1, 9_999_999_999.0)
    assert ("new" in kept.by_name, kept.evictions, kept.crowded) == (False, 0, True)
    kept.tick(5000.0 + SILENT)
    kept.open("new", 1, 100.0)
    assert ("new" in kept.by_name, kept.evictions) == (True, 1)


def test_that_some_are_left_out_is_over_when_none_was_for_a_while() -> None:
    kept = full(ticked=5000.0)
    kept.open("new", 1, 100.0)
    found = []
    for now in (5001.0, 5000.0 + SILENT, 5001.0 + SILENT):
        kept.tick(now)
        found.append(kept.crowded)
    assert found == [True, True, False]


def test_where_nobody_ticks_the_time_of_the_log_decides() -> None:
    kept = full(100.0)
    kept.by_name["n9"].latest = 99.0
    kept.open("one", 1, 99.0 + SILENT - 1)
    kept.open("other", 1, 98.0 + 2 * SILENT)
    assert ("one" in kept.by_name, kept.crowded) == (False, True)
    kept.open("other", 1, 98.0 + 2 * SILENT + 1)
    assert ("other" in kept.by_name, "n9" in kept.by_name) == (True, False)


def test_a_clock_that_is_set_back_makes_nobody_silent_or_heard_for_ever() -> None:
    kept = full(ticked=1_000_000.0)
    kept.tick(5000.0)
    kept.open("new", 1, 100.0)
    assert kept.crowded
    kept.tick(5000.0 + SILENT)
    kept.open("new", 1, 100.0)
    assert "new" in kept.by_name


def test_after_a_restart_all_are_given_time_to_be_heard() -> None:
    before, after = full(ticked=5000.0), LossNodes(STEP)
    rows = before.changes()
    after.restore([*rows, Snapshot(STEP, "broken", b"{"), Snapshot("losses:b", "", b"{}")])
    assert len(after.by_name) == MAX_NODES
    for now, is_in in ((9000.0, False), (9000.0 + SILENT, True)):
        after.tick(now)
        after.open("new", 1, 100.0)
        assert ("new" in after.by_name) is is_in


def test_a_node_that_comes_back_before_the_store_was_told_keeps_its_row() -> None:
    kept = full(ticked=0.0)
    kept.changes()
    kept.tick(SILENT)
    kept.open("new", 1, 100.0)
    (gone,) = {f"n{number}" for number in range(MAX_NODES)} - kept.by_name.keys()
    kept.open(gone, 5, 100.0)
    assert [row.key for row in kept.changes() if row.value is not None and row.key == gone] == [gone]
    assert all(row.key != gone for row in kept.changes())


def test_the_end_of_a_replay_is_no_time_that_passed() -> None:
    kept = full(100.0)
    kept.open("new", 1, 100.0)
    kept.tick(math.inf)
    assert len(kept.by_name) == MAX_NODES
