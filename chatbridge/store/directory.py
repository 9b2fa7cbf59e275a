"""Channels, messengers and links: what is set up. Secrets are sealed on the way in and opened on the way out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import orjson
from sqlalchemy import (
    ARRAY,
    Column,
    Connection,
    Table,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from chatbridge.errors import AlreadyExists
from chatbridge.model import (
    AmojoIdentity,
    Channel,
    HookVersion,
    Link,
    LinkState,
    Messenger,
    Signing,
    StatusBody,
    WebhookFormat,
)
from chatbridge.store.dialect import Topic, notify
from chatbridge.store.schema import channels, links, messengers
from chatbridge.store.sealing import Sealer


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Whom callers named."""

    key_hashes: frozenset[bytes] = frozenset()
    """Of API keys."""
    scopes: frozenset[str] = frozenset()
    messengers: frozenset[str] = frozenset()
    """Messengers, and their links."""
    amojo_channels: frozenset[str] = frozenset()
    """Channel ids in the amojo identities of messengers."""

    def __or__(self, other: Self) -> "Names":
        return Names(
            key_hashes=self.key_hashes | other.key_hashes,
            scopes=self.scopes | other.scopes,
            messengers=self.messengers | other.messengers,
            amojo_channels=self.amojo_channels | other.amojo_channels,
        )


def find_names(connection: Connection, names: Names) -> tuple[list[bytes], list[Link]]:
    """Return what there is of these names: hashes of keys, and links. No secret is opened. PostgreSQL only."""
    channel_ids = filter(_is_storable, names.amojo_channels)
    messenger_ids = list(filter(_is_storable, names.messengers))
    keys = [
        *_among(connection, messengers.c.api_key_hash, names.key_hashes),
        *_among(connection, messengers.c.amojo_channel_id, channel_ids),
        *_among(connection, messengers.c.id, messenger_ids),
    ]
    scopes = filter(_is_storable, names.scopes)
    found = [
        *_among(connection, links.c.scope_id, scopes),
        *_among(connection, links.c.messenger_id, messenger_ids),
    ]
    return [bytes(row["api_key_hash"]) for row in keys], [_link(dict(row)) for row in found]


def _among(connection: Connection, column: Column[Any], values: Iterable[Any]) -> Sequence[Any]:
    """Return the rows with one of these values."""
    wanted = list(values)
    if not wanted:
        return []
    # An array makes it one statement, however many there are.
    meant = column == func.any(literal(wanted, ARRAY(column.type)))
    return connection.execute(select(column.table).where(meant)).mappings().all()


def _is_storable(name: str) -> bool:
    """Return whether a database may have a name as a caller spelled it."""
    return name.isprintable() and len(name) <= 255


def list_channels(connection: Connection, sealer: Sealer) -> list[Channel]:
    """Return every channel, oldest first."""
    rows = connection.execute(
        select(channels).order_by(channels.c.created_at, channels.c.id)
    ).mappings()
    return [_channel(dict(row), sealer) for row in rows]


def add_channel(connection: Connection, channel: Channel, sealer: Sealer) -> None:
    """Store a new channel.

    Raises:
        AlreadyExists: its id or code is taken.

    """
    sentence = f"A channel with the id {channel.id} or the code {channel.code} exists. Change it with PATCH."
    _insert(connection, channels, _channel_row(channel, sealer), sentence)
    notify(connection, Topic.DIRECTORY)


def change_channel(
    connection: Connection, channel_id: str, changes: Mapping[str, Any], sealer: Sealer
) -> Channel:
    """Change these members of a channel, whatever else of it somebody changes at the same time; return what it is then.

    Raises:
        AlreadyExists: its new code is taken.

    """
    before = _channel(_held(connection, channels, channel_id), sealer)
    changed = replace(before, **changes)
    try:
        with connection.begin_nested():
            _save(connection, channels, _channel_row(changed, sealer))
    except IntegrityError as error:
        raise AlreadyExists(f"Another channel has the code {changed.code}.") from error
    notify(connection, Topic.DIRECTORY)
    return changed


def list_messengers(connection: Connection, sealer: Sealer) -> list[Messenger]:
    """Return every messenger, oldest first."""
    query = select(messengers).order_by(messengers.c.created_at, messengers.c.id)
    return [_messenger(dict(row), sealer) for row in connection.execute(query).mappings()]


def add_messenger(connection: Connection, messenger: Messenger, sealer: Sealer) -> None:
    """Store a new messenger; its id and keys are fresh, so nothing can collide."""
    connection.execute(insert(messengers).values(_messenger_row(messenger, sealer)))
    notify(connection, Topic.DIRECTORY)


def change_messenger(
    connection: Connection, messenger_id: str, changes: Mapping[str, Any], sealer: Sealer
) -> Messenger:
    """Change these members of a messenger, as `change_channel` does."""
    return revise_messenger(connection, messenger_id, lambda _: changes, sealer)


