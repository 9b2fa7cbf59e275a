"""All tables. Times are integers: microseconds since 1970-01-01 UTC. Columns named `…_sealed` are encrypted.

The heart is `journal`: one immutable row for everything accepted from either side, in the order it was accepted.
`pending` holds a small row for each entry still to deliver; delivering deletes it and adds a row to `attempts`.
Giving up moves it to `parked`. So the wide rows are written once, and what is waiting can be read without them.

These four have no foreign keys: their rows are made together, in one transaction, from ids that the database gave a moment
before, and a check for each row would cost as much as writing it; nor have `conversation_entries`, which is made of the journal, and the feeds.
Everything that people set up has them.

Whoever removes entries from the journal one day removes their rows of `attempts`, `conversation_entries`, `receipts`, `far_ids` and
`recovered_entries` with them.
"""

from chatbridge.store.schema.base import metadata
from chatbridge.store.schema.crm import authorizations, crm_accounts, grants, integrations
from chatbridge.store.schema.directory import channels, failing_webhooks, links, messengers
from chatbridge.store.schema.feeds import feed_events, feeds
from chatbridge.store.schema.imports import import_lines, imports
from chatbridge.store.schema.journal import (
    attempts,
    conversation_entries,
    conversations,
    far_ids,
    journal,
    parked,
    pending,
    receipts,
    unknown_events,
    watermarks,
)
from chatbridge.store.schema.media import media
from chatbridge.store.schema.nodes import (
    allowances,
    heartbeats,
    leases,
    nodes,
    recovered_entries,
    recoveries,
)
from chatbridge.store.schema.workspaces import audit, sessions, users, workspace_keys, workspaces

__all__ = [
    "allowances",
    "attempts",
    "audit",
    "authorizations",
    "channels",
    "conversation_entries",
    "conversations",
    "crm_accounts",
    "failing_webhooks",
    "far_ids",
    "feed_events",
    "feeds",
    "grants",
    "heartbeats",
    "import_lines",
    "imports",
    "integrations",
    "journal",
    "leases",
    "links",
    "media",
    "messengers",
    "metadata",
    "nodes",
    "parked",
    "pending",
    "receipts",
    "recovered_entries",
    "recoveries",
    "sessions",
    "unknown_events",
    "users",
    "watermarks",
    "workspace_keys",
    "workspaces",
]
