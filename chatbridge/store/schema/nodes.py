"""The nodes of a server: who does what, and when nobody did."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table

from chatbridge.store.schema.base import RowId, metadata

nodes = Table(
    "nodes",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("expires_at", BigInteger, nullable=False, comment="by the database's clock"),
)

leases = Table(
    "leases",
    metadata,
    Column("partition", Integer, primary_key=True, autoincrement=False, comment="store.partitions"),
    Column("node", String(64), comment="who delivers it; nobody when absent"),
    Column("token", BigInteger, nullable=False, comment="grows with every new holder"),
    Column("expires_at", BigInteger, nullable=False, comment="by the database's clock"),
    Index("ix_leases_node", "node"),
)

allowances = Table(
    "allowances",
    metadata,
    Column("key", String(255), primary_key=True, comment="whose limit it is"),
    Column("next_at", BigInteger, nullable=False, comment="theoretical arrival time of GCRA"),
    Column("closed_until", BigInteger, nullable=False, comment="no call before"),
    Column("banned", Boolean, nullable=False, comment="opens by a probe only"),
)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("name", String(64), primary_key=True, comment="of what"),
    Column("at", BigInteger, nullable=False, comment="until then some node surely did it"),
)

recoveries = Table(
    "recoveries",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("from_at", BigInteger, nullable=False),
    Column("to_at", BigInteger, nullable=False),
    Column("reason", String(16), nullable=False, comment="store.recoveries.Reason"),
    Column("state", String(16), nullable=False, comment="store.recoveries.State"),
    Column("scope_id", String(255), comment="of one link; all of them when absent"),
    Column("conversations", Integer, nullable=False, comment="whose history was read"),
    Column("failed", Integer, nullable=False, comment="whose history was not given"),
    Column("recovered", Integer, nullable=False, comment="replies that were missing"),
    Column("created_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    sqlite_autoincrement=True,
)

recovered_entries = Table(
    "recovered_entries",
    metadata,
    Column("entry_id", RowId, primary_key=True, autoincrement=False),
    Column("recovery_id", RowId, nullable=False),
)
