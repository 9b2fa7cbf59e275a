"""Several nodes on PostgreSQL: what one wrote and told nobody is found, delivered once and in order, at a flat cost."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.ext.asyncio import create_async_engine

from chatbridge import errors
from chatbridge.delivery.courier import Courier, Limits, Receipt
from chatbridge.delivery.loader import Window
from chatbridge.delivery.ownership import RENEWED_EVERY, Leased
from chatbridge.delivery.sweep import PAGE, SECONDS_BETWEEN
from chatbridge.model import Direction, Link
from chatbridge.observability.metrics import Metrics
from chatbridge.store import journal, migrations, pending
from chatbridge.store.engine import Store, open_store
from chatbridge.store.entries import Entry
from chatbridge.store.partitions import PARTITIONS, partition_of
from tests.contract.conftest import add_link
from tests.factories import make_draft
from tests.fakes import SECONDS, FakeClock
from tests.postgres import PostgresServer


class Nodes:
    """Two nodes of one database, as they run in two processes, on a clock that stands still.

    They do not listen to notifications: what reaches them is read, or does not reach them.
    """

    def __init__(self, stores: list[Store], link: Link) -> None:
        self.stores, self.link, self.clock = stores, link, FakeClock()
        self.taken: list[tuple[int, Entry]] = []
        """What was delivered, with the number of the node that did."""
        self.deaf_links: set[int] = set()
        """Links whose far side asks everybody to come back in a day."""
        self.couriers = [self._courier(number) for number in range(len(stores))]

    def _courier(self, number: int) -> Courier:
        async def send(entry: Entry, allowed: Callable[[], bool]) -> Receipt:
            assert allowed()
            if entry.link_id in self.deaf_links:
                raise errors.Throttled("later", retry_after=86_400)
            self.taken.append((number, entry))
            return Receipt()

        return Courier(
            store=self.stores[number],
            clock=self.clock,
            senders={Direction.TO_AMOJO: send},
            watcher=Metrics(),
            jitter=lambda: 0.0,
            limits=Limits(window=Window(entries=1000, bytes=2**24), at_once=16, at_once_each=16),
            ownership=Leased(
                store=self.stores[number],
                clock=self.clock,
                node=f"node-{number}",
                uptime=lambda: 0.0,
            ),
        )

    async def start(self) -> None:
        """Return when each has half of the partitions."""
        for courier in self.couriers:
            await courier.start()

        async def shared() -> bool:
            if [len(courier.partitions) for courier in self.couriers] == [PARTITIONS // 2] * 2:
                return True
            self.clock.advance(RENEWED_EVERY)
            return False

        await eventually(shared, "the nodes share the partitions")

    async def stop(self) -> None:
        for courier in self.couriers:
            await courier.stop(grace=1)

    async def write(self, *names: tuple[str, str], link: Link | None = None) -> list[Entry]:
        """Accept messages, named with their conversations, as a node does that dies before it tells anybody."""
        drafts = [make_draft(link or self.link, name, conversation=other) for name, other in names]
        answers = await self.stores[0].write(journal.accept, drafts, self.clock.now())
        return [answer.entry for answer in answers if answer.entry is not None]

    async def is_delivered(self) -> bool:
        return not await self.stores[0].read(pending.load_after, 0, 1)

    def order(self) -> dict[str | None, list[str]]:
        lanes = defaultdict(list)
        for _, entry in self.taken:
            lanes[entry.external_id].append(entry.message_id)
        return dict(lanes)


async def eventually(condition: Callable[[], Awaitable[bool]], wanted: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not await condition():
        assert time.monotonic() < deadline, f"not within {SECONDS} s: {wanted}"
        await asyncio.sleep(0.01)


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[str]:
    with postgres.database() as url:
        yield url


@pytest.fixture
async def stores(url: str) -> AsyncIterator[list[Store]]:
    """Two connections' worth of one database."""
    stores = [open_store(url) for _ in range(2)]
    for store in stores:
        await store.start()
    try:
        await stores[0].write(migrations.bring_up_to_date)
        yield stores
    finally:
        for store in stores:
            await store.close()


@pytest.fixture
async def nodes(stores: list[Store]) -> AsyncIterator[Nodes]:
    nodes = Nodes(stores, await add_link(stores[0]))
    await nodes.start()
    yield nodes
    await nodes.stop()


