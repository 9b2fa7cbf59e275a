"""far_ids: what messengers call operators' messages"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "far_ids",
        sa.Column("messenger_id", sa.String(length=64), nullable=False),
        sa.Column(
            "far_id",
            sa.String(length=255),
            nullable=False,
            comment="the messenger's id of a message",
        ),
        sa.Column(
            "entry_id", sa.BigInteger(), nullable=False, comment="what was sent as that message"
        ),
        sa.Column(
            "place",
            sa.SmallInteger(),
            nullable=False,
            comment="among several that were sent for one entry",
        ),
        sa.PrimaryKeyConstraint("messenger_id", "far_id", name=op.f("pk_far_ids")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_far_ids_entry_id_place", "far_ids", ["entry_id", "place"])
