"""Hot statements: written in SQLAlchemy Core, compiled once for each database, run on its driver.

What SQLAlchemy does for every execution (cache keys, result metadata, conversions of each row) costs more than the database
itself where rows come in batches. The statements stay Core, so the schema is said once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any, Final, TypeVar

from sqlalchemy import BindParameter, ClauseElement, Connection, bindparam, exc

Row = tuple[Any, ...]
Parameters = tuple[BindParameter[Any], ...]

_AT_ONCE: Final = (128, 32, 8, 1)
"""Numbers of rows for which a statement is compiled."""

ONE_STATEMENT: set[Callable[..., Any]] = set()
"""Units that write or read with one statement, which is a transaction by itself: nothing has to be said around it."""

Unit = TypeVar("Unit", bound=Callable[..., Any])


def one_statement(unit: Unit) -> Unit:
    """Say of a unit that it writes or reads with one statement."""
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

    def read(self, connection: Connection, *values: Any) -> Sequence[Any]:
        """Run it once; return the rows it gives."""
        ready = self._ready(connection)
        row = values if ready.arrange is None else ready.arrange(values)
        if connection.dialect.name == "postgresql":
            done = connection.exec_driver_sql(ready.sql, row)
            # As the driver gives them: rows of SQLAlchemy's own would be made and thrown away.
            raw: Sequence[Any] = done.cursor.fetchall()
            done.close()
            return raw
        try:
            found: list[Any] = _driver(connection).execute(ready.sql, row).fetchall()
        except Exception as error:
            raise named(connection, error) from error
        return found

    def _ready(self, connection: Connection) -> _Compiled:
        ready = self._compiled.get(connection.dialect.name)
        if ready is None:
            ready = _compile(connection, self._build(), self._names)
            self._compiled[connection.dialect.name] = ready
        return ready


class HotRows:
    """A statement for many rows at once on SQLite, compiled for a few numbers of rows.

    Its driver lets go of Python's lock at every step, and a busy event loop gives that back after a while only: row by row, a batch
    took a fifth of a second under load that takes ten milliseconds without.
    """

    def __init__(self, build: Callable[[list[Parameters]], ClauseElement], width: int) -> None:
        """Compile what `build` returns for the parameters of some rows, each with so many."""
        self._build, self._width = build, width
        self._compiled: dict[int, _Compiled] = {}

    def write(self, connection: Connection, rows: Sequence[Row]) -> int:
        """Run it for these rows; return how many it changed."""
        return sum(cursor.rowcount for cursor in self._run(connection, rows))

    def read(self, connection: Connection, rows: Sequence[Row]) -> list[Any]:
        """Run it for these rows; return the rows it gives."""
        return [found for cursor in self._run(connection, rows) for found in cursor]

    def _run(self, connection: Connection, rows: Sequence[Row]) -> Iterator[Any]:
        driver, done = _driver(connection), 0
        for many in _AT_ONCE:
            while len(rows) - done >= many:
                ready = self._compiled.get(many) or self._compile(connection, many)
                values = tuple(chain.from_iterable(rows[done : done + many]))
                try:
                    yield driver.execute(
                        ready.sql, values if ready.arrange is None else ready.arrange(values)
                    )
                except Exception as error:
                    raise named(connection, error) from error
                done += many

    def _compile(self, connection: Connection, many: int) -> _Compiled:
        rows = [tuple(f"r{row}_{place}" for place in range(self._width)) for row in range(many)]
        built = self._build([tuple(map(bindparam, row)) for row in rows])
        ready = self._compiled[many] = _compile(connection, built, list(chain.from_iterable(rows)))
        return ready


def _compile(connection: Connection, built: ClauseElement, names: Sequence[str]) -> _Compiled:
    compiled: Any = built.compile(dialect=connection.dialect)
    in_order = compiled.positiontup == list(names)
    return _Compiled(str(compiled), None if in_order else _picker(names, compiled))


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
