"""Who calls the management API: the server's operator, somebody who is signed in, or a workspace's key."""

import hashlib
import hmac
from typing import Final

from chatbridge import ids
from chatbridge.bridge.audit import Audit
from chatbridge.bridge.passwords import Passwords
from chatbridge.clock import Clock
from chatbridge.errors import LoginWrong, TooMany
from chatbridge.limits import Limit
from chatbridge.model import SERVER, Principal, User
from chatbridge.store import workspaces as rows
from chatbridge.store.engine import Store

_TRIES: Final = 10
"""Wrong passwords a minute, for a login and for an address."""

SESSION_SECONDS: Final = 14 * 24 * 3600
"""How long somebody stays signed in."""


class SignIn:
    """Signs people in, and knows callers by what they show."""

    def __init__(
        self, *, store: Store, clock: Clock, passwords: Passwords, audit: Audit, admin_token: str
    ) -> None:
        """Let the bearer of `admin_token` do everything."""
        self._store, self._clock = store, clock
        self._passwords, self._audit = passwords, audit
        self._admin = _digest(admin_token)
        self._by_login, self._by_address = Limit(_TRIES), Limit(3 * _TRIES)

    async def sign_in(self, login: str, password: str, address: str) -> tuple[User, str]:
        """Return who it is, and what the browser shows from now on.

        Raises:
            LoginWrong: nobody has this login and this password.
            TooMany: too many tries.
            StoreUnavailable: the database is away.

        """
        user = await self.check(login, password, address)
        token, now = ids.new_session_token(), self._clock.now()
        await self._store.write(
            rows.add_session,
            ids.api_key_hash(token),
            user.id,
            now=now,
            expires_at=now + SESSION_SECONDS * 1_000_000,
        )
        await self._audit.note(user.workspace_id, f"user:{user.id}", "sign_in")
        return user, token

    async def check(self, login: str, password: str, address: str) -> User:
        """Return whose login and password these are.

        Raises:
            LoginWrong, TooMany, StoreUnavailable: see `sign_in`.

        """
        login, now = login.casefold(), self._clock.now()
        if self._by_login.wait(login, now) or self._by_address.wait(address, now):
            raise TooMany("Too many tries to sign in. Wait a minute.")
        user = await self._store.read(rows.find_user, login=login)
        known = None if user is None or user.disabled else user.password_hash
        if not await self._passwords.matches(known, password) or user is None:
            workspace_id = None if user is None else user.workspace_id
            actor = "nobody" if user is None else f"user:{user.id}"
            await self._audit.note(workspace_id, actor, "sign_in", outcome=LoginWrong.code)
            raise LoginWrong
        if self._passwords.is_dated(user.password_hash):
            changes = {"password_hash": await self._passwords.hash(password)}
            await self._store.write(rows.change_user, user.id, changes)
        return user

    async def sign_out(self, token: str) -> None:
        """End a session."""
        await self._store.write(rows.end_session, ids.api_key_hash(token))

    async def principal_of(self, token: str) -> Principal | None:
        """Return who shows this, None if nobody does.

        Raises:
            StoreUnavailable: the database is away, so nobody knows.

        """
        if hmac.compare_digest(_digest(token), self._admin):
            return SERVER
        hashed = ids.api_key_hash(token)
        if token.startswith(ids.SESSION_PREFIX):
            user = await self._store.read(rows.find_session, hashed, self._clock.now())
            return None if user is None else principal_of(user)
        if token.startswith(ids.WORKSPACE_KEY_PREFIX):
            key = await self._store.read(rows.find_key, hashed)
            if key is not None:
                return Principal(name=f"key:{key.id}", workspace_id=key.workspace_id, role=key.role)
        return None


def principal_of(user: User) -> Principal:
    """Return somebody as a caller."""
    return Principal(
        name=f"user:{user.id}", workspace_id=user.workspace_id, role=user.role, user_id=user.id
    )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.strip().encode(errors="surrogateescape")).digest()
