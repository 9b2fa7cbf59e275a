"""Hot statements: written in SQLAlchemy Core, compiled once for each database, run on its driver.

What SQLAlchemy does for every execution (cache keys, result metadata, conversions of each row) costs more than the database
itself where rows come in batches. The statements stay Core, so the schema is said once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: str
    arrange: Callable[[Row], Row] | None
    """Puts the values of a row in the order of the statement's parameters, where it is another one."""


class Hot:
    """A statement that is compiled when a database first runs it."""

    def __init__(self, build: Callable[[], ClauseElement], *names: str) -> None:
        """Compile what `build` returns; rows give its parameters in the order of `names`."""
        self._build, self._names = build, names
        self._compiled: dict[str, _Compiled] = {}

    def run_many(self, connection: Connection, rows: Sequence[Row]) -> int:
        """Run it for each row on SQLite; return how many rows it changed in all."""
        ready = self._ready(connection)
        if ready.arrange is not None:
            rows = [ready.arrange(row) for row in rows]
        try:
            return int(_driver(connection).executemany(ready.sql, rows).rowcount)
        except Exception as error:
            raise named(connection, error) from error

    def read(self, connection: Connection, *values: Any) -> Sequence[Any]:
        """Run it once; return the rows it gives."""
        ready = self._ready(connection)
        row = values if ready.arrange is None else ready.arrange(values)
        if connection.dialect.name == "postgresql":
            return connection.exec_driver_sql(ready.sql, row).fetchall()
        try:
            found: list[Any] = _driver(connection).execute(ready.sql, row).fetchall()
        except Exception as error:
            raise named(connection, error) from error
        return found

    def _ready(self, connection: Connection) -> _Compiled:
        ready = self._compiled.get(connection.dialect.name)
        if ready is None:
            compiled: Any = self._build().compile(dialect=connection.dialect)
            in_order = compiled.positiontup == list(self._names)
            arrange = None if in_order else _picker(self._names, compiled)
            ready = self._compiled[connection.dialect.name] = _Compiled(str(compiled), arrange)
        return ready


def _picker(names: Sequence[str], compiled: Any) -> Callable[[Row], Row]:
    """Return what makes a statement's parameters of a row; a dialect may add some of its own, which are always the same."""
    wanted = compiled.positiontup
    fixed = {name: compiled.params[name] for name in wanted if name not in names}
    known = [*names, *fixed]
    pick = itemgetter(*[known.index(name) for name in wanted])
    constants = tuple(fixed.values())
    if len(wanted) == 1:
        return lambda row: (pick(row),)
    return lambda row: pick((*row, *constants)) if constants else pick(row)


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
