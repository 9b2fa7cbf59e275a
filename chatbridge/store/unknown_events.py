"""Callbacks that were signed but that this version does not understand: kept as they came."""

from sqlalchemy import Connection, insert

from chatbridge.store.schema import unknown_events


def keep(
    connection: Connection, *, link_id: int, kind: str, reason: str, body: bytes, received_at: int
) -> None:
    """Store a callback's bytes with the reason why it was not relayed."""
    connection.execute(
        insert(unknown_events).values(
            link_id=link_id, kind=kind, reason=reason, body=body, received_at=received_at
        )
    )
