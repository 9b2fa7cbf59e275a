"""Units of work: alone or in a group, they succeed and fail each for itself; one process has the database."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import Connection, exc, insert, text

from chatbridge.errors import ConfigurationError, StoreUnavailable
from chatbridge.model import Link
from chatbridge.store import journal, pending
from chatbridge.store.engine import Store, open_store, ping
from chatbridge.store.schema import unknown_events
from tests.factories import make_draft
from tests.fakes import BEGINNING


class OnPurposeError(Exception):
    """A failing unit."""


def write_row(connection: Connection, link: Link, kind: str) -> None:
    values = {"link_id": link.id, "kind": kind, "reason": "", "body": b"", "received_at": 0}
    connection.execute(insert(unknown_events).values(values))


def write_then_fail(connection: Connection, link: Link, kind: str) -> NoReturn:
    write_row(connection, link, kind)
    raise OnPurposeError(kind)


def write_for_nobody(connection: Connection, link: Link, kind: str) -> None:
    del link
    values = {"link_id": 99_999, "kind": kind, "reason": "", "body": b"", "received_at": 0}
    connection.execute(insert(unknown_events).values(values))


def kinds(connection: Connection) -> list[str]:
    return list(connection.scalars(text("SELECT kind FROM unknown_events ORDER BY kind")))


async def test_a_failing_unit_takes_no_other_with_it(store: Store, link: Link) -> None:
    """Queued at once, so that on SQLite they share a transaction."""
    units: list[Callable[[Connection, Link, str], None]] = [
        (write_row, write_then_fail, write_for_nobody)[number % 3] for number in range(90)
    ]
    results = await asyncio.gather(
        *(store.write(unit, link, f"k{number:02}") for number, unit in enumerate(units)),
        return_exceptions=True,
    )
    good = [f"k{number:02}" for number in range(0, 90, 3)]
    assert [result for result in results if result is None] == [None] * 30
    assert sum(isinstance(result, OnPurposeError) for result in results) == 30
    assert sum(isinstance(result, exc.IntegrityError) for result in results) == 30
    assert await store.read(kinds) == good


@pytest.mark.parametrize("unit", [write_then_fail, write_for_nobody])
async def test_a_unit_that_fails_alone_leaves_nothing(
    store: Store, link: Link, unit: Callable[[Connection, Link, str], None]
) -> None:
    with pytest.raises((OnPurposeError, exc.IntegrityError)):
        await store.write(unit, link, "k")
    assert await store.read(kinds) == []
    await store.write(write_row, link, "after")
    assert await store.read(kinds) == ["after"]


async def test_a_caller_that_goes_away_does_not_undo_its_unit(store: Store, link: Link) -> None:
    writing = asyncio.create_task(store.write(write_row, link, "gone"))
    following = asyncio.create_task(store.write(write_row, link, "stays"))
    await asyncio.sleep(0)
    writing.cancel()
    await following
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert "stays" in await store.read(kinds)


async def test_what_was_written_is_there_after_opening_again(store_url: str) -> None:
    from tests.contract.conftest import add_link  # noqa: PLC0415

    store = open_store(store_url)
    await store.start()
    link = await add_link(store)
    await store.write(journal.accept, [make_draft(link, "m-1")], BEGINNING)
    await store.close()

    again = open_store(store_url)
    await again.start()
    try:
        (entry,) = await again.read(pending.load_after, 0, 10)
        assert entry.message_id == "m-1"
    finally:
        await again.close()


async def test_a_second_user_is_welcome_or_refused_with_one_sentence(
    store: Store, store_url: str
) -> None:
    second = open_store(store_url)
    if second.shared:
        await second.start()
        await second.write(ping)
    else:
        with pytest.raises(ConfigurationError, match="nother chatbridge process") as refused:
            await second.start()
        assert "\n" not in str(refused.value)
    await second.close()
    await store.write(ping)


async def test_the_database_is_free_again_once_it_is_closed(store_url: str) -> None:
    for _ in range(2):
        store = open_store(store_url)
        await store.start()
        await store.write(ping)
        await store.close()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://postgres@127.0.0.1:1/none",
        "sqlite:////proc/nowhere/chatbridge.db",
    ],
)
async def test_a_database_that_cannot_be_reached_is_named_so(url: str) -> None:
    store = open_store(url)
    with pytest.raises(StoreUnavailable, match="the database did not take it"):
        await store.start()
    await store.close()


async def test_a_file_that_is_no_database_is_named_so(tmp_path: Path) -> None:
    file = tmp_path / "chatbridge.db"
    file.write_bytes(b"not a database" * 1000)
    store = open_store(f"sqlite:///{file}")
    with pytest.raises(StoreUnavailable, match="not a database"):
        await store.start()
    await store.close()


@pytest.mark.parametrize(
    "url", ["", "mysql://a@b/c", "sqlite://", "sqlite:///:memory:", "nonsense", "http://a/b"]
)
def test_other_addresses_are_refused_with_what_is_allowed(url: str) -> None:
    with pytest.raises(ConfigurationError, match="CHATBRIDGE_STORE__URL"):
        open_store(url)


async def test_closing_twice_and_writing_afterwards(store_url: str) -> None:
    store = open_store(store_url)
    await store.start()
    await store.close()
    await store.close()
    if store_url.startswith("sqlite"):
        with pytest.raises(StoreUnavailable):
            await store.write(ping)


async def test_an_error_of_the_database_does_not_quote_what_was_written(
    store: Store, link: Link
) -> None:
    draft = make_draft(link, "m-1", body=b"a client's secret words", digest=None)
    with pytest.raises(exc.IntegrityError) as refused:
        await store.write(journal.accept, [draft], 0)
    assert "secret words" not in str(refused.value)
    assert "m-1" not in str(refused.value)
