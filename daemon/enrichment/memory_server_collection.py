"""One collection of a Qdrant server: made, checked, written and queried, with our two errors for the client's six."""

import contextlib
import math
import warnings
from collections.abc import Iterator, Sequence

import httpx
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from daemon.config.schema import Memory as MemoryConfig
from daemon.enrichment.resemblance import (
    Hit,
    Nearest,
    Newest,
    Remembered,
    Step,
    from_payload,
    point_id,
    to_payload,
)
from daemon.model import Refused, Transient

VECTOR = "text"
INDEXES = {
    "wording": models.PayloadSchemaType.KEYWORD,
    "fingerprint": models.PayloadSchemaType.KEYWORD,
    "at": models.PayloadSchemaType.FLOAT,
    "known": models.PayloadSchemaType.INTEGER,
}
_AGAIN = {408, 425, 429}


def connect(config: MemoryConfig) -> AsyncQdrantClient:
    """A client of `config.url`; nothing is sent yet. Raises Refused when the url or the key file is unusable."""
    try:
        key = config.api_key_file.read_text(encoding="utf-8").strip() if config.api_key_file else None
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(
            f"memory.api_key_file: expected a readable file at {config.api_key_file} (got {error})"
        ) from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a key over plain http is usual on loopback
            return AsyncQdrantClient(
                url=config.url,
                api_key=key or None,
                timeout=math.ceil(config.timeout) or 1,
                check_compatibility=False,  # asks the server at construction, blocking
                trust_env=False,
            )
    except ValueError as error:
        raise Refused(f"memory.url: expected http://host:port (got {config.url!r}: {error})") from error


class Collection:
    """The collection `name` for vectors of `size` numbers made by `embedder`. Made on first use."""

    def __init__(self, client: AsyncQdrantClient, name: str, size: int, embedder: str) -> None:
        self._client = client
        self._name = name
        self._size = size
        self._embedder = embedder
        self._checked = False

    async def ensure(self) -> None:
        """Make the collection and its indexes unless they are there; check its vectors. Raises Transient or Refused."""
        if self._checked:
            return
        with self._told():
            if not await self._client.collection_exists(self._name):
                await self._create()
            info = await self._client.get_collection(self._name)
        vectors = info.config.params.vectors
        params = vectors.get(VECTOR) if isinstance(vectors, dict) else None
        if params is None or (params.size, params.distance) != (self._size, models.Distance.COSINE):
            found = f"{params.size} numbers, {params.distance.value}" if params else "no such vector"
            raise Refused(
                f"expected collection {self._name} to have a vector {VECTOR!r} of {self._size} numbers, Cosine"
                f" (got {found}); delete that collection or set another memory.collection"
            )
        self._checked = True

    async def _create(self) -> None:
        try:
            await self._client.create_collection(
                self._name,
                vectors_config={VECTOR: models.VectorParams(size=self._size, distance=models.Distance.COSINE)},
            )
        except UnexpectedResponse as error:
            if error.status_code != httpx.codes.CONFLICT:  # another host was quicker
                raise
        for field, schema in INDEXES.items():
            await self._client.create_payload_index(self._name, field, field_schema=schema)

    async def upsert(self, past: Remembered, vector: Sequence[float]) -> None:
        """Keep an incident; the server has it when this returns."""
        payload = to_payload(past, self._embedder)
        point = models.PointStruct(id=point_id(past.incident_id), vector={VECTOR: list(vector)}, payload=payload)
        await self.ensure()
        with self._told():
            await self._client.upsert(self._name, points=[point], wait=True)

    async def delete(self, incident_ids: Sequence[str]) -> None:
        """Forget incidents; those that are not kept are no error."""
        await self.ensure()
        with self._told():
            await self._client.delete(self._name, points_selector=[point_id(one) for one in incident_ids])

    async def count(self) -> int:
        """How many incidents are kept, by all hosts."""
        await self.ensure()
        with self._told():
            return (await self._client.count(self._name, exact=True)).count

    async def answer(self, step: Step, vector: Sequence[float], min_score: float) -> list[Hit]:
        """What one step of `seek` asks. Points that are not ours are passed over."""
        await self.ensure()
        with self._told():
            found = await (self._nearest(step, vector, min_score) if isinstance(step, Nearest) else self._newest(step))
        return [hit for hit in found if hit]

    async def _nearest(self, step: Nearest, vector: Sequence[float], min_score: float) -> list[Hit | None]:
        response = await self._client.query_points(
            self._name,
            query=list(vector),
            using=VECTOR,
            query_filter=models.Filter(must_not=_without(step.own, "wording", step.without)),
            score_threshold=min_score,
            limit=step.limit,
            with_payload=True,
        )
        return [from_payload(point.payload, point.score) for point in response.points]

    async def _newest(self, step: Newest) -> list[Hit | None]:
        same = models.MatchValue(value=step.wording)
        must: list[models.Condition] = [models.FieldCondition(key="wording", match=same)]
        if step.known:
            must.append(models.FieldCondition(key="known", match=models.MatchValue(value=1)))
        points, _ = await self._client.scroll(
            self._name,
            scroll_filter=models.Filter(must=must, must_not=_without(step.own, "fingerprint", step.without)),
            order_by=models.OrderBy(key="at", direction=models.Direction.DESC),
            limit=step.limit,
            with_payload=True,
        )
        return [from_payload(point.payload, 1.0) for point in points]

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """The client's errors as ours."""
        try:
            yield
        except ResourceExhaustedResponse as error:
            raise Transient("the Qdrant server is busy", retry_after=float(error.retry_after_s)) from error
        except UnexpectedResponse as error:
            self._checked = False  # the collection may be gone, or be another
            raise _meaning(error.status_code or 0) from error
        except ResponseHandlingException as error:
            late = isinstance(error.source, httpx.TimeoutException)
            what = type(error.source).__name__
            raise Transient(
                f"no usable answer from the Qdrant server ({what})", why="timeout" if late else "unavailable"
            ) from error
        except (QdrantException, ValueError, AssertionError) as error:
            # the client lets JSON errors and its own assertions through when another program answers at the url
            raise Transient(f"what answers at memory.url is no Qdrant server ({type(error).__name__})") from error


def _without(own: str, field: str, values: Sequence[str]) -> list[models.Condition]:
    conditions: list[models.Condition] = []
    if own:
        conditions.append(models.HasIdCondition(has_id=[point_id(own)]))
    if values:
        conditions.append(models.FieldCondition(key=field, match=models.MatchAny(any=list(values))))
    return conditions


def _meaning(status: int) -> Transient | Refused:
    """What an HTTP status other than success means for us. The body is not quoted: it may echo what we sent."""
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        return Refused(f"the Qdrant server refuses our key (HTTP {status}); check memory.api_key_file")
    if status == httpx.codes.NOT_FOUND:
        return Transient("the collection is gone from the Qdrant server; it is made anew at the next attempt")
    if status in _AGAIN or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return Transient(f"the Qdrant server answered HTTP {status}")
    return Refused(f"the Qdrant server refuses the request (HTTP {status}); check memory.url")
