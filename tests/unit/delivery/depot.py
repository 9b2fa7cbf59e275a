"""A courier's surroundings: a real store that can be out of order, far sides that can be moody, and their memories."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, insert, select

from chatbridge.delivery.courier import Courier, Limits, Receipt
from chatbridge.delivery.loader import Window
from chatbridge.errors import StoreUnavailable
from chatbridge.ids import fingerprint
from chatbridge.model import Direction
from chatbridge.store import journal, parked, pending, schema
from chatbridge.store.engine import Store
from chatbridge.store.entries import ConversationKey, Draft, Entry
from tests.unit.clock import JumpingClock
from tests.unit.factories import CHANNEL_ID, NOW, SECOND

PATIENCE = 30
LINKS = 3


class TroubledStore:
    """Passes units on to a real store, except those that are told to fail."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.shared: bool = store.shared
        """Whether couriers take it for one that others write to as well."""
        self.failures: Counter[Any] = Counter()
        """How many times each unit is still to fail."""
        self.changed = asyncio.Event()
        self.busy = 0
        """Units under way."""

    async def write(self, unit: Any, *args: Any, **kwargs: Any) -> Any:
        await self._fail(unit)
        with self._under_way():
            result = await self._store.write(unit, *args, **kwargs)
        self.changed.set()
        return result

    async def write_along(self, unit: Any, *args: Any, **kwargs: Any) -> Any:
        return await self.write(unit, *args, **kwargs)

    def hurry(self) -> None:
        self._store.hurry()

    async def read(self, unit: Any, *args: Any, **kwargs: Any) -> Any:
        await self._fail(unit)
        with self._under_way():
            return await self._store.read(unit, *args, **kwargs)

    @contextmanager
    def _under_way(self) -> Iterator[None]:
        self.busy += 1
        try:
            yield
        finally:
            self.busy -= 1

    async def _fail(self, unit: Any) -> None:
        unit = pending.settle if unit is pending.settle_delivered else unit
        if self.failures[unit] > 0:
            self.failures[unit] -= 1
            self.changed.set()
            await asyncio.sleep(0)
            raise StoreUnavailable("the disk is full")


class UnhurriedClock(JumpingClock):
    """Jumps to the end of the shortest wait, once the database has answered and everybody had their turn."""

    def __init__(self, store: TroubledStore) -> None:
        super().__init__()
        self._store = store
        self._ends: Counter[int] = Counter()

    async def sleep(self, seconds: float) -> None:
        end = self.now() + round(max(0, seconds) * SECOND)
        self._ends[end] += 1
        try:
            while not await self.is_quiet() or end > min(self._ends.elements()):
                pass
            await super().sleep((end - self.now()) / SECOND)
        finally:
            self._ends[end] -= 1

    async def is_quiet(self) -> bool:
        for _ in range(20):
            await asyncio.sleep(0)
            if self._store.busy:
                return False
        return True


@dataclass
class FarSide:
    """Takes what it is sent, unless `answer` raises."""

    clock: JumpingClock
    answer: Callable[[Entry], Awaitable[Receipt | None]] | None = None
    asked: list[tuple[int, Entry]] = field(default_factory=list)
    """Every attempt, with its time."""
    taken: list[Entry] = field(default_factory=list)

    async def __call__(self, entry: Entry, allowed: Callable[[], bool]) -> Receipt:
        assert allowed()
        self.asked.append((self.clock.now(), entry))
        await asyncio.sleep(0)
        receipt = await self.answer(entry) if self.answer else None
        self.taken.append(entry)
        return receipt or Receipt()

    def took(self) -> list[str]:
        return [entry.message_id for entry in self.taken]

    def by_conversation(self) -> dict[str | None, list[str]]:
        found = defaultdict(list)
        for entry in self.taken:
            found[entry.external_id].append(entry.message_id)
        return dict(found)


