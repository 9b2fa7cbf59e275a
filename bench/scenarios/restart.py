"""Starting on a large backlog: how soon the first message is out, how fast the rest, and in which order."""

import time
from dataclasses import dataclass
from typing import Final

from bench.bridge import Bridge
from bench.effort import Effort
from bench.lineup import NAIVE
from bench.load import Load, run_load
from bench.outcome import Bar, Outcome, Spread, Table, spread
from bench.processes import Failed
from bench.rounds import RUN_NUMBERS, measure, started
from bench.running import Place, place_for
from bench.sink import Arrivals

_OK: Final = 200
_NEVER: Final = 0
_SECONDS: Final = 3600.0
_WARM_UP_SECONDS: Final = 8.0
_CONNECTIONS: Final = 64
_A_FIFTH: Final = 13
"""Of the connections: they all write to one conversation."""
_CONVERSATIONS: Final = 10_000

# While the backlog is made, amoCRM hangs and one attempt is under way at a time: so nearly no message has an attempt behind
# it, and what is measured is the start, not the waits of a retry schedule.
_FILLING: Final = {"CHATBRIDGE_DELIVERY__AT_ONCE": "1", "CHATBRIDGE_HTTP__SHUTDOWN_GRACE": "1"}


@dataclass(frozen=True, kw_only=True)
class _Restart:
    size: int
    """Messages that can be delivered."""
    first_seconds: float
    """From the start of the process to the first delivery."""
    rate: float
    """Deliveries a second from then on."""
    peak_mb: float
    arrivals: Arrivals


def run(effort: Effort) -> Outcome:
    """Start on a backlog of many conversations."""
    with started([NAIVE], outbound=False, skipped=[]) as running:
        measure(running[NAIVE.name], Load(seconds=_WARM_UP_SECONDS, messages=effort.warm_up))
        load = Load(seconds=effort.seconds)
        naive = [measure(running[NAIVE.name], load).rate for _ in range(effort.rounds)]
    with place_for("chatbridge-sqlite") as place:
        begun = _restart(place, effort.restart, heavy=0)
    bars = [
        Bar(what="first delivery", value=_one(begun.first_seconds), unit=" s", at_most=2),
        Bar(
            what="drained/s : naive",
            value=spread([begun.rate / rate for rate in naive]),
            unit="x",
            at_least=3,
        ),
        Bar(what="RSS at most", value=_one(begun.peak_mb), unit=" MB", at_most=250),
        Bar(
            what="messages out of order", value=_one(begun.arrivals.inversions), unit="", at_most=0
        ),
    ]
    return Outcome(bars=bars, table=_table([begun]))


def run_blocked(effort: Effort) -> Outcome:
    """Start on two backlogs; in one of them a fifth of all messages belongs to a conversation that amoCRM refuses."""
    size = effort.restart // 5
    with place_for("chatbridge-sqlite") as place:
        free = _restart(place, size, heavy=0)
    with place_for("chatbridge-sqlite") as place:
        held = _restart(place, size, heavy=_A_FIFTH)
    bars = [
        Bar(
            what="drained/s beside a blocked conversation : without one",
            value=_one(held.rate / free.rate),
            unit="x",
            at_least=0.7,
        ),
        Bar(what="first delivery", value=_one(held.first_seconds), unit=" s", at_most=2),
        Bar(what="messages out of order", value=_one(held.arrivals.inversions), unit="", at_most=0),
    ]
    return Outcome(bars=bars, table=_table([free, held]))


def _restart(place: Place, size: int, *, heavy: int) -> _Restart:
    store_url = f"sqlite:///{place.folder}/bridge.db"
    run = next(RUN_NUMBERS)
    place.sink.begin(run)
    to_deliver = _fill(place, size, store_url, run=run, heavy=heavy)
    bridge = Bridge(place, store_url=store_url)
    place.sink.answer(_OK)
    place.sink.block(0 if heavy else -1)
    begun = time.monotonic_ns()
    try:
        process = bridge.start()
        arrivals = place.sink.wait_for(to_deliver, seconds=_SECONDS)
        peak = process.peak_rss_mb()
    finally:
        bridge.stop()
    if arrivals.distinct < to_deliver:
        raise Failed(f"{to_deliver} messages were pending, {arrivals.distinct} were delivered")
    return _Restart(
        size=to_deliver,
        first_seconds=(arrivals.first_ns - begun) / 1e9,
        rate=arrivals.distinct / ((arrivals.last_ns - arrivals.first_ns) / 1e9),
        peak_mb=peak,
        arrivals=arrivals,
    )


def _fill(place: Place, size: int, store_url: str, *, run: int, heavy: int) -> int:
    """Make a backlog; return how many of its messages can be delivered."""
    bridge = Bridge(place, store_url=store_url, environment=_FILLING)
    try:
        bridge.start()
        target = bridge.set_up()
        place.sink.answer(_NEVER)
        load = Load(
            seconds=_SECONDS,
            messages=size,
            connections=_CONNECTIONS,
            conversations=_CONVERSATIONS,
            heavy=heavy,
        )
        answers = run_load(target, load, run=run)
    finally:
        bridge.stop()
    return answers.answered - answers.heavy


def _one(value: float) -> Spread:
    return spread([value])


def _table(begun: list[_Restart]) -> Table:
    return Table(
        columns=[
            "pending",
            "first delivery s",
            "drained/s",
            "peak RSS MB",
            "repeats",
            "inversions",
        ],
        rows=[
            [
                f"{one.size:,}",
                f"{one.first_seconds:.2f}",
                f"{one.rate:,.0f}",
                f"{one.peak_mb:.0f}",
                str(one.arrivals.duplicates),
                str(one.arrivals.inversions),
            ]
            for one in begun
        ],
    )
