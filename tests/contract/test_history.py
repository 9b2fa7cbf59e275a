"""Conversations as they are read: complete at once, whether the index has come that far or not."""

from pathlib import Path

import pytest

from chatbridge.bridge.directory import Directory
from chatbridge.bridge.history import History
from chatbridge.errors import HistoryNotReady
from chatbridge.model import (
    Content,
    Direction,
    Edit,
    Kind,
    Link,
    MessageType,
    Person,
    Reaction,
    encode_event,
)
from chatbridge.store import history, journal
from chatbridge.store.engine import Store
from chatbridge.store.entries import Draft
from chatbridge.store.history import Talk
from chatbridge.store.schema import conversation_entries
from chatbridge.store.sealing import Sealer
from tests.factories import make_draft
from tests.fakes import FakeClock
from tests.media import make_attachments, make_media_parts

NOW = 1_790_000_000_000_000
TEXT = Content(type=MessageType.TEXT, text="new")


def edit(link: Link, number: int, conversation: str = "c-1") -> Draft:
    event = Edit(message_id=f"m-{number}", conversation_id=conversation, edited_at=5, content=TEXT)
    return make_draft(
        link,
        f"m-{number}",
        conversation=conversation,
        kind=Kind.EDIT,
        key=f"edit {conversation} {number:03}"[:16].encode().ljust(16),
        body=encode_event(event),
    )


def reaction(link: Link, number: int) -> Draft:
    event = Reaction(message_id=f"m-{number}", reacted_at=6, by=Person(id="u-1"), emoji="👍")
    return make_draft(
        link,
        f"m-{number}",
        direction=Direction.TO_MESSENGER,
        kind=Kind.REACTION,
        key=f"reaction {number:03}".encode().ljust(16),
        body=encode_event(event),
    )


async def conversation(store: Store, link: Link, name: str = "c-1") -> int:
    (found,) = await store.read(history.find_conversations, {link.id}, name)
    return found


async def read(store: Store, link: Link, before: int | None = None, limit: int = 100) -> Talk:
    number = await conversation(store, link)
    return await store.read(history.load_page, number, before=before, limit=limit)


def names(talk: Talk) -> list[str]:
    return [passport.message.id for passport in talk.messages]


@pytest.mark.parametrize("indexed", [0, 1, 7, 8, 15, 16, 100])
async def test_a_page_is_complete_wherever_the_index_stands(
    store: Store, link: Link, indexed: int
) -> None:
    talk = [make_draft(link, f"m-{number}") for number in range(8)]
    others = [make_draft(link, f"o-{number}", conversation="c-2") for number in range(8)]
    mixed = [draft for pair in zip(talk, others, strict=True) for draft in pair]
    await store.write(journal.accept, [*mixed[:8], edit(link, 2), edit(link, 1, "c-2")], NOW)
    await store.write(journal.accept, [*mixed[8:], reaction(link, 6), edit(link, 2)], NOW)
    await store.write(history.index, indexed, 1000)
    page = await read(store, link)
    assert names(page) == [f"m-{number}" for number in range(7, -1, -1)]
    assert [type(event) for _, event in page.afterthoughts] == [Edit, Reaction]
    assert not page.more
    seen, before = [], None
    while True:
        page = await read(store, link, before, 3)
        seen += names(page)
        assert len(page.afterthoughts) == len({"m-2", "m-6"} & set(names(page)))
        if not page.more:
            break
        before = page.messages[-1].entry_id
    assert seen == [f"m-{number}" for number in range(7, -1, -1)]


async def test_the_walk_goes_in_stretches_and_never_back(store: Store, link: Link) -> None:
    drafts = [make_draft(link, f"m-{n}", conversation=f"c-{n % 3}") for n in range(10)]
    answers = await store.write(journal.accept, drafts, NOW)
    last = answers[-1].entry.id
    rounds = 0
    while await store.write(history.index, last, 3):
        rounds += 1
    assert rounds == (last - 1) // 3
    assert not await store.write(history.index, last - 5, 3)
    rows = await store.read(lambda c: c.execute(conversation_entries.select()).all())
    assert sorted(rows) == sorted(
        (answer.entry.conversation_id, answer.entry.id, True) for answer in answers
    )


async def test_an_index_far_behind_says_so(store: Store, link: Link) -> None:
    await store.write(journal.accept, [make_draft(link, f"m-{n}") for n in range(3)], NOW)
    number = await conversation(store, link)
    bounds = {"before": None, "limit": 9, "most": 2}
    with pytest.raises(HistoryNotReady):
        await store.read(history.load_page, number, **bounds)
    await store.write(history.index, 1, 10)
    assert len((await store.read(history.load_page, number, **bounds)).messages) == 3


async def test_a_conversation_is_found_by_its_links_only(store: Store, link: Link) -> None:
    await store.write(journal.accept, [make_draft(link, "m-1")], NOW)
    assert len(await store.read(history.find_conversations, {link.id}, "c-1")) == 1
    assert await store.read(history.find_conversations, {link.id}, "c-9") == []
    assert await store.read(history.find_conversations, {link.id + 1}, "c-1") == []
    assert await store.read(history.find_conversations, set(), "c-1") == []


async def test_the_walk_stays_behind_where_others_write(
    store: Store, link: Link, clock: FakeClock, tmp_path: Path
) -> None:
    """A number that was given out may be seen later than a higher one: ten seconds are left for that."""
    walker = history_of(store, clock, tmp_path)

    async def indexed() -> int:
        return len(await store.read(lambda c: c.execute(conversation_entries.select()).all()))

    for number in range(3):
        await store.write(journal.accept, [make_draft(link, f"m-{number}")], NOW)
        await walker.walk_on()
        if store.shared:
            assert await indexed() == 0
        else:
            assert await indexed() == number + 1
        clock.advance(4)
    for number in range(2, 4):
        await walker.walk_on()
        assert await indexed() == (number - 1 if store.shared else 3)
        clock.advance(4)


def history_of(store: Store, clock: FakeClock, folder: Path) -> History:
    return History(
        store=store,
        clock=clock,
        directory=Directory(store, Sealer(["a passphrase of the tests"]), clock),
        attachments=make_attachments(store, make_media_parts(store, clock, folder)),
        partitions=lambda: frozenset({0}),
    )


async def test_the_walk_leaves_busy_seconds_to_messages(
    store: Store, link: Link, clock: FakeClock, tmp_path: Path
) -> None:
    walker = history_of(store, clock, tmp_path)
    await store.write(journal.accept, [make_draft(link, f"m-{n}") for n in range(201)], NOW)
    rows = []
    for _ in range(2):
        await walker.walk_on()
        rows.append(await store.read(lambda c: len(c.execute(conversation_entries.select()).all())))
        clock.advance(11)
    assert rows == [0, 201]
    assert len((await read(store, link, limit=300)).messages) == 201
