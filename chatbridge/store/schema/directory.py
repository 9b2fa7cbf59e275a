"""What people set up: channels, messengers, links."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from chatbridge.store.schema.base import RowId, metadata

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
    # Without a foreign key, as that of messengers: SQLite could not add it to a table that others refer to.
    Column("workspace_id", String(64), comment="absent: every workspace's"),
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
    Column("workspace_id", String(64), nullable=False, server_default="main"),
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
    Column("id", RowId, primary_key=True, autoincrement=True),
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
