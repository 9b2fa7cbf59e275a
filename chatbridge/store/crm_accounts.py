"""Accounts of the CRM and their tokens, which only one node renews at a time.

A pair of tokens belongs to a generation. What is decided about a pair counts only as long as it is the newest: a new pair is stored
if its predecessor is still there, whoever is thought to be renewing it by then, as nobody has another one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, select, update

from chatbridge.errors import AccountTaken
from chatbridge.model import AccountState, CrmAccount, SignOut, TokenPair
from chatbridge.store.dialect import insert_new, present
from chatbridge.store.schema import crm_accounts
from chatbridge.store.sealing import Sealer

_ROW = crm_accounts.c
_ACCOUNT = [_ROW[name] for name in CrmAccount.__dataclass_fields__]


class Turn(Enum):
    """Whether the asking one may renew a pair."""

    NEEDLESS = "the tokens are as they should be"
    MINE = "it may, and nobody else meanwhile"
    TAKEN = "somebody else does"
    CLOSED = "the account is signed out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an account stands at the moment when somebody asks for its tokens."""

    account: CrmAccount
    tokens: TokenPair | None
    """None once it is signed out."""
    turn: Turn
    unsettled: bool = False
    """Somebody began to renew this pair and never said what came of it."""


def list_accounts(connection: Connection) -> list[CrmAccount]:
    """Return every account, oldest first."""
    rows = connection.execute(select(*_ACCOUNT).order_by(_ROW.created_at, _ROW.id))
    return [_account(row) for row in rows.mappings()]


def find(connection: Connection, account: str) -> CrmAccount | None:
    """Return an account, None if there is none."""
    return _find(connection, _ROW.id == account)


def find_by_number(connection: Connection, client_id: str, account_id: int) -> CrmAccount | None:
    """Return an account by the CRM's number, as one integration knows it."""
    return _find(connection, _ROW.client_id == client_id, _ROW.account_id == account_id)


def load(
    connection: Connection, account: str, sealer: Sealer
) -> tuple[CrmAccount, TokenPair | None] | None:
    """Return an account and its tokens, None if there is no such account."""
    query = select(crm_accounts).where(_ROW.id == account)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else (_account(row), _tokens(row, sealer))


def list_ending(connection: Connection, before: int) -> list[str]:
    """Return the accounts whose tokens can be renewed and end before that, the first to end first."""
    ending = (
        _ROW.state == AccountState.AUTHORIZED,
        _ROW.long_lived.is_(False),
        _ROW.expires_at < before,
    )
    query = select(_ROW.id).where(*ending).order_by(_ROW.expires_at)
    return list(connection.scalars(query))


def sign_in(
    connection: Connection, account: CrmAccount, tokens: TokenPair, sealer: Sealer
) -> CrmAccount:
    """Store an account that lets us in, with its first pair or a new one, and return it as it is then.

    Of one that is known, the id, the workspace and the time of its making stay; a workspace is given to one that has none.

    Raises:
        AccountTaken: it belongs to another workspace.

    """
    values = {name: getattr(account, name) for name in CrmAccount.__dataclass_fields__}
    values |= _sealed(tokens, sealer) | {"refresher": None, "refresher_until": 0}
    fresh = insert_new(connection, crm_accounts, "client_id", "account_id").values(values)
    if connection.execute(fresh).rowcount > 0:
        return account
    mine = (_ROW.client_id == account.client_id, _ROW.account_id == account.account_id)
    row = connection.execute(select(crm_accounts).where(*mine).with_for_update()).mappings().one()
    owners = {row["workspace_id"], account.workspace_id} - {None}
    if len(owners) > 1:
        raise AccountTaken
    stay = {"id": row["id"], "created_at": row["created_at"], "generation": row["generation"] + 1}
    stay["workspace_id"] = next(iter(owners), None)
    if row["state"] == AccountState.AUTHORIZED:
        stay["since"] = row["since"]
    _write(connection, *mine, **values | stay)
    query = select(*_ACCOUNT).where(_ROW.id == row["id"])
    return _account(connection.execute(query).mappings().one())


def take_turn(
    connection: Connection,
    account: str,
    wanted: Callable[[CrmAccount, TokenPair], bool],
    *,
    holder: str,
    seconds: float,
    now: int,
    sealer: Sealer,
) -> Standing | None:
    """Return how an account stands, None if there is none; if its tokens are to be renewed, by whom.

    Guarantees: of all who ask, on any node, one gets the turn, until it says what came of it or its seconds are over.

    Args:
        connection: in a transaction.
        account: which.
        wanted: whether these tokens are to be renewed; pure.
        holder: who asks.
        seconds: for how long nobody else is to do it.
        now: the present where the database has no clock of its own.
        sealer: opens the tokens.

    """
    query = select(crm_accounts, present(connection, now).label("now"))
    query = query.where(_ROW.id == account).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    found, tokens = _account(row), _tokens(row, sealer)
    if tokens is None or found.state is AccountState.SIGNED_OUT:
        return Standing(account=found, tokens=None, turn=Turn.CLOSED)
    if not wanted(found, tokens):
        return Standing(account=found, tokens=tokens, turn=Turn.NEEDLESS)
    if row["refresher"] is not None and row["refresher_until"] > row["now"]:
        return Standing(account=found, tokens=tokens, turn=Turn.TAKEN)
    until = int(row["now"]) + int(seconds * 1_000_000)
    _write(connection, _ROW.id == account, refresher=holder, refresher_until=until)
    unsettled = row["refresher"] is not None
    return Standing(account=found, tokens=tokens, turn=Turn.MINE, unsettled=unsettled)


