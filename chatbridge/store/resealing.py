"""Every secret in the database, sealed anew: all columns named `…_sealed`, whichever table they are in."""

from collections.abc import Iterator

from sqlalchemy import Column, Connection, Table, and_, select, update

from chatbridge.store.schema import metadata
from chatbridge.store.sealing import Sealer


def reseal(connection: Connection, sealer: Sealer) -> int:
    """Encrypt every secret with the newest key; return how many rows were written.

    Raises:
        ConfigurationError: the keys do not open one of them.

    """
    return sum(_reseal(connection, table, columns, sealer) for table, columns in _sealed())


def _sealed() -> Iterator[tuple[Table, list[Column[bytes]]]]:
    for table in metadata.sorted_tables:
        columns = [column for column in table.columns if column.name.endswith("_sealed")]
        if columns:
            yield table, columns


def _reseal(
    connection: Connection, table: Table, columns: list[Column[bytes]], sealer: Sealer
) -> int:
    keys = list(table.primary_key.columns)
    rows = connection.execute(select(*keys, *columns)).mappings().all()
    written = 0
    for row in rows:
        old = {column.name: row[column.name] for column in columns}
        new = {
            name: sealer.seal(sealer.open(bytes(value)))
            for name, value in old.items()
            if value is not None
        }
        if new:
            same = and_(*(key == row[key.name] for key in keys))
            connection.execute(update(table).where(same).values(new))
            written += 1
    return written
