"""Files."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table, Text

from chatbridge.store.schema.base import metadata

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
