"""Authorizations that were begun, and the codes that came of them or by themselves. A code is credited to one grant, once.

Of a state only its hash is kept. The query with the code is kept sealed until it is done with.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import orjson
from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from chatbridge.errors import AuthorizationFault
from chatbridge.model import GrantState, Integration, TokenPair
from chatbridge.store import integrations
from chatbridge.store.dialect import insert_new, present
from chatbridge.store.schema import authorizations, grants
from chatbridge.store.sealing import Sealer

_STATE, _GRANT = authorizations.c, grants.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """What was begun, for whom."""

    state_hash: bytes
    workspace_id: str | None
    client_id: str | None
    """None until an external integration is made."""
    zone: str
    mode: str
    origin: str | None
    """Of the page that is told how it ended."""
    created_at: int
    expires_at: int
    used_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantDraft:
    """A code that has come."""

    code_hash: bytes
    query: str
    """Of the address, as it came."""
    workspace_id: str | None
    client_id: str | None
    received_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A code on its way to become tokens, in the hands of one who works on it."""

    id: int
    query: str
    tokens: TokenPair | None
    """What it became, if that is known already."""
    workspace_id: str | None
    client_id: str | None
    attempts: int
    received_at: int


class Outcome(NamedTuple):
    """What became of a grant."""

    state: GrantState
    why: str | None
    account: str | None


def begin(connection: Connection, authorization: Authorization) -> None:
    """Store an authorization that somebody is sent off with; its state is fresh."""
    row = {name: getattr(authorization, name) for name in Authorization.__dataclass_fields__}
    connection.execute(insert(authorizations).values(row))


def find(connection: Connection, state_hash: bytes) -> Authorization | None:
    """Return an authorization, whether it is finished or not."""
    query = select(authorizations).where(_STATE.state_hash == state_hash)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Authorization(**row)


def admit(
    connection: Connection,
    state_hash: bytes,
    make: Callable[[Authorization], Integration],
    sealer: Sealer,
    *,
    now: int,
) -> AuthorizationFault | None:
    """Store the integration that was made for an open authorization, once; return why it cannot be.

    Raises:
        AlreadyExists: there is an integration with its id; nothing is changed.

    """
    begun = _open(connection, state_hash, now)
    if isinstance(begun, AuthorizationFault):
        return begun
    if begun.client_id is not None:
        return AuthorizationFault.USED
    integration = make(begun)
    integrations.add(connection, integration, sealer)
    named = update(authorizations).where(_STATE.state_hash == state_hash)
    connection.execute(named.values(client_id=integration.client_id))
    return None


def finish(
    connection: Connection, state_hash: bytes, client_id: str | None, *, now: int
) -> Authorization | AuthorizationFault:
    """Finish an authorization, once; return it, or why it cannot be."""
    begun = _open(connection, state_hash, now)
    if isinstance(begun, AuthorizationFault):
        return begun
    if begun.client_id is None or client_id not in {None, begun.client_id}:
        return AuthorizationFault.FOREIGN
    used = update(authorizations).where(_STATE.state_hash == state_hash)
    connection.execute(used.values(used_at=now))
    return begun


def take(connection: Connection, draft: GrantDraft, sealer: Sealer) -> tuple[int, bool]:
    """Store a code; return the grant's number, and whether the code is new."""
    fresh = insert_new(connection, grants, "code_hash").values(
        code_hash=draft.code_hash,
        query_sealed=sealer.seal(draft.query),
        workspace_id=draft.workspace_id,
        client_id=draft.client_id,
        state=GrantState.WAITING,
        attempts=0,
        due_at=draft.received_at,
        claimed_until=0,
        received_at=draft.received_at,
    )
    made = connection.execute(fresh.returning(_GRANT.id)).scalar_one_or_none()
    if made is not None:
        return int(made), True
    known = select(_GRANT.id).where(_GRANT.code_hash == draft.code_hash)
    return int(connection.execute(known).scalar_one()), False


