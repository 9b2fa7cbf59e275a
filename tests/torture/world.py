"""Everything a run needs: far sides, networks, a database, servers, and one shop that is open."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from sqlalchemy import make_url

from tests.acceptance.bridge import Bridge
from tests.fakes import FarSide
from tests.plain_amojo import PlainAmojo
from tests.torture.database import Database
from tests.torture.far_sides import FarSides
from tests.torture.history import TO_AMOJO, TO_MESSENGER, GivenUp, History
from tests.torture.load import Parties
from tests.torture.machine import Disk, Machine, small_disk
from tests.torture.nodes import Node
from tests.torture.proxy import Proxy
from tests.torture.schedules import Schedule

AT_ONCE = 16
"""Deliveries that each server may have under way."""
_TIMEOUT = aiohttp.ClientTimeout(total=5)
_PAGE = 200


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What runs share."""

    shim: Path
    """See `machine`."""
    database: Database | None = None
    """The PostgreSQL server, if there is one."""


@dataclass(frozen=True, kw_only=True)
class World:
    """One run's."""

    history: History
    far_sides: FarSides
    networks: dict[str, Proxy]
    """By the direction of what goes through them."""
    nodes: tuple[Node, ...]
    parties: Parties
    http: aiohttp.ClientSession
    lease: float
    disk: Disk | None
    database: Database | None
    database_networks: tuple[Proxy, ...]
    """Each server's own way to PostgreSQL."""
    locks: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    """One for each thing that faults happen to."""

    async def given_up(self) -> list[GivenUp]:
        """What the servers parked, with their reasons."""
        bridge, found, path = Bridge(self.nodes[0].process, self.http), [], "/v1/parked"
        query = f"?limit={_PAGE}"
        while query:
            reply = await bridge.call("GET", path + query)
            assert reply.status == 200, reply
            page = reply.json
            found += [
                GivenUp(
                    direction=i["direction"], id=i["message_id"], code=i["code"], detail=i["detail"]
                )
                for i in page["items"]
            ]
            query = f"?limit={_PAGE}&after={page['next']}" if page["next"] else ""
        return found


@asynccontextmanager
async def open_world(
    schedule: Schedule, history: History, folder: Path, ground: Ground
) -> AsyncIterator[World]:
    """Set everything up as the schedule needs it, and take it down again."""
    async with AsyncExitStack() as stack:
        amojo = PlainAmojo(await stack.enter_async_context(FarSide()))
        far_sides = FarSides(history, amojo, await stack.enter_async_context(FarSide()))
        urls = {TO_AMOJO: amojo.url, TO_MESSENGER: far_sides.backend.url}
        networks = {way: await stack.enter_async_context(_before(url)) for way, url in urls.items()}
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        http = await stack.enter_async_context(
            aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT)
        )
        machines = [_machine(ground, folder, number) for number in range(schedule.place.nodes)]
        store = await _store(stack, schedule, folder, ground, machines)
        nodes = _nodes(stack, folder, machines, store)
        parties = await _open(nodes, http, far_sides, networks)
        yield World(
            history=history,
            far_sides=far_sides,
            networks=networks,
            nodes=nodes,
            parties=parties,
            http=http,
            lease=schedule.place.lease,
            disk=store.disk,
            database=ground.database,
            database_networks=store.networks,
        )


@dataclass(frozen=True, kw_only=True)
class _Store:
    urls: tuple[str, ...] = ("",)
    """For each server; empty for a SQLite database beside it."""
    disk: Disk | None = None
    networks: tuple[Proxy, ...] = ()


async def _store(
    stack: AsyncExitStack,
    schedule: Schedule,
    folder: Path,
    ground: Ground,
    machines: Sequence[Machine],
) -> _Store:
    """A database for the servers: behind networks if it is PostgreSQL, on a disk of its own if that is to be filled."""
    if schedule.place.database == "postgresql":
        assert ground.database is not None
        direct = stack.enter_context(ground.database.server.database())
        networks = [await stack.enter_async_context(_before(direct)) for _ in machines]
        urls = [make_url(direct).set(port=network.port) for network in networks]
        return _Store(
            urls=tuple(url.render_as_string(hide_password=False) for url in urls),
            networks=tuple(networks),
        )
    if "full_disk" not in schedule.kinds:
        return _Store()
    disk = stack.enter_context(small_disk(folder / "disk", machines[0]))
    return _Store(urls=(f"sqlite:///{disk.folder}/chatbridge.db",), disk=disk)


def _nodes(
    stack: AsyncExitStack, folder: Path, machines: Sequence[Machine], store: _Store
) -> tuple[Node, ...]:
    """The servers, not started yet."""
    nodes = tuple(
        Node(number, folder / f"node{number}", machine, url, at_once=AT_ONCE)
        for number, (machine, url) in enumerate(zip(machines, store.urls, strict=True))
    )
    for node in nodes:
        stack.push_async_callback(node.clean_up)
    return nodes


def _before(url: str) -> Proxy:
    parts = urlsplit(url)
    assert parts.hostname
    return Proxy(parts.hostname, parts.port or 5432)


def _machine(ground: Ground, folder: Path, number: int) -> Machine:
    place = folder / f"node{number}"
    place.mkdir()
    return Machine(ground.shim, place)


async def _open(
    nodes: tuple[Node, ...],
    http: aiohttp.ClientSession,
    far_sides: FarSides,
    networks: dict[str, Proxy],
) -> Parties:
    """Start the servers and open a shop on the first one, before the others read what there is."""
    first, *others = nodes
    await first.start()
    bridge = Bridge(first.process, http)
    account = await far_sides.amojo.open_account(bridge.hook_url)
    await bridge.add_channel(account, f"http://127.0.0.1:{networks[TO_AMOJO].port}")
    hooks = f"http://127.0.0.1:{networks[TO_MESSENGER].port}/hooks"
    messenger = await bridge.add_messenger(webhook_url=hooks)
    link = {"channel": account.code, "account_id": account.account_id, "messenger": messenger["id"]}
    await bridge.made("/v1/links", link)
    far_sides.webhook_secret = messenger["webhook_secret"]
    await asyncio.gather(*(node.start() for node in others))
    return Parties(
        urls=tuple(node.url for node in nodes),
        key=messenger["api_key"],
        account=account,
        amojo=far_sides.amojo,
    )
