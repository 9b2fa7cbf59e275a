"""The parent: starts workers, keeps them alive, replaces them, stops them."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import structlog
from prometheus_client import multiprocess

from chatbridge.observability.metrics import FOLDER
from chatbridge.workers.post import Post
from chatbridge.workers.record import Record

log = structlog.get_logger()

_BAD_INPUT: Final = 2
"""The exit code of a worker that has said what is wrong; another would say the same."""
_START: Final = 60.0
"""Seconds a worker has to begin to serve, when it is to replace another."""
_STOP_EARLY: Final = 10.0
"""Seconds to stop for a worker that did not serve yet."""


class Worker:
    """A worker's process, seen by its parent."""

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        link: socket.socket,
        forget: Callable[[int], None],
    ) -> None:
        """Begin to watch the process; `link` is our end of the pair, `forget` is told its number when it is gone."""
        self._process, self._forget, self._patience = process, forget, _STOP_EARLY
        self._serving_since: float | None = None
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
        self._process.wait()  # a moment: the system closed its descriptors already
        writer.close()
        self._forget(self.pid)
        self.gone.set()

    @property
    def pid(self) -> int:
        """Return the process' number."""
        return self._process.pid

    @property
    def code(self) -> int:
        """Return with what it ended."""
        return self._process.returncode

    @property
    def serves(self) -> bool:
        """Return whether it answers requests."""
        return self._serving_since is not None and not self.gone.is_set()

    @property
    def served(self) -> float | None:
        """Return for how many seconds it has served, None if never."""
        return None if self._serving_since is None else time.monotonic() - self._serving_since

    async def stop(self) -> None:
        """Tell it to end, see to it that it does."""
        self._process.terminate()
        try:
            async with asyncio.timeout(self._patience):
                await self.gone.wait()
        except TimeoutError:
            log.error("worker_killed", pid=self.pid, after=self._patience)  # noqa: TRY400 - no fault of this process
            self._process.kill()
            await self.gone.wait()


Start = Callable[[int], Worker]
"""Starts the worker of a number."""


class Workers:
    """Keeps one worker for each number."""

    def __init__(self, count: int, start: Start) -> None:
        """Start them all."""
        self._start_one = start
        self._all: set[Worker] = set()
        self._current = {number: self._start(number) for number in range(1, count + 1)}
        self._wanted = asyncio.Event()
        self._stop: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def run(self) -> int:
        """Keep them until `stop` or until there is no hope; return the exit code."""
        tasks = [asyncio.create_task(self._keep(number)) for number in self._current]
        tasks.append(asyncio.create_task(self._replace_when_wanted()))
        try:
            return await self._stop
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.gather(
                *(worker.stop() for worker in self._all if not worker.gone.is_set())
            )

    def stop(self, code: int = 0) -> None:
        """End all of them; a second time it changes nothing."""
        if not self._stop.done():
            self._stop.set_result(code)

    def replace(self) -> None:
        """Replace all of them, one after another; told in the middle of it, once more from the beginning."""
        self._wanted.set()

    def _start(self, number: int) -> Worker:
        worker = self._start_one(number)
        log.info("worker_started", worker=number, pid=worker.pid)
        self._all = {one for one in self._all if not one.gone.is_set()} | {worker}
        return worker

    async def _keep(self, number: int) -> None:
        record = Record()
        while True:
            worker = self._current[number]
            await worker.gone.wait()
            if worker is not self._current[number]:
                record = Record()
                continue
            record = record.after(worker.served)
            hopeless = record.hopeless or (record.stillborn and worker.code == _BAD_INPUT)
            if hopeless and not any(one.serves for one in self._all):
                self.stop(worker.code if worker.code > 0 else 1)
                return
            log.error("worker_ended", worker=number, code=worker.code, again_in=record.delay)
            await asyncio.sleep(record.delay)
            if worker is not self._current[number]:
                continue
            try:
                self._current[number] = self._start(number)
            except OSError as error:
                log.error("worker_not_started", worker=number, reason=error.strerror)  # noqa: TRY400 - tried again

    async def _replace_when_wanted(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            for number in self._current:
                if not await self._replace(number):
                    log.error("replacing_given_up", worker=number)
                    break
            else:
                log.info("replaced")

    async def _replace(self, number: int) -> bool:
        try:
            new = self._start(number)
        except OSError as error:
            log.error("worker_not_started", worker=number, reason=error.strerror)  # noqa: TRY400 - the old one stays
            return False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_START):
                await new.started.wait()
        if not new.serves:
            await new.stop()
            return False
        old, self._current[number] = self._current[number], new
        await old.stop()
        return True


async def run(command: Sequence[str], *, count: int, sockets: Sequence[socket.socket]) -> int:
    """Keep `count` workers until SIGTERM or SIGINT, replace them at SIGHUP; return the exit code.

    Args:
        command: starts a worker when its post is added to it.
        count: how many.
        sockets: they listen already.

    """
    loop = asyncio.get_running_loop()
    with tempfile.TemporaryDirectory(prefix="chatbridge-metrics-") as folder:

        def start(number: int) -> Worker:
            return _start(command, number, sockets, folder)

        workers = Workers(count, start)
        for one in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(one, workers.stop)
        loop.add_signal_handler(signal.SIGHUP, workers.replace)
        return await workers.run()


def _start(
    command: Sequence[str], number: int, sockets: Sequence[socket.socket], folder: str
) -> Worker:
    ours, theirs = socket.socketpair()
    with theirs:
        listening = tuple(one.fileno() for one in sockets)
        post = Post(number=number, link=theirs.fileno(), sockets=listening)
        process = subprocess.Popen(  # noqa: S603 - ourselves
            [*command, str(post)],
            pass_fds=(theirs.fileno(), *listening),
            env=os.environ | {FOLDER: folder},
            start_new_session=True,  # Ctrl-C in a terminal reaches the parent alone
        )
    return Worker(process, ours, partial(multiprocess.mark_process_dead, path=folder))
