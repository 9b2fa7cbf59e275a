"""The schema's history (Alembic), inside the package, one folder for SQLite and PostgreSQL.

Forward only: expand first, contract in a later release, so that the release before still runs on the new schema.
"""

from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, inspect, text

from chatbridge.errors import ConfigurationError

if TYPE_CHECKING:
    from alembic.config import Config

HEAD: Final = "0004"
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
    # Alembic takes over a second to import; a server that starts on a current schema does without.
    from alembic import command  # noqa: PLC0415

    command.upgrade(configuration(connection), "head")
    return True


def configuration(connection: Connection) -> "Config":
    """Return Alembic's configuration for this connection."""
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "chatbridge:store/migrations")
    config.attributes["connection"] = connection
    return config
