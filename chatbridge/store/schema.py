"""All tables. Times are integers: microseconds since 1970-01-01 UTC. Columns named `…_sealed` are encrypted.

The heart is `journal`: one immutable row for everything accepted from either side, in the order it was accepted.
`pending` holds a small row for each entry still to deliver; delivering deletes it and adds a row to `attempts`.
Giving up moves it to `parked`. So the wide rows are written once, and what is waiting can be read without them.

These four have no foreign keys: their rows are made together, in one transaction, from ids that the database gave a moment
before, and a check for each row would cost as much as writing it; nor have `conversation_entries`, which is made of the journal, and the feeds.
Everything that people set up has them.

Whoever removes entries from the journal one day removes their rows of `attempts`, `conversation_entries`, `receipts`, `far_ids` and
`recovered_entries` with them.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite makes only an INTEGER PRIMARY KEY a row id; AUTOINCREMENT keeps it from using a number twice.
_RowId = BigInteger().with_variant(Integer, "sqlite")

channels = Table(
    "channels",
    metadata,
    Column("id", String(64), primary_key=True, comment="the channel id given by amoCRM"),
    Column("code", String(255), nullable=False, unique=True),
    Column("secret_sealed", LargeBinary, nullable=False),
    Column("base_url", Text, nullable=False),
    Column("signing", String(16), nullable=False),
    Column("hook_version", String(8), nullable=False),
    Column("bot_id", String(64)),
    Column("title", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("status_body", String(16), nullable=False, server_default="current"),
)

messengers = Table(
    "messengers",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("webhook_url", Text),
    Column("webhook_format", String(16), nullable=False),
    Column("webhook_secret_sealed", LargeBinary, nullable=False),
    Column("api_key_hash", LargeBinary(32), nullable=False, unique=True),
    Column("amojo_channel_id", String(64), nullable=False, unique=True),
    Column("amojo_account_id", String(64), nullable=False),
    Column("amojo_secret_sealed", LargeBinary, nullable=False),
    Column("settings", Text, nullable=False, comment="JSON"),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("secrets_sealed", LargeBinary, comment="JSON of the settings that are secret"),
    Column("old_webhook_secret_sealed", LargeBinary, comment="signs beside the new one"),
    Column("old_webhook_secret_until", BigInteger, nullable=False, server_default="0"),
    Column("old_api_key_hash", LargeBinary(32), comment="opens what the new one does"),
    Column("old_api_key_until", BigInteger, nullable=False, server_default="0"),
)

failing_webhooks = Table(
    "failing_webhooks",
    metadata,
    Column("messenger_id", ForeignKey("messengers.id"), primary_key=True),
    Column("since", BigInteger, nullable=False, comment="the first failure after a success"),
    Column("code", String(64), nullable=False, comment="of the last error"),
    Column("paused_at", BigInteger, comment="since when nothing is sent to it"),
)

links = Table(
    "links",
    metadata,
    Column("id", _RowId, primary_key=True, autoincrement=True),
    Column("scope_id", String(255), nullable=False, unique=True),
    Column("channel_id", ForeignKey("channels.id"), nullable=False),
    Column("account_id", String(64), nullable=False),
    Column("messenger_id", ForeignKey("messengers.id"), nullable=False),
    Column("title", Text),
    Column("state", String(16), nullable=False),
    Column("hook_version", String(8), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("connected_at", BigInteger, nullable=False),
    UniqueConstraint("channel_id", "account_id"),
    sqlite_autoincrement=True,
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", _RowId, primary_key=True, autoincrement=True),
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
    Column("id", _RowId, primary_key=True, autoincrement=True, comment="the order of acceptance"),
    Column("conversation_id", _RowId, nullable=False),
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
    Column("id", _RowId, primary_key=True, autoincrement=False),
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
    Column("id", _RowId, primary_key=True, autoincrement=False),
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
    Column("entry_id", _RowId, primary_key=True, autoincrement=False),
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
    Column("conversation_id", _RowId, primary_key=True, autoincrement=False),
    Column("entry_id", _RowId, primary_key=True, autoincrement=False),
    Column(
        "is_message", Boolean, nullable=False, comment="or something that happened to a message"
    ),
    sqlite_with_rowid=False,
)

receipts = Table(
    "receipts",
    metadata,
    Column(
        "entry_id", _RowId, primary_key=True, autoincrement=False, comment="an operator's message"
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

media = Table(
    "media",
    metadata,
    Column(
        "id", LargeBinary(16), primary_key=True, comment="the key of its entry; random of an upload"
    ),
    Column("state", String(16), nullable=False, comment="store.media.MediaState"),
    Column("created_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, comment="when it was kept, or given up"),
    Column("entry_id", BigInteger, comment="who waits for it; absent of an upload"),
    Column("lane", BigInteger, comment="where that waits"),
    Column("messenger_id", String(64), comment="whose upload it is"),
    Column("used_at", BigInteger, comment="when a message first named the upload"),
    Column("content_type", String(128)),
    Column("size", BigInteger, comment="bytes"),
    Column("file_name", Text),
    Column("code", String(64), comment="of the error, if it was not copied"),
    Column("detail", Text),
    Index("ix_media_state_created_at", "state", "created_at"),
)

watermarks = Table(
    "watermarks",
    metadata,
    Column("name", String(64), primary_key=True, comment="who goes through the journal"),
    Column("entry_id", BigInteger, nullable=False, comment="how far"),
)

imports = Table(
    "imports",
    metadata,
    Column("id", _RowId, primary_key=True, autoincrement=True),
    Column("messenger_id", ForeignKey("messengers.id"), nullable=False),
    Column("name", String(255), nullable=False, comment="the messenger's id of it"),
    Column("state", String(16), nullable=False, comment="store.imports.ImportState"),
    Column("lines", Integer, nullable=False, comment="taken, each message once, bad ones too"),
    Column("bad", Integer, nullable=False),
    Column("repeated", Integer, nullable=False, comment="were in the journal before"),
    Column("imported", Integer, nullable=False),
    Column("delivered", Integer, nullable=False, comment="of those imported"),
    Column("failed", Integer, nullable=False, comment="of those imported: given up"),
    Column("cancelled", Integer, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("uploaded_at", BigInteger),
    Column("ended_at", BigInteger),
    UniqueConstraint("messenger_id", "name"),
    sqlite_autoincrement=True,
)

import_lines = Table(
    "import_lines",
    metadata,
    Column("id", _RowId, primary_key=True, autoincrement=True),
    Column("import_id", ForeignKey("imports.id"), nullable=False),
    Column("state", SmallInteger, nullable=False, comment="store.import_lines.LineState"),
    Column("number", BigInteger, nullable=False, comment="in the upload with which it came"),
    Column("key", LargeBinary(16), nullable=False, comment="the journal's; of a bad line, its own"),
    Column("digest", LargeBinary(16), comment="the journal's"),
    Column("link_id", _RowId),
    Column("conversation_id", String(255), comment="the messenger's"),
    Column("sent_at", BigInteger),
    Column("is_newest", Boolean, nullable=False, comment="of its conversation; set when claimed"),
    Column("scope_id", String(255), comment="as the line says"),
    Column("body", LargeBinary, comment="model.encode_event"),
    Column("code", String(64), comment="of the error, if it is bad"),
    Column("reason", Text),
    UniqueConstraint("import_id", "key"),
    Index(
        "ix_import_lines_order",
        "import_id",
        "state",
        "link_id",
        "conversation_id",
        "sent_at",
        "id",
    ),
    sqlite_autoincrement=True,
)

unknown_events = Table(
    "unknown_events",
    metadata,
    Column("id", _RowId, primary_key=True, autoincrement=True),
    Column("link_id", ForeignKey("links.id"), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Index("ix_unknown_events_link_id_id", "link_id", "id"),
    sqlite_autoincrement=True,
)

nodes = Table(
    "nodes",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("expires_at", BigInteger, nullable=False, comment="by the database's clock"),
)

leases = Table(
    "leases",
    metadata,
    Column("partition", Integer, primary_key=True, autoincrement=False, comment="store.partitions"),
    Column("node", String(64), comment="who delivers it; nobody when absent"),
    Column("token", BigInteger, nullable=False, comment="grows with every new holder"),
    Column("expires_at", BigInteger, nullable=False, comment="by the database's clock"),
    Index("ix_leases_node", "node"),
)

allowances = Table(
    "allowances",
    metadata,
    Column("key", String(255), primary_key=True, comment="whose limit it is"),
    Column("next_at", BigInteger, nullable=False, comment="theoretical arrival time of GCRA"),
    Column("closed_until", BigInteger, nullable=False, comment="no call before"),
    Column("banned", Boolean, nullable=False, comment="opens by a probe only"),
)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("name", String(64), primary_key=True, comment="of what"),
    Column("at", BigInteger, nullable=False, comment="until then some node surely did it"),
)

recoveries = Table(
    "recoveries",
    metadata,
    Column("id", _RowId, primary_key=True, autoincrement=True),
    Column("from_at", BigInteger, nullable=False),
    Column("to_at", BigInteger, nullable=False),
    Column("reason", String(16), nullable=False, comment="store.recoveries.Reason"),
    Column("state", String(16), nullable=False, comment="store.recoveries.State"),
    Column("scope_id", String(255), comment="of one link; all of them when absent"),
    Column("conversations", Integer, nullable=False, comment="whose history was read"),
    Column("failed", Integer, nullable=False, comment="whose history was not given"),
    Column("recovered", Integer, nullable=False, comment="replies that were missing"),
    Column("created_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    sqlite_autoincrement=True,
)

recovered_entries = Table(
    "recovered_entries",
    metadata,
    Column("entry_id", _RowId, primary_key=True, autoincrement=False),
    Column("recovery_id", _RowId, nullable=False),
)

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
