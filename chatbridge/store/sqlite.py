"""SQLite: one thread owns the only writing connection and commits whatever waits together.

WAL with `synchronous=FULL` syncs the log at every commit, so a commit survives a power cut; group commit makes that
one sync for many units. If one of them fails, the others are run again without harm from it.
"""

import asyncio
import fcntl
import queue
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, Final, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc

from chatbridge.errors import ConfigurationError, StoreUnavailable
from chatbridge.store import hot
from chatbridge.store.checkpoints import LONGEST, Checkpoints
from chatbridge.store.engine import PATIENCE, Listener, P, Unit, is_outage, outages_named, ping

T = TypeVar("T")

GROUP_LIMIT: Final = 512
"""Units in one commit at most. Beyond 256 nothing is gained, below 128 a tenth of the throughput is lost (measured)."""

_READERS: Final = 4
_CACHE_KIB: Final = {"BEGIN IMMEDIATE": 32_768, "BEGIN": 4_096}
"""Pages that a connection keeps, by what it is for. The unique keys are random, so the writer reads their index all over."""
_BUSY_MILLISECONDS: Final = 5_000


@dataclass(frozen=True, slots=True)
class _Work:
    run: Callable[[Connection], Any]
    done: asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class _Result:
    done: asyncio.Future[Any]
    value: Any = None
    error: BaseException | None = None

    def announce(self) -> None:
        if self.done.cancelled():
            return
        if self.error is None:
            self.done.set_result(self.value)
        else:
            self.done.set_exception(self.error)


