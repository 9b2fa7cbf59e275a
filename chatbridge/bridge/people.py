"""Workspaces, their people and keys: who is there, who may be invited and dismissed."""

from collections.abc import Callable
from typing import Any

from chatbridge import ids
from chatbridge.bridge.passwords import Passwords
from chatbridge.clock import Clock
from chatbridge.errors import Forbidden, NotFound
from chatbridge.model import Permission, Principal, Role, User, Workspace, WorkspaceKey
from chatbridge.store import workspaces as rows
from chatbridge.store.engine import Store


class People:
    """The people of all workspaces."""

    def __init__(
        self, *, store: Store, clock: Clock, passwords: Passwords, new_key: Callable[[], str]
    ) -> None:
        """Keep them in `store`."""
        self._store, self._clock = store, clock
        self._passwords, self._new_key = passwords, new_key

    # --- workspaces ---

    async def list_workspaces(self, principal: Principal) -> list[Workspace]:
        """Return the caller's workspace; for the server's operator, every one."""
        return await self._store.read(rows.list_workspaces, principal.workspace_id)

    async def workspace(self, principal: Principal, workspace_id: str) -> Workspace:
        """Return a workspace.

        Raises:
            NotFound: there is none.

        """
        found = []
        if principal.sees(workspace_id):
            found = await self._store.read(rows.list_workspaces, workspace_id)
        if not found:
            raise NotFound(f"There is no workspace {workspace_id!r}.")
        return found[0]

    async def sign_up(
        self, name: str, login: str, password: str, owner_name: str | None
    ) -> tuple[Workspace, User]:
        """Make a workspace with its first owner.

        Raises:
            AlreadyExists: the login is taken.

        """
        now = self._clock.now()
        workspace = Workspace(id=ids.new_workspace_id(), name=name, created_at=now, updated_at=now)
        owner = await self._user(workspace.id, login, password, owner_name, Role.OWNER)
        await self._store.write(rows.add_workspace, workspace, owner)
        return workspace, owner

    async def rename(self, principal: Principal, workspace_id: str, name: str) -> Workspace:
        """Give a workspace another name.

        Raises:
            NotFound: there is none.

        """
        await self.workspace(principal, workspace_id)
        return await self._store.write(rows.rename_workspace, workspace_id, name, self._clock.now())

    # --- people ---

    async def list_users(self, principal: Principal) -> list[User]:
        """Return the people of the caller's workspace; for the server's operator, of all."""
        return await self._store.read(rows.list_users, principal.workspace_id)

    async def user(self, principal: Principal, user_id: str) -> User:
        """Return somebody.

        Raises:
            NotFound: there is nobody.

        """
        found = await self._store.read(rows.find_user, user_id=user_id)
        if found is None or not principal.sees(found.workspace_id):
            raise NotFound(f"There is no user {user_id!r}.")
        return found

    async def invite(
        self,
        principal: Principal,
        workspace_id: str,
        *,
        login: str,
        password: str,
        name: str | None,
        role: Role,
    ) -> User:
        """Make somebody a member of a workspace.

        Raises:
            AlreadyExists: the login is taken.
            Forbidden: the caller may not give this role.

        """
        _check_covers(principal, role)
        user = await self._user(workspace_id, login, password, name, role)
        await self._store.write(rows.add_user, user)
        return user

    async def change(
        self, principal: Principal, user_id: str, changes: dict[str, Any], password: str | None
    ) -> User:
        """Change somebody's name, role or password, or shut them out; a new password ends their sessions.

        Raises:
            Forbidden: the caller may not give or take this role.
            LastOwner: the workspace would be left without an owner.
            NotFound: there is nobody.

        """
        user = await self.user(principal, user_id)
        if user_id != principal.user_id or changes:
            if not principal.may(Permission.PEOPLE):
                raise Forbidden
            _check_covers(principal, user.role)
            _check_covers(principal, changes.get("role", user.role))
        if password is not None:
            changes = changes | {"password_hash": await self._passwords.hash(password)}
        changes = changes | {"updated_at": self._clock.now()}
        return await self._store.write(rows.change_user, user_id, changes)

    async def _user(
        self, workspace_id: str, login: str, password: str, name: str | None, role: Role
    ) -> User:
        now = self._clock.now()
        return User(
            id=ids.new_user_id(),
            workspace_id=workspace_id,
            login=login.casefold(),
            name=name,
            role=role,
            password_hash=await self._passwords.hash(password),
            created_at=now,
            updated_at=now,
        )

    # --- keys ---

    async def list_keys(self, principal: Principal) -> list[WorkspaceKey]:
        """Return the keys of the caller's workspace; for the server's operator, of all."""
        return await self._store.read(rows.list_keys, principal.workspace_id)

    async def make_key(
        self, principal: Principal, workspace_id: str, name: str, role: Role
    ) -> tuple[WorkspaceKey, str]:
        """Make a key; return it and its secret, which is kept nowhere.

        Raises:
            Forbidden: the caller may not give this role.

        """
        _check_covers(principal, role)
        secret = self._new_key()
        key = WorkspaceKey(
            id=ids.new_key_id(),
            workspace_id=workspace_id,
            name=name,
            role=role,
            key_hash=ids.api_key_hash(secret),
            created_at=self._clock.now(),
        )
        await self._store.write(rows.add_key, key)
        return key, secret

    async def withdraw_key(self, principal: Principal, key_id: str) -> None:
        """Let a key open nothing any more.

        Raises:
            Forbidden: the caller may not take this role.
            NotFound: there is none.

        """
        found = [key for key in await self.list_keys(principal) if key.id == key_id]
        if not found:
            raise NotFound(f"There is no key {key_id!r}.")
        _check_covers(principal, found[0].role)
        await self._store.write(rows.remove_key, key_id)


def _check_covers(principal: Principal, role: Role) -> None:
    if principal.workspace_id is not None and not principal.role.covers(role):
        raise Forbidden("Only an owner makes and dismisses owners.")
