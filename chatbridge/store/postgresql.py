"""PostgreSQL: each unit in a transaction on a pooled connection."""

from typing import Final, TypeVar

from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from chatbridge.errors import ConfigurationError
from chatbridge.store.engine import P, Unit, outages_named

T = TypeVar("T")

_ONE_SERVER: Final = 0x6368_6174_6272_6964
"""Key of the advisory lock that a running server holds ("chatbrid" in ASCII)."""


class PostgresqlStore:
    """A store on a PostgreSQL server."""

    def __init__(self, url: URL) -> None:
        """Prepare; `start` connects."""
        self._engine = create_async_engine(
            url.set(drivername="postgresql+asyncpg"),
            pool_size=10,
            max_overflow=0,
            hide_parameters=True,
            pool_pre_ping=True,
        )
        self._reading = self._engine.execution_options(isolation_level="REPEATABLE READ")
        self._guard: AsyncConnection | None = None

    async def start(self) -> None:
        """Connect, and make sure to be the only server: delivery on several nodes is not ready yet."""
        with outages_named():
            self._guard = await self._engine.connect()
            await self._guard.execution_options(isolation_level="AUTOCOMMIT")
            free = await self._guard.scalar(
                text("SELECT pg_try_advisory_lock(:key)"), {"key": _ONE_SERVER}
            )
        if not free:
            await self.close()
            raise ConfigurationError(
                "Another chatbridge process is using this PostgreSQL database. Stop it first: several nodes on one"
                " database are not supported yet."
            )

    async def close(self) -> None:
        """Give the connections back."""
        with outages_named():
            if self._guard is not None:
                await self._guard.close()
            await self._engine.dispose()

    async def write(self, unit: Unit[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the unit in a transaction of its own."""
        with outages_named():
            async with self._engine.begin() as connection:
                return await connection.run_sync(unit, *args, **kwargs)

    async def read(self, unit: Unit[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the unit on one state of the database, however many statements it makes."""
        with outages_named():
            async with self._reading.begin() as connection:
                return await connection.run_sync(unit, *args, **kwargs)
