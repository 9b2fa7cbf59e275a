"""Runs units of work: on SQLite in one writer thread with group commit, on PostgreSQL on pooled connections.

A unit is a plain function `unit(connection, *arguments)` that does nothing but talk to the database: it may be run again, after a
rollback. When `write` returns, its transaction is on disk.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Concatenate, Final, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection, exc, make_url

from chatbridge.errors import ConfigurationError, StoreUnavailable
from chatbridge.store.dialect import Topic

P = ParamSpec("P")
T = TypeVar("T")
Unit = Callable[Concatenate[Connection, P], T]

PATIENCE: Final = 0.01
"""Seconds that a unit for which nobody waits may wait for company: one commit for two things is half the work."""


class Listener(Protocol):
    """Somebody who wants to know what other nodes of the database say."""

    def heard(self, topic: Topic, words: str) -> None:
        """Take note of a notification."""

    def missed(self) -> None:
        """Take note that notifications may have been lost."""


class Store(Protocol):
    """A database that runs units of work."""

    @property
    def shared(self) -> bool:
        """Return whether several nodes may work on it at the same time."""

    def listen(self, listener: Listener) -> None:
        """Tell the listener, from now on, what other nodes say; nothing where there can be none."""

    async def start(self) -> None:
        """Open the database.

        Raises:
            StoreUnavailable: it cannot be reached.
            ConfigurationError: another process is using it.

        """

    async def close(self) -> None:
        """Finish the units under way and close the database."""

    async def write(self, unit: Unit[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the unit in a transaction and return its result once that is on disk.

        Raises:
            StoreUnavailable: the database did not take it; nothing of it is stored.

        """

    async def write_along(self, unit: Unit[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do as `write`, but let it ride with the next write, as nobody waits for it; within 10 ms in any case."""

    def hurry(self) -> None:
        """Write at once what was waiting for a ride."""

    async def read(self, unit: Unit[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a unit that only reads, beside the writers."""


def open_store(url: str, *, synchronous: str = "full", connections: int = 10) -> Store:
    """Return the store for an address such as `sqlite:///var/chatbridge.db` or `postgresql://user@host/name`.

    Raises:
        ConfigurationError: the address is of another kind.

    """
    try:
        parsed = make_url(url)
    except (exc.ArgumentError, ValueError) as error:
        raise ConfigurationError("CHATBRIDGE_STORE__URL is not an address of a database") from error
    if parsed.get_backend_name() == "sqlite" and parsed.database not in {None, "", ":memory:"}:
        from chatbridge.store.sqlite import SqliteStore  # noqa: PLC0415 - each imports its own driver

        return SqliteStore(parsed, synchronous=synchronous)
    if parsed.get_backend_name() in {"postgresql", "postgres"}:
        from chatbridge.store.postgresql import PostgresqlStore  # noqa: PLC0415

        return PostgresqlStore(parsed, connections=connections)
    raise ConfigurationError(
        "CHATBRIDGE_STORE__URL must be sqlite:///path/to/file or postgresql://user:password@host/name"
    )


_CONSTRAINTS = (exc.IntegrityError, exc.DataError, exc.ProgrammingError)


def is_outage(error: BaseException) -> bool:
    """Return whether the database is at fault, not the unit."""
    if isinstance(error, exc.DBAPIError):
        return not isinstance(error, _CONSTRAINTS)
    return isinstance(error, exc.TimeoutError | OSError)


@contextmanager
def outages_named() -> Iterator[None]:
    """Turn what the driver raises when the database is away or full into StoreUnavailable."""
    try:
        yield
    except (exc.SQLAlchemyError, OSError) as error:
        if not is_outage(error):
            raise
        raise StoreUnavailable(f"the database did not take it ({_reason(error)})") from error


def _reason(error: BaseException) -> str:
    # The driver's own words, without the statement and its parameters, which may hold a client's message.
    origin = error.orig if isinstance(error, exc.DBAPIError) and error.orig else error
    return f"{type(origin).__name__}: {str(origin).partition(chr(10))[0][:200]}"


def ping(connection: Connection) -> None:
    """Do the least a database can do."""
    connection.exec_driver_sql("SELECT 1")
