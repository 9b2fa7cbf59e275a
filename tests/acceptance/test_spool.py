"""Callbacks that the database does not take are answered with 200 and delivered later: once, and in their order.

This amojo knows no history, so nothing that the spool loses comes back in another way.
"""

import asyncio
import contextlib
import os
import shutil
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from tests.acceptance.bridge import Bridge, Shop, bridge_process, eventually, faults_in
from tests.acceptance.webhooks import texts
from tests.fakes import FarSide
from tests.plain_amojo import PlainAmojo
from tests.processes import Process, stopped_afterwards
from tests.torture.database import Database, running_database
from tests.torture.machine import Machine, compile_shim

PATIENCE = 5
Outage = Callable[[], contextlib.AbstractContextManager[None]]


@dataclass
class House:
    """A server whose database goes away."""

    process: Process
    bridge: Bridge
    amojo: PlainAmojo
    shop: Shop
    backend: FarSide
    outage: Outage

    @property
    def spool(self) -> Path:
        return self.process.folder / "var/spool"

    def files(self) -> list[Path]:
        return sorted(self.spool.glob("*.spool"))

    async def answer(self, text: str, conversation: str = "c-1") -> int:
        """An operator writes; what the callback was answered with. amoCRM waits no longer for it."""
        async with asyncio.timeout(PATIENCE):
            status, _ = await self.amojo.operator_writes(self.shop.account, conversation, text)
        return status

    async def drained(self) -> None:
        async def gone() -> bool:
            return not self.files()

        await eventually(gone, "the spool is empty")


