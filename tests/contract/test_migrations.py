"""The schema's history leads to `schema.py`, on both databases."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from chatbridge.errors import ConfigurationError
from chatbridge.store import migrations
from chatbridge.store.engine import Store, open_store
from chatbridge.store.schema import metadata
from tests.postgres import PostgresServer


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True}
    )
    return list(compare_metadata(context, metadata))


def comments(connection: Connection) -> dict[str, set[str]]:
    inspector = inspect(connection)
    return {
        table: {column["name"] for column in inspector.get_columns(table)}
        for table in inspector.get_table_names()
    }


@pytest.fixture
async def migrated(empty_url: str) -> AsyncIterator[Store]:
    """A database that went the way of all migrations, as one has that is older than this release."""
    store = open_store(empty_url)
    await store.start()
    await store.write(migrations.migrate)
    yield store
    await store.close()


def indexes(connection: Connection) -> dict[str, list[str]]:
    inspector = inspect(connection)
    return {
        table: sorted(
            f"{index['name']} {index['column_names']} {index['unique']}"
            for index in inspector.get_indexes(table)
        )
        for table in inspector.get_table_names()
    }


async def test_the_migrations_make_exactly_the_schema(migrated: Store) -> None:
    assert await migrated.read(differences) == []
    columns = await migrated.read(comments)
    assert columns.pop("alembic_version") == {"version_num"}
    assert columns == {
        name: {column.name for column in table.columns} for name, table in metadata.tables.items()
    }


async def test_an_empty_database_gets_what_the_migrations_make(migrated: Store) -> None:
    looks: tuple[Callable[[Connection], object], ...] = (indexes, comments, migrations.current)
    made = [await migrated.read(look) for look in looks]
    await migrated.write(drop_everything)
    assert await migrated.write(migrations.bring_up_to_date)
    assert await migrated.read(differences) == []
    assert [await migrated.read(look) for look in looks] == made


async def test_head_is_the_newest_file_and_history_is_one_line(store: Store) -> None:
    configuration = await store.read(migrations.configuration)
    scripts = ScriptDirectory.from_config(configuration)
    assert scripts.get_heads() == [migrations.HEAD]
    folder = Path(migrations.__file__).with_name("versions")
    newest = max(file.name for file in folder.glob("[0-9]*.py"))
    assert newest.partition("_")[0] == migrations.HEAD
    assert await store.read(migrations.current) == migrations.HEAD


async def test_an_empty_database_is_told_apart_and_brought_up_once(empty_url: str) -> None:
    store = open_store(empty_url)
    await store.start()
    try:
        assert await store.read(migrations.current) is None
        assert await store.write(migrations.bring_up_to_date) is True
        assert await store.write(migrations.bring_up_to_date) is False
    finally:
        await store.close()


async def test_servers_that_start_together_bring_it_up_once(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        stores = [open_store(url) for _ in range(3)]
        try:
            for store in stores:
                await store.start()
            done = await asyncio.gather(
                *(store.write(migrations.bring_up_to_date) for store in stores)
            )
        finally:
            for store in stores:
                await store.close()
    assert sorted(done) == [False, False, True]


async def test_a_database_of_a_newer_release_is_refused(store: Store) -> None:
    await store.write(stamp, "9999")
    with pytest.raises(ConfigurationError, match="schema 9999, this release knows"):
        await store.write(migrations.bring_up_to_date)


async def test_a_migration_that_fails_leaves_nothing(empty_url: str) -> None:
    """Here because a table of the same name stands in the way of a later step."""
    store = open_store(empty_url)
    await store.start()
    try:
        await store.write(
            lambda connection: connection.execute(text("CREATE TABLE attempts (x int)"))
        )
        with pytest.raises(Exception, match="attempts"):
            await store.write(migrations.bring_up_to_date)
        assert set(await store.read(comments)) == {"attempts"}
    finally:
        await store.close()


def drop_everything(connection: Connection) -> None:
    metadata.drop_all(connection)
    connection.execute(text("DROP TABLE alembic_version"))


def stamp(connection: Connection, revision: str) -> None:
    connection.execute(text("UPDATE alembic_version SET version_num = :new"), {"new": revision})