def revise_messenger(
    connection: Connection,
    messenger_id: str,
    revise: Callable[[Messenger], Mapping[str, Any]],
    sealer: Sealer,
) -> Messenger:
    """Change the members that `revise` says, which is given the messenger as it is and may refuse; it is pure."""
    before = _messenger(_held(connection, messengers, messenger_id), sealer)
    changed = replace(before, **revise(before))
    _save(connection, messengers, _messenger_row(changed, sealer))
    notify(connection, Topic.DIRECTORY)
    return changed


def list_links(connection: Connection) -> list[Link]:
    """Return every link, oldest first, disconnected ones included."""
    rows = connection.execute(select(links).order_by(links.c.id)).mappings()
    return [_link(dict(row)) for row in rows]


def add_link(connection: Connection, link: Link) -> Link:
    """Store a new link and return it with its id.

    Raises:
        AlreadyExists: the account is linked to the channel already.

    """
    row = asdict(link)
    del row["id"]
    sentence = (
        f"The account {link.account_id} is linked to this channel already, as {link.scope_id}."
    )
    link_id = _insert(connection, links, row, sentence)
    notify(connection, Topic.DIRECTORY)
    return _link(row | {"id": link_id})


def change_link(connection: Connection, link_id: int, changes: Mapping[str, Any]) -> Link:
    """Change these members of a link, as `change_channel` does."""
    changed = replace(_link(_held(connection, links, link_id)), **changes)
    _save(connection, links, asdict(changed))
    notify(connection, Topic.DIRECTORY)
    return changed


def _insert(connection: Connection, table: Table, row: dict[str, Any], sentence: str) -> Any:
    try:
        with connection.begin_nested():
            result = connection.execute(insert(table).values(row))
    except IntegrityError as error:
        raise AlreadyExists(sentence) from error
    return result.inserted_primary_key[0] if result.inserted_primary_key else None


def _held(connection: Connection, table: Table, key: Any) -> dict[str, Any]:
    """Return a row that nobody else changes until the transaction ends."""
    query = select(table).where(table.c.id == key).with_for_update()
    return dict(connection.execute(query).mappings().one())


def _save(connection: Connection, table: Table, row: dict[str, Any]) -> None:
    connection.execute(update(table).where(table.c.id == row["id"]).values(row))


def _channel_row(channel: Channel, sealer: Sealer) -> dict[str, Any]:
    row = asdict(channel)
    return row | {"secret_sealed": sealer.seal(row.pop("secret"))}


def _channel(row: dict[str, Any], sealer: Sealer) -> Channel:
    return Channel(
        **row
        | {
            "secret": sealer.open(row.pop("secret_sealed")),
            "signing": Signing(row["signing"]),
            "hook_version": HookVersion(row["hook_version"]),
            "status_body": StatusBody(row["status_body"]),
        }
    )


def _messenger_row(messenger: Messenger, sealer: Sealer) -> dict[str, Any]:
    row = asdict(messenger)
    amojo, old = row.pop("amojo"), row.pop("old_webhook_secret")
    return row | {
        "webhook_secret_sealed": sealer.seal(row.pop("webhook_secret")),
        "old_webhook_secret_sealed": None if old is None else sealer.seal(old),
        "amojo_channel_id": amojo["channel_id"],
        "amojo_account_id": amojo["account_id"],
        "amojo_secret_sealed": sealer.seal(amojo["secret"]),
        "settings": orjson.dumps(messenger.settings).decode(),
        "secrets_sealed": _sealed(row.pop("secrets"), sealer),
    }


def _sealed(secrets: dict[str, str], sealer: Sealer) -> bytes | None:
    return sealer.seal(orjson.dumps(secrets).decode()) if secrets else None


def _messenger(row: dict[str, Any], sealer: Sealer) -> Messenger:
    amojo = AmojoIdentity(
        channel_id=row.pop("amojo_channel_id"),
        account_id=row.pop("amojo_account_id"),
        secret=sealer.open(row.pop("amojo_secret_sealed")),
    )
    secrets = row.pop("secrets_sealed")
    old = row.pop("old_webhook_secret_sealed")
    return Messenger(
        **row
        | {
            "amojo": amojo,
            "webhook_secret": sealer.open(row.pop("webhook_secret_sealed")),
            "old_webhook_secret": None if old is None else sealer.open(old),
            "webhook_format": WebhookFormat(row["webhook_format"]),
            "settings": orjson.loads(row["settings"]),
            "secrets": {} if secrets is None else orjson.loads(sealer.open(secrets)),
        }
    )


def _link(row: dict[str, Any]) -> Link:
    return Link(
        **row | {"state": LinkState(row["state"]), "hook_version": HookVersion(row["hook_version"])}
    )
