"""integrations, crm_accounts, authorizations, grants: who lets us into the CRM, and how it came to that"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "integrations",
        sa.Column("client_id", sa.String(length=64), nullable=False, comment="amoCRM's id of it"),
        sa.Column("workspace_id", sa.String(length=64), comment="absent: the server's"),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("zone", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_integrations")),
    )
    _accounts()
    op.create_table(
        "authorizations",
        sa.Column("state_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("workspace_id", sa.String(length=64)),
        sa.Column(
            "client_id",
            sa.String(length=64),
            comment="absent until an external integration is made",
        ),
        sa.Column("zone", sa.String(length=16), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("origin", sa.Text(), comment="of the page that is told"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_authorizations")),
    )
    _grants()


def _accounts() -> None:
    op.create_table(
        "crm_accounts",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("workspace_id", sa.String(length=64), comment="absent: nobody's yet"),
        sa.Column("account_id", sa.BigInteger(), nullable=False, comment="the CRM's number"),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column(
            "api_domain", sa.String(length=255), comment="knows the host, whatever it is now"
        ),
        sa.Column("amojo_id", sa.String(length=64)),
        sa.Column("name", sa.Text()),
        sa.Column("timezone", sa.String(length=64)),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False, comment="when the state began"),
        sa.Column("why", sa.String(length=16), comment="of being signed out"),
        sa.Column(
            "long_lived", sa.Boolean(), nullable=False, comment="its token cannot be renewed"
        ),
        sa.Column("access_sealed", sa.LargeBinary()),
        sa.Column("refresh_sealed", sa.LargeBinary()),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "generation", sa.Integer(), nullable=False, comment="grows with every pair of tokens"
        ),
        sa.Column(
            "refresher",
            sa.String(length=64),
            comment="who renews them, or did not say what came of it",
        ),
        sa.Column(
            "refresher_until", sa.BigInteger(), nullable=False, comment="by the database's clock"
        ),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["integrations.client_id"], name=op.f("fk_crm_accounts_client_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm_accounts")),
        sa.UniqueConstraint(
            "client_id", "account_id", name=op.f("uq_crm_accounts_client_id_account_id")
        ),
    )


def _grants() -> None:
    op.create_table(
        "grants",
        sa.Column("id", _ROW_ID, autoincrement=True, nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("query_sealed", sa.LargeBinary(), comment="as it came; until it is done with"),
        sa.Column(
            "tokens_sealed", sa.LargeBinary(), comment="what the code became, before it is used"
        ),
        sa.Column("workspace_id", sa.String(length=64)),
        sa.Column("client_id", sa.String(length=64)),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("why", sa.String(length=64), comment="an error's code, or what amoCRM said"),
        sa.Column("account", sa.String(length=64), comment="crm_accounts.id"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False, comment="no attempt before"),
        sa.Column("claimed_until", sa.BigInteger(), nullable=False, comment="somebody is at it"),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_grants_code_hash")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_grants_state", "grants", ["state", "due_at"])
