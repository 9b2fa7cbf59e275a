"""What waits: loaded in order, a page at a time, and settled with what became of it."""

import random

from msgspec.structs import replace

from chatbridge.model import Direction, Link
from chatbridge.store import conversations, journal, parked, pending
from chatbridge.store.engine import Store
from chatbridge.store.entries import ConversationKey, Entry, OutcomeKind
from chatbridge.store.parked import ParkedFilter
from chatbridge.store.partitions import EVERYTHING, PARTITIONS, partition_of
from chatbridge.store.passport import find_passport
from tests.factories import make_draft, make_outcome
from tests.fakes import BEGINNING

NOW = BEGINNING + 10


async def queue(store: Store, link: Link, count: int, conversations: int = 1) -> list[Entry]:
    drafts = [
        make_draft(link, f"m-{number}", conversation=f"c-{number % conversations}")
        for number in range(count)
    ]
    answers = await store.write(journal.accept, drafts, BEGINNING)
    return [answer.entry for answer in answers if answer.entry is not None]


async def waiting(store: Store) -> list[Entry]:
    return await store.read(pending.load_after, 0, 1000)


async def test_loading_goes_on_where_it_stopped(store: Store, link: Link) -> None:
    entries = await queue(store, link, 25, conversations=4)
    loaded: list[Entry] = []
    while page := await store.read(pending.load_after, loaded[-1].id if loaded else 0, 10):
        assert len(page) <= 10
        loaded += page
    assert loaded == entries


async def test_a_lane_is_loaded_alone(store: Store, link: Link) -> None:
    entries = await queue(store, link, 30, conversations=3)
    lane = entries[1].lane
    mine = [entry for entry in entries if entry.lane == lane]
    assert await store.read(pending.load_lanes, [lane, 0], 100) == [mine, []]
    assert await store.read(pending.load_lanes, [0, lane], 2) == [[], mine[:2]]


async def test_lanes_are_loaded_in_the_order_asked_each_with_its_first_entries(
    store: Store, link: Link
) -> None:
    entries = await queue(store, link, 60, conversations=6)
    lanes = [entry.lane for entry in entries[:6]]
    random.Random(5).shuffle(lanes)
    asked = [*lanes, lanes[0]]
    found = await store.read(pending.load_lanes, asked, 4)
    assert found == [[entry for entry in entries if entry.lane == lane][:4] for lane in asked]
    assert await store.read(pending.load_lanes, [], 4) == []


async def test_what_was_released_is_the_first_of_its_lane_again(store: Store, link: Link) -> None:
    first, second, third = await queue(store, link, 3)
    await store.write(pending.settle, [make_outcome(second, OutcomeKind.PARKED)], NOW)
    assert await store.read(pending.load_lanes, [first.lane], 9) == [[first, third]]
    (released,) = await store.write(
        parked.release, ParkedFilter(), parked_until=NOW, limit=9, now=NOW + 7
    )
    assert await store.read(pending.load_lanes, [first.lane], 9) == [[first, released, third]]
    assert (released.id, released.attempts, released.since) == (second.id, 2, NOW + 7)


async def both_directions(store: Store, link: Link, count: int) -> list[Entry]:
    """Queue entries of more conversations than there are partitions."""
    drafts = [
        make_draft(link, f"m-{number}", conversation=f"c-{number % 90}", direction=direction)
        for number in range(count)
        for direction in Direction
    ]
    answers = await store.write(journal.accept, drafts, BEGINNING)
    return [answer.entry for answer in answers if answer.entry is not None]


async def test_partitions_cut_what_is_pending_without_rest_and_overlap(
    store: Store, link: Link
) -> None:
    entries = await both_directions(store, link, 200)
    shares = [
        await store.read(pending.load_after, 0, 1000, [number]) for number in sorted(EVERYTHING)
    ]
    for number, share in enumerate(shares):
        assert share == [entry for entry in entries if partition_of(entry.lane) == number]
    assert sum(map(len, shares)) == len(entries)
    assert await store.read(pending.load_after, 0, 1000, sorted(EVERYTHING)) == entries
    assert await store.read(pending.load_after, 0, 1000, []) == []


async def test_both_directions_of_a_conversation_are_in_one_partition(
    store: Store, link: Link
) -> None:
    entries = await both_directions(store, link, 90)
    homes = {(entry.conversation_id, partition_of(entry.lane)) for entry in entries}
    assert len(homes) == 90


async def test_some_partitions_are_read_a_page_at_a_time(store: Store, link: Link) -> None:
    entries = await both_directions(store, link, 150)
    some = [0, 3, 17, 40, 41, PARTITIONS - 1]
    loaded: list[Entry] = []
    while page := await store.read(pending.load_after, loaded[-1].id if loaded else 0, 4, some):
        assert len(page) <= 4
        loaded += page
    assert loaded == [entry for entry in entries if partition_of(entry.lane) in some]