@contextlib.contextmanager
def locked(path: str) -> Iterator[None]:
    """Somebody else writes into the SQLite file, and does not come to an end."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@contextlib.contextmanager
def stopped(database: Database) -> Iterator[None]:
    """PostgreSQL is gone."""
    database.crash()
    try:
        yield
    finally:
        database.start()


@contextlib.asynccontextmanager
async def opened(
    process: Process, http: aiohttp.ClientSession, outage: Outage
) -> AsyncIterator[House]:
    async with FarSide() as far_side, FarSide() as backend:
        process.start("/readyz")
        bridge, amojo = Bridge(process, http), PlainAmojo(far_side)
        shop = await bridge.open_shop(amojo, backend)
        yield House(process, bridge, amojo, shop, backend, outage)


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    """A PostgreSQL server that may be crashed, if it is started again: `stopped` does both."""
    with running_database() as database:
        yield database


@pytest.fixture(params=["sqlite", "postgresql"])
async def house(
    request: pytest.FixtureRequest, tmp_path: Path, http: aiohttp.ClientSession
) -> AsyncIterator[House]:
    with contextlib.ExitStack() as stack:
        url = f"sqlite:///{tmp_path}/chatbridge.db"
        outage: Outage = lambda: locked(f"{tmp_path}/chatbridge.db")  # noqa: E731
        if request.param == "postgresql":
            database: Database = request.getfixturevalue("database")
            url = stack.enter_context(database.server.database())
            outage = lambda: stopped(database)  # noqa: E731
        process = stack.enter_context(stopped_afterwards(bridge_process(tmp_path, url)))
        async with opened(process, http, outage) as house:
            yield house
        assert faults_in(process.log) == []


async def test_what_comes_while_the_database_is_away_is_delivered_when_it_is_back(
    house: House,
) -> None:
    said = ["before", *(f"away {number}" for number in range(20)), "after"]
    assert await house.answer("before") == 200
    await house.backend.wait_for_requests(1)
    with house.outage():
        for text in said[1:-1]:
            assert await house.answer(text) == 200
        (file,) = house.files()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(house.spool.stat().st_mode) == 0o700
    assert await house.answer("after") == 200, "it goes behind what is spooled"
    assert texts(await house.backend.wait_for_requests(len(said))) == said
    await house.drained()
    assert texts(house.backend.received) == said
    metrics = (await house.bridge.call("GET", "/metrics", key=None)).body.decode()
    counted = [line for line in metrics.splitlines() if "callbacks_spooled_total " in line]
    assert float(counted[-1].split()[1]) >= 20


async def test_conversations_keep_their_order_beside_each_other(house: House) -> None:
    names = [f"c-{number}" for number in range(5)]
    with house.outage():
        for number in range(5):
            answers = await asyncio.gather(*(house.answer(f"{n}:{number}", n) for n in names))
            assert set(answers) == {200}
    await house.backend.wait_for_requests(25)
    for name in names:
        mine = [text for text in texts(house.backend.received) if text.startswith(f"{name}:")]
        assert mine == [f"{name}:{number}" for number in range(5)]


async def test_kill_9_while_the_database_is_away_loses_nothing(house: House) -> None:
    said = [f"away {number}" for number in range(20)]
    with house.outage():
        for text in said[:10]:
            assert await house.answer(text) == 200
        house.process.kill()
    with house.files()[0].open("ab") as file:
        file.write(b"\0\0\1\0torn")
    await asyncio.to_thread(house.process.start, "/readyz")
    for text in said[10:]:
        assert await house.answer(text) == 200
    assert texts(await house.backend.wait_for_requests(len(said))) == said
    await house.drained()
    assert texts(house.backend.received) == said
    assert [path.suffix for path in house.spool.iterdir()] == [".kept"], "what is torn is kept"


async def test_a_forged_callback_is_refused_even_while_the_database_is_away(house: House) -> None:
    body = house.amojo.callback_body(house.shop.account, "c-1", "forged", amojo_id="f-1")
    with house.outage():
        status = await house.amojo.send_callback(house.shop.account, body, "0" * 40)
        assert status in {401, 503}, "PostgreSQL would have to be asked for a scope made lately"
        assert house.files() == []


async def test_a_message_that_cannot_be_read_is_kept_all_the_same(house: House) -> None:
    with house.outage():
        assert await house.amojo.send_callback(house.shop.account, b'{"message": {}}') == 200
        assert await house.answer("readable") == 200
    assert texts(await house.backend.wait_for_requests(1)) == ["readable"]
    await house.drained()
    metrics = (await house.bridge.call("GET", "/metrics", key=None)).body.decode()
    assert 'chatbridge_unknown_events_total{kind="unreadable"}' in metrics


async def test_a_full_spool_says_so(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    process = bridge_process(tmp_path, SPOOL__MAX_BYTES="0", RECOVERY__TOLERANCE="3600")
    with stopped_afterwards(process):
        path = f"{tmp_path}/chatbridge.db"
        async with opened(process, http, lambda: locked(path)) as house:
            with house.outage():
                assert await house.answer("refused") == 503
            assert await house.answer("taken") == 200
            # What was refused because nobody knew may have been stored all the same.
            heard = house.backend.received
            await house.backend.wait_for(lambda: "taken" in texts(heard), "the other one arrives")
            assert texts(heard)[-1] == "taken"
            assert "spool_full" in process.log

            async def looked_into() -> bool:
                items = (await house.bridge.call("GET", "/v1/recoveries")).json["items"]
                return [item["reason"] for item in items] == ["refused"]

            await eventually(looked_into, "what was refused is looked for in the history")


async def test_a_full_disk_says_so(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    if shutil.which("cc") is None:
        pytest.fail("needs a C compiler") if os.environ.get("CI") == "true" else pytest.skip(
            "no C compiler"
        )
    machine = Machine(compile_shim(tmp_path), tmp_path)
    process = bridge_process(tmp_path)
    process.settings |= machine.environment
    with stopped_afterwards(process):
        async with opened(process, http, contextlib.nullcontext) as house:
            machine.fill(full=True)
            assert await house.answer("refused") == 503
            machine.fill(full=False)
            assert await house.answer("taken") == 200
            assert texts(await house.backend.wait_for_requests(1)) == ["taken"]
            await house.drained()
