"""Starts and stops connectors, and lets each look after the messengers that this node leads."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final
from zlib import crc32

import structlog

from chatbridge.bridge.directory import Directory
from chatbridge.clock import Clock
from chatbridge.connectors.base import Connector
from chatbridge.connectors.host import Inbound
from chatbridge.model import Messenger
from chatbridge.store.partitions import PARTITIONS

log = structlog.get_logger()

_BETWEEN: Final = 1.0
"""Seconds between looks whether there is somebody new to look after."""


class Caretaker:
    """The life of connectors."""

    def __init__(
        self,
        *,
        directory: Directory,
        clock: Clock,
        connectors: Mapping[str, Connector],
        partitions: Callable[[], frozenset[int]],
    ) -> None:
        """Look after the messengers of `directory` that fall into the `partitions` which are delivered here."""
        self._directory, self._clock, self._connectors = directory, clock, connectors
        self._partitions = partitions
        self._led: dict[str, tuple[Messenger, ...]] = dict.fromkeys(connectors, ())
        self._task: asyncio.Task[None] | None = None

    async def start(self, inbound: Inbound) -> None:
        """Start every connector; clients' messages go to `inbound`."""
        for kind, connector in self._connectors.items():
            try:
                await connector.start(inbound)
            except Exception:
                # Somebody else's code: messengers of other kinds go on without it.
                log.exception("connector_not_started", kind=kind)

    def look(self) -> None:
        """Begin to tell connectors whom they look after."""
        self._task = asyncio.create_task(self._look_on(), name="caretaker")

    async def withdraw(self) -> None:
        """Look after nobody any more; what is under way may still be sent."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.gather(*(self._tell(kind, ()) for kind in self._connectors))

    async def stop(self) -> None:
        """Stop every connector."""
        for kind, connector in self._connectors.items():
            try:
                await connector.stop()
            except Exception:
                log.exception("connector_not_stopped", kind=kind)

    async def _look_on(self) -> None:
        while True:
            partitions = self._partitions()
            led: dict[str, list[Messenger]] = {kind: [] for kind in self._connectors}
            for messenger in self._directory.messengers():
                if messenger.kind in led and _partition_of(messenger) in partitions:
                    led[messenger.kind].append(messenger)
            for kind, messengers in led.items():
                await self._tell(kind, tuple(messengers))
            await self._clock.sleep(_BETWEEN)

    async def _tell(self, kind: str, messengers: tuple[Messenger, ...]) -> None:
        if messengers == self._led[kind]:
            return
        self._led[kind] = messengers
        try:
            await self._connectors[kind].look_after(messengers)
        except Exception:
            log.exception("connector_fault", kind=kind)


def _partition_of(messenger: Messenger) -> int:
    return crc32(messenger.id.encode()) % PARTITIONS
