"""The schema's history (Alembic), inside the package, one folder for SQLite and PostgreSQL.

Forward only: expand first, contract in a later release, so that the release before still runs on the new schema.
"""

import time
from typing import TYPE_CHECKING, Final

from sqlalchemy import Column, Connection, MetaData, String, Table, insert, inspect, text

from chatbridge.errors import ConfigurationError
from chatbridge.model import MAIN
from chatbridge.store.schema import metadata, workspaces

if TYPE_CHECKING:
    from alembic.config import Config

HEAD: Final = "0014"
"""The revision this release needs; a test holds it equal to the newest file in `versions/`."""

_MIGRATING: Final = 0x6368_6174_6D69_6772
"""Key of the advisory lock of PostgreSQL under which one server migrates ("chatmigr" in ASCII)."""


def current(connection: Connection) -> str | None:
    """Return the revision of a database, None if it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if revision is None else str(revision)


def bring_up_to_date(connection: Connection) -> bool:
    """Bring an older database to HEAD, in the transaction of this connection; return whether it was older.

    Raises:
        ConfigurationError: it belongs to a newer release.

    """
    if connection.dialect.name == "postgresql":
        # Servers that start together would all make the same tables. Whoever comes second finds them made.
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})
    revision = current(connection)
    if revision == HEAD:
        return False
    if revision is not None and revision > HEAD:
        raise ConfigurationError(
            f"The database has schema {revision}, this release knows {HEAD}. Start the newer release."
        )
    if revision is None:
        _make(connection)
    else:
        migrate(connection)
    return True


def migrate(connection: Connection) -> None:
    """Go the way of all migrations that this database has not seen yet."""
    # Alembic takes over a second to import, and 8 MB: a server that need not migrate does without.
    from alembic import command  # noqa: PLC0415

    command.upgrade(configuration(connection), "head")


def _make(connection: Connection) -> None:
    """Make the schema in an empty database, at the end of all migrations; a test holds the two ways equal."""
    metadata.create_all(connection, checkfirst=False)
    connection.execute(insert(workspaces).values(first_workspace()))
    revisions = MetaData(naming_convention={"pk": "%(table_name)s_pkc"})
    version = Table(
        "alembic_version", revisions, Column("version_num", String(32), primary_key=True)
    )
    version.create(connection)
    connection.execute(version.insert().values(version_num=HEAD))


def first_workspace() -> dict[str, object]:
    """Return the row of the workspace that every server begins with."""
    now = time.time_ns() // 1000
    return {"id": MAIN, "name": "Main", "created_at": now, "updated_at": now}


def configuration(connection: Connection) -> "Config":
    """Return Alembic's configuration for this connection."""
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "chatbridge:store/migrations")
    config.attributes["connection"] = connection
    return config
