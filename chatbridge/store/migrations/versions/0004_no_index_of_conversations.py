"""no index of conversations in the journal: nothing reads by it, and it costs every message a random page"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_journal_conversation_id_id", table_name="journal")
