"""The servers of a run, each with somebody who starts it again whenever it has ended, as systemd does."""

import asyncio
import os
import signal
from pathlib import Path

from tests.acceptance.bridge import bridge_process, faults_in
from tests.torture.machine import Machine

_PATIENCE = 60
_LOOK = 0.1
_SHOWN = 2000


class Node:
    """One server process on a machine of its own."""

    def __init__(
        self, number: int, folder: Path, machine: Machine, url: str, *, at_once: int
    ) -> None:
        self.number, self.machine = number, machine
        self.process = bridge_process(
            folder,
            url,
            DELIVERY__AT_ONCE=str(at_once),
            NETWORK__TOTAL_TIMEOUT="2",
            NETWORK__CONNECT_TIMEOUT="1",
            LOG__LEVEL="info",
        )
        self.process.settings |= machine.environment
        self.url = self.process.url
        self._unexpected: list[str] = []

    async def start(self) -> None:
        """Start it, again and again, until it is ready."""
        deadline = asyncio.get_running_loop().time() + _PATIENCE
        while True:
            try:
                await asyncio.to_thread(self.process.start, "/readyz")
            except AssertionError:
                # It ended at its start, since its database is away or it was killed once more.
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await self.kill()
            else:
                return

    async def keep_alive(self, lock: asyncio.Lock) -> None:
        """Start it whenever it ends by itself, and write that down. A fault of it holds the lock meanwhile."""
        while True:
            await asyncio.sleep(_LOOK)
            if self.process.running:
                continue
            async with lock:
                if not self.process.running:
                    self._note_end("ended by itself")
                    await self.start()

    async def kill(self) -> None:
        """kill -9."""
        if self.process.running:
            await asyncio.to_thread(self.process.kill)

    async def terminate(self) -> None:
        """SIGTERM; anything but an orderly end is written down."""
        if not self.process.running:
            self._note_end("ended by itself")
        elif await asyncio.to_thread(self.process.terminate) != 0:
            self._note_end("did not end in order when it was told to")

    def pause(self) -> None:
        """SIGSTOP."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def broken(self) -> list[str]:
        """What the server did wrong, by its log or by how it ended."""
        return self._unexpected + [line[:_SHOWN] for line in faults_in(self.process.log)]

    async def clean_up(self) -> None:
        """Leave no process behind."""
        self.go_on()
        await self.kill()

    def _signal(self, number: signal.Signals) -> None:
        if self.process.running and self.process.process is not None:
            os.kill(self.process.process.pid, number)

    def _note_end(self, words: str) -> None:
        process = self.process.process
        code = process.returncode if process is not None else None
        self._unexpected.append(f"{words}, code {code}: {self.process.log[-_SHOWN:]}")
