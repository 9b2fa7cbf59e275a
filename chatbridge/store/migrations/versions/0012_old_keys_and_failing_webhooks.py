"""messengers: keys that were replaced a moment ago; failing_webhooks: webhooks without a success, and which are paused"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column(
            "old_webhook_secret_sealed", sa.LargeBinary(), comment="signs beside the new one"
        ),
        sa.Column("old_webhook_secret_until", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column(
            "old_api_key_hash", sa.LargeBinary(length=32), comment="opens what the new one does"
        ),
        sa.Column("old_api_key_until", sa.BigInteger(), nullable=False, server_default="0"),
    ):
        op.add_column("messengers", column)
    op.create_table(
        "failing_webhooks",
        sa.Column("messenger_id", sa.String(length=64), nullable=False),
        sa.Column(
            "since", sa.BigInteger(), nullable=False, comment="the first failure after a success"
        ),
        sa.Column("code", sa.String(length=64), nullable=False, comment="of the last error"),
        sa.Column("paused_at", sa.BigInteger(), comment="since when nothing is sent to it"),
        sa.ForeignKeyConstraint(
            ["messenger_id"],
            ["messengers.id"],
            name=op.f("fk_failing_webhooks_messenger_id"),
        ),
        sa.PrimaryKeyConstraint("messenger_id", name=op.f("pk_failing_webhooks")),
    )
