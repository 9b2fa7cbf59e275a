"""Lines of imports: kept once, counted rightly, claimed in order, whoever asks how often."""

import pytest

from chatbridge.errors import ImportClosed
from chatbridge.model import Link
from chatbridge.store import import_lines, imports, journal, pending
from chatbridge.store.engine import Store
from chatbridge.store.entries import OutcomeKind
from chatbridge.store.import_lines import ReadyLine
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


async def claim(store: Store, one: Import, limit: int) -> list[ReadyLine]:
    """The lines that are claimed then: those from before, or the next."""
    portion = await store.read(import_lines.next_portion, one.id, limit)
    before = await store.read(import_lines.look, one.id)
    assert await store.write(import_lines.claim, one.id, portion) is not bool(before.claimed)
    return (await store.read(import_lines.look, one.id)).claimed


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
        claimed = await claim(store, one, 2)
        assert await claim(store, one, 2) == claimed, "until it is settled"
        seen += [(line.number, line.is_newest) for line in claimed]
        taken = [line.id for line in claimed]
        for _ in range(2):
            await store.write(import_lines.settle, one.id, taken, {})
    assert seen == [(5, False), (2, True), (3, False), (4, False), (1, True)]
    assert (await look(store, one)).imported == 5


async def test_what_is_not_settled_of_a_portion_goes_first(store: Store, link: Link) -> None:
    one = await running(store, link, *(good(link, n, at=n) for n in range(4)))
    first, second, third = await claim(store, one, 3)
    bad = {second.id: BadLine(1, "not_linked", "no link")}
    await store.write(import_lines.settle, one.id, [first.id], bad)
    assert await claim(store, one, 3) == [third]
    found = await look(store, one)
    assert (found.imported, found.bad, found.left) == (1, 1, 2)


async def test_of_two_who_saw_the_same_lines_one_claims_them(store: Store, link: Link) -> None:
    """Also if the second comes when they are settled, and others are claimed already."""
    one = await running(store, link, *(good(link, n, at=n) for n in range(4)))
    seen = await store.read(import_lines.next_portion, one.id, 3)
    claimed = await claim(store, one, 1)
    assert not await store.write(import_lines.claim, one.id, seen)
    await store.write(import_lines.settle, one.id, [line.id for line in claimed], {})
    assert await store.write(import_lines.claim, one.id, seen)
    assert [line.number for line in await claim(store, one, 9)] == [1, 2]
    assert (await look(store, one)).imported == 1


async def test_what_the_journal_had_before_is_repeated_or_bad(store: Store, link: Link) -> None:
    drafts = [make_draft(link, "m-1"), make_draft(link, "m-2", said="other")]
    await store.write(journal.accept, drafts, NOW)
    one = await running(store, link, *(good(link, n, at=n) for n in range(1, 4)))
    portion = await store.read(import_lines.next_portion, one.id, 2)
    assert (portion.fresh, portion.size) == ([], 2)
    for _ in range(2):
        assert await store.write(import_lines.claim, one.id, portion)
    assert [line.number for line in await claim(store, one, 2)] == [3]
    found = await look(store, one)
    assert (found.repeated, found.bad, found.left) == (1, 1, 1)


async def test_it_knows_what_is_delivered_and_what_was_given_up(store: Store, link: Link) -> None:
    one = await running(store, link, *(good(link, n, at=n) for n in range(3)))
    drafts = [make_draft(link, f"m-{n}") for n in range(3)]
    taken = [line.id for line in await claim(store, one, 9)]
    answers = await store.write(journal.accept, drafts, NOW)
    await store.write(import_lines.settle, one.id, taken, {})
    assert await store.read(import_lines.look, one.id) == (3, [], [], [])
    kinds = (OutcomeKind.DELIVERED, OutcomeKind.PARKED)
    entries = [answer.entry for answer in answers if answer.entry]
    outcomes = [make_outcome(entry, kind) for entry, kind in zip(entries, kinds, strict=False)]
    await store.write(pending.settle, outcomes, NOW)
    progress = await store.read(import_lines.look, one.id)
    assert progress == (1, taken[:1], taken[1:2], [])
    for _ in range(2):
        await store.write(import_lines.count_ends, one.id, progress.delivered, progress.failed)
    found = await look(store, one)
    assert (found.delivered, found.failed) == (1, 1)
    assert await store.read(imports.list_running) == [found]
    await store.write(import_lines.end, one.id, NOW)
    found = await look(store, one)
    assert (found.state, found.ended_at) == (ImportState.DONE, NOW)
    assert await store.read(imports.list_running) == []


async def test_cancelling_drops_what_is_not_claimed(store: Store, link: Link) -> None:
    one = await running(store, link, *(good(link, n, at=n) for n in range(4)))
    (line,) = await claim(store, one, 1)
    portion = await store.read(import_lines.next_portion, one.id, 9)
    assert await store.write(imports.cancel, link.messenger_id, "one")
    await store.write(import_lines.settle, one.id, [line.id], {})
    assert not await store.write(import_lines.claim, one.id, portion)
    assert [await store.write(import_lines.drop, one.id, 2) for _ in range(3)] == [2, 1, 0]
    await store.write(import_lines.end, one.id, NOW)
    found = await look(store, one)
    assert (found.state, found.cancelled, found.left) == (ImportState.CANCELLED, 3, 0)
    assert found.ended_at == NOW
    with pytest.raises(ImportClosed):
        await begun(store, link)
