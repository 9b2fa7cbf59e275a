"""recoveries: until when callbacks were surely taken, gaps in it, and which replies were found in amoCRM's history"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_RowId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "heartbeats",
        sa.Column("name", sa.String(length=64), nullable=False, comment="of what"),
        sa.Column(
            "at", sa.BigInteger(), nullable=False, comment="until then some node surely did it"
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeats")),
    )
    op.create_table(
        "recoveries",
        sa.Column("id", _RowId, autoincrement=True, nullable=False),
        sa.Column("from_at", sa.BigInteger(), nullable=False),
        sa.Column("to_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "reason", sa.String(length=16), nullable=False, comment="store.recoveries.Reason"
        ),
        sa.Column("state", sa.String(length=16), nullable=False, comment="store.recoveries.State"),
        sa.Column(
            "scope_id", sa.String(length=255), comment="of one link; all of them when absent"
        ),
        sa.Column("conversations", sa.Integer(), nullable=False, comment="whose history was read"),
        sa.Column("failed", sa.Integer(), nullable=False, comment="whose history was not given"),
        sa.Column("recovered", sa.Integer(), nullable=False, comment="replies that were missing"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recoveries")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "recovered_entries",
        sa.Column("entry_id", _RowId, autoincrement=False, nullable=False),
        sa.Column("recovery_id", _RowId, nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_recovered_entries")),
    )
