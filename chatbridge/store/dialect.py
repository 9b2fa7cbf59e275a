"""The few statements that SQLite and PostgreSQL spell differently."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Table,
    cast,
    extract,
    func,
    literal,
    select,
)
from sqlalchemy.dialects import sqlite

from chatbridge.store import sqlite_rows
from chatbridge.store.entries import AttemptRow, ConversationRow, JournalRow, Naming, Written


def insert_into(connection: Connection, table: Table) -> Any:
    """Return an INSERT that knows this database's `ON CONFLICT`."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert  # noqa: PLC0415 - SQLite does without

        return insert(table)
    return sqlite.insert(table)


def insert_new(connection: Connection, table: Table, *unique: str) -> Any:
    """Return an INSERT that skips rows whose `unique` columns exist already.

    With `.returning()` it gives back only the rows it inserted.
    """
    return insert_into(connection, table).on_conflict_do_nothing(index_elements=unique)


def present(connection: Connection, now: int) -> ColumnElement[int]:
    """Return the present in microseconds: PostgreSQL has a clock for all nodes, on SQLite it is `now`, of the one process."""
    if connection.dialect.name == "postgresql":
        return cast(extract("epoch", func.clock_timestamp()) * 1_000_000, BigInteger)
    return literal(now)


def hot_rows(connection: Connection) -> "_Rows":
    """Return how hot rows are written and read on this database."""
    if connection.dialect.name == "postgresql":
        from chatbridge.store import postgresql_rows  # noqa: PLC0415 - SQLite does without

        return postgresql_rows
    return sqlite_rows


class _Rows(Protocol):
    """What `sqlite_rows` and `postgresql_rows` both do."""

    def insert_entries(
        self, connection: Connection, rows: Sequence[JournalRow], told: Sequence[str] = ()
    ) -> dict[bytes, Written]:
        """Write and queue the rows whose key is new, in their order; return what was written, by key.

        Other nodes are told these lists of lanes.
        """

    def record(
        self, connection: Connection, made: Sequence[AttemptRow], ended: Sequence[int]
    ) -> None:
        """Write attempts, and let the entries that ended leave `pending`."""

    def find_conversations(
        self, connection: Connection, name: str, pairs: Sequence[tuple[int, str | None]]
    ) -> list[ConversationRow]:
        """Return the conversations that are known by these links and ids."""

    def insert_named(
        self, connection: Connection, pairs: Sequence[tuple[int, str | None]], now: int
    ) -> None:
        """Make those of these conversations that do not exist, known by link and messenger's id."""

    def insert_begun(
        self,
        connection: Connection,
        begun: Sequence[tuple[int, str | None, str | None]],
        now: int,
    ) -> None:
        """Make those of these conversations that do not exist, known by link, amoCRM's id and amoCRM's id of the client."""

    def bind_conversations(self, connection: Connection, namings: Sequence[Naming]) -> None:
        """Give conversations that amoCRM began the messenger's id."""

    def learn_amojo_ids(self, connection: Connection, namings: Sequence[Naming]) -> None:
        """Give conversations that the messenger began amoCRM's id."""


class Topic(StrEnum):
    """What nodes of one database tell each other. The words are names of channels of LISTEN and NOTIFY."""

    LANES = "chatbridge_lanes"
    """Something was queued in these lanes."""
    LANES_AGAIN = "chatbridge_lanes_again"
    """Something was released in these lanes: it goes before what is known of them."""
    LEASES = "chatbridge_leases"
    """Partitions are free."""
    DIRECTORY = "chatbridge_directory"
    """Channels, messengers or links have changed."""
    FEEDS = "chatbridge_feeds"
    """Something was appended to feeds, or whispered to those who read them."""
    WEBHOOKS = "chatbridge_webhooks"
    """A webhook fails, works again, or was paused or resumed."""


_AT_ONCE = 400
"""Lanes in one notification, which may have 8,000 bytes."""


def notify(connection: Connection, topic: Topic, words: str = "") -> None:
    """Tell the other nodes once the transaction is committed. On SQLite there are none."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_notify(topic.value, words)))


def notify_lanes(connection: Connection, topic: Topic, lanes: Iterable[int]) -> None:
    """Tell the other nodes about lanes."""
    for words in lists_of(lanes):
        notify(connection, topic, words)


def lists_of(lanes: Iterable[int]) -> list[str]:
    """Return lanes as the words of notifications."""
    numbers = sorted(set(lanes))
    return [
        ",".join(map(str, numbers[start : start + _AT_ONCE]))
        for start in range(0, len(numbers), _AT_ONCE)
    ]