def store_pair(
    connection: Connection,
    before: CrmAccount,
    tokens: TokenPair,
    *,
    host: str,
    now: int,
    sealer: Sealer,
) -> bool:
    """Store the pair that followed the one of `before`; return whether that was still the newest.

    Whoever signed the account out meanwhile knew nothing of this pair: it lets us in again.
    """
    values = _sealed(tokens, sealer) | {
        "state": AccountState.AUTHORIZED,
        "why": None,
        "host": host,
        "generation": before.generation + 1,
        "refresher": None,
        "refresher_until": 0,
        "updated_at": now,
    }
    values["api_domain"] = tokens.api_domain or before.api_domain
    return _write(connection, *_same_pair(before), **values)


def give_back(connection: Connection, before: CrmAccount, holder: str, *, unsettled: bool) -> None:
    """Give the turn back without a new pair. `unsettled`: amoCRM may have given one."""
    left = holder if unsettled else None
    mine = (*_same_pair(before), _ROW.refresher == holder)
    _write(connection, *mine, refresher=left, refresher_until=0)


def sign_out(
    connection: Connection,
    before: CrmAccount,
    why: SignOut,
    *,
    now: int,
    holder: str | None = None,
) -> bool:
    """Note that the pair of `before` does not let us in any more; return whether that is news.

    Its tokens are forgotten, unless they are not at fault. Given a `holder`, it counts only from the one whose turn it is.
    """
    conditions = _same_pair(before)
    if holder is not None:
        conditions += (_ROW.refresher == holder,)
    return _sign_out(connection, *conditions, why=why, now=now)


def disconnect(connection: Connection, account: str, *, now: int) -> bool:
    """Note that an account lets nobody in any more, with whichever pair; return whether that is news."""
    _write(connection, _ROW.id == account, generation=_ROW.generation + 1)
    return _sign_out(connection, _ROW.id == account, why=SignOut.DISCONNECTED, now=now)


def move(connection: Connection, account: str, host: str, *, now: int) -> None:
    """Write what an account is called now."""
    _write(connection, _ROW.id == account, host=host, updated_at=now)


def remove(connection: Connection, account: str) -> bool:
    """Forget an account and its tokens; return whether there was one."""
    return connection.execute(delete(crm_accounts).where(_ROW.id == account)).rowcount > 0


def _find(connection: Connection, *conditions: ColumnElement[bool]) -> CrmAccount | None:
    row = connection.execute(select(*_ACCOUNT).where(*conditions)).mappings().one_or_none()
    return None if row is None else _account(row)


def _sign_out(
    connection: Connection, *conditions: ColumnElement[bool], why: SignOut, now: int
) -> bool:
    tokens = {} if why is SignOut.KEYS else {"access_sealed": None, "refresh_sealed": None}
    values = {"state": AccountState.SIGNED_OUT, "why": why, "since": now, "updated_at": now}
    open_ = _ROW.state == AccountState.AUTHORIZED
    free = {"refresher": None, "refresher_until": 0}
    return _write(connection, *conditions, open_, **values, **free, **tokens)


def _same_pair(before: CrmAccount) -> tuple[ColumnElement[bool], ...]:
    return _ROW.id == before.id, _ROW.generation == before.generation


def _write(connection: Connection, *conditions: ColumnElement[bool], **values: Any) -> bool:
    return connection.execute(update(crm_accounts).where(*conditions).values(values)).rowcount > 0


def _sealed(tokens: TokenPair, sealer: Sealer) -> dict[str, Any]:
    return {
        "access_sealed": sealer.seal(tokens.access),
        "refresh_sealed": None if tokens.refresh is None else sealer.seal(tokens.refresh),
        "expires_at": tokens.expires_at,
        "long_lived": tokens.refresh is None,
    }


def _tokens(row: RowMapping, sealer: Sealer) -> TokenPair | None:
    access, refresh = row["access_sealed"], row["refresh_sealed"]
    if access is None:
        return None
    return TokenPair(
        access=sealer.open(bytes(access)),
        refresh=None if refresh is None else sealer.open(bytes(refresh)),
        expires_at=row["expires_at"],
        api_domain=row["api_domain"],
    )


def _account(row: RowMapping) -> CrmAccount:
    members = {name: row[name] for name in CrmAccount.__dataclass_fields__}
    why = row["why"]
    return CrmAccount(
        **members
        | {"state": AccountState(row["state"]), "why": None if why is None else SignOut(why)}
    )
