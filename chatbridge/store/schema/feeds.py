"""Events that wait until their messenger fetches them."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table, UniqueConstraint

from chatbridge.store.schema.base import metadata

feeds = Table(
    "feeds",
    metadata,
    Column("messenger_id", String(64), primary_key=True),
    Column("last", BigInteger, nullable=False, comment="position of its newest event"),
    Column(
        "fetched", BigInteger, nullable=False, comment="up to here the messenger has got its events"
    ),
)

feed_events = Table(
    "feed_events",
    metadata,
    Column("messenger_id", String(64), primary_key=True),
    Column(
        "position",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="from 1, without gaps, in the order of commits",
    ),
    Column("key", String(255), nullable=False, comment="refuses a second appending"),
    Column("topic", String(255), nullable=False, comment="the messenger's id of a conversation"),
    Column("body", LargeBinary, nullable=False, comment="JSON"),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("key", "messenger_id"),
    Index("ix_feed_events_messenger_id_topic_position", "messenger_id", "topic", "position"),
    Index("ix_feed_events_created_at", "created_at"),
)
