"""Channels, messengers and links; their secrets are unreadable at rest and survive a change of keys."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Connection, select

from chatbridge.errors import AlreadyExists, ConfigurationError
from chatbridge.model import LinkState
from chatbridge.store import directory
from chatbridge.store.engine import Store
from chatbridge.store.resealing import reseal
from chatbridge.store.schema import channels, messengers
from chatbridge.store.sealing import Sealer
from tests.factories import make_channel, make_link, make_messenger

SEALER = Sealer(["the key of these tests"])


async def fill(store: Store, sealer: Sealer = SEALER) -> tuple[str, ...]:
    """Store one of each; return its secrets."""
    old, token = "whsec_b2xkIG9sZCBvbGQgb2xkIG9sZA==", "5:AAF-of-a-bot"
    channel = make_channel()
    messenger = make_messenger(old_webhook_secret=old, secrets={"token": token})
    await store.write(directory.add_channel, channel, sealer)
    await store.write(directory.add_messenger, messenger, sealer)
    return channel.secret, messenger.webhook_secret, messenger.amojo.secret, old, token


def sealed_columns(connection: Connection) -> list[bytes]:
    columns = [
        column
        for table in (channels, messengers)
        for column in table.columns
        if column.name.endswith("_sealed")
    ]
    return [bytes(value) for column in columns for value in connection.scalars(select(column))]


async def test_what_was_stored_comes_back_oldest_first(store: Store) -> None:
    made = [make_channel(title="Лавка"), make_channel(bot_id="b-1")]
    for channel in reversed(made):
        await store.write(directory.add_channel, channel, SEALER)
    assert await store.read(directory.list_channels, SEALER) == made
    messenger = make_messenger(
        settings={"a": [1, {"ж": None}]}, webhook_url="https://a.example/", secrets={"ж": "я"}
    )
    await store.write(directory.add_messenger, messenger, SEALER)
    assert await store.read(directory.list_messengers, SEALER) == [messenger]
    link = await store.write(directory.add_link, make_link(made[0], messenger))
    assert await store.read(directory.list_links) == [link]
    assert link.id > 0


async def test_changes_are_stored(store: Store) -> None:
    channel, messenger = make_channel(), make_messenger()
    await store.write(directory.add_channel, channel, SEALER)
    await store.write(directory.add_messenger, messenger, SEALER)
    link = await store.write(directory.add_link, make_link(channel, messenger))
    for_channel: dict[str, Any] = {"secret": "another secret", "title": "New"}
    for_messenger: dict[str, Any] = {"name": "New", "settings": {"x": 1}}
    for_link: dict[str, Any] = {"state": LinkState.DISCONNECTED}
    answers = [
        await store.write(directory.change_channel, channel.id, for_channel, SEALER),
        await store.write(directory.change_messenger, messenger.id, for_messenger, SEALER),
        await store.write(directory.change_link, link.id, for_link),
    ]
    channel, messenger = replace(channel, **for_channel), replace(messenger, **for_messenger)
    link = replace(link, **for_link)
    assert answers == [channel, messenger, link]
    assert await store.read(directory.list_channels, SEALER) == [channel]
    assert await store.read(directory.list_messengers, SEALER) == [messenger]
    assert await store.read(directory.list_links) == [link]


async def test_changes_at_the_same_time_are_all_kept(store: Store) -> None:
    channel, messenger = make_channel(), make_messenger()
    await store.write(directory.add_channel, channel, SEALER)
    await store.write(directory.add_messenger, messenger, SEALER)
    link = await store.write(directory.add_link, make_link(channel, messenger))
    await asyncio.gather(
        store.write(directory.change_channel, channel.id, {"title": "New"}, SEALER),
        store.write(directory.change_channel, channel.id, {"bot_id": "b-2"}, SEALER),
        store.write(directory.change_messenger, messenger.id, {"name": "New"}, SEALER),
        store.write(directory.change_messenger, messenger.id, {"settings": {"x": 1}}, SEALER),
        store.write(directory.change_link, link.id, {"title": "New"}),
        store.write(directory.change_link, link.id, {"state": LinkState.DISCONNECTED}),
    )
    assert await store.read(directory.list_channels, SEALER) == [
        replace(channel, title="New", bot_id="b-2")
    ]
    assert await store.read(directory.list_messengers, SEALER) == [
        replace(messenger, name="New", settings={"x": 1})
    ]
    assert await store.read(directory.list_links) == [
        replace(link, title="New", state=LinkState.DISCONNECTED)
    ]


async def test_taken_names_are_refused(store: Store) -> None:
    first, second, messenger = make_channel(), make_channel(), make_messenger()
    for channel in (first, second):
        await store.write(directory.add_channel, channel, SEALER)
    await store.write(directory.add_messenger, messenger, SEALER)
    link = await store.write(directory.add_link, make_link(first, messenger))
    for again in (first, make_channel(code=first.code), make_channel(id=first.id)):
        with pytest.raises(
            AlreadyExists, match=first.code if again.code == first.code else first.id
        ):
            await store.write(directory.add_channel, again, SEALER)
    with pytest.raises(AlreadyExists):
        await store.write(directory.change_channel, second.id, {"code": first.code}, SEALER)
    with pytest.raises(AlreadyExists):
        await store.write(directory.add_link, replace(link, id=0))
    assert len(await store.read(directory.list_channels, SEALER)) == 2


async def test_ten_wishes_for_one_channel_make_one(store: Store) -> None:
    channel = make_channel()
    answers = await asyncio.gather(
        *(store.write(directory.add_channel, channel, SEALER) for _ in range(10)),
        return_exceptions=True,
    )
    assert [answer for answer in answers if answer is None] == [None]
    assert {type(answer) for answer in answers if answer is not None} == {AlreadyExists}


async def test_secrets_are_encrypted_in_the_table(store: Store) -> None:
    secrets = await fill(store)
    sealed = await store.read(sealed_columns)
    assert len(sealed) == len(secrets)
    assert not [s for s in secrets for value in sealed if s.encode() in value]


async def test_secrets_are_nowhere_in_the_raw_storage(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    secrets = await fill(store)
    raw = await dump(store_url, tmp_path)
    assert b"amo.ext.test" in raw, "the dump must show what is not secret"
    assert not [secret for secret in secrets if secret.encode() in raw]


def files_in(folder: Path) -> list[Path]:
    return [file for file in folder.iterdir() if file.is_file()]


async def dump(store_url: str, folder: Path) -> bytes:
    if store_url.startswith("sqlite"):
        return b"".join(file.read_bytes() for file in files_in(folder))
    connection = await asyncpg.connect(store_url)
    try:
        rows = [
            await connection.fetch(f"SELECT * FROM {name}") for name in ("channels", "messengers")
        ]
        values = [value for table in rows for row in table for value in row.values()]
        return b"\n".join(
            value if isinstance(value, bytes) else str(value).encode() for value in values
        )
    finally:
        await connection.close()


@pytest.mark.parametrize("wrong", [["another key, quite wrong"], ["one", "two"]])
async def test_a_wrong_key_is_named(store: Store, wrong: list[str]) -> None:
    await fill(store)
    for unit in (directory.list_channels, directory.list_messengers):
        with pytest.raises(ConfigurationError, match="CHATBRIDGE_SECRET_KEY"):
            await store.read(unit, Sealer(wrong))


async def test_a_key_is_rotated_without_loss(store: Store) -> None:
    old, both, new = Sealer(["old key"]), Sealer(["new key", "old key"]), Sealer(["new key"])
    await fill(store, old)
    await fill(store, both)
    before = await store.read(directory.list_channels, both)
    with pytest.raises(ConfigurationError):
        await store.read(directory.list_channels, new)
    assert await store.write(reseal, both) == 4
    assert await store.read(directory.list_channels, new) == before
    assert len(await store.read(directory.list_messengers, new)) == 2
    with pytest.raises(ConfigurationError):
        await store.read(directory.list_channels, old)


async def test_resealing_with_wrong_keys_changes_nothing(store: Store) -> None:
    await fill(store)
    before = await store.read(sealed_columns)
    with pytest.raises(ConfigurationError):
        await store.write(reseal, Sealer(["a wrong key"]))
    assert await store.read(sealed_columns) == before
