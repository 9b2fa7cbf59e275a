"""feeds: events that wait until messengers fetch them"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "feeds",
        sa.Column("messenger_id", sa.String(length=64), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False, comment="position of its newest event"),
        sa.Column(
            "fetched",
            sa.BigInteger(),
            nullable=False,
            comment="up to here the messenger has got its events",
        ),
        sa.PrimaryKeyConstraint("messenger_id", name=op.f("pk_feeds")),
    )
    op.create_table(
        "feed_events",
        sa.Column("messenger_id", sa.String(length=64), nullable=False),
        sa.Column(
            "position",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="from 1, without gaps, in the order of commits",
        ),
        sa.Column(
            "key", sa.String(length=255), nullable=False, comment="refuses a second appending"
        ),
        sa.Column(
            "topic",
            sa.String(length=255),
            nullable=False,
            comment="the messenger's id of a conversation",
        ),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="JSON"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("messenger_id", "position", name=op.f("pk_feed_events")),
        sa.UniqueConstraint("key", "messenger_id", name=op.f("uq_feed_events_key_messenger_id")),
    )
    op.create_index(
        op.f("ix_feed_events_messenger_id_topic_position"),
        "feed_events",
        ["messenger_id", "topic", "position"],
    )
    op.create_index(op.f("ix_feed_events_created_at"), "feed_events", ["created_at"])
