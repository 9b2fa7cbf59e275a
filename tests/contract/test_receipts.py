"""Marks of operators' messages: they only move forward, on both databases, whoever says them and in whatever order."""

import itertools

import pytest

from chatbridge.model import Direction, FailureReason, Link, Mark
from chatbridge.store import journal, passport, pending, receipts, targets
from chatbridge.store.engine import Store
from chatbridge.store.entries import Acceptance, Draft, Entry, OutcomeKind, ReceiptRow, Verdict
from tests.factories import make_draft, make_outcome
from tests.fakes import BEGINNING

NOW = BEGINNING + 10


async def accept(store: Store, *drafts: Draft) -> list[Acceptance]:
    return await store.write(journal.accept, drafts, NOW)


async def replies(store: Store, link: Link, count: int) -> list[Entry]:
    """Operators' messages, one conversation each."""
    drafts = [
        make_draft(
            link, f"r-{number}", conversation=f"c-{number}", direction=Direction.TO_MESSENGER
        )
        for number in range(count)
    ]
    return [answer.entry for answer in await accept(store, *drafts) if answer.entry]


def mark(link: Link, entry: Entry, how: Mark, at: int = NOW, **members: str) -> Draft:
    """What tells amoCRM of a mark."""
    receipt = ReceiptRow(
        entry.id,
        how,
        at,
        FailureReason(members["reason"]) if "reason" in members else None,
        members.get("text"),
    )
    draft = make_draft(link, f"{entry.id} {how}", conversation=entry.external_id)
    return Draft(
        **{name: getattr(draft, name) for name in draft.__struct_fields__ if name != "receipt"},
        receipt=receipt,
    )


async def test_every_order_of_reports_ends_at_the_same_mark(store: Store, link: Link) -> None:
    orders = list(itertools.permutations(Mark))
    entries = await replies(store, link, len(orders))
    for entry, order in zip(entries, orders, strict=True):
        furthest = 0
        for how in order:
            (answer,) = await accept(store, mark(link, entry, how))
            news = how.rank > furthest
            furthest = max(furthest, how.rank)
            assert answer.verdict is (Verdict.NEW if news else Verdict.REPEATED)
        found = await store.read(passport.find_passport, (entry.key,))
        assert found is not None
        assert found.receipt is not None
        assert found.receipt.mark is Mark.READ


async def test_of_marks_that_come_together_the_furthest_is_told(store: Store, link: Link) -> None:
    (entry,) = await replies(store, link, 1)
    answers = await accept(
        store, *(mark(link, entry, how) for how in (Mark.DELIVERED, Mark.READ, Mark.FAILED))
    )
    assert [answer.verdict for answer in answers] == [
        Verdict.REPEATED,
        Verdict.NEW,
        Verdict.REPEATED,
    ]


async def test_a_receipt_says_when_and_why(store: Store, link: Link) -> None:
    (entry,) = await replies(store, link, 1)
    await accept(store, mark(link, entry, Mark.FAILED, 100, reason="no_conversation", text="gone"))
    found = await store.read(passport.find_passport, (entry.key,))
    assert found is not None
    assert found.receipt == passport.Receipt(
        failed_at=100, delivered_at=None, read_at=None, reason="no_conversation", text="gone"
    )
    await accept(store, mark(link, entry, Mark.DELIVERED, 200))
    found = await store.read(passport.find_passport, (entry.key,))
    assert found is not None
    assert found.receipt == passport.Receipt(
        failed_at=100, delivered_at=200, read_at=None, reason=None, text=None
    )


async def test_marks_and_messages_are_accepted_together(store: Store, link: Link) -> None:
    (entry,) = await replies(store, link, 1)
    drafts = [
        make_draft(link, "m-1"),
        mark(link, entry, Mark.READ),
        make_draft(link, "m-2"),
        mark(link, entry, Mark.DELIVERED),
    ]
    answers = await accept(store, *drafts)
    told = [answer.entry.message_id if answer.entry else None for answer in answers]
    assert told == ["m-1", f"{entry.id} read", "m-2", None]


async def test_targets_are_messages_and_nothing_else(store: Store, link: Link) -> None:
    (entry,) = await replies(store, link, 1)
    answers = await accept(store, mark(link, entry, Mark.READ))
    status = answers[0].entry
    assert status is not None
    found = await store.read(targets.find_target, (entry.key,))
    assert found is not None
    assert (found.entry_id, found.message_id) == (entry.id, entry.message_id)
    assert found.direction is Direction.TO_MESSENGER
    assert found.conversation.external_id == "c-0"
    assert await store.read(targets.find_target, (b"x" * 16,)) is None


async def test_the_walk_finds_what_has_no_mark(store: Store, link: Link) -> None:
    waiting, delivered, parked, marked = await replies(store, link, 4)
    await accept(store, make_draft(link, "a client's message"))
    await store.write(
        pending.settle,
        [
            make_outcome(delivered, OutcomeKind.DELIVERED),
            make_outcome(parked, OutcomeKind.PARKED),
            make_outcome(marked, OutcomeKind.DELIVERED),
        ],
        NOW,
    )
    await accept(store, mark(link, marked, Mark.READ))
    page = await store.read(receipts.next_page, until=NOW, limit=100)
    assert page.replies == [entry.id for entry in (waiting, delivered, parked, marked)]
    found = await store.read(receipts.list_unmarked, page.replies)
    assert [(each.target.entry_id, each.code) for each in found] == [
        (delivered.id, None),
        (parked.id, "rejected"),
    ]


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_the_walk_goes_on_where_it_was(store: Store, link: Link, limit: int) -> None:
    entries = await replies(store, link, 5)
    seen: list[int] = []
    while (page := await store.read(receipts.next_page, until=NOW, limit=limit)).last is not None:
        seen += page.replies
        await store.write(receipts.turn_page, page.last)
    assert seen == [entry.id for entry in entries]
    await store.write(receipts.turn_page, entries[0].id)
    page = await store.read(receipts.next_page, until=NOW, limit=limit)
    assert page.last is None, "the walk never goes back"


async def test_the_walk_waits_for_what_is_too_young(store: Store, link: Link) -> None:
    await replies(store, link, 3)
    page = await store.read(receipts.next_page, until=BEGINNING - 1, limit=100)
    assert (page.replies, page.last) == ([], None)
