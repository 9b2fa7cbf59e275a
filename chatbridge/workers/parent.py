"""The parent: keeps workers alive, replaces them, ends them."""

import asyncio
import itertools
import signal
import socket
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from chatbridge.workers.record import Record
from chatbridge.workers.values import values_folder
from chatbridge.workers.worker import Launcher, Worker

log = structlog.get_logger()

_BAD_INPUT: Final = 2
"""The exit code of a worker that has said what is wrong; another would say the same."""
_START: Final = 60.0
"""Seconds."""

Start = Callable[[int], Worker]
"""Starts a worker under a number; raises OSError if the system does not let it."""


class Workers:
    """Keeps one worker at each place."""

    def __init__(self, count: int, start: Start, *, start_within: float = _START) -> None:
        """Keep so many; none is started before `keep`.

        Args:
            count: how many.
            start: starts one.
            start_within: seconds a worker has to begin to serve, when it is to replace another.

        """
        self._start, self._start_within = start, start_within
        self._running: set[Worker] = set()
        self._current: list[Worker | None] = [None] * count
        """By place; None where one could not be started."""
        self._records = [Record() for _ in self._current]
        self._wanted = asyncio.Event()
        self._stop: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def keep(self) -> int:
        """Start them and keep them until `stop` or until there is no hope; return the exit code. Call `end` afterwards."""
        self._current = [self._begin() for _ in self._current]
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._keep(place), name=f"place-{place}")
                for place in range(len(self._current))
            ]
            tasks.append(group.create_task(self._replace_when_wanted(), name="replacing"))
            code = await self._stop
            for task in tasks:
                task.cancel()
        return code

    async def end(self) -> None:
        """Stop all that run."""
        await asyncio.gather(*(one.stop() for one in self._running if not one.gone.is_set()))

    def stop(self, code: int = 0) -> None:
        """Have `keep` return; a second time it changes nothing."""
        if not self._stop.done():
            self._stop.set_result(code)

    def replace(self) -> None:
        """Replace all of them, one after another; told in the middle of it, once more from the beginning."""
        self._wanted.set()

    def _begin(self) -> Worker | None:
        """Start a worker under the lowest number that no other has; return None if it cannot be started."""
        self._running = {one for one in self._running if not one.gone.is_set()}
        taken = {one.number for one in self._running}
        number = next(number for number in itertools.count(1) if number not in taken)
        try:
            worker = self._start(number)
        except OSError as error:
            log.error("worker_not_started", worker=number, reason=error.strerror)  # noqa: TRY400 - no fault of this process
            return None
        log.info("worker_started", worker=number, pid=worker.pid)
        self._running.add(worker)
        return worker

    async def _keep(self, place: int) -> None:
        """Start another worker at this place whenever one has ended that nobody replaced."""
        while True:
            worker = self._current[place]
            if worker is not None:
                await worker.gone.wait()
            if worker is self._current[place]:
                record = self._records[place].after(None if worker is None else worker.served)
                self._records[place] = record
                if self._gives_up(worker, record):
                    return
                await asyncio.sleep(record.delay)
            if worker is self._current[place]:
                self._current[place] = self._begin()
            else:
                self._records[place] = Record()

    def _gives_up(self, worker: Worker | None, record: Record) -> bool:
        """Take note that a worker ended, or was not started; if others would fare no better, stop everything."""
        code = None if worker is None else worker.code
        hopeless = not any(one.serves for one in self._running) and (
            (record.stillborn > 0 and code == _BAD_INPUT)
            or all(record.hopeless for record in self._records)
        )
        again = {} if hopeless else {"again_in": record.delay}
        if worker is None:
            log.error("worker_missing", **again)
        else:
            log.error("worker_ended", worker=worker.number, pid=worker.pid, code=code, **again)
        if hopeless and not self._stop.done():
            log.error("given_up", reason="no worker serves, and none that is started comes to it")
            self.stop(code if code is not None and code > 0 else 1)
        return hopeless

    async def _replace_when_wanted(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            for place in range(len(self._current)):
                if not await self._replace(place):
                    break
            else:
                log.info("replaced")

    async def _replace(self, place: int) -> bool:
        new = self._begin()
        if new is None:
            log.error("replacing_given_up")
            return False
        try:
            async with asyncio.timeout(self._start_within):
                await new.started.wait()
        except TimeoutError:
            log.error("worker_too_slow", worker=new.number, pid=new.pid)  # noqa: TRY400 - no fault of this process
        if not new.serves:
            await new.stop()
            log.error("replacing_given_up", worker=new.number, pid=new.pid, code=new.code)
            return False
        old, self._current[place] = self._current[place], new
        if old is not None:
            await old.stop()
        return True


async def run(command: Sequence[str], *, count: int, sockets: Sequence[socket.socket]) -> int:
    """Keep `count` workers until SIGTERM or SIGINT, replace them at SIGHUP; return the exit code.

    Args:
        command: starts a worker when its post is added to it.
        count: how many.
        sockets: they listen already; they are closed here when the end begins.

    """
    loop = asyncio.get_running_loop()
    with values_folder() as values:
        workers = Workers(count, Launcher(command=command, sockets=sockets, values=values).start)
        # Before the first worker is there: a signal in the middle of the start is one like any other.
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, workers.stop)
        loop.add_signal_handler(signal.SIGHUP, workers.replace)
        try:
            return await workers.keep()
        finally:
            # The workers have their own. Once they take no more callers, nobody should wait here for whom there is no answer.
            for one in sockets:
                one.close()
            await workers.end()
