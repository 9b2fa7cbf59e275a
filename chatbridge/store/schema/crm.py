"""Accounts of the CRM: who lets us in, with which tokens, and how they came to us."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from chatbridge.store.schema.base import RowId, metadata

integrations = Table(
    "integrations",
    metadata,
    Column("client_id", String(64), primary_key=True, comment="amoCRM's id of it"),
    Column("workspace_id", String(64), comment="absent: the server's"),
    Column("kind", String(16), nullable=False),
    Column("name", Text, nullable=False),
    Column("secret_sealed", LargeBinary, nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("zone", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)

crm_accounts = Table(
    "crm_accounts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("client_id", ForeignKey("integrations.client_id"), nullable=False),
    Column("workspace_id", String(64), comment="absent: nobody's yet"),
    Column("account_id", BigInteger, nullable=False, comment="the CRM's number"),
    Column("host", String(255), nullable=False),
    Column("api_domain", String(255), comment="knows the host, whatever it is now"),
    Column("amojo_id", String(64)),
    Column("name", Text),
    Column("timezone", String(64)),
    Column("state", String(16), nullable=False),
    Column("since", BigInteger, nullable=False, comment="when the state began"),
    Column("why", String(16), comment="of being signed out"),
    Column("long_lived", Boolean, nullable=False, comment="its token cannot be renewed"),
    Column("access_sealed", LargeBinary),
    Column("refresh_sealed", LargeBinary),
    Column("expires_at", BigInteger, nullable=False),
    Column("generation", Integer, nullable=False, comment="grows with every pair of tokens"),
    Column("refresher", String(64), comment="who renews them, or did not say what came of it"),
    Column("refresher_until", BigInteger, nullable=False, comment="by the database's clock"),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    UniqueConstraint("client_id", "account_id"),
)

authorizations = Table(
    "authorizations",
    metadata,
    Column("state_hash", LargeBinary(32), primary_key=True),
    Column("workspace_id", String(64)),
    Column("client_id", String(64), comment="absent until an external integration is made"),
    Column("zone", String(16), nullable=False),
    Column("mode", String(16), nullable=False),
    Column("origin", Text, comment="of the page that is told"),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
)

grants = Table(
    "grants",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("code_hash", LargeBinary(32), nullable=False, unique=True),
    Column("query_sealed", LargeBinary, comment="as it came; until it is done with"),
    Column("tokens_sealed", LargeBinary, comment="what the code became, before it is used"),
    Column("workspace_id", String(64)),
    Column("client_id", String(64)),
    Column("state", String(16), nullable=False),
    Column("why", String(64), comment="an error's code, or what amoCRM said"),
    Column("account", String(64), comment="crm_accounts.id"),
    Column("attempts", Integer, nullable=False),
    Column("due_at", BigInteger, nullable=False, comment="no attempt before"),
    Column("claimed_until", BigInteger, nullable=False, comment="somebody is at it"),
    Column("received_at", BigInteger, nullable=False),
    Index("ix_grants_state", "state", "due_at"),
    sqlite_autoincrement=True,
)
