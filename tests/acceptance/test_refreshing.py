"""Twenty workers in four processes on PostgreSQL refresh one token, against the sandbox; and one of them is killed over it."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Connection, update

from chatbridge.store.engine import Store, open_store
from chatbridge.store.schema import crm_accounts
from tests.acceptance.bridge import eventually
from tests.acceptance.conftest import OwnBridge
from tests.acceptance.crm import Crm, crm_settings
from tests.acceptance.sandbox import SandboxAmojo
from tests.postgres import PostgresServer
from tests.processes import ROOT, environment

PROCESSES, EACH = 4, 5


@dataclass
class Worker:
    """A process with workers, and what it wrote."""

    process: Process

    async def ready(self) -> None:
        assert self.process.stdout is not None
        assert await self.process.stdout.readline() == b"ready\n"

    async def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"go\n")
        await self.process.stdin.drain()

    async def said(self) -> tuple[list[str], list[dict[str, Any]]]:
        """What each worker got, and the log."""
        out, log = await self.process.communicate()
        return json.loads(out), [json.loads(line) for line in log.splitlines()]


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[str]:
    with postgres.database() as url:
        yield url


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    store = open_store(database)
    await store.start()
    yield store
    await store.close()


@asynccontextmanager
async def workers(
    settings: Mapping[str, str], account: str, *, processes: int, each: int
) -> AsyncIterator[list[Worker]]:
    """Processes whose workers are about to ask for the tokens of an account."""
    command = [sys.executable, "-m", "tests.acceptance.refreshers", account, str(each)]
    made = [
        Worker(
            await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=ROOT, env=environment(settings)
            )
        )
        for _ in range(processes)
    ]
    try:
        await asyncio.gather(*(worker.ready() for worker in made))
        yield made
    finally:
        for worker in made:
            if worker.process.returncode is None:
                worker.process.kill()
                await worker.process.wait()


async def all_ask(
    settings: Mapping[str, str], account: str
) -> tuple[list[str], list[dict[str, Any]]]:
    """What twenty workers in four processes get, and all that is logged."""
    async with workers(settings, account, processes=PROCESSES, each=EACH) as made:
        await asyncio.gather(*(worker.go() for worker in made))
        said = await asyncio.gather(*(worker.said() for worker in made))
    given = [token for tokens, _ in said for token in tokens]
    assert len(given) == PROCESSES * EACH
    return given, [event for _, events in said for event in events]


@pytest.fixture
async def crm(own_bridge: OwnBridge, own_sandbox: SandboxAmojo, database: str) -> Crm:
    return await Crm.made(own_bridge(database, **crm_settings(own_sandbox.url)), own_sandbox)


async def test_twenty_workers_make_one_refresh_call(crm: Crm, store: Store) -> None:
    account = await crm.authorize()
    await store.write(set_columns, expires_at=0)
    given, log = await all_ask(crm.bridge.process.settings, account["id"])
    assert len(set(given)) == 1
    assert given[0].count(".") == 2
    assert (await crm.calls())["refresh_token.received"] == 1
    assert [event["event"] for event in log] == ["account_renewed"]
    assert given[0] not in json.dumps(log)


@pytest.mark.parametrize("rotation", ["lenient", "strict"])
async def test_killed_between_answer_and_store(crm: Crm, store: Store, rotation: str) -> None:
    account = await crm.authorize()
    settings = crm.bridge.process.settings
    await crm.sandbox.switch(
        oauth_rotation=rotation, crm_fault="slow", crm_fault_call="token", fault_delay_s=60.0
    )
    await store.write(set_columns, expires_at=0)
    async with workers(settings, account["id"], processes=1, each=1) as (victim,):
        await victim.go()
        await eventually(lambda: is_renewed(crm), "amoCRM has given new tokens")
        victim.process.kill()
        await victim.process.wait()
    await crm.sandbox.switch(crm_fault="none")
    # As if the turn of the one that was killed were over.
    await store.write(set_columns, refresher_until=1)

    given, log = await all_ask(settings, account["id"])
    told = [event for event in log if event["event"] == "account_signed_out"]
    (now,) = await crm.accounts()
    if rotation == "lenient":
        assert len(set(given)) == 1
        assert given[0].count(".") == 2
        assert (told, now["state"]) == ([], "authorized")
        return
    assert set(given) == {"signed_out"}
    assert [(event["why"], event["level"]) for event in told] == [("interrupted", "warning")]
    assert (now["state"], now["why"]) == ("signed_out", "interrupted")
    assert "sign in again" in now["advice"]
    assert (await crm.calls())["refresh_token.received"] == 2
    back = await crm.authorize()
    assert (back["id"], back["state"]) == (account["id"], "authorized")


async def is_renewed(crm: Crm) -> bool:
    return (await crm.calls()).get("refresh_token.done", 0) == 1


def set_columns(connection: Connection, **values: Any) -> None:
    connection.execute(update(crm_accounts).values(values))
