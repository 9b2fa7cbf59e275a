"""Lines of imports: kept once, counted rightly, claimed in order, whoever asks how often."""

import pytest

from chatbridge.errors import ImportClosed
from chatbridge.model import Link
from chatbridge.store import import_lines, imports, journal, pending
from chatbridge.store.engine import Store
from chatbridge.store.entries import OutcomeKind
from chatbridge.store.imports import BadLine, GoodLine, Import, ImportState
from tests.factories import make_draft, make_outcome

NOW = 1_790_000_000_000_000
BAD = BadLine(3, "malformed_json", "The body is not JSON", b"{")


def good(link: Link, number: int, talk: str = "c-1", at: int = 0, said: str = "text") -> GoodLine:
    """A line whose message has its key and digest from `make_draft`."""
    draft = make_draft(link, f"m-{number}", said=said)
    return GoodLine(number, draft.key, draft.digest, link.id, talk, at, None, draft.body)


async def begun(store: Store, link: Link, name: str = "one") -> Import:
    return await store.write(imports.begin, link.messenger_id, name, NOW)


async def running(store: Store, link: Link, *lines: GoodLine) -> Import:
    one = await begun(store, link)
    await store.write(imports.stage, one.id, lines, [])
    return await store.write(imports.complete, one.id, NOW)


async def look(store: Store, one: Import) -> Import:
    return await store.read(imports.load, one.id)


async def test_the_same_lines_again_are_the_same_lines(store: Store, link: Link) -> None:
    one = await begun(store, link)
    lines = [good(link, 1), good(link, 2), good(link, 2)]
    await store.write(imports.stage, one.id, lines, [BAD])
    for number in (1, 7):
        again = [line._replace(number=number) for line in lines]
        await store.write(imports.stage, one.id, again, [BAD])
    assert await begun(store, link) == await look(store, one)
    found = await look(store, one)
    assert (found.lines, found.bad, found.left) == (3, 1, 2)
    other = [good(link, 2, said="other")]
    for _ in range(2):
        await store.write(imports.stage, one.id, other, [])
    found = await look(store, one)
    assert (found.lines, found.bad) == (4, 2)
    bad = await store.read(imports.list_bad, one.id, 10)
    assert [(line.number, line.code) for line in bad] == [(3, "malformed_json"), (2, "id_reused")]
    assert len(await store.read(imports.list_bad, one.id, 1)) == 1


async def test_imports_are_listed_for_their_messenger(store: Store, link: Link) -> None:
    made = [await begun(store, link, name) for name in "abc"]
    listed = await store.read(imports.list_imports, link.messenger_id, after=made[0].id, limit=1)
    assert listed == [made[1]]
    assert await store.read(imports.list_imports, "another", after=0, limit=9) == []
    assert await store.read(imports.find, "another", "a") is None
    assert not await store.write(imports.cancel, "another", "a")


async def test_lines_are_claimed_by_conversation_and_time(store: Store, link: Link) -> None:
    lines = [good(link, 1, "b", 5), good(link, 2, "a", 9), good(link, 3, "b", 4)]
    one = await running(store, link, *lines, good(link, 4, "b", 4), good(link, 5, "a", 1))
    seen = []
    for _ in range(3):
        portion = await store.write(import_lines.claim, one.id, 2)
        assert (await store.write(import_lines.claim, one.id, 2)) == portion, "until it is settled"
        seen += [(line.number, line.is_newest) for line in portion.lines]
        taken = [line.id for line in portion.lines]
        for _ in range(2):
            await store.write(import_lines.settle, one.id, taken, {})
    assert seen == [(5, False), (2, True), (3, False), (4, False), (1, True)]
    assert (await look(store, one)).imported == 5


async def test_what_is_not_settled_of_a_portion_is_claimed_again(store: Store, link: Link) -> None:
    one = await running(store, link, *(good(link, n, at=n) for n in range(4)))
    first = (await store.write(import_lines.claim, one.id, 3)).lines
    bad = {first[1].id: BadLine(1, "not_linked", "no link")}
    await store.write(import_lines.settle, one.id, [first[0].id], bad)
    again = await store.write(import_lines.claim, one.id, 3)
    assert again.lines == [first[2]]
    found = await look(store, one)
    assert (found.imported, found.bad, found.left) == (1, 1, 2)


async def test_what_the_journal_had_before_is_repeated_or_bad(store: Store, link: Link) -> None:
    drafts = [make_draft(link, "m-1"), make_draft(link, "m-2", said="other")]
    await store.write(journal.accept, drafts, NOW)
    one = await running(store, link, *(good(link, n, at=n) for n in range(1, 4)))
    portion = await store.write(import_lines.claim, one.id, 2)
    assert (portion.lines, portion.settled) == ([], 2)
    portion = await store.write(import_lines.claim, one.id, 2)
    assert [line.number for line in portion.lines] == [3]
    found = await look(store, one)
    assert (found.repeated, found.bad, found.left) == (1, 1, 1)


async def test_it_ends_when_all_is_delivered_or_given_up(store: Store, link: Link) -> None:
    one = await running(store, link, *(good(link, n, at=n) for n in range(2)))
    drafts = [make_draft(link, f"m-{n}") for n in range(2)]
    portion = await store.write(import_lines.claim, one.id, 9)
    answers = await store.write(journal.accept, drafts, NOW)
    taken = [line.id for line in portion.lines]
    await store.write(import_lines.settle, one.id, taken, {})
    assert await store.write(import_lines.count_ends, one.id, NOW) == (2, 0)
    kinds = (OutcomeKind.DELIVERED, OutcomeKind.PARKED)
    entries = [answer.entry for answer in answers if answer.entry]
    outcomes = [make_outcome(entry, kind) for entry, kind in zip(entries, kinds, strict=True)]
    await store.write(pending.settle, outcomes[:1], NOW)
    assert await store.write(import_lines.count_ends, one.id, NOW) == (1, 1)
    assert [each.id for each in await store.read(imports.list_running)] == [one.id]
    await store.write(pending.settle, outcomes[1:], NOW)
    assert await store.write(import_lines.count_ends, one.id, NOW) == (0, 1)
    found = await look(store, one)
    assert (found.state, found.delivered, found.failed) == (ImportState.DONE, 1, 1)
    assert found.ended_at == NOW
    assert await store.read(imports.list_running) == []


async def test_cancelling_drops_what_is_not_claimed(store: Store, link: Link) -> None:
    one = await running(store, link, *(good(link, n, at=n) for n in range(4)))
    portion = await store.write(import_lines.claim, one.id, 1)
    assert await store.write(imports.cancel, link.messenger_id, "one")
    assert await store.write(import_lines.claim, one.id, 1) == portion
    bad = {portion.lines[0].id: BadLine(0, "not_linked", "")}
    await store.write(import_lines.settle, one.id, [], bad)
    assert await store.write(import_lines.claim, one.id, 1) == ([], 3)
    await store.write(import_lines.count_ends, one.id, NOW)
    found = await look(store, one)
    assert (found.state, found.cancelled, found.left) == (ImportState.CANCELLED, 3, 0)
    assert found.ended_at == NOW
    with pytest.raises(ImportClosed):
        await begun(store, link)
