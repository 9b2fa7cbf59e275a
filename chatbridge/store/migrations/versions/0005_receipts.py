"""receipts: what became of operators' messages at the messenger; conversations that an operator began"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_RowId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "receipts",
        sa.Column(
            "entry_id", _RowId, autoincrement=False, nullable=False, comment="an operator's message"
        ),
        sa.Column(
            "rank", sa.SmallInteger(), nullable=False, comment="model.Mark.rank; it only grows"
        ),
        sa.Column("failed_at", sa.BigInteger()),
        sa.Column("delivered_at", sa.BigInteger()),
        sa.Column("read_at", sa.BigInteger()),
        sa.Column("reason", sa.String(length=32), comment="model.FailureReason"),
        sa.Column("text", sa.Text(), comment="why it failed, as the operator reads it"),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_receipts")),
    )
    op.create_table(
        "watermarks",
        sa.Column(
            "name", sa.String(length=64), nullable=False, comment="who goes through the journal"
        ),
        sa.Column("entry_id", sa.BigInteger(), nullable=False, comment="how far"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_watermarks")),
    )
    client = sa.Column(
        "client_ref_id",
        sa.String(length=255),
        comment="amoCRM's id of the client, if an operator began it",
    )
    op.add_column("conversations", client)
    body = sa.Column("status_body", sa.String(length=16), nullable=False, server_default="current")
    op.add_column("channels", body)
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("journal", "kind", comment="model.Kind")
        op.alter_column("journal", "body", comment="model.encode_event")
