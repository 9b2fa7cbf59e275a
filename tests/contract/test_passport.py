"""Where a message is."""

from chatbridge.ids import fingerprint
from chatbridge.model import Direction, Kind, Link, decode_event
from chatbridge.store import journal, pending
from chatbridge.store.engine import Store
from chatbridge.store.entries import OutcomeKind
from chatbridge.store.passport import find_passport
from tests.factories import make_draft, make_outcome
from tests.fakes import BEGINNING

STORED = BEGINNING + 3


async def test_an_unknown_message_has_none(store: Store, link: Link) -> None:
    await store.write(journal.accept, [make_draft(link, "m-1")], STORED)
    assert await store.read(find_passport, (fingerprint("nobody"),)) is None


async def test_it_follows_a_message_through_its_states(store: Store, link: Link) -> None:
    draft = make_draft(link, "m-1")
    await store.write(journal.accept, [draft], STORED)
    passport = await store.read(find_passport, (fingerprint("nobody"), draft.key))
    assert passport is not None
    assert passport.message == decode_event(Kind.MESSAGE, draft.body)
    assert (passport.direction, passport.received_at, passport.stored_at) == (
        Direction.TO_AMOJO,
        BEGINNING,
        STORED,
    )
    assert (passport.waiting, passport.parked, passport.attempts) == (True, False, ())

    (entry,) = await store.read(pending.load_after, 0, 1)
    await store.write(pending.settle, [make_outcome(entry, OutcomeKind.RETRY, due_at=99)], STORED)
    passport = await store.read(find_passport, (draft.key,))
    assert passport is not None
    assert (passport.waiting, passport.due_at) == (True, 99)

    (entry,) = await store.read(pending.load_after, 0, 1)
    await store.write(pending.settle, [make_outcome(entry, OutcomeKind.DELIVERED)], STORED)
    passport = await store.read(find_passport, (draft.key,))
    assert passport is not None
    assert (passport.waiting, passport.due_at, passport.parked) == (False, None, False)
    assert [attempt.outcome for attempt in passport.attempts] == ["retry", "delivered"]