async def test_what_nobody_was_told_of_is_found_by_who_delivers_it(nodes: Nodes) -> None:
    names = [(f"m-{number:03}", f"c-{number % PARTITIONS}") for number in range(150)]
    written = await nodes.write(*names)
    assert await nodes.stores[0].read(pending.load_after, 0, 1000) == written
    nodes.clock.advance(SECONDS_BETWEEN)
    await eventually(nodes.is_delivered, "everything is delivered")
    wanted = defaultdict(list)
    for name, conversation in names:
        wanted[conversation].append(name)
    assert nodes.order() == wanted
    for number, entry in nodes.taken:
        assert partition_of(entry.lane) in nodes.couriers[number].partitions
    assert {number for number, _ in nodes.taken} == {0, 1}


async def test_what_is_committed_late_and_silently_is_found(nodes: Nodes, url: str) -> None:
    """Its id is older than what was swept long ago, as its transaction was open meanwhile."""
    engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"))
    async with engine.connect() as connection:
        draft = make_draft(nodes.link, "m-late", conversation="c-late")
        (late,) = await connection.run_sync(journal.accept, [draft], nodes.clock.now())
        for number in range(3):
            (entry,) = await nodes.write((f"m-{number}", f"c-{number}"))
            nodes.clock.advance(SECONDS_BETWEEN)
            await eventually(nodes.is_delivered, "what can be seen is delivered")
        await connection.commit()
    await engine.dispose()
    assert late.entry is not None
    assert late.entry.id < entry.id
    nodes.clock.advance(SECONDS_BETWEEN)
    await eventually(nodes.is_delivered, "what came late is delivered")
    assert [entry.message_id for _, entry in nodes.taken] == ["m-0", "m-1", "m-2", "m-late"]


async def test_a_sweep_goes_to_the_end_of_a_backlog(nodes: Nodes) -> None:
    """One conversation fills a page alone, others another: they wait for a far side, and memory knows them."""
    deaf = await add_link(nodes.stores[0])
    nodes.deaf_links.add(deaf.id)
    await nodes.write(*((f"d-{number}", "deep") for number in range(PAGE + 10)), link=deaf)
    await nodes.write(*((f"w-{number}", f"wide-{number}") for number in range(PAGE)), link=deaf)
    await nodes.write(("m-first", "c-first"))
    for courier in nodes.couriers:
        courier.read_again()

    async def is_alone() -> bool:
        return len(nodes.taken) == 1

    await eventually(is_alone, "the backlog is read to its end")
    await nodes.write(("m-lost", "c-lost"))

    async def is_found() -> bool:
        nodes.clock.advance(SECONDS_BETWEEN)
        return len(nodes.taken) == 2

    await eventually(is_found, "the lost one is delivered")
    assert [entry.message_id for _, entry in nodes.taken] == ["m-first", "m-lost"]


def fill(connection: Connection, first: int, last: int) -> None:
    """Queue entries with these ids: a tenth of them in one lane, the others three to a lane."""
    lane = "CASE WHEN id % 10 = 0 THEN 7 ELSE id / 3 * 2 + 10 END"
    rows = f"SELECT id, {lane}, 0, 0, 0 FROM generate_series({first}, {last}) AS id"
    connection.execute(text(f"INSERT INTO pending (id, lane, attempts, since, due_at) {rows}"))


def plan_of_a_page(connection: Connection, lane: int) -> dict[str, Any]:
    """How PostgreSQL reads the page behind a lane, and how many blocks it touches."""
    said: list[tuple[str, Any]] = []

    def note(_: object, __: object, statement: str, values: Any, *___: object) -> None:
        said.append((statement, values))

    event.listen(connection, "before_cursor_execute", note)
    assert len(pending.list_lanes(connection, lane, PAGE)) == PAGE
    statement, values = said[0]
    explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}"
    found: dict[str, Any] = connection.exec_driver_sql(explain, values).scalar_one()[0]["Plan"]
    return found


async def test_a_page_costs_the_same_whatever_waits(stores: list[Store]) -> None:
    store = stores[0]
    places = [0, 7, 5000]
    await store.write(fill, 1, 20_000)
    few = [await store.write(plan_of_a_page, lane) for lane in places]
    await store.write(fill, 20_001, 200_000)
    many = [await store.write(plan_of_a_page, lane) for lane in [*places, 120_000]]
    for plan in few + many:
        (scan,) = plan["Plans"]
        assert (scan["Node Type"], scan["Index Name"]) == ("Index Only Scan", "ix_pending_lane_id")
    touched = [plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for plan in few + many]
    assert touched[3:6] == pytest.approx(touched[:3], abs=5)
    assert touched[6] == pytest.approx(touched[2], abs=5)
