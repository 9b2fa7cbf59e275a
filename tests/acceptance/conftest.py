from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.acceptance.bridge import (
    Bridge,
    bridge_process,
    faults_in,
    running_bridge,
    without_faults,
)
from tests.acceptance.sandbox import SandboxAmojo, sandbox_process
from tests.fakes import FarSide
from tests.plain_amojo import PlainAmojo
from tests.postgres import PostgresServer
from tests.processes import Process, stopped_afterwards


@pytest.fixture(scope="session")
def sqlite_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A server on SQLite, shared by tests that do not stop it."""
    with running_bridge(tmp_path_factory.mktemp("sqlite")) as process:
        yield process


@pytest.fixture(scope="session")
def postgresql_process(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer
) -> Iterator[Process]:
    """A server on PostgreSQL, shared by tests that do not stop it."""
    folder = tmp_path_factory.mktemp("postgresql")
    with postgres.database() as url, running_bridge(folder, url) as process:
        yield process


@pytest.fixture(scope="session")
def sandbox_process_(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A sandbox, shared by tests that do not change how it behaves."""
    with stopped_afterwards(sandbox_process(tmp_path_factory.mktemp("sandbox"))) as process:
        process.start("/sandbox/state")
        yield process


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A client with as many connections as a test likes; each is used once, since servers are killed and started again."""
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:
        yield session


@pytest.fixture(params=["sqlite", "postgresql"])
def shared_process(request: pytest.FixtureRequest) -> Process:
    process = request.getfixturevalue(f"{request.param}_process")
    assert isinstance(process, Process)
    return process


@pytest.fixture
def bridge(shared_process: Process, http: aiohttp.ClientSession) -> Iterator[Bridge]:
    """A running server, on each database in turn. A fault in its log fails the test."""
    with without_faults(shared_process):
        yield Bridge(shared_process, http)


OwnBridge = Callable[..., Bridge]


@pytest.fixture
def own_bridge(tmp_path: Path, http: aiohttp.ClientSession) -> Iterator[OwnBridge]:
    """Starts a server for this test alone, with settings of its own."""
    started: list[Process] = []

    def start(store_url: str = "", **settings: str) -> Bridge:
        folder = tmp_path / f"bridge{len(started)}"
        folder.mkdir()
        process = bridge_process(folder, store_url, **settings)
        started.append(process)
        process.start("/readyz")
        return Bridge(process, http)

    yield start
    for process in started:
        if process.running:
            process.terminate()
        assert faults_in(process.log) == []


@pytest.fixture
async def plain() -> AsyncIterator[PlainAmojo]:
    """An amojo of the tests' own."""
    async with FarSide() as far_side:
        yield PlainAmojo(far_side)


@pytest.fixture
async def backend() -> AsyncIterator[FarSide]:
    """A messenger's backend, which gets webhooks."""
    async with FarSide() as far_side:
        yield far_side


@pytest.fixture
async def sandbox(sandbox_process_: Process, http: aiohttp.ClientSession) -> SandboxAmojo:
    """The shared sandbox; it fetches no media."""
    sandbox = SandboxAmojo(sandbox_process_, http)
    await sandbox.switch(media_download="off")
    return sandbox


@pytest.fixture
async def own_sandbox(tmp_path: Path, http: aiohttp.ClientSession) -> AsyncIterator[SandboxAmojo]:
    """A sandbox for this test alone."""
    folder = tmp_path / "sandbox"
    folder.mkdir()
    with stopped_afterwards(sandbox_process(folder)) as process:
        process.start("/sandbox/state")
        sandbox = SandboxAmojo(process, http)
        await sandbox.switch(media_download="off")
        yield sandbox


@pytest.fixture(params=["plain", "sandbox"])
def amojo(
    request: pytest.FixtureRequest, plain: PlainAmojo, sandbox: SandboxAmojo
) -> PlainAmojo | SandboxAmojo:
    """amoCRM's chat service, each of two that were written apart from the bridge in turn."""
    return plain if request.param == "plain" else sandbox
