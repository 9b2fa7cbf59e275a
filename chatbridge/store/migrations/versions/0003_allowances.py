"""allowances: rate limits shared by all nodes"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "allowances",
        sa.Column("key", sa.String(length=255), nullable=False, comment="whose limit it is"),
        sa.Column(
            "next_at", sa.BigInteger(), nullable=False, comment="theoretical arrival time of GCRA"
        ),
        sa.Column("closed_until", sa.BigInteger(), nullable=False, comment="no call before"),
        sa.Column("banned", sa.Boolean(), nullable=False, comment="opens by a probe only"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_allowances")),
    )
