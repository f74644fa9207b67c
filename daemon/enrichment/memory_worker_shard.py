"""The vector store inside the memory worker: one Qdrant Edge shard in a directory that no other process may use.

Every distinct embedder and payload schema has a shard directory of its own, so vectors that cannot be compared never
meet. Updates go through the write-ahead log (they survive kill -9) and `flush` fsyncs them (they survive power loss).
qdrant-edge raises bare `Exception`s and holds the interpreter's lock through every call: hence the child process.
"""

import fcntl
import math
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import qdrant_edge as edge

from daemon.enrichment.resemblance import (
    SCHEMA,
    Hit,
    Nearest,
    Newest,
    Remembered,
    Step,
    from_payload,
    point_id,
    to_payload,
)

VECTOR = "text"
INDEXES = (("wording", "Keyword"), ("fingerprint", "Keyword"), ("at", "Float"), ("known", "Integer"))
SLACK = 0.01
"""Share of the bound that is evicted at once, so that the bound costs one query per thousand incidents, not per one."""


class ShardError(Exception):
    """The shard cannot be used; the text says what mends it. `final` when a human is needed."""

    def __init__(self, detail: str, *, final: bool) -> None:
        super().__init__(detail)
        self.final = final


class DirectoryLock:
    """The right to use a directory, held until this process ends (however it ends)."""

    def __init__(self, directory: Path) -> None:
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._fd = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._fd)
            raise ShardError(
                f"expected {directory} to be free (another process uses it); stop that process or set another"
                " state_directory",
                final=False,
            ) from error
        except OSError as error:
            raise ShardError(f"expected to be able to write in {directory} (got {error})", final=True) from error

    def release(self) -> None:
        """Give the directory back."""
        os.close(self._fd)


def _config(size: int) -> Any:
    return edge.EdgeConfig(
        vectors={VECTOR: edge.EdgeVectorParams(size=size, distance=edge.Distance.Cosine)},
        # no HNSW: a full scan of 100 000 vectors takes 50 ms, building the graph blocks for minutes
        optimizers=edge.EdgeOptimizersConfig(indexing_threshold=0),
        max_search_threads=1,
        wal_enabled=True,
    )


def _create(path: Path, size: int) -> None:
    """Make an empty shard beside its place and rename it there: kill -9 leaves a whole shard or none."""
    staged = path.with_name(path.name + ".new")
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(mode=0o700)
    shard = edge.EdgeShard.create(str(staged), _config(size))
    for name, kind in INDEXES:
        shard.update(edge.UpdateOperation.create_field_index(name, getattr(edge.PayloadSchemaType, kind)))
    shard.flush()
    shard.close()
    staged.rename(path)


class Shard:
    """Past incidents of one embedder: at most `max_points`, the oldest go first. The caller holds the lock."""

    def __init__(self, directory: Path, embedder: str, size: int, max_points: int) -> None:
        self._embedder = embedder
        self._size = size
        self._max_points = max_points
        path = directory / f"v{SCHEMA}-{embedder[:16]}"
        try:
            if not path.exists():
                _create(path, size)
            self._shard = edge.EdgeShard.load(str(path), _config(size))
        except Exception as error:
            raise ShardError(
                f"expected a Qdrant Edge shard with vectors of {size} numbers in {path} (got {error});"
                " move that directory away to start an empty memory",
                final=True,
            ) from error

    def upsert(self, past: Remembered, vector: Sequence[float]) -> int:
        """Keep an incident, replacing what was kept of it; returns how many old ones it pushed out. Not yet fsynced."""
        # Edge stores vectors with NaN without a word, and then finds them for every query
        if len(vector) != self._size or not all(map(math.isfinite, vector)) or not any(vector):
            raise ValueError(f"expected a vector of {self._size} finite numbers, not all zero")
        point = edge.Point(point_id(past.incident_id), {VECTOR: list(vector)}, to_payload(past, self._embedder))
        self._shard.update(edge.UpdateOperation.upsert_points([point]))
        return self._evict()

    def _evict(self) -> int:
        over = self.count() - self._max_points
        if over <= 0:
            return 0
        oldest = edge.ScrollRequest(
            limit=over + int(self._max_points * SLACK),
            with_payload=False,
            order_by=edge.OrderBy("at", edge.Direction.Asc),
        )
        points, _ = self._shard.scroll(oldest)
        self._shard.update(edge.UpdateOperation.delete_points([point.id for point in points]))
        self._shard.optimize()  # frees the disk of deleted points once they are a fifth; else returns at once
        return len(points)

    def delete(self, incident_ids: Sequence[str]) -> None:
        """Forget incidents; those that are not kept are no error. Not yet fsynced."""
        self._shard.update(edge.UpdateOperation.delete_points([point_id(one) for one in incident_ids]))

    def count(self) -> int:
        """How many incidents are kept."""
        return int(self._shard.count(edge.CountRequest(exact=True)))

    def answer(self, step: Step, vector: Sequence[float], min_score: float) -> list[Hit]:
        """What one step of `seek` asks. Points that are not ours are passed over."""
        if isinstance(step, Nearest):
            request = edge.QueryRequest(
                limit=step.limit,
                query=edge.Query.Nearest(list(vector), using=VECTOR),
                filter=edge.Filter(must_not=_without(step.own, "wording", step.without)),
                score_threshold=min_score,
                with_payload=True,
            )
            found = [(point.payload, point.score) for point in self._shard.query(request)]
        else:
            points, _ = self._shard.scroll(_newest(step))
            found = [(point.payload, 1.0) for point in points]
        hits = (from_payload(payload, score) for payload, score in found)
        return [hit for hit in hits if hit]

    def flush(self) -> None:
        """Fsync everything so far (10 to 100 ms)."""
        self._shard.flush()

    def close(self) -> None:
        """Flush and let go of the files."""
        self._shard.flush()
        self._shard.close()


def _without(own: str, field: str, values: Sequence[str]) -> list[Any]:
    conditions: list[Any] = []
    if own:
        conditions.append(edge.HasIdCondition({point_id(own)}))
    if values:
        conditions.append(edge.FieldCondition(field, match=edge.MatchAny(list(values))))
    return conditions


def _newest(step: Newest) -> Any:
    must: list[Any] = [edge.FieldCondition("wording", match=edge.MatchValue(step.wording))]
    if step.known:
        must.append(edge.FieldCondition("known", match=edge.MatchValue(1)))
    return edge.ScrollRequest(
        limit=step.limit,
        filter=edge.Filter(must=must, must_not=_without(step.own, "fingerprint", step.without)),
        order_by=edge.OrderBy("at", edge.Direction.Desc),
        with_payload=True,
    )
