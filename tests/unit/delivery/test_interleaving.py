"""The courier while everything happens at once: offers, hand-overs, releases, partitions that go and come."""

import asyncio
import random
from collections import Counter, defaultdict
from typing import Any

import pytest

from chatbridge import errors
from chatbridge.delivery.courier import Courier, Receipt
from chatbridge.delivery.lane import LANE_LIMIT
from chatbridge.store import pending
from chatbridge.store.entries import Draft, Entry
from chatbridge.store.partitions import EVERYTHING, partition_of
from tests.unit.delivery.depot import LINKS, Depot, FarSide, draft, reply

CONVERSATIONS = 12
STEPS = 80


class Disorder:
    """Draws what happens next, and remembers what was released: that alone may come after what is newer."""

    def __init__(self, depot: Depot, courier: Courier, chance: random.Random) -> None:
        self.depot, self.courier, self.chance = depot, courier, chance
        self.accepted = 0
        self.released: set[int] = set()
        self.untold: set[int] = set()
        """Lanes of which something was written that nobody was told of."""

    def drafts(self) -> list[Draft]:
        count = self.chance.choice([1, 1, 2, 5, 30])
        one = self.chance.randrange(CONVERSATIONS) if self.chance.random() < 0.3 else None
        return [self.draft(one) for _ in range(count)]

    def draft(self, conversation: int | None) -> Draft:
        self.accepted += 1
        if conversation is None:
            conversation = self.chance.randrange(CONVERSATIONS)
        make = self.chance.choice([draft, draft, reply])
        return make(
            f"m-{self.accepted:05}",
            f"c-{conversation}",
            link=conversation % LINKS + 1,
            received_at=self.depot.clock.now(),
        )

    async def accept_here(self) -> None:
        self.take_in(await self.depot.accept(*self.drafts()))

    async def accept_here_and_offer_late(self) -> None:
        entries = await self.depot.accept(*self.drafts())
        await self.let_others_run()
        self.take_in(entries)

    def take_in(self, entries: list[Entry]) -> None:
        """As the intake does: what may stand behind something unheard of goes by the database."""
        self.courier.offer([entry for entry in entries if entry.lane not in self.untold])
        self.courier.look_up({entry.lane for entry in entries} & self.untold)

    async def accept_and_tell_nobody(self) -> None:
        self.untold |= {entry.lane for entry in await self.depot.accept(*self.drafts())}

    async def accept_elsewhere(self) -> None:
        entries = await self.depot.accept(*self.drafts())
        if self.chance.random() < 0.5:
            await self.let_others_run()
        self.courier.look_up({entry.lane for entry in entries})

    async def sweep(self) -> None:
        await self.depot.sweep(self.courier)

    async def release(self) -> None:
        released = await self.depot.release()
        self.released |= {entry.id for entry in released}
        self.courier.look_up({entry.lane for entry in released}, again=True)

    async def is_swept(self) -> bool:
        await self.sweep()
        return not await self.depot.pending()

    async def change_owner(self) -> None:
        kept = {number for number in range(16) if self.chance.random() < 0.7}
        self.depot.own(self.courier, kept)

    async def let_others_run(self) -> None:
        for _ in range(self.chance.randrange(3)):
            await asyncio.sleep(0)
        if self.chance.random() < 0.5:
            await self.depot.pending()

    async def happen(self) -> None:
        steps = {
            self.accept_here: 4,
            self.accept_here_and_offer_late: 4,
            self.release: 1,
            self.let_others_run: 4,
        }
        if self.depot.store.shared:
            steps |= {
                self.accept_elsewhere: 4,
                self.accept_and_tell_nobody: 1,
                self.sweep: 1,
                self.change_owner: 1,
            }
        for step in self.chance.choices([*steps], weights=[*steps.values()], k=STEPS):
            await step()
        self.depot.own(self.courier, EVERYTHING)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("window", [12, 1000])
@pytest.mark.parametrize("shared", [False, True], ids=["alone", "shared"])
async def test_nothing_is_lost_or_sent_twice_and_order_is_kept(
    depot: Depot, seed: int, window: int, *, shared: bool
) -> None:
    chance = random.Random(seed)

    async def moody(entry: Entry) -> None:
        for _ in range(chance.randrange(5)):
            await asyncio.sleep(0)
        if chance.random() < 0.04:
            raise errors.Rejected("type: unknown")
        if chance.random() < (0.6 if entry.link_id == 1 else 0.05):
            raise chance.choice([errors.NotSent("x"), errors.Throttled("x", retry_after=3)])

    depot.amojo.answer = depot.messenger.answer = moody
    await depot.accept(*(draft(f"before-{n:03}", f"c-{n % 3}") for n in range(3 * LANE_LIMIT)))
    courier = await depot.courier(window=window, at_once=9, at_once_each=7)
    depot.store.shared = shared  # only now: it is the test that sweeps
    disorder = Disorder(depot, courier, chance)
    await disorder.happen()
    await depot.until(disorder.is_swept)
    await courier.stop(grace=1)
    given_up = {entry.id for entry in await depot.parked()}
    ended = Counter(entry.id for entry in [*depot.amojo.taken, *depot.messenger.taken])
    assert set(ended.values()) == {1}
    assert ended.keys().isdisjoint(given_up)
    assert len(ended) + len(given_up) == disorder.accepted + 3 * LANE_LIMIT
    assert courier.in_memory == 0
    for far_side in (depot.amojo, depot.messenger):
        check_order(far_side, disorder.released)


