"""workspaces with their people, sessions and keys; an audit; messengers and channels belong to a workspace"""

import sqlalchemy as sa
from alembic import op

from chatbridge.store.migrations import first_workspace

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_RowId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _create_workspaces()
    _create_people()
    _create_audit()
    # Without foreign keys: SQLite cannot add them to a table that others refer to.
    op.add_column(
        "messengers",
        sa.Column("workspace_id", sa.String(length=64), nullable=False, server_default="main"),
    )
    op.add_column(
        "channels",
        sa.Column("workspace_id", sa.String(length=64), comment="absent: every workspace's"),
    )


def _create_workspaces() -> None:
    workspaces = op.create_table(
        "workspaces",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspaces")),
    )
    op.bulk_insert(workspaces, [first_workspace()])


def _create_people() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("workspace_id", sa.String(length=64), nullable=False),
        sa.Column("login", sa.String(length=255), nullable=False, comment="case folded"),
        sa.Column("name", sa.String(length=255)),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False, comment="argon2id"),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_users_workspace_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("login", name=op.f("uq_users_login")),
    )
    op.create_index("ix_users_workspace_id", "users", ["workspace_id"])
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sessions")),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_table(
        "workspace_keys",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("workspace_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_workspace_keys_workspace_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspace_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_workspace_keys_key_hash")),
    )
    op.create_index("ix_workspace_keys_workspace_id", "workspace_keys", ["workspace_id"])


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", _RowId, autoincrement=True, nullable=False),
        sa.Column(
            "workspace_id", sa.String(length=64), comment="absent for what concerns the server"
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column(
            "actor",
            sa.String(length=128),
            nullable=False,
            comment="server, user:…, key:…, widget:…",
        ),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=255), comment="what it was done to"),
        sa.Column(
            "outcome",
            sa.String(length=64),
            nullable=False,
            comment="done, or the code of a refusal",
        ),
        sa.Column("detail", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_workspace_id_id", "audit", ["workspace_id", "id"])
