"""Acceptance: once, in order, whoever else writes."""

import asyncio
import random

import pytest
from sqlalchemy import Connection, delete, exc

from chatbridge.model import Direction, Link
from chatbridge.store import journal, pending, schema
from chatbridge.store.engine import Store
from chatbridge.store.entries import Acceptance, Draft, Verdict
from tests.factories import make_draft

NOW = 1_790_000_000_000_000


async def accept(store: Store, *drafts: Draft) -> list[Acceptance]:
    return await store.write(journal.accept, drafts, NOW)


async def test_a_new_message_is_stored_and_queued(store: Store, link: Link) -> None:
    draft = make_draft(link, "m-1")
    (answer,) = await accept(store, draft)
    (entry,) = await store.read(pending.load_after, 0, 10)
    assert answer.verdict is Verdict.NEW
    assert answer.entry == entry
    assert (entry.message_id, entry.body, entry.key) == ("m-1", draft.body, draft.key)
    assert (entry.external_id, entry.link_id, entry.attempts) == ("c-1", link.id, 0)
    assert entry.due_at == entry.since == draft.received_at


async def test_the_same_id_again_is_a_repeat_or_a_reuse(store: Store, link: Link) -> None:
    await accept(store, make_draft(link, "m-1", said="one"))
    answers = await accept(
        store, make_draft(link, "m-1", said="one"), make_draft(link, "m-1", said="two")
    )
    assert [answer.verdict for answer in answers] == [Verdict.REPEATED, Verdict.REUSED]
    assert [answer.entry for answer in answers] == [None, None]
    assert len(await store.read(pending.load_after, 0, 10)) == 1


async def test_both_directions_have_ids_of_their_own(store: Store, link: Link) -> None:
    answers = await accept(
        store,
        make_draft(link, "m-1"),
        make_draft(link, "m-1", direction=Direction.TO_MESSENGER),
    )
    assert [answer.verdict for answer in answers] == [Verdict.NEW, Verdict.NEW]


async def test_doubles_inside_one_batch(store: Store, link: Link) -> None:
    said = ["first", "first", "other"]
    answers = await accept(store, *(make_draft(link, "m-1", said=words) for words in said))
    assert [answer.verdict for answer in answers] == [
        Verdict.NEW,
        Verdict.REPEATED,
        Verdict.REUSED,
    ]
    (entry,) = await store.read(pending.load_after, 0, 10)
    assert answers[0].entry == entry


async def test_ids_grow_in_the_order_given(store: Store, link: Link) -> None:
    """Many conversations in one batch, some of them known before, some messages repeated."""
    await accept(store, make_draft(link, "old", conversation="c-3"))
    chance = random.Random(7)
    drafts = [
        make_draft(link, f"m-{number}", conversation=f"c-{chance.randrange(40)}")
        for number in range(600)
    ]
    drafts.insert(300, make_draft(link, "old", conversation="c-3"))
    answers = await accept(store, *drafts)
    entries = [answer.entry for answer in answers if answer.entry is not None]
    assert [entry.message_id for entry in entries] == [f"m-{number}" for number in range(600)]
    assert [entry.id for entry in entries] == sorted(entry.id for entry in entries)
    assert answers[300].verdict is Verdict.REPEATED
    rows = await store.read(pending.load_after, 0, 1000)
    assert [row.message_id for row in rows] == ["old", *(f"m-{n}" for n in range(600))]
    assert {row.external_id for row in rows} == {f"c-{number}" for number in range(40)}
    assert rows[1:] == entries


@pytest.mark.parametrize("seed", range(4))
async def test_repeats_inside_and_across_batches(store: Store, link: Link, seed: int) -> None:
    """Whatever repeats what, each id is stored where it came first, and nothing else is queued."""
    chance = random.Random(seed)
    first: dict[str, str] = {}
    stored: list[int] = []
    for _ in range(12):
        wanted = [
            (f"m-{chance.randrange(60)}", chance.choice(["one", "two"]))
            for _ in range(chance.choice([1, 2, 30]))
        ]
        answers = await accept(
            store,
            *(make_draft(link, name, said=said, conversation=f"c-{name}") for name, said in wanted),
        )
        for (name, said), answer in zip(wanted, answers, strict=True):
            known = first.setdefault(name, said)
            if answer.entry is not None:
                assert answer.verdict is Verdict.NEW
                assert answer.entry.message_id == name
                stored.append(answer.entry.id)
            else:
                assert answer.verdict is (Verdict.REPEATED if known == said else Verdict.REUSED)
    assert stored == sorted(stored)
    rows = await store.read(pending.load_after, 0, 1000)
    assert [row.id for row in rows] == stored
    assert [row.message_id for row in rows] == list(first)


