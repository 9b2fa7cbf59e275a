"""Hot statements: written in SQLAlchemy Core, compiled once for each database, run on its driver.

What SQLAlchemy does for every execution (cache keys, result metadata, conversions of each row) costs more than the database
itself where rows come in batches. The statements stay Core, so the schema is said once.
"""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import ClauseElement, Connection, exc

Row = tuple[Any, ...]


ONE_STATEMENT: set[Callable[..., Any]] = set()
"""Units that write with one statement, which is a transaction by itself: nothing has to be said around it."""

Unit = TypeVar("Unit", bound=Callable[..., Any])


def one_statement(unit: Unit) -> Unit:
    """Say of a unit that it writes with one statement."""
    ONE_STATEMENT.add(unit)
    return unit


class Hot:
    """A statement that is compiled when it is first run."""

    def __init__(self, build: Callable[[], ClauseElement], *names: str) -> None:
        """Compile what `build` returns; rows give its parameters in the order of `names`."""
        self._build, self._names = build, names
        self._sql = ""
        self._arrange: Callable[[Row], Row] | None = None

    def run_many(self, connection: Connection, rows: Sequence[Row]) -> int:
        """Run it for each row on SQLite; return how many rows it changed in all."""
        sql = self._sql or self._compile(connection)
        if self._arrange is not None:
            rows = [self._arrange(row) for row in rows]
        try:
            return int(_driver(connection).executemany(sql, rows).rowcount)
        except Exception as error:
            raise named(connection, error) from error

    def read(self, connection: Connection, *values: Any) -> list[Any]:
        """Run it once on SQLite; return the rows it gives."""
        sql = self._sql or self._compile(connection)
        row = values if self._arrange is None else self._arrange(values)
        try:
            found: list[Any] = _driver(connection).execute(sql, row).fetchall()
        except Exception as error:
            raise named(connection, error) from error
        return found

    def fetch(self, connection: Connection, *values: Any) -> Sequence[Any]:
        """Run it once on PostgreSQL; return the rows it gives."""
        sql = self._sql or self._compile(connection)
        row = values if self._arrange is None else self._arrange(values)
        return connection.exec_driver_sql(sql, row).fetchall()

    def _compile(self, connection: Connection) -> str:
        compiled: Any = self._build().compile(dialect=connection.dialect)
        places = [self._names.index(name) for name in compiled.positiontup]
        if places != list(range(len(self._names))):
            self._arrange = _picker(places)
        self._sql = str(compiled)
        return self._sql


def _picker(places: list[int]) -> Callable[[Row], Row]:
    pick = itemgetter(*places)
    return pick if len(places) > 1 else lambda row: (pick(row),)


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


def named(connection: Connection, error: Exception) -> BaseException:
    """Return the driver's own error as SQLAlchemy's, as if it had run the statement."""
    driver: Any = connection.dialect.loaded_dbapi
    if not isinstance(error, driver.Error):
        return error
    wrapped: BaseException = exc.DBAPIError.instance(
        None, None, error, driver.Error, dialect=connection.dialect
    )
    return wrapped