def check_order(far_side: FarSide, released: set[int]) -> None:
    lanes = defaultdict(list)
    for entry in far_side.taken:
        if entry.id not in released:
            lanes[entry.lane].append(entry.id)
    for lane in lanes.values():
        assert lane == sorted(lane)


async def test_what_is_lost_while_it_is_read_is_not_sent(depot: Depot) -> None:
    entries = await depot.accept(*(draft(f"m-{n:03}", f"c-{n % 4}") for n in range(400)))
    courier = await depot.courier(window=50)
    await depot.until(depot.amojo_took_something)
    kept = entries[0].conversation_id
    depot.own(courier, {kept})
    await courier.settled(EVERYTHING - {kept})  # what is under way may end
    begun = {entry.id for _, entry in depot.amojo.asked}

    async def only_others_wait() -> bool:
        return all(entry.conversation_id != kept for entry in await depot.pending())

    await depot.until(only_others_wait)
    after = [entry for _, entry in depot.amojo.asked if entry.id not in begun]
    strangers = {entry.id for entry in after if entry.conversation_id != kept}
    assert not strangers
    depot.own(courier, EVERYTHING)
    await depot.drained()
    assert len(depot.amojo.took()) == len(set(depot.amojo.took())) == 400


async def test_what_is_under_way_when_it_is_lost_ends_and_nothing_follows_it(
    depot: Depot,
) -> None:
    gate = asyncio.Event()

    async def answer(entry: Entry) -> None:
        depot.store.changed.set()
        if entry.message_id == "m-1":
            await gate.wait()

    async def is_under_way() -> bool:
        return len(depot.amojo.asked) == 2

    async def is_ended() -> bool:
        return [entry.message_id for entry in await depot.pending()] == ["m-2"]

    depot.amojo.answer = answer
    *_, other = await depot.accept(draft("m-1"), draft("m-2"), draft("o-1", "c-2"))
    courier = await depot.courier()
    await depot.until(is_under_way)
    depot.own(courier, {partition_of(other.lane)})
    gate.set()
    await depot.until(is_ended)
    await depot.accept(draft("o-2", "c-2"))
    courier.look_up([other.lane])  # refilled after the lane that was lost
    await depot.until(is_ended)
    assert sorted(depot.amojo.took()) == ["m-1", "o-1", "o-2"]
    depot.own(courier, EVERYTHING)
    await depot.drained()
    assert depot.amojo.by_conversation() == {"c-1": ["m-1", "m-2"], "c-2": ["o-1", "o-2"]}


async def test_what_cannot_be_recorded_as_it_is_is_not_sent_again_by_a_refill(
    depot: Depot,
) -> None:
    """The database refuses its words; meanwhile its lane is empty in memory and wants to be read again."""
    last = f"m-{LANE_LIMIT - 1:03}"
    write = depot.store.write

    async def choosy(unit: Any, *args: Any, **kwargs: Any) -> Any:
        settles = unit in {pending.settle, pending.settle_delivered}
        if settles and any(outcome.far_id for outcome in args[0]):
            raise ValueError("a text that is not allowed")
        if settles and args[0][-1].entry.message_id == last:
            for _ in range(20):  # as long as a refill that does not wait may take
                await depot.pending()
        return await write(unit, *args, **kwargs)

    async def answer(entry: Entry) -> Receipt:
        return Receipt(far_id="not allowed" if entry.message_id == last else None)

    depot.store.write = choosy  # type: ignore[method-assign]
    depot.amojo.answer = answer
    courier = await depot.courier()
    courier.offer(await depot.accept(draft("m-first", "c-2")))
    await depot.drained()
    courier.offer(await depot.accept(*(draft(f"m-{n:03}") for n in range(LANE_LIMIT + 3))))
    await depot.drained()
    assert depot.amojo.by_conversation()["c-1"] == [f"m-{n:03}" for n in range(LANE_LIMIT + 3)]
