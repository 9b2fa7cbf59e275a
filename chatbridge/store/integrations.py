"""Integrations: with which client of OAuth accounts let us in. Secrets are sealed on the way in and opened on the way out."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from chatbridge.errors import AlreadyExists, IntegrationInUse
from chatbridge.model import AccountState, Integration, IntegrationKind, SignOut
from chatbridge.store.schema import crm_accounts, integrations
from chatbridge.store.sealing import Sealer

_ROW = integrations.c


def list_integrations(connection: Connection, sealer: Sealer) -> list[Integration]:
    """Return every integration, oldest first."""
    rows = connection.execute(select(integrations).order_by(_ROW.created_at, _ROW.client_id))
    return [_integration(row, sealer) for row in rows.mappings()]


def find(connection: Connection, client_id: str, sealer: Sealer) -> Integration | None:
    """Return an integration, None if there is none."""
    query = select(integrations).where(_ROW.client_id == client_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _integration(row, sealer)


def add(connection: Connection, integration: Integration, sealer: Sealer) -> None:
    """Store a new integration. Whoever names one that is there changes nothing of it.

    Raises:
        AlreadyExists: its id is taken.

    """
    try:
        with connection.begin_nested():
            connection.execute(insert(integrations).values(_row(integration, sealer)))
    except IntegrityError as error:
        raise AlreadyExists(
            f"There is an integration {integration.client_id}. Change it with PATCH."
        ) from error


def change(
    connection: Connection, client_id: str, changes: Mapping[str, Any], sealer: Sealer, *, now: int
) -> Integration | None:
    """Change these members of an integration; return what it is then, None if there is none.

    Accounts that were signed out because its keys were wrong are let in again: their tokens were never at fault.
    """
    query = select(integrations).where(_ROW.client_id == client_id).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    changed = replace(_integration(row, sealer), **changes, updated_at=now)
    same = update(integrations).where(_ROW.client_id == client_id)
    connection.execute(same.values(_row(changed, sealer)))
    account = crm_accounts.c
    kept_out = update(crm_accounts).where(
        account.client_id == client_id, account.why == SignOut.KEYS
    )
    state = {"state": AccountState.AUTHORIZED, "why": None, "since": now, "expires_at": 0}
    connection.execute(kept_out.values(state))
    return changed


def remove(connection: Connection, client_id: str) -> bool:
    """Remove an integration; return whether there was one.

    Raises:
        IntegrationInUse: accounts are connected through it.

    """
    try:
        with connection.begin_nested():
            gone = connection.execute(delete(integrations).where(_ROW.client_id == client_id))
    except IntegrityError as error:
        raise IntegrationInUse from error
    return gone.rowcount > 0


def _row(integration: Integration, sealer: Sealer) -> dict[str, Any]:
    row = asdict(integration)
    return row | {"secret_sealed": sealer.seal(row.pop("secret"))}


def _integration(row: RowMapping, sealer: Sealer) -> Integration:
    members = dict(row)
    secret = sealer.open(bytes(members.pop("secret_sealed")))
    return Integration(**members | {"secret": secret, "kind": IntegrationKind(row["kind"])})
