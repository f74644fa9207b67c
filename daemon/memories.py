"""The memory that outlives a reload: its child process has a language model loaded, which takes seconds to do again."""

import asyncio
from pathlib import Path
from typing import Self

from daemon.config import Memory as MemoryConfig
from daemon.enrichment import Memory
from daemon.enrichment.memory_child import MemoryChild
from daemon.enrichment.memory_edge import EdgeMemory
from daemon.enrichment.memory_server import ServerMemory
from daemon.runtime import Surroundings
from daemon.supervisor import end
from daemon.telemetry import HealthState


class MemoryKeeper:
    """Keeps one memory running for the configuration last given to `use`."""

    def __init__(self, around: Surroundings, directory: Path) -> None:
        self._around = around
        self._directory = directory / "memory"
        self._config: MemoryConfig | None = None
        self._task: asyncio.Task[None] | None = None
        self.memory: Memory | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()

    async def use(self, config: MemoryConfig) -> Memory | None:
        """The memory for this configuration: the running one if nothing changed."""
        if config == self._config:
            return self.memory
        await self._end()
        self._config = config
        if config.mode == "off":
            self._around.board.set("memory", HealthState.off, "memory.mode is off")
            return None
        memory = self._build(config)
        self._task = self._around.supervisor.spawn("memory", memory.run)
        self.memory = memory
        return memory

    def _build(self, config: MemoryConfig) -> EdgeMemory | ServerMemory:
        around = self._around
        if config.mode == "embedded":
            return EdgeMemory(
                config, self._directory, board=around.board, metrics=around.metrics,
                now=around.now, monotonic=around.monotonic,
            )  # fmt: skip
        return ServerMemory(
            config, MemoryChild(config, None), board=around.board, metrics=around.metrics,
            now=around.now, monotonic=around.monotonic,
        )  # fmt: skip

    async def _end(self) -> None:
        if self._task is not None:
            await end([self._task])
        self._task = None
        self.memory = None
