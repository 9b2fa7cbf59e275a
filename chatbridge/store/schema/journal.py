"""Everything accepted, what is still to deliver of it, and what became of the rest."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from chatbridge.store.schema.base import RowId, metadata

conversations = Table(
    "conversations",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("link_id", ForeignKey("links.id"), nullable=False),
    Column(
        "external_id", String(255), comment="the messenger's id; absent while only amoCRM knows it"
    ),
    Column("amojo_id", String(255), comment="amoCRM's id, once known"),
    Column("created_at", BigInteger, nullable=False),
    Column(
        "client_ref_id", String(255), comment="amoCRM's id of the client, if an operator began it"
    ),
    UniqueConstraint("link_id", "external_id"),
    UniqueConstraint("link_id", "amojo_id"),
    sqlite_autoincrement=True,
)

journal = Table(
    "journal",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True, comment="the order of acceptance"),
    Column("conversation_id", RowId, nullable=False),
    Column("direction", SmallInteger, nullable=False, comment="model.Direction"),
    Column("kind", String(16), nullable=False, comment="model.Kind"),
    Column(
        "key", LargeBinary(16), nullable=False, unique=True, comment="refuses a second acceptance"
    ),
    Column("digest", LargeBinary(16), nullable=False, comment="tells a repeat from a reused id"),
    Column("message_id", String(255), nullable=False, comment="the message it is, or is about"),
    Column("body", LargeBinary, nullable=False, comment="model.encode_event"),
    Column("received_at", BigInteger, nullable=False, comment="when its bytes had arrived"),
    Column("stored_at", BigInteger, nullable=False, comment="when its transaction was written"),
    sqlite_autoincrement=True,
)

pending = Table(
    "pending",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False),
    Column(
        "lane", BigInteger, nullable=False, comment="conversation and direction: delivery.lanes"
    ),
    Column("attempts", Integer, nullable=False, comment="made so far"),
    Column(
        "since",
        BigInteger,
        nullable=False,
        comment="when the schedule began: acceptance or release",
    ),
    Column("due_at", BigInteger, nullable=False),
    Index("ix_pending_lane_id", "lane", "id"),
)

parked = Table(
    "parked",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False),
    Column("lane", BigInteger, nullable=False),
    Column("link_id", ForeignKey("links.id"), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("code", String(64), nullable=False, comment="code of the last error"),
    Column("detail", Text, nullable=False),
    Column("parked_at", BigInteger, nullable=False),
    Index("ix_parked_link_id_id", "link_id", "id"),
    Index("ix_parked_lane_id", "lane", "id"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("entry_id", RowId, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False, comment="from 1"),
    Column("outcome", String(16), nullable=False, comment="delivered, retry, parked, released"),
    Column("signed_at", BigInteger, nullable=False),
    Column("answered_at", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("code", String(64), comment="of the error, if one"),
    Column("detail", Text),
    Column("far_id", String(255), comment="the far side's id of the message"),
    sqlite_with_rowid=False,
)

conversation_entries = Table(
    "conversation_entries",
    metadata,
    Column("conversation_id", RowId, primary_key=True, autoincrement=False),
    Column("entry_id", RowId, primary_key=True, autoincrement=False),
    Column(
        "is_message", Boolean, nullable=False, comment="or something that happened to a message"
    ),
    sqlite_with_rowid=False,
)

receipts = Table(
    "receipts",
    metadata,
    Column(
        "entry_id", RowId, primary_key=True, autoincrement=False, comment="an operator's message"
    ),
    Column("rank", SmallInteger, nullable=False, comment="model.Mark.rank; it only grows"),
    Column("failed_at", BigInteger),
    Column("delivered_at", BigInteger),
    Column("read_at", BigInteger),
    Column("reason", String(32), comment="model.FailureReason"),
    Column("text", Text, comment="why it failed, as the operator reads it"),
)

far_ids = Table(
    "far_ids",
    metadata,
    Column("messenger_id", String(64), primary_key=True),
    Column("far_id", String(255), primary_key=True, comment="the messenger's id of a message"),
    Column("entry_id", BigInteger, nullable=False, comment="what was sent as that message"),
    Column(
        "place", SmallInteger, nullable=False, comment="among several that were sent for one entry"
    ),
    Index("ix_far_ids_entry_id_place", "entry_id", "place"),
    sqlite_with_rowid=False,
)

watermarks = Table(
    "watermarks",
    metadata,
    Column("name", String(64), primary_key=True, comment="who goes through the journal"),
    Column("entry_id", BigInteger, nullable=False, comment="how far"),
)

unknown_events = Table(
    "unknown_events",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("link_id", ForeignKey("links.id"), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Index("ix_unknown_events_link_id_id", "link_id", "id"),
    sqlite_autoincrement=True,
)
