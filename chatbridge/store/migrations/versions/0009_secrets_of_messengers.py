"""messengers: settings that are secret, such as a bot's token"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "messengers",
        sa.Column(
            "secrets_sealed", sa.LargeBinary(), comment="JSON of the settings that are secret"
        ),
    )
