"""Imports of history."""

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

imports = Table(
    "imports",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
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
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("import_id", ForeignKey("imports.id"), nullable=False),
    Column("state", SmallInteger, nullable=False, comment="store.import_lines.LineState"),
    Column("number", BigInteger, nullable=False, comment="in the upload with which it came"),
    Column("key", LargeBinary(16), nullable=False, comment="the journal's; of a bad line, its own"),
    Column("digest", LargeBinary(16), comment="the journal's"),
    Column("link_id", RowId),
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
