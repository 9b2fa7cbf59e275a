"""PostgreSQL: each unit in a transaction on a pooled connection, beside other nodes that do the same."""

import asyncio
import time
from typing import Any, Final, TypeVar

import structlog
from asyncpg import InterfaceError, PostgresError  # type: ignore[import-untyped]
from sqlalchemy import URL, event, exc
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from chatbridge.errors import StoreUnavailable
from chatbridge.store.dialect import Topic
from chatbridge.store.engine import PATIENCE, Listener, P, Unit, outages_named, ping
from chatbridge.store.hot import ONE_STATEMENT

T = TypeVar("T")

log = structlog.get_logger()

_RESTED: Final = 1.0
"""Seconds after which a connection is tried before it is used: the database may have been started again."""
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
        )
        event.listen(self._engine.sync_engine, "connect", _prefer_indexes)
        event.listen(self._engine.sync_engine, "checkin", _note_use)
        event.listen(self._engine.sync_engine, "checkout", _look_after)
        self._alone = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._kept: list[tuple[AsyncConnection, float]] = []
        """Connections for such units, and when they were used last: as many as there are writers at the same time."""
        self._reading = self._engine.execution_options(isolation_level="REPEATABLE READ")
        self._waiting: asyncio.Future[None] | None = None
        """Done when what may wait has waited for long enough."""
        self._listening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect."""
        await self.read(ping)

    async def close(self) -> None:
        """Give the connections back."""
        self.hurry()
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        with outages_named():
            for connection, _ in self._kept:
                await connection.close()
            await self._engine.dispose()

    def listen(self, listener: Listener) -> None:
        """Tell the listener what any node says, this one included."""
        self._listening = asyncio.create_task(self._listen_forever(listener), name="listening")

    async def write(self, unit: Unit[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the unit in a transaction of its own."""
        with outages_named():
            if unit in ONE_STATEMENT:
                return await self._run_alone(unit, *args, **kwargs)
            async with self._engine.begin() as connection:
                return await connection.run_sync(unit, *args, **kwargs)

    async def _run_alone(self, unit: Unit[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a unit that is a transaction by itself, on a connection that is kept for such."""
        connection, used_at = self._kept.pop() if self._kept else (None, 0.0)
        if connection is not None and time.monotonic() - used_at > _RESTED:
            await connection.close()
            connection = None
        connection = connection or await self._alone.connect()
        try:
            result = await connection.run_sync(unit, *args, **kwargs)
        except BaseException:
            await connection.close()
            raise
        self._kept.append((connection, time.monotonic()))
        return result

    async def write_along(self, unit: Unit[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do as `write`, a little later: nobody waits for the unit, and whoever makes them makes fewer and larger ones then."""
        if self._waiting is None:
            loop = asyncio.get_running_loop()
            self._waiting = loop.create_future()
            self._timer = loop.call_later(PATIENCE, self.hurry)
        await asyncio.shield(self._waiting)
        return await self.write(unit, *args, **kwargs)

    def hurry(self) -> None:
        """Let what waits be written."""
        if self._waiting is not None:
            self._timer.cancel()
            self._waiting.set_result(None)
            self._waiting = None

    async def read(self, unit: Unit[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the unit on one state of the database, however many statements it makes."""
        with outages_named():
            if unit in ONE_STATEMENT:
                return await self._run_alone(unit, *args, **kwargs)
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


def _prefer_indexes(driver: Any, _: ConnectionPoolEntry) -> None:
    """Have everything read by index: a prepared statement is planned once, mostly while the tables are nearly empty."""
    driver.run_async(lambda connection: connection.execute("SET enable_seqscan = off"))


def _note_use(_: object, record: ConnectionPoolEntry) -> None:
    record.info["used_at"] = time.monotonic()


def _look_after(driver: Any, record: ConnectionPoolEntry, _: object) -> None:
    """Try a connection that nobody used for a while. One in use needs no such question, which costs a round trip."""
    if time.monotonic() - record.info.get("used_at", time.monotonic()) < _RESTED:
        return
    try:
        driver.ping()
    except Exception as error:
        raise exc.DisconnectionError from error
