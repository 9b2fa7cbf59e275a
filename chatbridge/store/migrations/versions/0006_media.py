"""media: files that travel with messages"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "media",
        sa.Column(
            "id",
            sa.LargeBinary(length=16),
            nullable=False,
            comment="the key of its entry; random of an upload",
        ),
        sa.Column("state", sa.String(length=16), nullable=False, comment="store.media.MediaState"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), comment="when it was kept, or given up"),
        sa.Column("entry_id", sa.BigInteger(), comment="who waits for it; absent of an upload"),
        sa.Column("lane", sa.BigInteger(), comment="where that waits"),
        sa.Column("messenger_id", sa.String(length=64), comment="whose upload it is"),
        sa.Column("used_at", sa.BigInteger(), comment="when a message first named the upload"),
        sa.Column("content_type", sa.String(length=128)),
        sa.Column("size", sa.BigInteger(), comment="bytes"),
        sa.Column("file_name", sa.Text()),
        sa.Column("code", sa.String(length=64), comment="of the error, if it was not copied"),
        sa.Column("detail", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media")),
    )
    op.create_index("ix_media_state_created_at", "media", ["state", "created_at"])