class SqliteStore:
    """A store in one file, used by one process."""

    shared: Final = False

    def __init__(self, url: URL, *, synchronous: str) -> None:
        """Prepare; `start` opens the file."""
        self._path = Path(url.database or "")
        self._url = url.set(drivername="sqlite+pysqlite")
        self._synchronous = synchronous
        self._queue: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_loop, name="sqlite-writer", daemon=True)
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="sqlite-reader")
        self._checkpoints = Checkpoints(self._connect)
        self._riders: list[_Work] = []
        self._ride: asyncio.TimerHandle | None = None
        self._lock: IO[bytes] | None = None
        self._closed = False

    async def start(self) -> None:
        """Lock and open the file."""
        with outages_named():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = _take_lock(self._path)
        self._loop = asyncio.get_running_loop()
        self._writing = self._engine("BEGIN IMMEDIATE")
        self._reading = self._engine("BEGIN")
        self._thread.start()
        await self.write(ping)
        self._checkpoints.start()

    async def close(self) -> None:
        """Finish what is queued, then close the file."""
        if self._lock is None or self._closed:
            return
        self._closed = True
        self.hurry()
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._readers.shutdown)
        await asyncio.to_thread(self._checkpoints.stop)
        self._writing.dispose()
        self._reading.dispose()
        self._lock.close()

    def listen(self, listener: Listener) -> None:
        """Do nothing: nobody else works on the file."""

    async def write(self, unit: Unit[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the unit in the writer thread; return when its group is committed."""
        work = self._work(partial(_call, unit, args, kwargs))
        self.hurry()
        self._queue.put(work)
        done: asyncio.Future[T] = work.done
        return await done  # it is carried out even if nobody waits any more

    async def write_along(self, unit: Unit[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the unit in the writer thread with the next group; return when that is committed."""
        work = self._work(partial(_call, unit, args, kwargs))
        self._riders.append(work)
        if self._ride is None:
            self._ride = self._loop.call_later(PATIENCE, self.hurry)
        done: asyncio.Future[T] = work.done
        return await done  # it is carried out even if nobody waits any more

    def hurry(self) -> None:
        """Hand what waits for a ride to the writer thread."""
        if self._ride is not None:
            self._ride.cancel()
            self._ride = None
        for work in self._riders:
            self._queue.put(work)
        self._riders.clear()

    def _work(self, run: Callable[[Connection], Any]) -> "_Work":
        if self._closed:
            raise StoreUnavailable("the database is closed: the server is stopping")
        return _Work(run, self._loop.create_future())

    async def read(self, unit: Unit[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the unit in a reader thread, on the state of the last commit."""
        return await self._loop.run_in_executor(
            self._readers, partial(self._read, partial(_call, unit, args, kwargs))
        )

    def _read(self, run: Callable[[Connection], T]) -> T:
        with outages_named(), self._reading.begin() as connection:
            return run(connection)

    def _write_loop(self) -> None:
        connection: Connection | None = None
        stopping = False
        while not stopping:
            group, stopping = self._next_group()
            if group:
                connection, results = self._commit(connection, group)
                self._loop.call_soon_threadsafe(_announce, results)
        if connection is not None:
            connection.close()

    def _next_group(self) -> tuple[list[_Work], bool]:
        """Wait for work, then take all that is there. The flag says that nothing will follow."""
        group: list[_Work] = []
        work = self._queue.get()
        while work is not None:
            group.append(work)
            if len(group) == GROUP_LIMIT or self._queue.empty():
                return group, False
            work = self._queue.get()
        return group, True

    def _commit(
        self, connection: Connection | None, group: list[_Work]
    ) -> tuple[Connection | None, list[_Result]]:
        try:
            with outages_named():
                connection = connection or self._writing.connect()
                done = _run_together(connection, group)
                self._checkpoints.note_commit(connection.connection)
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to those who wait for the group
            done = [_Result(work.done, error=error) for work in group]
        return connection, done

    def _connect(self) -> Any:
        """Return a connection of the driver's own, outside of any transaction."""
        return self._reading.raw_connection()

    def _engine(self, begin: str) -> Engine:
        engine = create_engine(
            self._url,
            pool_size=_READERS,
            hide_parameters=True,
            connect_args={"check_same_thread": False},
        )

        @event.listens_for(engine, "connect")
        def _connected(connection: Any, _record: object) -> None:
            connection.isolation_level = None  # transactions are begun by us, below
            connection.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB[begin]}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {LONGEST}")

        @event.listens_for(engine, "begin")
        def _begun(connection: Connection) -> None:
            driver: Any = connection.connection.driver_connection
            try:
                driver.execute(begin)
            except Exception as error:
                raise hot.named(connection, error) from error

        return engine


def _call(unit: Callable[..., T], args: Any, kwargs: Any, connection: Connection) -> T:
    return unit(connection, *args, **kwargs)


def _run_together(connection: Connection, group: list[_Work]) -> list[_Result]:
    """Run a group of units in one transaction."""
    try:
        with connection.begin():
            return [_Result(work.done, value=work.run(connection)) for work in group]
    except Exception as error:
        if len(group) == 1 or (isinstance(error, exc.SQLAlchemyError) and is_outage(error)):
            raise
    # One of them is at fault. That is rare, and to be ready for it would copy every page that a group changes.
    with connection.begin():
        return [_run_apart(connection, work) for work in group]


def _run_apart(connection: Connection, work: _Work) -> _Result:
    """Run one unit of a group; a failure that is not the database's stays the unit's own."""
    driver: Any = connection.connection
    driver.execute("SAVEPOINT unit")
    try:
        result = _Result(work.done, value=work.run(connection))
    except Exception as error:
        if isinstance(error, exc.SQLAlchemyError) and is_outage(error):
            raise
        driver.execute("ROLLBACK TO unit")
        result = _Result(work.done, error=error)
    driver.execute("RELEASE unit")
    return result


def _announce(results: list[_Result]) -> None:
    for result in results:
        result.announce()


def _take_lock(path: Path) -> IO[bytes]:
    lock = path.with_name(path.name + ".lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise ConfigurationError(
            f"{path} is in use by another chatbridge process. SQLite serves one process; stop the other one, or use"
            " PostgreSQL."
        ) from error
    return lock