class Depot:
    """A store with some links, two far sides, and couriers between them."""

    def __init__(self, store: Store) -> None:
        self._database = store
        self.store = TroubledStore(store)
        self.clock = UnhurriedClock(self.store)
        self.amojo, self.messenger = FarSide(self.clock), FarSide(self.clock)
        self.outcomes: list[str] = []
        self._couriers: list[Courier] = []

    async def prepare(self) -> None:
        await self.store.write(schema.metadata.create_all)
        await self.store.write(_add_links)

    def attempted(
        self, direction: Direction, outcome: str, code: str | None, seconds: float
    ) -> None:
        """Take note, as the metrics do."""
        del direction, code, seconds
        self.outcomes.append(outcome)

    async def courier(
        self,
        *,
        window: int = 1000,
        window_bytes: int = 2**24,
        at_once: int = 16,
        at_once_each: int | None = None,
    ) -> Courier:
        courier = Courier(
            store=self.store,
            clock=self.clock,
            senders={Direction.TO_AMOJO: self.amojo, Direction.TO_MESSENGER: self.messenger},
            watcher=self,
            jitter=lambda: 0.0,
            limits=Limits(
                window=Window(entries=window, bytes=window_bytes),
                at_once=at_once,
                at_once_each=at_once_each or at_once,
            ),
        )
        self._couriers.append(courier)
        await courier.start()
        return courier

    def own(self, courier: Courier, partitions: Iterable[int]) -> None:
        """Let a courier deliver these partitions and no others."""
        courier._loader.own(frozenset(partitions))  # noqa: SLF001 - as those do who divide them among nodes

    async def sweep(self, courier: Courier) -> None:
        """Let a courier look for what it was not told of, as it does from time to time."""
        await courier._sweep.once()  # noqa: SLF001 - where the database is shared

    async def close(self) -> None:
        for courier in self._couriers:
            await courier.stop(grace=0)

    async def accept(self, *drafts: Draft) -> list[Entry]:
        answers = await self.store.write(journal.accept, drafts, self.clock.now())
        return [answer.entry for answer in answers]

    async def release(self, **wanted: Any) -> list[Entry]:
        now = self.clock.now()
        released: list[Entry] = await self.store.write(
            parked.release, parked.ParkedFilter(**wanted), parked_until=now, limit=500, now=now
        )
        return released

    async def parked(self) -> list[parked.ParkedEntry]:
        found: list[parked.ParkedEntry] = await self._database.read(
            parked.list_parked, parked.ParkedFilter(), after=0, limit=500
        )
        return found

    async def pending(self) -> list[Entry]:
        waiting: list[Entry] = await self._database.read(pending.load_after, 0, 10_000)
        return waiting

    async def attempts(self, entry: Entry) -> Sequence[Any]:
        rows: Sequence[Any] = await self._database.read(_attempts, entry.id)
        return rows

    async def drained(self) -> None:
        """Return when nothing is pending any more."""
        await self.until(self.is_empty)

    async def drained_but(self, last: Entry) -> None:
        """Return when nothing is pending any more, or this alone is."""

        async def nothing_else() -> bool:
            return await self.pending() in ([], [last])

        await self.until(nothing_else)

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Return when a condition holds; it is looked at after every commit."""
        async with asyncio.timeout(PATIENCE):
            while True:
                self.store.changed.clear()
                if await condition():
                    return
                await self.store.changed.wait()

    async def amojo_took_something(self) -> bool:
        return bool(self.amojo.taken)

    async def is_empty(self) -> bool:
        return not await self._database.read(pending.load_after, 0, 1)


def draft(
    message_id: str,
    conversation: str = "c-1",
    direction: Direction = Direction.TO_AMOJO,
    **changes: Any,
) -> Draft:
    """Return a client's message to accept, of link 1 if no other is named."""
    values = {"link": 1, "body": b"{}", "received_at": NOW} | changes
    key = fingerprint(direction.name, message_id)
    return Draft(
        conversation=ConversationKey(
            link_id=values["link"], external_id=conversation, amojo_id=None
        ),
        direction=direction,
        kind="message",
        key=key,
        digest=key,
        message_id=message_id,
        body=values["body"],
        received_at=values["received_at"],
    )


def reply(message_id: str, conversation: str = "c-1", **changes: Any) -> Draft:
    """Return an operator's message to accept."""
    return draft(message_id, conversation, Direction.TO_MESSENGER, **changes)


def _attempts(connection: Connection, entry_id: int) -> Sequence[Any]:
    row = schema.attempts.c
    query = select(row.number, row.outcome, row.code, row.far_id).where(row.entry_id == entry_id)
    return [tuple(found) for found in connection.execute(query.order_by(row.number))]


def _add_links(connection: Connection) -> None:
    times = {"created_at": NOW, "updated_at": NOW}
    channel = {
        "id": CHANNEL_ID,
        "code": "amo.ext.shop",
        "secret_sealed": b"",
        "base_url": "https://amojo.example",
        "signing": "current",
        "hook_version": "v2",
    }
    connection.execute(insert(schema.channels).values(channel | times))
    messenger = {
        "id": "msgr_1",
        "name": "Shop",
        "kind": "backend",
        "webhook_format": "standard",
        "webhook_secret_sealed": b"",
        "api_key_hash": b"",
        "amojo_channel_id": "",
        "amojo_account_id": "",
        "amojo_secret_sealed": b"",
        "settings": "{}",
    }
    connection.execute(insert(schema.messengers).values(messenger | times))
    for number in range(1, LINKS + 1):
        link = {
            "id": number,
            "scope_id": f"scope-{number}",
            "channel_id": CHANNEL_ID,
            "account_id": f"account-{number}",
            "messenger_id": "msgr_1",
            "state": "connected",
            "hook_version": "v2",
            "created_at": NOW,
            "connected_at": NOW,
        }
        connection.execute(insert(schema.links).values(link))
