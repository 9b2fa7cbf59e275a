"""leases: several nodes on one database"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "nodes",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False, comment="by the database's clock"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nodes")),
    )
    op.create_table(
        "leases",
        sa.Column(
            "partition",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="store.partitions",
        ),
        sa.Column(
            "node",
            sa.String(length=64),
            nullable=True,
            comment="who delivers it; nobody when absent",
        ),
        sa.Column("token", sa.BigInteger(), nullable=False, comment="grows with every new holder"),
        sa.Column("expires_at", sa.BigInteger(), nullable=False, comment="by the database's clock"),
        sa.PrimaryKeyConstraint("partition", name=op.f("pk_leases")),
    )
    op.create_index("ix_leases_node", "leases", ["node"])
