import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from chatbridge.store import migrations
from chatbridge.store.engine import Store, open_store
from tests.fakes import FakeClock, FarSide
from tests.media import FileServer
from tests.postgres import PostgresServer, in_a_loop_of_its_own, running_server

KINDS = ["sqlite", "postgresql"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL server for each worker."""
    with running_server() as server:
        yield server


@pytest.fixture(params=KINDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/chatbridge.db"
        return
    with request.getfixturevalue("postgres").database() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with today's schema, for copies."""
    file = tmp_path_factory.mktemp("template") / "chatbridge.db"
    in_a_loop_of_its_own(make_schema(f"sqlite:///{file}"))
    return file


@pytest.fixture(scope="session")
def postgresql_template(postgres: PostgresServer) -> Iterator[str]:
    """A database with today's schema, for copies."""
    with postgres.database() as url:
        in_a_loop_of_its_own(make_schema(url))
        yield url


@pytest.fixture(params=KINDS)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with today's schema, of each kind in turn: a copy takes a third of making one."""
    template = request.getfixturevalue(f"{request.param}_template")
    if request.param == "sqlite":
        yield f"sqlite:///{shutil.copy(template, tmp_path)}"
        return
    with request.getfixturevalue("postgres").database(copy_of=template) as url:
        yield url


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    """An open database with today's schema, of each kind in turn."""
    store = open_store(store_url)
    await store.start()
    yield store
    await store.close()


async def make_schema(url: str) -> None:
    store = open_store(url)
    await store.start()
    await store.write(migrations.bring_up_to_date)
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
