"""Every scenario by name: one table. Each can be run alone with `python -m bench.run --only NAME`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bench.effort import Effort
from bench.lineup import (
    ARQ,
    FASTAPI,
    FLASK,
    NAIVE,
    NAIVE_OUTBOUND,
    NODE_RED,
    POSTGRES,
    PROCRASTINATE,
    SLOW_DISK,
    SQLITE,
    WORKERS,
)
from bench.load import Load
from bench.outcome import Outcome
from bench.scenarios import backlog, claim, fairness, idle, restart, website
from bench.scenarios.comparison import (
    Comparison,
    all_of,
    faster,
    in_order,
    prompt,
    prompt_on_slow_disk,
)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Something that can be run alone."""

    name: str
    shows: str
    run: Callable[[Effort], Outcome]
    full_only: bool = False
    """Without what is not ours it shows nothing new."""


# `seconds` of a load multiplies those of the effort.
_CLOSED_64: Final = Load(seconds=1, connections=64)
_ALL_NEW: Final = Load(seconds=1, connections=64, conversations=500_000, all_new=True)
_SHORT_64: Final = Load(seconds=0.4, connections=64)  # queues take much and deliver slowly
_CLOSED_8: Final = Load(seconds=1, connections=8)
_OPEN_800: Final = Load(seconds=2, connections=64, rate=800)

SCENARIOS: Final = (
    Scenario(
        name="inbound-64",
        shows="Clients' messages to amoCRM, 64 connections, each sending as soon as it is answered",
        run=Comparison(
            contestants=(NAIVE, SQLITE),
            load=_CLOSED_64,
            bars=all_of(
                faster(SQLITE.name, NAIVE.name, at_least=1.5, cpu_at_most=0.65),
                in_order(SQLITE.name),
            ),
        ),
    ),
    Scenario(
        name="inbound-new",
        shows="The same when every message begins a conversation: there is a row more to write, and amoCRM's id to keep",
        run=Comparison(
            contestants=(NAIVE, SQLITE),
            load=_ALL_NEW,
            bars=faster(SQLITE.name, NAIVE.name, at_least=1),
        ),
    ),
    Scenario(
        name="inbound-8",
        shows="Clients' messages with 8 connections: there is less to commit together",
        run=Comparison(
            contestants=(NAIVE, SQLITE),
            load=_CLOSED_8,
            bars=faster(SQLITE.name, NAIVE.name, at_least=0.8),
        ),
    ),
    Scenario(
        name="outbound-64",
        shows="Operators' replies from amoCRM's callback to the messenger's webhook, 64 connections",
        run=Comparison(
            contestants=(NAIVE_OUTBOUND, SQLITE),
            load=_CLOSED_64,
            bars=all_of(
                faster(SQLITE.name, NAIVE_OUTBOUND.name, at_least=1.5, cpu_at_most=0.65),
                in_order(SQLITE.name),
            ),
            outbound=True,
        ),
    ),
    Scenario(
        name="postgres-64",
        shows="Clients' messages on PostgreSQL, one process, the database on the same CPU",
        run=Comparison(
            contestants=(NAIVE, POSTGRES),
            load=_CLOSED_64,
            bars=all_of(faster(POSTGRES.name, NAIVE.name, at_least=1.3), in_order(POSTGRES.name)),
        ),
    ),
    Scenario(
        name="workers",
        shows="`serve --workers 2` and one process, each with its PostgreSQL; they, load and far side share all CPUs",
        run=Comparison(
            contestants=(POSTGRES, WORKERS),
            load=_CLOSED_64,
            bars=all_of(faster(WORKERS.name, POSTGRES.name, at_least=1.15), in_order(WORKERS.name)),
            all_cpus=True,
        ),
    ),
    Scenario(
        name="latency-800",
        shows="800 messages a second, whatever the server does: how long a messenger waits for the answer",
        run=Comparison(
            contestants=(NAIVE, SQLITE),
            load=_OPEN_800,
            bars=prompt(SQLITE.name, NAIVE.name, times=2.5),
        ),
    ),
    Scenario(
        name="latency-800-slow-disk",
        shows="The same on a disk whose every sync takes 5 ms longer (the naive bridge writes nothing)",
        run=Comparison(
            contestants=(NAIVE, SLOW_DISK),
            load=_OPEN_800,
            bars=prompt_on_slow_disk(SLOW_DISK.name, syncs=5),
        ),
    ),
    Scenario(
        name="fairness",
        shows="A tenant's 10 messages a second, alone and beside a neighbour that sends 1,000",
        run=fairness.run,
    ),
    Scenario(
        name="fairness-hanging",
        shows="The same while amoCRM, one address for both, never answers the neighbour",
        run=fairness.run_hanging,
    ),
    Scenario(
        name="backlog",
        shows="amoCRM is down and messages keep coming: speed and memory while the queue grows",
        run=backlog.run,
    ),
    Scenario(
        name="restart",
        shows="The server is started on a large backlog of 10,000 conversations",
        run=restart.run,
    ),
    Scenario(
        name="restart-blocked",
        shows="The same beside one conversation that holds a fifth of the backlog and is refused by amoCRM",
        run=restart.run_blocked,
    ),
    Scenario(
        name="claim",
        shows="Reading what is pending from the database, with one blocked conversation holding a fifth",
        run=claim.run,
    ),
    Scenario(
        name="website",
        shows="A thousand visitors of a website chat, 200 operators' replies a second: from callback to the visitor's socket",
        run=website.run,
    ),
    Scenario(name="idle", shows="Memory of servers that have nothing to do", run=idle.run),
    Scenario(
        name="peers",
        full_only=True,
        shows="Other ways to build the same bridge, 64 connections; their queues and databases on the same CPU",
        run=Comparison(
            contestants=(NAIVE, SQLITE, NODE_RED, ARQ, PROCRASTINATE, FASTAPI, FLASK),
            load=_SHORT_64,
            bars=all_of(
                faster(SQLITE.name, NODE_RED.name, at_least=6),
                faster(SQLITE.name, ARQ.name, at_least=5),
                faster(SQLITE.name, PROCRASTINATE.name, at_least=20),
                faster(SQLITE.name, FASTAPI.name, at_least=5),
                faster(SQLITE.name, FLASK.name, at_least=5),
            ),
        ),
    ),
)
