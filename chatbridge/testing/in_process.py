"""The server in the test's own process, and what it leaves behind there."""

import asyncio
import gc
import os
import stat
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from chatbridge import app
from chatbridge.config import Settings


class Belongings(NamedTuple):
    """What is open in this process."""

    tasks: frozenset[asyncio.Task[Any]]
    sockets: frozenset[int]
    """Their inodes."""

    def without(self, others: "Belongings") -> "Belongings":
        """Return what was not there before."""
        return Belongings(self.tasks - others.tasks, self.sockets - others.sockets)


def belongings() -> Belongings:
    """Return what is open in this process now."""
    sockets = set()
    for name in Path("/dev/fd").iterdir():
        try:
            status = os.fstat(int(name.name))
        except OSError:
            continue  # the one that listed them
        if stat.S_ISSOCK(status.st_mode):
            sockets.add(status.st_ino)
    return Belongings(frozenset(asyncio.all_tasks()), frozenset(sockets))


@asynccontextmanager
async def serving(settings: Settings) -> AsyncGenerator[None]:
    """Serve within the block, as `chatbridge serve` does."""
    ready, thresholds = asyncio.Event(), gc.get_threshold()

    async def is_ready() -> None:
        ready.set()

    server = asyncio.create_task(app.serve(settings, ready=is_ready), name="server")
    server.add_done_callback(lambda _: ready.set())
    try:
        await ready.wait()
        if server.done():
            await server
        yield
    finally:
        server.cancel()
        await asyncio.gather(server, return_exceptions=True)
        gc.unfreeze()
        gc.set_threshold(*thresholds)
