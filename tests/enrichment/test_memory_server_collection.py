"""One collection of a Qdrant server: what is made, and what each failure of HTTP becomes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from qdrant_client import AsyncQdrantClient, models

from daemon.config.schema import Memory as MemoryConfig
from daemon.enrichment.memory_server_collection import Collection, connect
from daemon.enrichment.resemblance import Nearest, remembered
from daemon.model import Refused, Transient
from tests.doubles.qdrant_http import BadQdrant, bad_qdrant
from tests.doubles.values import an_alert

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")
VECTOR = [1.0, 0.0, 0.0]


@pytest.fixture
async def local() -> AsyncIterator[AsyncQdrantClient]:
    client = AsyncQdrantClient(":memory:")
    yield client
    await client.close()


@pytest.fixture
async def server() -> AsyncIterator[BadQdrant]:
    async with bad_qdrant() as double:
        yield double


@pytest.fixture
async def remote(server: BadQdrant) -> AsyncIterator[Collection]:
    client = connect(MemoryConfig(url=server.url, timeout=5))
    yield Collection(client, "c", 3, "digest")
    await client.close()


async def test_it_is_made_with_the_right_vectors_and_once(local: AsyncQdrantClient) -> None:
    first, second = (Collection(local, "c", 3, "digest") for _ in range(2))
    await asyncio.gather(first.ensure(), first.ensure())
    await second.upsert(remembered(an_alert(1)), VECTOR)
    vectors = (await local.get_collection("c")).config.params.vectors
    assert isinstance(vectors, dict)
    assert (vectors["text"].size, vectors["text"].distance) == (3, models.Distance.COSINE)
    assert await first.count() == 1


@pytest.mark.parametrize(
    "vectors",
    [
        models.VectorParams(size=3, distance=models.Distance.COSINE),
        {"other": models.VectorParams(size=3, distance=models.Distance.COSINE)},
        {"text": models.VectorParams(size=4, distance=models.Distance.COSINE)},
        {"text": models.VectorParams(size=3, distance=models.Distance.EUCLID)},
    ],
    ids=["unnamed", "other name", "other size", "other distance"],
)
async def test_a_collection_that_is_not_ours_is_refused(
    local: AsyncQdrantClient, vectors: models.VectorParams | dict[str, models.VectorParams]
) -> None:
    await local.create_collection("c", vectors_config=vectors)
    with pytest.raises(Refused, match=r"to have a vector 'text' of 3 numbers, Cosine \(got .*\); delete"):
        await Collection(local, "c", 3, "digest").upsert(remembered(an_alert(1)), VECTOR)
    assert (await local.count("c")).count == 0


async def test_points_of_others_are_passed_over(local: AsyncQdrantClient) -> None:
    collection = Collection(local, "c", 3, "digest")
    await collection.upsert(remembered(an_alert(1)), VECTOR)
    alien = models.PointStruct(id=7, vector={"text": VECTOR}, payload={"incident_id": ["not", "ours"]})
    await local.upsert("c", points=[alien])
    hits = await collection.answer(Nearest(5, ""), VECTOR, 0.5)
    assert [hit.past.incident_id for hit in hits] == [an_alert(1).incident_id]


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (500, Transient, "HTTP 500"),
        (503, Transient, "HTTP 503"),
        (408, Transient, "HTTP 408"),
        (404, Transient, "is made anew"),
        (401, Refused, "check memory.api_key_file"),
        (403, Refused, "check memory.api_key_file"),
        (400, Refused, "check memory.url"),
        (302, Refused, "HTTP 302"),
        (204, Refused, "HTTP 204"),
    ],
)
async def test_a_status_is_transient_or_refused(
    server: BadQdrant, remote: Collection, status: int, kind: type[Exception], words: str
) -> None:
    server.status, server.headers = status, {"Location": "http://192.0.2.1/elsewhere"}
    with pytest.raises(kind, match=words):
        await remote.count()
    assert len(server.asked) == 1  # one attempt, no redirect followed


async def test_a_busy_server_says_when(server: BadQdrant, remote: Collection) -> None:
    server.status, server.headers = 429, {"Retry-After": "7"}
    with pytest.raises(Transient) as caught:
        await remote.count()
    assert caught.value.retry_after == 7.0
    server.headers = {"Retry-After": "Sat, 21 Nov 2026 12:00:00 GMT"}
    with pytest.raises(Transient):
        await remote.count()
    server.headers = {}
    with pytest.raises(Transient):
        await remote.count()


@pytest.mark.parametrize("body", ["<html>captive portal</html>", "", "null", "{}", '{"result": 3}', "[1]"])
async def test_an_answer_that_is_no_qdrant_is_transient(server: BadQdrant, remote: Collection, body: str) -> None:
    server.status, server.body = 200, body
    with pytest.raises(Transient):
        await remote.count()


async def test_a_closed_port_is_unavailable(server: BadQdrant, unused_tcp_port: int) -> None:
    client = connect(MemoryConfig(url=f"http://127.0.0.1:{unused_tcp_port}", timeout=5))
    with pytest.raises(Transient, match="ConnectError") as caught:
        await Collection(client, "c", 3, "d").count()
    assert caught.value.why == "unavailable"
    await client.close()


async def test_the_environment_s_proxy_is_not_used(
    server: BadQdrant, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{unused_tcp_port}")
    client = connect(MemoryConfig(url=server.url, timeout=5))
    with pytest.raises(Transient, match="HTTP 500"):
        await Collection(client, "c", 3, "d").count()
    await client.close()


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "http://127.0.0.1:port"])
def test_an_unusable_url_is_refused(url: str) -> None:
    with pytest.raises(Refused, match=r"memory\.url: expected http://host:port"):
        connect(MemoryConfig(url=url))


def test_a_key_that_is_no_text_is_refused(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(b"\xff\xfe")
    with pytest.raises(Refused, match=r"memory\.api_key_file"):
        connect(MemoryConfig(api_key_file=key))
