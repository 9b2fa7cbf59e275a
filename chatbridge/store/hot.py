"""Hot statements: written in SQLAlchemy Core, compiled once for each database, run on its driver.

What SQLAlchemy does for every execution (cache keys, result metadata, conversions of each row) costs more than the database
itself where rows come in batches. The statements stay Core, so the schema is said once.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any

from sqlalchemy import ClauseElement, Connection, exc

Row = tuple[Any, ...]


class Hot:
    """A statement that is compiled when it is first run."""

    def __init__(self, build: Callable[[], ClauseElement], *names: str) -> None:
        """Compile what `build` returns; rows give its parameters in the order of `names`."""
        self._build, self._names = build, names
        self._sql = ""
        self._arrange: Callable[[Row], Row] | None = None

    def run_many(self, connection: Connection, rows: Sequence[Row]) -> int:
        """Run it for each row; return how many rows it changed in all."""
        sql = self._sql or self._compile(connection)
        if self._arrange is not None:
            rows = [self._arrange(row) for row in rows]
        with _driver_errors_named(connection):
            cursor = connection.connection.cursor()
            cursor.executemany(sql, rows)
            return int(cursor.rowcount)

    def fetch(self, connection: Connection, *values: Any) -> Sequence[Any]:
        """Run it once; return the rows it gives."""
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


@contextmanager
def _driver_errors_named(connection: Connection) -> Iterator[None]:
    """Turn the driver's own errors into SQLAlchemy's, as if it had run the statement."""
    driver: Any = connection.dialect.loaded_dbapi
    try:
        yield
    except driver.Error as error:
        raise exc.DBAPIError.instance(
            None, None, error, driver.Error, dialect=connection.dialect
        ) from error
