"""imports of history, and an index of conversations beside the journal"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_RowId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "conversation_entries",
        sa.Column("conversation_id", _RowId, autoincrement=False, nullable=False),
        sa.Column("entry_id", _RowId, autoincrement=False, nullable=False),
        sa.Column(
            "is_message",
            sa.Boolean(),
            nullable=False,
            comment="or something that happened to a message",
        ),
        sa.PrimaryKeyConstraint(
            "conversation_id", "entry_id", name=op.f("pk_conversation_entries")
        ),
        sqlite_with_rowid=False,
    )
    _create_imports()
    _create_import_lines()


def _create_imports() -> None:
    op.create_table(
        "imports",
        sa.Column("id", _RowId, autoincrement=True, nullable=False),
        sa.Column("messenger_id", sa.String(length=64), nullable=False),
        sa.Column(
            "name", sa.String(length=255), nullable=False, comment="the messenger's id of it"
        ),
        sa.Column(
            "state", sa.String(length=16), nullable=False, comment="store.imports.ImportState"
        ),
        sa.Column(
            "lines",
            sa.Integer(),
            nullable=False,
            comment="taken, each message once, bad ones too",
        ),
        sa.Column("bad", sa.Integer(), nullable=False),
        sa.Column("repeated", sa.Integer(), nullable=False, comment="were in the journal before"),
        sa.Column("imported", sa.Integer(), nullable=False),
        sa.Column("delivered", sa.Integer(), nullable=False, comment="of those imported"),
        sa.Column("failed", sa.Integer(), nullable=False, comment="of those imported: given up"),
        sa.Column("cancelled", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("uploaded_at", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["messenger_id"], ["messengers.id"], name=op.f("fk_imports_messenger_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
        sa.UniqueConstraint("messenger_id", "name", name=op.f("uq_imports_messenger_id_name")),
        sqlite_autoincrement=True,
    )


def _create_import_lines() -> None:
    op.create_table(
        "import_lines",
        sa.Column("id", _RowId, autoincrement=True, nullable=False),
        sa.Column("import_id", _RowId, nullable=False),
        sa.Column(
            "state", sa.SmallInteger(), nullable=False, comment="store.import_lines.LineState"
        ),
        sa.Column(
            "number", sa.BigInteger(), nullable=False, comment="in the upload with which it came"
        ),
        sa.Column(
            "key",
            sa.LargeBinary(length=16),
            nullable=False,
            comment="the journal's; of a bad line, its own",
        ),
        sa.Column("digest", sa.LargeBinary(length=16), comment="the journal's"),
        sa.Column("link_id", _RowId),
        sa.Column("conversation_id", sa.String(length=255), comment="the messenger's"),
        sa.Column("sent_at", sa.BigInteger()),
        sa.Column(
            "is_newest",
            sa.Boolean(),
            nullable=False,
            comment="of its conversation; set when claimed",
        ),
        sa.Column("scope_id", sa.String(length=255), comment="as the line says"),
        sa.Column("body", sa.LargeBinary(), comment="model.encode_event"),
        sa.Column("code", sa.String(length=64), comment="of the error, if it is bad"),
        sa.Column("reason", sa.Text()),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name=op.f("fk_import_lines_import_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_lines")),
        sa.UniqueConstraint("import_id", "key", name=op.f("uq_import_lines_import_id_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_import_lines_order",
        "import_lines",
        ["import_id", "state", "link_id", "conversation_id", "sent_at", "id"],
    )
