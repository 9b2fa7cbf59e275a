"""A worker's process as its parent has it: started, watched, stopped."""

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from prometheus_client import multiprocess

from chatbridge.observability.metrics import FOLDER
from chatbridge.workers.post import Post
from chatbridge.workers.values import ValuesFolder

log = structlog.get_logger()

_STOP_EARLY: Final = 10.0
"""Seconds to stop for a worker that did not serve yet."""


class Worker:
    """A worker's process."""

    def __init__(
        self, number: int, process: "subprocess.Popen[bytes]", link: socket.socket, values: str
    ) -> None:
        """Begin to watch the process; `link` is our end of the pair, `values` the folder of its metrics."""
        self.number = number
        """No other worker that runs has it."""
        self._process, self._values, self._patience = process, values, _STOP_EARLY
        self._serving_since: float | None = None
        self.served: float | None = None
        """For how many seconds it served until its end, None if it never did."""
        self.started = asyncio.Event()
        """It serves, or is gone."""
        self.gone = asyncio.Event()
        self._watch = asyncio.create_task(self._look(link))

    async def _look(self, link: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=link)
        if line := await reader.readline():
            self._patience, self._serving_since = float(line), time.monotonic()
        self.started.set()
        await reader.read()
        if self._serving_since is not None:
            self.served = time.monotonic() - self._serving_since
        self._process.wait()  # a moment: the system closed its descriptors already
        writer.close()
        # What it counted stays, for the next one of its number to go on with. What it had in memory is gone.
        multiprocess.mark_process_dead(self.number, self._values)  # type: ignore[no-untyped-call]  # theirs
        self.gone.set()

    @property
    def pid(self) -> int:
        """Return the process' number in the system."""
        return self._process.pid

    @property
    def code(self) -> int:
        """Return with what it ended."""
        return self._process.returncode

    @property
    def serves(self) -> bool:
        """Return whether it answers requests."""
        return self._serving_since is not None and not self.gone.is_set()

    async def stop(self) -> None:
        """Tell it to end, see to it that it does."""
        self._process.terminate()
        try:
            async with asyncio.timeout(self._patience):
                await self.gone.wait()
        except TimeoutError:
            log.error("worker_killed", worker=self.number, pid=self.pid, after=self._patience)  # noqa: TRY400 - no fault of this process
            self._process.kill()
            await self.gone.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class Launcher:
    """Starts workers; what it has is the same for all of them."""

    command: Sequence[str]
    """Starts a worker when its post is added to it."""
    sockets: Sequence[socket.socket]
    """They listen already."""
    values: ValuesFolder

    def start(self, number: int) -> Worker:
        """Return a worker that has just begun to start.

        Raises:
            OSError: the system has no room for another process, or the program is not there.

        """
        ours, theirs = socket.socketpair()
        with theirs:
            listening = tuple(one.fileno() for one in self.sockets)
            post = Post(number=number, link=theirs.fileno(), sockets=listening)
            try:
                process = subprocess.Popen(  # noqa: S603 - ourselves
                    [*self.command, str(post)],
                    pass_fds=(theirs.fileno(), self.values.lock, *listening),
                    env=os.environ | {FOLDER: self.values.path},
                    start_new_session=True,  # Ctrl-C in a terminal reaches the parent alone
                )
            except OSError:
                ours.close()
                raise
        return Worker(number, process, ours, self.values.path)
