"""A parent in this process, and workers that do as they are told."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from chatbridge.workers.parent import Workers
from chatbridge.workers.worker import Launcher, Worker
from tests.processes import SECONDS
from tests.unit.workers import tiny_worker

Events = list[dict[str, object]]


@dataclass
class Crew:
    """Two workers and their parent, which is this process."""

    folder: Path
    launcher: Launcher
    started: list[Worker] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.workers = Workers(2, self.start, start_within=0.5)
        self.behave(tiny_worker.SERVES)

    def start(self, number: int) -> Worker:
        worker = self.launcher.start(number)
        self.started.append(worker)
        return worker

    def behave(self, how: str) -> None:
        """How workers do that are started from now on."""
        (self.folder / "behaviour").write_text(how)

    @property
    def serving(self) -> list[Worker]:
        return [one for one in self.started if one.serves]

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Two workers that serve."""
        keeping = asyncio.create_task(self.workers.keep())
        try:
            await eventually(lambda: len(self.serving) == 2, "both serve")
            yield
        finally:
            self.workers.stop()
            await keeping
            await self.workers.end()
            assert all(one.gone.is_set() for one in self.started)

    async def keep(self) -> int:
        """Keep workers until that is given up; the exit code."""
        async with asyncio.timeout(SECONDS):
            code = await self.workers.keep()
        await self.workers.end()
        return code


async def eventually(condition: Callable[[], object], wanted: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not within {SECONDS} s: {wanted}"
        await asyncio.sleep(0.005)


def tiny(folder: Path) -> list[str]:
    return [sys.executable, "-ES", tiny_worker.__file__, str(folder)]


def named(events: Events, name: str) -> Events:
    return [event for event in events if event["event"] == name]
