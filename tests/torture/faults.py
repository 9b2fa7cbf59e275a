"""What each kind of fault does to a run. Every one heals what it broke, however it ends."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final

from tests.fakes import Answer
from tests.torture.history import Disturbed
from tests.torture.proxy import Kind, Proxy, Trouble
from tests.torture.schedules import Fault
from tests.torture.world import World


async def strike(world: World, fault: Fault) -> None:
    """Let a fault happen, return when everything is in place again, and write it down."""
    row = KINDS[fault.kind]
    target = row.target.format(fault=fault)
    async with world.locks[target]:
        begun = world.history.now()
        await row.happen(world, fault)
        event = Disturbed(
            kind=row.counts_as or fault.kind,
            target=target,
            begun=begun,
            ended=world.history.now(),
            detail=f"{fault.seconds} s, amount {fault.amount}",
        )
        world.history.add(event)


async def _kill(world: World, fault: Fault) -> None:
    node = world.nodes[fault.node]
    await node.kill()
    await node.start()


async def _kill_at_start(world: World, fault: Fault) -> None:
    """Kill it, and once more at some instant of its start."""
    node = world.nodes[fault.node]
    await node.kill()
    starting = asyncio.create_task(node.start())
    await asyncio.wait([starting], timeout=fault.seconds / 2)
    await node.kill()
    await starting
    if not node.process.running:
        await node.start()


async def _terminate(world: World, fault: Fault) -> None:
    node = world.nodes[fault.node]
    await node.terminate()
    await node.start()


async def _pause(world: World, fault: Fault) -> None:
    node = world.nodes[fault.node]
    node.pause()
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        node.go_on()


async def _long_pause(world: World, fault: Fault) -> None:
    node = world.nodes[fault.node]
    node.pause()
    try:
        await asyncio.sleep(world.lease + fault.seconds)
    finally:
        node.go_on()


def _network(kind: Kind, *, per_unit: float = 1) -> Callable[[World, Fault], Awaitable[None]]:
    """Disturb the network between the servers and a far side; an amount becomes bytes or seconds."""

    async def happen(world: World, fault: Fault) -> None:
        await _disturb(world.networks[fault.side], kind, fault, per_unit)

    return happen


def _database_network(kind: Kind) -> Callable[[World, Fault], Awaitable[None]]:
    async def happen(world: World, fault: Fault) -> None:
        await _disturb(world.database_networks[fault.node], kind, fault, 1)

    return happen


async def _long_silence(world: World, fault: Fault) -> None:
    await _database_network(Kind.HANG)(world, replace(fault, seconds=world.lease + fault.seconds))


_COMMITTED: Final = rb"(COMMIT|(SELECT|DELETE|UPDATE|INSERT 0) [0-9]+)\0Z\0\0\0\x05I"
"""How PostgreSQL says that something was done and that no transaction is open any more: what is one statement is committed without
a word of its own."""


async def _lost_commit(world: World, fault: Fault) -> None:
    """PostgreSQL commits, and the connection breaks before it says so."""
    network = world.database_networks[fault.node]
    await network.disturb(Trouble(kind=Kind.CUT_BEFORE, mark=_COMMITTED))
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        await network.heal()


async def _disturb(network: Proxy, kind: Kind, fault: Fault, per_unit: float) -> None:
    await network.disturb(Trouble(kind=kind, amount=fault.amount * per_unit))
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        await network.heal()


def _refusing(answer: Answer) -> Callable[[World, Fault], Awaitable[None]]:
    async def happen(world: World, fault: Fault) -> None:
        world.far_sides.refusing[fault.side] = answer
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            world.far_sides.refusing[fault.side] = None

    return happen


async def _slow_disk(world: World, fault: Fault) -> None:
    machine = world.nodes[fault.node].machine
    machine.slow_down(fault.amount / 1000)
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        machine.slow_down(0)


async def _full_disk(world: World, fault: Fault) -> None:
    assert world.disk is not None
    await asyncio.to_thread(world.disk.fill)
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        world.disk.empty()


async def _clock_step(world: World, fault: Fault) -> None:
    machine = world.nodes[fault.node].machine
    machine.set_clock(fault.amount)
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        machine.set_clock(0)


async def _database_crash(world: World, fault: Fault) -> None:
    """Crash a server of our own; one that is not ours is cut off instead."""
    database = world.database
    assert database is not None
    if not database.restartable:
        ways = world.database_networks
        await asyncio.gather(*(_disturb(way, Kind.REFUSE, fault, 1) for way in ways))
        return
    await asyncio.to_thread(database.crash)
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        await asyncio.to_thread(database.start)


@dataclass(frozen=True, kw_only=True)
class Row:
    target: str
    """What it happens to. Two faults of one target wait for each other."""
    happen: Callable[[World, Fault], Awaitable[None]]
    counts_as: str = ""


_NODE, _NETWORK, _FAR_SIDE = "node {fault.node}", "network {fault.side}", "far side {fault.side}"
_DATABASE_NETWORK = "network of node {fault.node} to the database"
KINDS = {
    "kill": Row(target=_NODE, happen=_kill),
    "kill_at_start": Row(target=_NODE, happen=_kill_at_start, counts_as="kill"),
    "terminate": Row(target=_NODE, happen=_terminate),
    "pause": Row(target=_NODE, happen=_pause),
    "long_pause": Row(target=_NODE, happen=_long_pause),
    "refuse": Row(target=_NETWORK, happen=_network(Kind.REFUSE)),
    "hang": Row(target=_NETWORK, happen=_network(Kind.HANG)),
    "cut_answer": Row(target=_NETWORK, happen=_network(Kind.CUT_ANSWER)),
    "cut_request": Row(target=_NETWORK, happen=_network(Kind.CUT_REQUEST)),
    "delay": Row(target=_NETWORK, happen=_network(Kind.DELAY, per_unit=0.001)),
    "answer_500": Row(target=_FAR_SIDE, happen=_refusing(Answer(status=500))),
    "answer_429": Row(
        target=_FAR_SIDE, happen=_refusing(Answer(status=429, headers={"Retry-After": "1"}))
    ),
    "slow_disk": Row(target="speed of the disk", happen=_slow_disk),
    "full_disk": Row(target="disk", happen=_full_disk),
    "clock_step": Row(target="clock {fault.node}", happen=_clock_step),
    "database_crash": Row(target="database", happen=_database_crash),
    "long_silence": Row(target=_DATABASE_NETWORK, happen=_long_silence),
    "database_cut": Row(target=_DATABASE_NETWORK, happen=_database_network(Kind.REFUSE)),
    "database_lost_commit": Row(target=_DATABASE_NETWORK, happen=_lost_commit),
    "database_hang": Row(target=_DATABASE_NETWORK, happen=_database_network(Kind.HANG)),
}
