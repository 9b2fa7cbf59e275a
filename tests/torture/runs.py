"""One run: load and faults by a schedule, then everything heals, and what was seen is judged."""

import asyncio
import contextlib
import itertools
import json
import random
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path

import aiohttp

from tests.torture.checker import Verdict, check
from tests.torture.faults import strike
from tests.torture.history import Broken, History
from tests.torture.load import Load
from tests.torture.repeats import Limits
from tests.torture.schedules import Schedule, Step
from tests.torture.world import AT_ONCE, Ground, World, open_world

PATIENCE = 90.0
"""Seconds in which everything must have arrived once all is well again. A client's message that met several faults
waits for up to half a minute between two attempts."""
_STALLED = 3.0
"""Seconds after which a step begins although nothing is being taken."""
_LOOK = 0.02
_ASK = 1.0
"""Seconds between two questions to the server what it has given up."""
_QUIET = 0.3
"""Seconds without an arrival after which what else may come, repeats and what nobody promised, has come."""
_NO_ANSWER = (AssertionError, OSError, aiohttp.ClientError)
"""What comes of asking a server that is not there, or cannot answer."""
_CLIENTS, _OPERATORS, _PAUSE = 6, 4, 0.015


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run showed, and where its history is kept."""

    schedule: Schedule
    verdict: Verdict
    folder: Path
    seconds: float

    @property
    def history(self) -> Path:
        """The file with every event."""
        return self.folder / "history.ndjson"


def new_folder(folder: Path, name: str) -> Path:
    """Make a folder of this name, with a number behind it if there is one already: its history may be a rare one."""
    names = itertools.chain([name], (f"{name}.{number}" for number in itertools.count(2)))
    made = next(one for one in map(folder.joinpath, names) if not one.exists())
    made.mkdir(parents=True)
    return made


async def play(
    schedule: Schedule, name: str, folder: Path, ground: Ground, *, patience: float = PATIENCE
) -> Outcome:
    """Make one run in an empty folder, which is left behind only if something was wrong."""
    begun = time.monotonic()
    with (folder / "history.ndjson").open("w", encoding="utf-8") as file:
        file.write(json.dumps({"event": "run", "name": name} | asdict(schedule)) + "\n")
        history = History(file)
        async with open_world(schedule, history, folder, ground) as world:
            await _play(world, schedule, patience, random.Random(name))
    verdict = check(history.events, Limits(at_once=AT_ONCE, nodes=schedule.place.nodes))
    if not verdict.violations:
        shutil.rmtree(folder)
    seconds = time.monotonic() - begun
    return Outcome(schedule=schedule, verdict=verdict, folder=folder, seconds=seconds)


async def _play(world: World, schedule: Schedule, patience: float, chance: random.Random) -> None:
    load = Load(world.http, world.history, world.parties, chance)
    try:
        async with _kept_alive(world):
            await _disturbed(load, world, schedule)
            await _everything_arrives(world, patience)
            await _quiet(world.history)
        for event in await world.given_up():
            world.history.add(event)
    except _NO_ANSWER as error:
        words = f"the run ended early: {error!r}"
        world.history.add(Broken(node=0, words=words, at=world.history.now()))
    for node in world.nodes:
        await node.terminate()
        for words in node.broken():
            world.history.add(Broken(node=node.number, words=words, at=world.history.now()))


async def _disturbed(load: Load, world: World, schedule: Schedule) -> None:
    """Let everybody write while the schedule happens."""
    talking = asyncio.create_task(load.run(clients=_CLIENTS, operators=_OPERATORS, pause=_PAUSE))
    try:
        for step in schedule.steps:
            await _strike(world, step)
    finally:
        load.enough()
        await talking


@contextlib.asynccontextmanager
async def _kept_alive(world: World) -> AsyncIterator[None]:
    keepers = [
        asyncio.create_task(node.keep_alive(world.locks[f"node {node.number}"]))
        for node in world.nodes
    ]
    try:
        yield
    finally:
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)


async def _strike(world: World, step: Step) -> None:
    """Wait for the load to get that far, then for an instant, and strike."""
    goal = len(world.history.accepted) + step.after
    deadline = time.monotonic() + _STALLED
    while True:
        if len(world.history.accepted) >= goal or time.monotonic() >= deadline:
            break
        await asyncio.sleep(_LOOK)
    await asyncio.sleep(step.instant)
    # One that fails leaves the others time to heal what they broke.
    struck = [strike(world, fault) for fault in step.faults]
    for result in await asyncio.gather(*struck, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


async def _everything_arrives(world: World, patience: float) -> None:
    """Return when what was taken has arrived, or when it is not going to. The checker says what is missing."""
    history, begun, asked = world.history, time.monotonic(), 0.0
    while (missing := history.accepted - history.arrived) and asked < patience:
        await asyncio.sleep(_LOOK)
        if time.monotonic() - begun > asked + _ASK:
            asked = time.monotonic() - begun
            # It may need a moment to find its database again.
            with contextlib.suppress(*_NO_ANSWER):
                if missing <= {event.id for event in await world.given_up()}:
                    return


async def _quiet(history: History) -> None:
    seen = -1
    while seen != len(history.events):
        seen = len(history.events)
        await asyncio.sleep(_QUIET)