def finish_and_take(
    connection: Connection, state_hash: bytes, draft: GrantDraft, sealer: Sealer, *, now: int
) -> tuple[int, Authorization] | AuthorizationFault:
    """Finish an authorization and store its code, both or none; return the grant's number and what was begun."""
    finished = finish(connection, state_hash, draft.client_id, now=now)
    if isinstance(finished, AuthorizationFault):
        return finished
    theirs = GrantDraft(
        code_hash=draft.code_hash,
        query=draft.query,
        workspace_id=finished.workspace_id,
        client_id=finished.client_id,
        received_at=draft.received_at,
    )
    number, fresh = take(connection, theirs, sealer)
    return (number, finished) if fresh else AuthorizationFault.USED


def list_due(connection: Connection, *, now: int, most: int) -> list[int]:
    """Return grants that wait and are nobody's at the moment, oldest first."""
    at = present(connection, now)
    due = (_GRANT.state == GrantState.WAITING, _GRANT.due_at <= at, _GRANT.claimed_until <= at)
    return list(connection.scalars(select(_GRANT.id).where(*due).order_by(_GRANT.id).limit(most)))


def claim(
    connection: Connection, number: int, *, seconds: float, now: int, sealer: Sealer
) -> Grant | None:
    """Take a grant for so many seconds; return None if it does not wait, or somebody else has it."""
    at = present(connection, now)
    free = (_GRANT.id == number, _GRANT.state == GrantState.WAITING, _GRANT.claimed_until <= at)
    taken = update(grants).where(*free)
    taken = taken.values(claimed_until=at + int(seconds * 1_000_000), attempts=_GRANT.attempts + 1)
    row = connection.execute(taken.returning(grants)).mappings().one_or_none()
    return None if row is None else _grant(row, sealer)


def keep_tokens(connection: Connection, number: int, tokens: TokenPair, sealer: Sealer) -> None:
    """Store what a code became, before anything is done with it: the code is used up."""
    said = {name: getattr(tokens, name) for name in TokenPair.__dataclass_fields__}
    sealed = sealer.seal(orjson.dumps(said).decode())
    connection.execute(update(grants).where(_GRANT.id == number).values(tokens_sealed=sealed))


def put_off(connection: Connection, number: int, *, due_at: int, why: str) -> None:
    """Give a grant back, to be tried again then."""
    values = {"due_at": due_at, "claimed_until": 0, "why": why}
    connection.execute(update(grants).where(_GRANT.id == number).values(values))


def settle(
    connection: Connection, number: int, state: GrantState, *, why: str | None, account: str | None
) -> None:
    """Write what became of a grant, and forget the code."""
    values = {"state": state, "why": why, "account": account}
    values |= {"query_sealed": None, "tokens_sealed": None}
    connection.execute(update(grants).where(_GRANT.id == number).values(values))


def outcome(connection: Connection, number: int) -> Outcome:
    """Return what became of a grant so far."""
    query = select(_GRANT.state, _GRANT.why, _GRANT.account).where(_GRANT.id == number)
    state, why, account = connection.execute(query).one()
    return Outcome(GrantState(state), why, account)


def prune(connection: Connection, *, before: int) -> None:
    """Remove what is older than that: authorizations, and codes that nobody waits for."""
    connection.execute(delete(authorizations).where(_STATE.expires_at < before))
    connection.execute(delete(grants).where(_GRANT.received_at < before))


def _open(
    connection: Connection, state_hash: bytes, now: int
) -> Authorization | AuthorizationFault:
    """Return an authorization that is not finished, which nobody else finishes meanwhile; or why there is none."""
    query = select(authorizations).where(_STATE.state_hash == state_hash).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return AuthorizationFault.UNKNOWN
    begun = Authorization(**row)
    if begun.used_at is not None:
        return AuthorizationFault.USED
    return AuthorizationFault.EXPIRED if begun.expires_at <= now else begun


def _grant(row: RowMapping, sealer: Sealer) -> Grant:
    kept = row["tokens_sealed"]
    return Grant(
        id=row["id"],
        query=sealer.open(bytes(row["query_sealed"])),
        tokens=None if kept is None else TokenPair(**orjson.loads(sealer.open(bytes(kept)))),
        workspace_id=row["workspace_id"],
        client_id=row["client_id"],
        attempts=row["attempts"],
        received_at=row["received_at"],
    )
