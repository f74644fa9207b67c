"""Past incidents in a Qdrant server, which several hosts may share. Vectors are made here, in the memory's child process.

The collection's name ends in the payload schema and the embedder's digest, so hosts with different embedders never mix
vectors. It is made on first use. How much the server keeps is the server's business: nothing is evicted from here.
"""

import asyncio
import warnings
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from daemon.config.schema import Memory as MemoryConfig
from daemon.enrichment import memory_wire as wire
from daemon.enrichment.masking import mask
from daemon.enrichment.memory_child import MemoryChild
from daemon.enrichment.memory_report import MemoryReport
from daemon.enrichment.memory_server_queries import VECTOR, Queries
from daemon.enrichment.resemblance import (
    SCHEMA,
    SEARCH_SCORE,
    Hit,
    Step,
    from_payload,
    remembered,
    seek,
    shared,
    similar,
    to_payload,
)
from daemon.model import Alert, Refused, Similar, Transient
from daemon.telemetry import Board, Metrics, Says, log

if TYPE_CHECKING:
    from qdrant_client import AsyncQdrantClient

T = TypeVar("T")
