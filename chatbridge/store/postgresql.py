"""PostgreSQL: each unit in a transaction on a pooled connection, beside other nodes that do the same."""

import asyncio
from typing import Any, Final, TypeVar

import structlog
from asyncpg import InterfaceError, PostgresError  # type: ignore[import-untyped]
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import create_async_engine

from chatbridge.errors import StoreUnavailable
from chatbridge.store.dialect import Topic
from chatbridge.store.engine import Listener, P, Unit, outages_named, ping

T = TypeVar("T")

log = structlog.get_logger()

_LISTENING_AGAIN: Final = 1.0
"""Seconds before the connection for notifications is made again."""
_HEARTBEAT: Final = 5.0
"""Seconds between looks whether it still works, and for the answer: a cut cable says nothing by itself."""


class PostgresqlStore:
    """A store on a PostgreSQL server."""

    shared: Final = True

    def __init__(self, url: URL, *, connections: int = 10) -> None:
        """Prepare; `start` connects."""
        self._engine = create_async_engine(
            url.set(drivername="postgresql+asyncpg"),
            pool_size=connections,
            max_overflow=0,
            hide_parameters=True,
            pool_pre_ping=True,
        )
        self._reading = self._engine.execution_options(isolation_level="REPEATABLE READ")
        self._listening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect."""
        await self.read(ping)

    async def close(self) -> None:
        """Give the connections back."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        with outages_named():
            await self._engine.dispose()

    def listen(self, listener: Listener) -> None:
        """Tell the listener what any node says, this one included."""
        self._listening = asyncio.create_task(self._listen_forever(listener), name="listening")

    async def write(self, unit: Unit[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the unit in a transaction of its own."""
        with outages_named():
            async with self._engine.begin() as connection:
                return await connection.run_sync(unit, *args, **kwargs)

    async def write_along(self, unit: Unit[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do as `write`: each unit has a transaction of its own here."""
        return await self.write(unit, *args, **kwargs)

    def hurry(self) -> None:
        """Do nothing."""

    async def read(self, unit: Unit[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the unit on one state of the database, however many statements it makes."""
        with outages_named():
            async with self._reading.begin() as connection:
                return await connection.run_sync(unit, *args, **kwargs)

    async def _listen_forever(self, listener: Listener) -> None:
        while True:
            try:
                await self._listen(listener)
            except (StoreUnavailable, TimeoutError, PostgresError, InterfaceError) as error:
                log.warning("notifications_lost", reason=f"{type(error).__name__}: {error}")
            await asyncio.sleep(_LISTENING_AGAIN)

    async def _listen(self, listener: Listener) -> None:
        """Listen until the connection is lost."""

        def heard(_: object, __: int, topic: str, words: str) -> None:
            listener.heard(Topic(topic), words)

        with outages_named():
            async with self._engine.connect() as connection:
                raw = await connection.get_raw_connection()
                driver: Any = raw.driver_connection
                try:
                    for topic in Topic:
                        await driver.add_listener(topic.value, heard)
                    # Whatever was said before is found by reading, from here on nothing is missed.
                    listener.missed()
                    while True:
                        await asyncio.sleep(_HEARTBEAT)
                        await driver.execute("SELECT 1", timeout=_HEARTBEAT)
                finally:
                    # It goes to nobody else: it has listeners, and may be broken.
                    driver.terminate()
                    await connection.invalidate()
