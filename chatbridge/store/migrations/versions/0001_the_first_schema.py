"""the first schema"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "channels",
        sa.Column(
            "id", sa.String(length=64), nullable=False, comment="the channel id given by amoCRM"
        ),
        sa.Column("code", sa.String(length=255), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("base_url", sa.Text(), nullable=False),
        sa.Column("signing", sa.String(length=16), nullable=False),
        sa.Column("hook_version", sa.String(length=8), nullable=False),
        sa.Column("bot_id", sa.String(length=64), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channels")),
        sa.UniqueConstraint("code", name=op.f("uq_channels_code")),
    )
    op.create_table(
        "messengers",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("webhook_url", sa.Text(), nullable=True),
        sa.Column("webhook_format", sa.String(length=16), nullable=False),
        sa.Column("webhook_secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("api_key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("amojo_channel_id", sa.String(length=64), nullable=False),
        sa.Column("amojo_account_id", sa.String(length=64), nullable=False),
        sa.Column("amojo_secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False, comment="JSON"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messengers")),
        sa.UniqueConstraint("amojo_channel_id", name=op.f("uq_messengers_amojo_channel_id")),
        sa.UniqueConstraint("api_key_hash", name=op.f("uq_messengers_api_key_hash")),
    )
    op.create_table(
        "links",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("scope_id", sa.String(length=255), nullable=False),
        sa.Column("channel_id", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("messenger_id", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("hook_version", sa.String(length=8), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("connected_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_links_channel_id")),
        sa.ForeignKeyConstraint(
            ["messenger_id"], ["messengers.id"], name=op.f("fk_links_messenger_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
        sa.UniqueConstraint(
            "channel_id", "account_id", name=op.f("uq_links_channel_id_account_id")
        ),
        sa.UniqueConstraint("scope_id", name=op.f("uq_links_scope_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "conversations",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("link_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "external_id",
            sa.String(length=255),
            nullable=True,
            comment="the messenger's id; absent while only amoCRM knows it",
        ),
        sa.Column(
            "amojo_id", sa.String(length=255), nullable=True, comment="amoCRM's id, once known"
        ),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name=op.f("fk_conversations_link_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversations")),
        sa.UniqueConstraint("link_id", "amojo_id", name=op.f("uq_conversations_link_id_amojo_id")),
        sa.UniqueConstraint(
            "link_id", "external_id", name=op.f("uq_conversations_link_id_external_id")
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "unknown_events",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("link_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name=op.f("fk_unknown_events_link_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unknown_events")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("unknown_events", schema=None) as batch_op:
        batch_op.create_index("ix_unknown_events_link_id_id", ["link_id", "id"], unique=False)

    op.create_table(
        "journal",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="the order of acceptance",
        ),
        sa.Column(
            "conversation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("direction", sa.SmallInteger(), nullable=False, comment="model.Direction"),
        sa.Column(
            "kind",
            sa.String(length=16),
            nullable=False,
            comment="message, later also edit, status, reaction",
        ),
        sa.Column(
            "key", sa.LargeBinary(length=16), nullable=False, comment="refuses a second acceptance"
        ),
        sa.Column(
            "digest",
            sa.LargeBinary(length=16),
            nullable=False,
            comment="tells a repeat from a reused id",
        ),
        sa.Column(
            "message_id",
            sa.String(length=255),
            nullable=False,
            comment="the message it is, or is about",
        ),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="model.encode_message"),
        sa.Column(
            "received_at", sa.BigInteger(), nullable=False, comment="when its bytes had arrived"
        ),
        sa.Column(
            "stored_at", sa.BigInteger(), nullable=False, comment="when its transaction was written"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
        sa.UniqueConstraint("key", name=op.f("uq_journal_key")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("journal", schema=None) as batch_op:
        batch_op.create_index(
            "ix_journal_conversation_id_id", ["conversation_id", "id"], unique=False
        )

    op.create_table(
        "attempts",
        sa.Column(
            "entry_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False, comment="from 1"),
        sa.Column(
            "outcome",
            sa.String(length=16),
            nullable=False,
            comment="delivered, retry, parked, released",
        ),
        sa.Column("signed_at", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=True, comment="of the error, if one"),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column(
            "far_id",
            sa.String(length=255),
            nullable=True,
            comment="the far side's id of the message",
        ),
        sa.PrimaryKeyConstraint("entry_id", "number", name=op.f("pk_attempts")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "parked",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("lane", sa.BigInteger(), nullable=False),
        sa.Column("link_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False, comment="code of the last error"),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("parked_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name=op.f("fk_parked_link_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parked")),
    )
    with op.batch_alter_table("parked", schema=None) as batch_op:
        batch_op.create_index("ix_parked_lane_id", ["lane", "id"], unique=False)
        batch_op.create_index("ix_parked_link_id_id", ["link_id", "id"], unique=False)

    op.create_table(
        "pending",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "lane",
            sa.BigInteger(),
            nullable=False,
            comment="conversation and direction: delivery.lanes",
        ),
        sa.Column("attempts", sa.Integer(), nullable=False, comment="made so far"),
        sa.Column(
            "since",
            sa.BigInteger(),
            nullable=False,
            comment="when the schedule began: acceptance or release",
        ),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pending")),
    )
    with op.batch_alter_table("pending", schema=None) as batch_op:
        batch_op.create_index("ix_pending_lane_id", ["lane", "id"], unique=False)
