"""Workspaces, their people and their keys."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from chatbridge.errors import AlreadyExists, LastOwner, NotFound
from chatbridge.model import Role, User, Workspace, WorkspaceKey
from chatbridge.store.schema import sessions, users, workspace_keys, workspaces

# --- workspaces ---


def list_workspaces(connection: Connection, workspace_id: str | None = None) -> list[Workspace]:
    """Return every workspace, oldest first, or the one with this id."""
    query = select(workspaces).order_by(workspaces.c.created_at, workspaces.c.id)
    if workspace_id is not None:
        query = query.where(workspaces.c.id == workspace_id)
    return [Workspace(**row) for row in connection.execute(query).mappings()]


def add_workspace(connection: Connection, workspace: Workspace, owner: User) -> None:
    """Store a new workspace with its first owner.

    Raises:
        AlreadyExists: the owner's login is taken.

    """
    connection.execute(insert(workspaces).values(asdict(workspace)))
    add_user(connection, owner)


def rename_workspace(connection: Connection, workspace_id: str, name: str, now: int) -> Workspace:
    """Give a workspace another name.

    Raises:
        NotFound: there is none.

    """
    changed = update(workspaces).where(workspaces.c.id == workspace_id)
    connection.execute(changed.values(name=name, updated_at=now))
    found = list_workspaces(connection, workspace_id)
    if not found:
        raise NotFound(f"There is no workspace {workspace_id!r}.")
    return found[0]


# --- people ---


def list_users(connection: Connection, workspace_id: str | None) -> list[User]:
    """Return the people of a workspace, or of all, oldest first."""
    query = select(users).order_by(users.c.created_at, users.c.id)
    if workspace_id is not None:
        query = query.where(users.c.workspace_id == workspace_id)
    return [_user(row) for row in connection.execute(query).mappings()]


def find_user(
    connection: Connection, *, user_id: str | None = None, login: str | None = None
) -> User | None:
    """Return somebody by id or by login, None if there is nobody."""
    named = users.c.id == user_id if login is None else users.c.login == login
    row = connection.execute(select(users).where(named)).mappings().first()
    return None if row is None else _user(row)


def add_user(connection: Connection, user: User) -> None:
    """Store somebody new.

    Raises:
        AlreadyExists: the login is taken.

    """
    try:
        with connection.begin_nested():
            connection.execute(insert(users).values(asdict(user)))
    except IntegrityError as error:
        raise AlreadyExists(f"The login {user.login} is taken on this server.") from error


def change_user(connection: Connection, user_id: str, changes: Mapping[str, Any]) -> User:
    """Change these members of somebody; whoever may not enter any more, or has a new password, is signed out everywhere.

    Raises:
        LastOwner: the workspace would be left without an owner.

    """
    # One order for all, so that the last two owners cannot dismiss each other.
    of = select(users.c.workspace_id).where(users.c.id == user_id).scalar_subquery()
    connection.execute(select(workspaces.c.id).where(workspaces.c.id == of).with_for_update())
    connection.execute(update(users).where(users.c.id == user_id).values(changes))
    changed = _user(connection.execute(select(users).where(users.c.id == user_id)).mappings().one())
    _check_owned(connection, changed.workspace_id)
    if changed.disabled or "password_hash" in changes:
        connection.execute(delete(sessions).where(sessions.c.user_id == user_id))
    return changed


def _check_owned(connection: Connection, workspace_id: str) -> None:
    """Refuse what would leave a workspace without an owner."""
    owners = select(func.count()).select_from(users)
    owners = owners.where(users.c.workspace_id == workspace_id, users.c.role == Role.OWNER)
    if not connection.scalar(owners.where(~users.c.disabled)):
        raise LastOwner


# --- sessions ---


def add_session(
    connection: Connection, token_hash: bytes, user_id: str, *, now: int, expires_at: int
) -> None:
    """Store a session, and drop those of the user that are over."""
    old = sessions.c.expires_at <= now
    connection.execute(delete(sessions).where(sessions.c.user_id == user_id, old))
    row = {
        "token_hash": token_hash,
        "user_id": user_id,
        "created_at": now,
        "expires_at": expires_at,
    }
    connection.execute(insert(sessions).values(row))


def find_session(connection: Connection, token_hash: bytes, now: int) -> User | None:
    """Return whose session it is, None if it is over or nobody's."""
    query = select(users).join(sessions, sessions.c.user_id == users.c.id)
    query = query.where(sessions.c.token_hash == token_hash, sessions.c.expires_at > now)
    row = connection.execute(query.where(~users.c.disabled)).mappings().first()
    return None if row is None else _user(row)


def end_session(connection: Connection, token_hash: bytes) -> None:
    """Let a session be over."""
    connection.execute(delete(sessions).where(sessions.c.token_hash == token_hash))


# --- keys ---


def list_keys(connection: Connection, workspace_id: str | None) -> list[WorkspaceKey]:
    """Return the keys of a workspace, or of all, oldest first."""
    query = select(workspace_keys).order_by(workspace_keys.c.created_at, workspace_keys.c.id)
    if workspace_id is not None:
        query = query.where(workspace_keys.c.workspace_id == workspace_id)
    return [_key(row) for row in connection.execute(query).mappings()]


def find_key(connection: Connection, key_hash: bytes) -> WorkspaceKey | None:
    """Return the key with this hash, None if there is none."""
    query = select(workspace_keys).where(workspace_keys.c.key_hash == key_hash)
    row = connection.execute(query).mappings().first()
    return None if row is None else _key(row)


def add_key(connection: Connection, key: WorkspaceKey) -> None:
    """Store a new key."""
    connection.execute(insert(workspace_keys).values(asdict(key)))


def remove_key(connection: Connection, key_id: str) -> None:
    """Withdraw a key."""
    connection.execute(delete(workspace_keys).where(workspace_keys.c.id == key_id))


def _user(row: Mapping[Any, Any]) -> User:
    return User(**dict(row) | {"role": Role(row["role"])})


def _key(row: Mapping[Any, Any]) -> WorkspaceKey:
    values = dict(row) | {"role": Role(row["role"]), "key_hash": bytes(row["key_hash"])}
    return WorkspaceKey(**values)
