"""What could not be delivered: seen, and released once, in order."""

import asyncio

import pytest

from chatbridge.model import Direction, Link
from chatbridge.store import journal, parked, pending
from chatbridge.store.engine import Store
from chatbridge.store.entries import Entry, OutcomeKind
from chatbridge.store.parked import ParkedEntry, ParkedFilter
from chatbridge.store.passport import find_passport
from tests.contract.conftest import add_link
from tests.factories import make_draft, make_outcome
from tests.fakes import BEGINNING

PARKED = BEGINNING + 10
LATER = BEGINNING + 1000
TO_MESSENGER = Direction.TO_MESSENGER


async def park(store: Store, link: Link, count: int, **changes: str) -> list[Entry]:
    drafts = [make_draft(link, f"m-{number}") for number in range(count)]
    await store.write(journal.accept, drafts, BEGINNING)
    entries = await store.read(pending.load_after, 0, 1000)
    outcomes = [make_outcome(entry, OutcomeKind.PARKED, **changes) for entry in entries]
    await store.write(pending.settle, outcomes, PARKED)
    return entries


async def release(
    store: Store, limit: int = 500, parked_until: int = LATER, **wanted: object
) -> list[Entry]:
    wish = ParkedFilter(**wanted)  # type: ignore[arg-type]  # members as keywords
    return await store.write(
        parked.release, wish, parked_until=parked_until, limit=limit, now=LATER
    )


async def listed(
    store: Store, after: int = 0, limit: int = 500, **wanted: object
) -> list[ParkedEntry]:
    wish = ParkedFilter(**wanted)  # type: ignore[arg-type]  # members as keywords
    return await store.read(parked.list_parked, wish, after=after, limit=limit)


async def test_the_list_tells_what_and_why_a_page_at_a_time(store: Store, link: Link) -> None:
    entries = await park(store, link, 5, code="rejected", detail="HTTP 422")
    first = await listed(store, limit=3)
    rest = await listed(store, after=first[-1].id, limit=3)
    assert [row.id for row in (*first, *rest)] == [entry.id for entry in entries]
    row = first[0]
    assert (row.scope_id, row.conversation_id, row.message_id) == (link.scope_id, "c-1", "m-0")
    assert (row.code, row.detail, row.attempts, row.parked_at) == (
        "rejected",
        "HTTP 422",
        1,
        PARKED,
    )


async def test_filters_narrow(store: Store, link: Link) -> None:
    other = await add_link(store)
    await park(store, link, 2, code="rejected")
    await park(store, other, 2, code="not_sent")
    assert {row.scope_id for row in await listed(store, scope_id=other.scope_id)} == {
        other.scope_id
    }
    assert {row.code for row in await listed(store, code="rejected")} == {"rejected"}
    assert await listed(store, scope_id=other.scope_id, code="rejected") == []
    second = (await listed(store))[1].id
    assert [entry.id for entry in await release(store, ids=(second,))] == [second]
    assert [entry.link_id for entry in await release(store, scope_id=other.scope_id)] == [
        other.id
    ] * 2
    assert len(await listed(store)) == 1


async def test_released_entries_wait_again_in_order_with_a_new_schedule(
    store: Store, link: Link
) -> None:
    entries = await park(store, link, 4)
    released = await release(store)
    assert [entry.id for entry in released] == [entry.id for entry in entries]
    assert {(entry.attempts, entry.since, entry.due_at) for entry in released} == {
        (2, LATER, LATER)
    }
    assert await store.read(pending.load_after, 0, 10) == released
    assert await listed(store) == []
    passport = await store.read(find_passport, (entries[0].key,))
    assert passport is not None
    assert [(a.number, a.outcome) for a in passport.attempts] == [(1, "parked"), (2, "released")]


async def test_the_oldest_go_first_when_there_are_too_many(store: Store, link: Link) -> None:
    entries = await park(store, link, 7)
    ids = [entry.id for entry in entries]
    assert [entry.id for entry in await release(store, limit=3)] == ids[:3]
    assert [entry.id for entry in await release(store, limit=3)] == ids[3:6]
    assert [entry.id for entry in await release(store, limit=3)] == ids[6:]
    assert await release(store, limit=3) == []


async def test_what_is_parked_after_the_wish_stays(store: Store, link: Link) -> None:
    await park(store, link, 2)
    assert await release(store, parked_until=PARKED - 1) == []
    assert len(await release(store, parked_until=PARKED)) == 2


async def test_ten_wishes_at_once_release_each_entry_once(store: Store, link: Link) -> None:
    entries = await park(store, link, 60)
    released = await asyncio.gather(*(release(store) for _ in range(10)))
    ids = sorted(entry.id for wish in released for entry in wish)
    assert ids == [entry.id for entry in entries]


async def test_a_released_entry_can_be_parked_and_released_again(store: Store, link: Link) -> None:
    (entry,) = await park(store, link, 1)
    for round_ in range(3):
        (released,) = await release(store)
        assert released.attempts == 2 * round_ + 2
        await store.write(pending.settle, [make_outcome(released, OutcomeKind.PARKED)], PARKED)
    passport = await store.read(find_passport, (entry.key,))
    assert passport is not None
    assert passport.parked
    assert [a.outcome for a in passport.attempts] == ["parked", "released"] * 3 + ["parked"]


@pytest.mark.parametrize("ids", [(), (2**63 - 1,)])
async def test_ids_that_are_not_there_release_nothing(
    store: Store, link: Link, ids: tuple[int, ...]
) -> None:
    await park(store, link, 1)
    assert await release(store, ids=ids) == []


async def test_what_was_given_up_for_one_messenger_since_then_is_released(
    store: Store, link: Link
) -> None:
    other = await add_link(store)
    for number, (where, direction) in enumerate(
        (
            (link, TO_MESSENGER),
            (link, TO_MESSENGER),
            (link, TO_MESSENGER),
            (link, Direction.TO_AMOJO),
            (other, TO_MESSENGER),
        )
    ):
        draft = make_draft(
            where, f"r-{number}", conversation=f"c-{number % 2}", direction=direction
        )
        (answer,) = await store.write(journal.accept, [draft], BEGINNING)
        assert answer.entry is not None
        outcome = make_outcome(answer.entry, OutcomeKind.PARKED)
        await store.write(pending.settle, [outcome], PARKED + number)
    wish = {"messenger_id": link.messenger_id, "direction": TO_MESSENGER}
    assert [
        e.message_id for e in await release(store, since=PARKED + 1, until=PARKED + 1, **wish)
    ] == ["r-1"]
    assert [e.message_id for e in await release(store, since=PARKED, **wish)] == ["r-0", "r-2"]
    assert [row.message_id for row in await listed(store)] == ["r-3", "r-4"]
