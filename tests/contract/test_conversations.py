"""A conversation is one row, whichever side names it and in whatever order the names become known."""

import asyncio

from chatbridge.model import Link
from chatbridge.store import conversations
from chatbridge.store.engine import Store
from chatbridge.store.entries import ConversationKey, ConversationRow, Naming
from tests.contract.conftest import add_link

NOW = 1_790_000_000_000_000


def key(link: Link, external: str | None, amojo: str | None = None) -> ConversationKey:
    return ConversationKey(link_id=link.id, external_id=external, amojo_id=amojo)


async def resolve(store: Store, *keys: ConversationKey) -> list[ConversationRow]:
    found = await store.write(conversations.resolve, list(keys), now=NOW)
    return [found[key] for key in keys]


async def test_a_name_is_one_conversation_of_its_link(store: Store, link: Link) -> None:
    other = await add_link(store)
    (first,) = await resolve(store, key(link, "c-1"))
    again, elsewhere = await resolve(store, key(link, "c-1"), key(other, "c-1"))
    assert first == again
    assert first.external_id == "c-1"
    assert first.amojo_id is None
    assert elsewhere.id != first.id
    assert elsewhere.link_id == other.id


async def test_what_is_known_is_found_and_nothing_is_made(store: Store, link: Link) -> None:
    (row,) = await resolve(store, key(link, "c-1", "A"))
    names = [key(link, "c-1"), key(link, None, "A"), key(link, "c-2"), key(link, None, "B")]
    found = await store.read(conversations.find, names)
    assert found == {names[0]: row, names[1]: row}
    assert await store.read(conversations.get, row.id) == row
    assert await store.read(conversations.get, row.id + 1) is None
    assert await store.read(conversations.get, 2**63 - 1) is None


async def test_an_operator_writes_first_and_the_messenger_binds(store: Store, link: Link) -> None:
    (begun,) = await resolve(store, key(link, None, "A"))
    (bound,) = await resolve(store, key(link, "c-1", "A"))
    assert bound.id == begun.id
    assert bound.external_id == "c-1"
    assert await resolve(store, key(link, "c-1"), key(link, None, "A")) == [bound, bound]


async def test_the_first_name_of_both_kinds_teaches_the_other_id(store: Store, link: Link) -> None:
    (plain,) = await resolve(store, key(link, "c-1"))
    await store.write(conversations.learn_amojo_ids, [Naming(link.id, "c-1", "A")])
    assert (await resolve(store, key(link, None, "A")))[0].id == plain.id
    (both,) = await resolve(store, key(link, "c-2", "B"))
    assert (await resolve(store, key(link, None, "B")))[0] == both
    assert both.external_id == "c-2"


async def test_a_learnt_id_is_not_unlearnt(store: Store, link: Link) -> None:
    await resolve(store, key(link, "c-1"))
    await store.write(conversations.learn_amojo_ids, [Naming(link.id, "c-1", "A")])
    await store.write(conversations.learn_amojo_ids, [Naming(link.id, "c-1", "B")])
    assert (await resolve(store, key(link, "c-1")))[0].amojo_id == "A"


async def test_one_amojo_id_for_two_conversations_does_no_harm(store: Store, link: Link) -> None:
    first, second = await resolve(store, key(link, "c-1"), key(link, "c-2"))
    for name in ("c-1", "c-2"):
        await store.write(conversations.learn_amojo_ids, [Naming(link.id, name, "A")])
    third, fourth = await resolve(store, key(link, "c-3", "A"), key(link, None, "A"))
    assert third.id not in {first.id, second.id}
    assert fourth.id == first.id
    assert [row.amojo_id for row in await resolve(store, key(link, "c-2"), key(link, "c-3"))] == [
        None,
        None,
    ]


async def test_one_amojo_id_for_two_conversations_at_once_does_no_harm(
    store: Store, link: Link
) -> None:
    await resolve(store, key(link, "c-1"), key(link, "c-2"))
    both = [Naming(link.id, "c-2", "A"), Naming(link.id, "c-1", "A")]
    await store.write(conversations.learn_amojo_ids, both)
    rows = await resolve(store, key(link, "c-1"), key(link, "c-2"))
    assert [row.amojo_id for row in rows] == ["A", None]
    await resolve(store, key(link, "c-3", "B"), key(link, "c-4", "B"))
    rows = await resolve(store, key(link, "c-3"), key(link, "c-4"))
    assert [row.amojo_id for row in rows] == ["B", None]


async def test_two_links_may_have_the_same_amojo_id(store: Store, link: Link) -> None:
    other = await add_link(store)
    first, second = await resolve(store, key(link, "c-1", "A"), key(other, "c-1", "A"))
    assert (first.amojo_id, second.amojo_id) == ("A", "A")


async def test_every_order_of_names_in_one_batch_is_one_conversation(
    store: Store, link: Link
) -> None:
    """An operator began it; then both sides name it at once, alone and together."""
    for number, order in enumerate([(0, 1), (1, 0), (0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)]):
        external, amojo = f"c-{number}", f"A-{number}"
        await resolve(store, key(link, None, amojo))
        names = [key(link, external), key(link, external, amojo), key(link, None, amojo)]
        rows = await resolve(store, *(names[place] for place in order))
        (made,) = await resolve(store, names[0])
        assert (made.external_id, made.amojo_id) == (external, amojo)
        assert {row.id for row in rows} == {made.id}


async def test_one_name_for_two_begun_conversations_does_no_harm(store: Store, link: Link) -> None:
    await resolve(store, key(link, None, "A"), key(link, None, "B"))
    first, second = await resolve(store, key(link, "c-1", "A"), key(link, "c-1", "B"))
    assert first.id == second.id
    assert first.external_id == "c-1"


async def test_thirty_writers_make_one_conversation(store: Store, link: Link) -> None:
    rows = await asyncio.gather(
        *(resolve(store, key(link, "c-1"), key(link, "c-2")) for _ in range(30))
    )
    assert len({(first.id, second.id) for first, second in rows}) == 1
