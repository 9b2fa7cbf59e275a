"""No unit of the hot path reads a whole table, however few rows there are today: the databases say so themselves."""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, event, make_url, text

from chatbridge.model import Direction, Link
from chatbridge.store import (
    far_ids,
    feed,
    history,
    import_lines,
    imports,
    journal,
    passport,
    pending,
    targets,
)
from chatbridge.store.engine import Store, open_store
from chatbridge.store.entries import ConversationRow, Entry, OutcomeKind
from chatbridge.store.feed import Appending
from chatbridge.store.imports import BadLine, GoodLine
from tests.contract.conftest import add_link
from tests.factories import make_draft, make_outcome

NOW = 1_790_000_000_000_000
GROWING = (
    "conversations",
    "journal",
    "pending",
    "attempts",
    "far_ids",
    "conversation_entries",
    "import_lines",
    "feed_events",
)

Scans = Callable[[], Awaitable[list[str]]]
"""Tells which growing tables were read from end to end since it was made, and how."""


@contextmanager
def statements_on_sqlite() -> Iterator[list[str]]:
    """Everything that connections opened meanwhile run, with its values."""
    seen: list[str] = []

    def trace(connection: Any, _record: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.set_trace_callback(seen.append)

    event.listen(Engine, "connect", trace)
    try:
        yield seen
    finally:
        event.remove(Engine, "connect", trace)


def scans_on_sqlite(path: str, seen: list[str]) -> list[str]:
    plans = sqlite3.connect(path)
    wanted = dict.fromkeys(
        said for said in seen if said.startswith(("SELECT", "WITH", "UPDATE", "DELETE", "INSERT"))
    )
    return [
        f"{step}: {said[:200]}"
        for said in wanted
        for *_, step in plans.execute(f"EXPLAIN QUERY PLAN {said}")
        if step.startswith(tuple(f"SCAN {name}" for name in GROWING))
    ]


async def scans_on_postgresql(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT relname, seq_scan FROM pg_stat_user_tables")
        return [name for name, scans in rows if name in GROWING and scans]
    finally:
        await connection.close()


@pytest.fixture
async def traced(store_url: str) -> AsyncIterator[tuple[Store, Scans]]:
    """An open database, and what tells of it which tables were read whole."""
    with statements_on_sqlite() as seen:
        store, url = open_store(store_url), make_url(store_url)
        await store.start()
        if store.shared:
            # It reads a small table whole because that is cheaper. Told not to, it does so only where it must.
            name = url.database
            await store.write(
                lambda c: c.execute(text(f'ALTER DATABASE "{name}" SET enable_seqscan = off'))
            )
            await store.close()
            await forget_scans(store_url)
            store = open_store(store_url)
            await store.start()
        seen.clear()

        async def scans() -> list[str]:
            await (
                store.close()
            )  # what a connection of PostgreSQL's counted is known when it has ended
            if store.shared:
                return await scans_on_postgresql(store_url)
            return scans_on_sqlite(str(url.database), seen)

        yield store, scans
        await store.close()


async def forget_scans(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SELECT pg_stat_reset()")
    finally:
        await connection.close()


async def test_nothing_hot_reads_a_whole_table(traced: tuple[Store, Scans]) -> None:
    store, scans = traced
    link = await add_link(store)
    entries = await accept_all(store, link)
    await store.read(pending.load_after, 0, 10)
    await store.read(pending.load_after, 0, 10, [0, 1])
    await store.read(pending.load_lanes, [entry.lane for entry in entries], 10)
    await store.read(pending.list_lanes, 0, 10)
    await store.read(pending.newest)
    await store.read(pending.load_entries, [entry.id for entry in entries])
    await store.read(passport.find_passport, tuple(entry.key for entry in entries))
    kinds = (OutcomeKind.DELIVERED, OutcomeKind.RETRY, OutcomeKind.PARKED)
    outcomes = [make_outcome(entry, kind) for entry, kind in zip(entries, kinds, strict=False)]
    learnt = make_outcome(entries[3], OutcomeKind.DELIVERED, far_conversation_id="amo-9")
    named = make_outcome(entries[5], OutcomeKind.DELIVERED, names=("p-1", "p-2"))
    await store.write(pending.settle, [*outcomes, learnt, named], NOW)
    name = far_ids.FarName(link.messenger_id, "p-2")
    keys = tuple(entry.key for entry in entries)
    assert await store.read(targets.find_target, (b"x" * 16,), name)
    assert await store.read(passport.find_passport, keys, name)
    assert await store.read(far_ids.find, entries[5].key) == "p-1"
    await store.write(
        pending.settle_delivered, [make_outcome(entries[4], OutcomeKind.DELIVERED)], NOW
    )
    assert await scans() == []


async def test_history_reads_no_whole_table(traced: tuple[Store, Scans]) -> None:
    store, scans = traced
    link = await add_link(store)
    entries = await accept_all(store, link)
    half = await store.read(history.newest_entry) // 2
    await store.write(history.index, half, 1000)
    (number,) = await store.read(history.find_conversations, {link.id}, "c-0")
    for before in (None, entries[-1].id):
        await store.read(history.load_page, number, before=before, limit=5)
    assert await scans() == []


async def test_imports_read_no_whole_table(traced: tuple[Store, Scans]) -> None:
    store, scans = traced
    link = await add_link(store)
    drafts = [make_draft(link, f"m-{number}") for number in range(10)]
    lines = [
        GoodLine(number, draft.key, draft.digest, link.id, "c", number, None, draft.body)
        for number, draft in enumerate(drafts)
    ]
    one = await store.write(imports.begin, link.messenger_id, "one", NOW)
    await store.write(imports.stage, one.id, lines, [BadLine(11, "malformed_json", "")])
    await store.write(imports.stage, one.id, lines, [])
    await store.read(imports.list_bad, one.id, 10)
    await store.write(imports.complete, one.id, NOW)
    portion = await store.read(import_lines.next_portion, one.id, 5)
    await store.write(import_lines.claim, one.id, portion)
    answers = await store.write(journal.accept, drafts[:5], NOW)
    taken = [line.id for line in portion.fresh]
    bad = {taken.pop(): BadLine(0, "not_linked", "")}
    await store.write(import_lines.settle, one.id, taken, bad)
    done = [make_outcome(answer.entry, OutcomeKind.DELIVERED) for answer in answers if answer.entry]
    await store.write(pending.settle, done, NOW)
    progress = await store.read(import_lines.look, one.id)
    await store.write(import_lines.count_ends, one.id, progress.delivered, progress.failed)
    await store.write(imports.cancel, link.messenger_id, "one")
    assert await store.write(import_lines.drop, one.id, 100)
    await store.write(import_lines.end, one.id, NOW)
    assert await scans() == []


async def test_feeds_are_not_read_whole(traced: tuple[Store, Scans]) -> None:
    store, scans = traced
    events = [Appending("msgr_1", f"c-{number % 2}", f"m-{number}", b"{}") for number in range(10)]
    await store.write(feed.append, events, NOW)
    await store.write(feed.append, events[:3], NOW)
    assert len(await store.read(feed.read_after, "msgr_1", 5, 10)) == 5
    assert len(await store.read(feed.read_after, "msgr_1", 5, 10, "c-1")) == 3
    assert len(await store.read(feed.read_before, "msgr_1", 9, 3, "c-1")) == 3
    assert await store.read(feed.ends_of, "msgr_1") == (1, 10)
    assert await store.read(feed.find_unfetched, ["m-1"]) == {"m-1"}
    await store.write(feed.note_fetched, {"msgr_1": 3})
    assert await store.write(feed.prune, NOW + 1, 5) == 5
    assert await scans() == []


async def accept_all(store: Store, link: Link) -> list[Entry]:
    """Accept messages whose conversations are named in every way, and known or not; each twice."""
    drafts = [make_draft(link, f"m-{number}", conversation=f"c-{number}") for number in range(10)]
    drafts += [
        make_draft(
            link,
            f"r-{number}",
            conversation=name,
            amojo=f"amo-{number}",
            direction=Direction.TO_MESSENGER,
        )
        for number, name in enumerate((None, "c-0", "new"))
    ]
    answers = await store.write(journal.accept, drafts, NOW)
    await store.write(journal.accept, drafts, NOW)
    entries = [answer.entry for answer in answers if answer.entry is not None]
    rows = {
        entry.message_id: ConversationRow(
            entry.conversation_id, entry.link_id, entry.external_id, entry.amojo_id
        )
        for entry in entries
    }
    await store.write(
        journal.accept_known, [replace(draft, row=rows[draft.message_id]) for draft in drafts], NOW
    )
    return entries
