"""The Qdrant Edge shard, in this process: bounds, filters, what survives, what is refused."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from daemon.enrichment.memory_worker_shard import DirectoryLock, Shard, ShardError
from daemon.enrichment.resemblance import Nearest, Newest, Remembered, remembered
from tests.doubles.values import T0, an_alert

DIGEST = "d" * 64


def a_past(number: int, **changes: object) -> Remembered:
    return replace(remembered(an_alert(number, last_at=T0 + number)), **changes)


def at(degrees: float) -> list[float]:
    """A vector of length 1 in the plane of the first two of four dimensions."""
    return [math.cos(math.radians(degrees)), math.sin(math.radians(degrees)), 0.0, 0.0]


@pytest.fixture
def shard(tmp_path: Path) -> Iterator[Shard]:
    shard = Shard(tmp_path, DIGEST, 4, 1000)
    yield shard
    shard.close()


def test_the_threshold_and_the_order_are_the_query_s(shard: Shard) -> None:
    for degrees in (0, 30, 50, 80):
        shard.upsert(a_past(degrees, fingerprint=str(degrees)), at(degrees))
    hits = shard.answer(Nearest(10, ""), at(0), 0.6)
    assert [hit.past.fingerprint for hit in hits] == ["0", "30", "50"]
    assert hits[1].score == pytest.approx(math.cos(math.radians(30)), abs=1e-5)


def test_its_own_incident_and_seen_wordings_are_filtered(shard: Shard) -> None:
    for number in range(4):
        shard.upsert(a_past(number, wording=f"w{number}"), at(number))
    own = a_past(0).incident_id
    hits = shard.answer(Nearest(10, own, ("w1", "w2")), at(0), 0.0)
    assert [hit.past.wording for hit in hits] == ["w3"]


def test_the_newest_of_a_wording_with_and_without_outcome(shard: Shard) -> None:
    for number in range(5):
        shard.upsert(a_past(number, wording="w", fingerprint=f"f{number}", known=int(number in {1, 2})), at(0))
    newest = shard.answer(Newest(2, "", "w", known=False), at(0), 0.0)
    assert [hit.past.at - T0 for hit in newest] == [4, 3]
    rest = shard.answer(Newest(9, "", "w", known=False, without=("f4", "f1")), at(0), 0.0)
    assert [hit.past.at - T0 for hit in rest] == [3, 2, 0]
    solved = shard.answer(Newest(9, a_past(2).incident_id, "w", known=True), at(0), 0.0)
    assert [hit.past.at - T0 for hit in solved] == [1]
    assert shard.answer(Newest(1, "", "other", known=False), at(0), 0.0) == []


def test_an_upsert_replaces_and_a_delete_forgets(shard: Shard) -> None:
    shard.upsert(a_past(1), at(0))
    shard.upsert(a_past(1, outcome="benign", known=1), at(0))
    assert shard.count() == 1
    assert shard.answer(Nearest(5, ""), at(0), 0.5)[0].past.outcome == "benign"
    shard.delete([a_past(1).incident_id, "never seen"])
    assert shard.count() == 0


@pytest.mark.parametrize(
    "vector",
    [[math.nan, 0, 0, 1], [math.inf, 0, 0, 0], [0.0, 0, 0, 0], [1.0], []],
    ids=["nan", "inf", "zero", "short", "none"],
)
def test_vectors_that_would_poison_every_search_are_refused(shard: Shard, vector: list[float]) -> None:
    with pytest.raises(ValueError, match="expected a vector of 4 finite numbers"):
        shard.upsert(a_past(1), vector)
    assert shard.count() == 0


def test_at_its_bound_the_oldest_go(tmp_path: Path) -> None:
    shard = Shard(tmp_path, DIGEST, 4, 100)
    evicted = sum(shard.upsert(a_past(number), at(0)) for number in (*range(50, 150), *range(50)))
    assert shard.count() <= 100
    assert evicted == 150 - shard.count()
    left = sorted(hit.past.at - T0 for hit in shard.answer(Nearest(200, ""), at(0), 0.0))
    assert left[-1] == 149
    assert left[0] >= 49
    shard.close()


def test_another_embedder_gets_a_shard_of_its_own(tmp_path: Path) -> None:
    first = Shard(tmp_path, DIGEST, 4, 100)
    first.upsert(a_past(1), at(0))
    first.close()
    other = Shard(tmp_path, "e" * 64, 2, 100)
    assert other.count() == 0
    other.close()
    again = Shard(tmp_path, DIGEST, 4, 100)
    assert again.count() == 1
    again.close()


def test_a_creation_that_was_killed_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    staged = tmp_path / f"v1-{DIGEST[:16]}.new"
    (staged / "segments" / "half").mkdir(parents=True)
    shard = Shard(tmp_path, DIGEST, 4, 100)
    assert shard.count() == 0
    assert not staged.exists()
    shard.close()


def test_a_damaged_shard_says_what_mends_it(tmp_path: Path) -> None:
    place = tmp_path / f"v1-{DIGEST[:16]}"
    place.mkdir()
    (place / "edge_config.json").write_text("{ not json", encoding="utf-8")
    with pytest.raises(ShardError, match="move that directory away") as caught:
        Shard(tmp_path, DIGEST, 4, 100)
    assert caught.value.final


def test_a_directory_is_used_by_one(tmp_path: Path) -> None:
    lock = DirectoryLock(tmp_path / "memory")
    with pytest.raises(ShardError, match="another process uses it") as caught:
        DirectoryLock(tmp_path / "memory")
    assert not caught.value.final
    lock.release()
    DirectoryLock(tmp_path / "memory").release()


def test_a_directory_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ShardError, match="expected to be able to write"):
        DirectoryLock(tmp_path / "file" / "memory")
