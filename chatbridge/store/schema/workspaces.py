"""Workspaces, their people and keys, and what was done by whom."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Table,
    Text,
)

from chatbridge.store.schema.base import RowId, metadata

workspaces = Table(
    "workspaces",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("workspace_id", ForeignKey("workspaces.id"), nullable=False, index=True),
    Column("login", String(255), nullable=False, unique=True, comment="case folded"),
    Column("name", String(255)),
    Column("role", String(16), nullable=False),
    Column("password_hash", String(255), nullable=False, comment="argon2id"),
    Column("disabled", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", LargeBinary(32), primary_key=True),
    Column("user_id", ForeignKey("users.id"), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

workspace_keys = Table(
    "workspace_keys",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("workspace_id", ForeignKey("workspaces.id"), nullable=False, index=True),
    Column("name", String(255), nullable=False),
    Column("role", String(16), nullable=False),
    Column("key_hash", LargeBinary(32), nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("workspace_id", String(64), comment="absent for what concerns the server"),
    Column("at", BigInteger, nullable=False),
    Column("actor", String(128), nullable=False, comment="server, user:…, key:…, widget:…"),
    Column("action", String(64), nullable=False),
    Column("subject", String(255), comment="what it was done to"),
    Column("outcome", String(64), nullable=False, comment="done, or the code of a refusal"),
    Column("detail", Text),
    Index("ix_audit_workspace_id_id", "workspace_id", "id"),
    sqlite_autoincrement=True,
)
