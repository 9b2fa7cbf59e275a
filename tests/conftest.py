from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from chatbridge.store import migrations
from chatbridge.store.engine import Store, open_store
from tests.fakes import FakeClock, FarSide
from tests.media import FileServer
from tests.postgres import PostgresServer, running_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL server for each worker."""
    with running_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/chatbridge.db"
        return
    with request.getfixturevalue("postgres").database() as url:
        yield url


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    """An open database with today's schema, of each kind in turn."""
    store = open_store(store_url)
    await store.start()
    try:
        await store.write(migrations.bring_up_to_date)
        yield store
    finally:
        await store.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def far_side() -> AsyncIterator[FarSide]:
    """Somebody else's server."""
    async with FarSide() as far_side:
        yield far_side


@pytest.fixture
async def files() -> AsyncIterator[FileServer]:
    """A server of files to which messages link."""
    async with FileServer() as server:
        yield server