async def test_a_number_is_never_given_twice(store: Store, link: Link) -> None:
    """Neither after everything was deleted, nor after repeats, nor after a batch that failed."""
    (last,) = await accept(store, make_draft(link, "m-1"))
    assert last.entry is not None
    seen = [last.entry.id]
    await store.write(delete_everything)
    for number in range(2, 8):
        answers = await accept(
            store, make_draft(link, f"m-{number - 1}"), make_draft(link, f"m-{number}")
        )
        seen += [answer.entry.id for answer in answers if answer.entry is not None]
        with pytest.raises(exc.IntegrityError):
            await accept(store, make_draft(link, "bad", digest=None))
        if number == 5:
            await store.write(delete_everything)
    assert seen == sorted(set(seen))
    assert len(seen) == 9


async def test_a_batch_that_fails_leaves_nothing_and_takes_no_other_with_it(
    store: Store, link: Link
) -> None:
    """Queued at once, so that on SQLite they share a transaction."""
    batches = [
        [make_draft(link, f"m-{n}-{k}", **({"digest": None} if bad else {})) for k in range(3)]
        for n, bad in enumerate([False, True, False, True, False])
    ]
    answers = await asyncio.gather(
        *(accept(store, *batch) for batch in batches), return_exceptions=True
    )
    assert [isinstance(answer, exc.IntegrityError) for answer in answers] == [
        False,
        True,
        False,
        True,
        False,
    ]
    taken = [answer.entry for batch in answers[::2] for answer in batch]  # type: ignore[union-attr]
    rows = await store.read(pending.load_after, 0, 100)
    assert sorted(row.id for row in rows) == sorted(entry.id for entry in taken)
    assert {row.message_id for row in rows} == {f"m-{n}-{k}" for n in (0, 2, 4) for k in range(3)}


def delete_everything(connection: Connection) -> None:
    for table in (schema.attempts, schema.pending, schema.journal):
        connection.execute(delete(table))


async def test_fifty_writers_of_one_message_store_it_once(store: Store, link: Link) -> None:
    answers = await asyncio.gather(
        *(accept(store, make_draft(link, "m-1", said="same")) for _ in range(50))
    )
    verdicts = [answer.verdict for (answer,) in answers]
    assert sorted(verdicts) == [Verdict.NEW] + [Verdict.REPEATED] * 49
    assert len(await store.read(pending.load_after, 0, 100)) == 1


async def test_many_writers_of_overlapping_batches(store: Store, link: Link) -> None:
    """Each message is new for exactly one writer, and no writer fails."""
    chance = random.Random(11)
    batches = [chance.sample(range(60), 25) for _ in range(12)]
    answers = await asyncio.gather(
        *(
            accept(
                store,
                *(make_draft(link, f"m-{n}", conversation=f"c-{n % 9}") for n in sorted(batch)),
            )
            for batch in batches
        )
    )
    new = [answer.entry.message_id for batch in answers for answer in batch if answer.entry]
    assert sorted(new) == sorted({f"m-{n}" for batch in batches for n in batch})
    stored = await store.read(pending.load_after, 0, 100)
    assert sorted(row.message_id for row in stored) == sorted(new)


async def test_a_conversation_that_is_named_in_several_ways_in_one_batch(
    store: Store, link: Link
) -> None:
    """An operator wrote first; then everything else about it comes at once."""
    await accept(store, make_draft(link, "first", conversation=None, amojo="A"))
    answers = await accept(
        store,
        make_draft(link, "m-1", conversation="c-1"),
        make_draft(link, "m-2", conversation="c-1", amojo="A"),
        make_draft(link, "m-3", conversation=None, amojo="A"),
    )
    assert [answer.verdict for answer in answers] == [Verdict.NEW] * 3


async def test_wide_text_comes_back_as_it_was(store: Store, link: Link) -> None:
    draft = make_draft(link, "м-🙂" * 60, conversation="ч" * 255, body="\0я".encode() * 50_000)
    await accept(store, draft)
    (entry,) = await store.read(pending.load_after, 0, 10)
    assert (entry.message_id, entry.external_id, entry.body) == (
        draft.message_id,
        draft.conversation.external_id,
        draft.body,
    )
