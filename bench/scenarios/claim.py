"""Reading what is pending, few or many, with one blocked conversation that holds a fifth.

The only scenario that goes past the public surfaces: what it measures is two units of the store.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from bench import lineup
from bench.bridge import Bridge
from bench.effort import Effort
from bench.lineup import POSTGRES, SQLITE
from bench.outcome import Bar, Outcome, Table, spread
from bench.processes import SERVER_CPUS, pinned
from bench.running import Place, place_for
from bench.servers import postgres
from chatbridge.ids import fingerprint
from chatbridge.model import Content, Direction, Message, MessageType, Person, encode_event
from chatbridge.store import journal, pending
from chatbridge.store.engine import Store, open_store
from chatbridge.store.entries import ConversationKey, Draft, lane_of

_BATCH: Final = 512
_ROWS: Final = 500
_LANE_ROWS: Final = 64
_TIMES: Final = 60
_CONVERSATIONS: Final = 10_000
_FIRST_LINK: Final = 1
_BLOCKED: Final = 1
"""The first conversation of a new database has this id."""


@dataclass(frozen=True, kw_only=True)
class _Cost:
    database: str
    size: int
    window_ms: float
    """For 500 entries behind a cursor, anywhere in the backlog."""
    lane_ms: float
    """For the first 64 entries of the blocked conversation."""


def run(effort: Effort) -> Outcome:
    """Time both on a tenth of the backlog and on all of it."""
    present, skipped = lineup.present((SQLITE, POSTGRES), peers=effort.peers)
    costs: list[_Cost] = []
    bars: list[Bar] = []
    for contestant in present:
        few, many = (_cost(contestant.name, size) for size in (effort.claim // 10, effort.claim))
        costs += few, many
        bars += _bars(few, many)
    table = Table(
        columns=["database", "pending", f"{_ROWS} by cursor, ms", f"{_LANE_ROWS} of a lane, ms"],
        rows=[
            [cost.database, f"{cost.size:,}", f"{cost.window_ms:.2f}", f"{cost.lane_ms:.2f}"]
            for cost in costs
        ],
    )
    return Outcome(bars=bars, table=table, skipped=skipped)


def _bars(few: _Cost, many: _Cost) -> list[Bar]:
    name, sizes = many.database, f"{many.size:,} pending : {few.size:,}"
    return [
        Bar(
            what=f"{name}: loading {_ROWS} with {sizes}",
            value=spread([many.window_ms / few.window_ms]),
            unit="x",
            at_most=2,
        ),
        Bar(
            what=f"{name}: loading {_ROWS} with {many.size:,} pending",
            value=spread([many.window_ms]),
            unit=" ms",
            at_most=3,
        ),
        Bar(
            what=f"{name}: loading a blocked conversation with {sizes}",
            value=spread([many.lane_ms / few.lane_ms]),
            unit="x",
            at_most=2,
        ),
    ]


def _cost(name: str, size: int) -> _Cost:
    with place_for(name) as place, _database(place) as url, pinned(SERVER_CPUS):
        bridge = Bridge(place, store_url=url)
        try:
            bridge.start()
            bridge.set_up()
        finally:
            bridge.stop()
        return asyncio.run(_measured(url, name, size))


@contextmanager
def _database(place: Place) -> Iterator[str]:
    if place.name == SQLITE.name:
        yield f"sqlite:///{place.folder}/bridge.db"
        return
    with postgres(place.folder) as server:
        yield server.url


async def _measured(url: str, name: str, size: int) -> _Cost:
    store = open_store(url)
    await store.start()
    try:
        for first in range(0, size, _BATCH):
            drafts = [_draft(number, size) for number in range(first, min(first + _BATCH, size))]
            await store.write(journal.accept, drafts, time.time_ns() // 1_000)
        return _Cost(
            database=name,
            size=size,
            window_ms=await _median_ms(
                lambda turn: _window(store, turn * (size - _ROWS) // _TIMES)
            ),
            lane_ms=await _median_ms(lambda _: _lane(store)),
        )
    finally:
        await store.close()


def _window(store: Store, cursor: int) -> Awaitable[object]:
    return store.read(pending.load_after, cursor, _ROWS)


def _lane(store: Store) -> Awaitable[object]:
    lane = lane_of(_BLOCKED, Direction.TO_AMOJO)
    return store.read(pending.load_lanes, [lane], _LANE_ROWS)


async def _median_ms(read: Callable[[int], Awaitable[object]]) -> float:
    times = []
    for turn in range(_TIMES):
        begun = time.perf_counter()
        await read(turn)
        times.append((time.perf_counter() - begun) * 1_000)
    return statistics.median(times)


def _draft(number: int, size: int) -> Draft:
    """Return a message: the first fifth belongs to one conversation, the others to all of the rest in turn."""
    conversation = "blocked" if number < size // 5 else f"c-{number % (_CONVERSATIONS - 1)}"
    message = Message(
        id=f"m-{number}",
        conversation_id=conversation,
        sent_at=time.time_ns() // 1_000,
        sender=Person(id=conversation, name="Anna", phone="+79151112233"),
        content=Content(type=MessageType.TEXT, text="." * 380),
    )
    return Draft(
        conversation=ConversationKey(link_id=_FIRST_LINK, external_id=conversation, amojo_id=None),
        direction=Direction.TO_AMOJO,
        kind="message",
        key=fingerprint(message.id),
        digest=fingerprint(message.id),
        message_id=message.id,
        body=encode_event(message),
        received_at=message.sent_at,
    )