async def test_the_two_directions_of_a_conversation_are_two_lanes(store: Store, link: Link) -> None:
    drafts = [make_draft(link, "m-1"), make_draft(link, "m-2", direction=Direction.TO_MESSENGER)]
    await store.write(journal.accept, drafts, BEGINNING)
    first, second = await waiting(store)
    assert first.conversation_id == second.conversation_id
    assert first.lane != second.lane
    assert await store.read(pending.load_lanes, [second.lane], 10) == [[second]]


async def test_settled_entries_leave_and_retried_ones_stay(store: Store, link: Link) -> None:
    delivered, retried, given_up, untouched = await queue(store, link, 4)
    outcomes = [
        make_outcome(delivered, OutcomeKind.DELIVERED, far_id="amo-1"),
        make_outcome(retried, OutcomeKind.RETRY, due_at=NOW + 77),
        make_outcome(given_up, OutcomeKind.PARKED),
    ]
    await store.write(pending.settle, outcomes, NOW)
    still, last = await waiting(store)
    assert (still.id, still.attempts, still.due_at, still.since) == (
        retried.id,
        1,
        NOW + 77,
        retried.since,
    )
    assert last == untouched
    (row,) = await store.read(parked.list_parked, ParkedFilter(), after=0, limit=10)
    assert (row.id, row.code, row.detail, row.attempts) == (given_up.id, "rejected", "HTTP 400", 1)


async def test_every_attempt_is_kept(store: Store, link: Link) -> None:
    (entry,) = await queue(store, link, 1)
    await store.write(pending.settle, [make_outcome(entry, OutcomeKind.RETRY)], NOW)
    (again,) = await waiting(store)
    outcome = make_outcome(again, OutcomeKind.DELIVERED, far_id="amo-1", detail="said so")
    await store.write(pending.settle, [outcome], NOW + 1)
    passport = await store.read(find_passport, (entry.key,))
    assert passport is not None
    assert [(a.number, a.outcome, a.code, a.far_id) for a in passport.attempts] == [
        (1, "retry", "far_side_down", None),
        (2, "delivered", None, "amo-1"),
    ]
    assert [a.recorded_at for a in passport.attempts] == [NOW, NOW + 1]


async def test_recording_twice_changes_nothing(store: Store, link: Link) -> None:
    """As when the answer of the database was lost on its way."""
    first, second = await queue(store, link, 2)
    outcomes = [
        make_outcome(first, OutcomeKind.DELIVERED),
        make_outcome(second, OutcomeKind.PARKED),
    ]
    await store.write(pending.settle, outcomes, NOW)
    await store.write(pending.settle, outcomes, NOW + 5)
    passport = await store.read(find_passport, (first.key,))
    assert passport is not None
    assert len(passport.attempts) == 1
    rows = await store.read(parked.list_parked, ParkedFilter(), after=0, limit=10)
    assert [row.parked_at for row in rows] == [NOW]


async def test_attempts_of_one_entry_may_meet_in_a_batch(store: Store, link: Link) -> None:
    """It failed, and was delivered before the failure was written."""
    (entry,) = await queue(store, link, 1)
    failed = make_outcome(entry, OutcomeKind.RETRY)
    delivered = make_outcome(replace(entry, attempts=1), OutcomeKind.DELIVERED)
    await store.write(pending.settle, [failed, failed, delivered], NOW)
    passport = await store.read(find_passport, (entry.key,))
    assert passport is not None
    assert [(a.number, a.outcome) for a in passport.attempts] == [(1, "retry"), (2, "delivered")]
    assert await waiting(store) == []


async def test_a_late_failure_brings_nothing_back(store: Store, link: Link) -> None:
    (entry,) = await queue(store, link, 1)
    await store.write(pending.settle, [make_outcome(entry, OutcomeKind.DELIVERED)], NOW)
    await store.write(pending.settle, [make_outcome(entry, OutcomeKind.RETRY)], NOW + 1)
    assert await waiting(store) == []


async def test_a_delivery_teaches_the_conversation_its_amojo_id(store: Store, link: Link) -> None:
    (entry,) = await queue(store, link, 1)
    outcome = make_outcome(entry, OutcomeKind.DELIVERED, far_conversation_id="A")
    await store.write(pending.settle, [outcome], NOW)
    name = ConversationKey(link_id=link.id, external_id=None, amojo_id="A")
    rows = await store.write(conversations.resolve, [name], now=NOW)
    assert rows[name].id == entry.conversation_id


async def test_one_amojo_id_told_by_two_conversations_spoils_no_batch(
    store: Store, link: Link
) -> None:
    entries = await queue(store, link, 4, conversations=2)
    outcomes = [
        make_outcome(entry, OutcomeKind.DELIVERED, far_conversation_id="A") for entry in entries
    ]
    await store.write(pending.settle, outcomes, NOW)
    assert await waiting(store) == []


async def test_settling_in_any_order_ends_with_nothing_waiting(store: Store, link: Link) -> None:
    entries = await queue(store, link, 200, conversations=20)
    random.Random(3).shuffle(entries)
    for start in range(0, 200, 50):
        outcomes = [
            make_outcome(entry, OutcomeKind.DELIVERED) for entry in entries[start : start + 50]
        ]
        await store.write(pending.settle, outcomes, NOW)
    assert await waiting(store) == []
