"""Who can take part: a table of contestants, what each needs of the machine, and how it is started."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from bench import bridge
from bench.load import Target
from bench.processes import Process, Program, free_port
from bench.running import SCOPE, Place, Running


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """One bridge."""

    name: str
    does: str
    """What it is, for the table."""
    run: Callable[[Place], AbstractContextManager[Running]]


@contextmanager
def _program(place: Place, *, module: str) -> Iterator[Running]:
    """Run one of the files in `bench/contestants` with the Python of this checkout."""
    port = free_port()
    process = Process(
        Program(
            name=place.name,
            command=(sys.executable, "-m", f"bench.contestants.{module}"),
            folder=place.folder,
            environment=settings(place, port),
        )
    )
    try:
        process.wait_for_port(port)
        yield Running(processes=[process], target=target_of(place, port), place=place)
    finally:
        process.stop()


def settings(place: Place, port: int) -> dict[str, str]:
    """Return what the files in `bench/contestants` read from their environment."""
    return {
        "BENCH_PORT": str(port),
        "BENCH_FAR_SIDE": place.sink.url,
        "BENCH_API_KEY": place.keys.api,
        "BENCH_SECRET": place.keys.channel,
        "BENCH_WEBHOOK_SECRET": f"whsec_{place.keys.channel}",
        "BENCH_SCOPE": SCOPE,
    }


def target_of(place: Place, port: int) -> Target:
    """Return where messages for a file of `bench/contestants` are posted."""
    if place.outbound:
        return bridge.callback_target(port, place)
    return Target(
        port=port, path="/v1/messages", headers={"Authorization": f"Bearer {place.keys.api}"}
    )


NAIVE: Final = Contestant(
    name="naive",
    does="aiohttp server and client, uvloop; answers after amoCRM; stores nothing",
    run=partial(_program, module="naive"),
)
NAIVE_OUTBOUND: Final = Contestant(
    name="naive-outbound",
    does="the same from amoCRM's callback to the messenger's webhook",
    run=partial(_program, module="naive_outbound"),
)
SQLITE: Final = Contestant(
    name="chatbridge-sqlite", does="SQLite, WAL, synchronous=FULL", run=bridge.on_sqlite
)
