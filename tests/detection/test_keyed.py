from hypothesis import given
from hypothesis import strategies as st

from daemon.detection.keyed import Keyed, key_of
from daemon.model import Snapshot


def stored(rows: dict[str, bytes], changes: list[Snapshot], prefix: str = "p:") -> None:
    """What the store does with changes."""
    for change in changes:
        key = change.key.removeprefix(prefix)
        if change.value is None:
            rows.pop(key, None)
        else:
            rows[key] = change.value


def test_what_is_kept_is_found_and_what_is_dropped_is_gone() -> None:
    memory = Keyed(int, 10, "p:")
    memory.put("a", 1)
    memory.put("a", 2)
    assert (memory.get("a"), memory.get("b"), len(memory)) == (2, None, 1)
    assert [(row.step, row.key, row.value is None) for row in memory.changes()] == [("detection", "p:a", False)]
    assert memory.changes() == []
    memory.drop("a")
    memory.drop("never")
    assert memory.changes() == [Snapshot("detection", "p:a", None)]


def test_the_bound_holds_and_the_least_recently_used_goes() -> None:
    memory = Keyed(int, 3, "p:")
    for key in "abc":
        memory.put(key, 0)
    memory.put("a", 1)
    memory.put("d", 0)
    assert (memory.get("b"), len(memory), memory.evictions) == (None, 3, 1)
    for n in range(1000):
        memory.put(str(n), n)
    assert (len(memory), memory.evictions) == (3, 1001)


def test_an_unreadable_row_is_named_and_the_others_are_taken() -> None:
    memory, rows = Keyed(int, 3, "p:"), dict[str, bytes]()
    memory.put("a", 1)
    stored(rows, memory.changes())
    again = Keyed(int, 3, "p:")
    assert again.restore([("a", rows["a"]), ("b", b"\xff\x00nonsense"), ("c", b"")]) == ["b", "c"]
    assert again.get("a") == 1


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 3)), max_size=40), st.integers(0, 40))
def test_a_restart_changes_nothing_not_even_who_goes_next(steps: list[tuple[str, int]], cut: int) -> None:
    whole, first, rows = Keyed(int, 3, "p:"), Keyed(int, 3, "p:"), dict[str, bytes]()
    for key, value in steps[:cut]:
        whole.put(key, value)
        first.put(key, value)
    stored(rows, first.changes())
    second = Keyed(int, 3, "p:")
    assert second.restore(rows.items()) == []
    for key, value in steps[cut:]:
        if value:
            whole.put(key, value)
            second.put(key, value)
        else:
            whole.drop(key)
            second.drop(key)
    assert [whole.get(key) for key in "abcdef"] == [second.get(key) for key in "abcdef"]


def test_keys_are_short_and_different() -> None:
    assert key_of(["a", None]) == '["a", null]'
    assert key_of(["a,b"]) != key_of(["a", "b"])
    assert key_of([None]) != key_of(["null"])
    long, other = key_of(["x" * 100_000]), key_of(["x" * 100_000 + "y"])
    assert long != other
    assert len(long) == 64
    assert key_of(["\udcff"]) == '["\\udcff"]'
