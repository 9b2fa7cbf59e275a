"""Who manages what: workspaces, their people and keys, and what each role may do."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

MAIN: Final = "main"
"""The workspace that every server begins with."""


class Permission(StrEnum):
    """What a caller of the management API may do."""

    READ = "read"
    """Look at everything of the workspace; secrets are never shown."""
    OPERATE = "operate"
    """Mend what is stuck: release, recover, resume, test."""
    CONFIGURE = "configure"
    """Make and change messengers, channels and links."""
    PEOPLE = "people"
    """Invite and dismiss people, make and withdraw keys, read the audit."""
    SERVER = "server"
    """What belongs to no workspace: workspaces themselves, and the server's own channels."""


class Role(StrEnum):
    """What somebody is to a workspace."""

    OWNER = "owner"
    ADMIN = "admin"
    DEVELOPER = "developer"
    OPERATOR = "operator"

    @property
    def permissions(self) -> frozenset[Permission]:
        """Return what the role may do."""
        return _PERMISSIONS[self]

    def covers(self, other: "Role") -> bool:
        """Return whether it may give this role to others and take it from them: only owners make and dismiss owners."""
        return other is not Role.OWNER or self is Role.OWNER


_OPERATOR: Final = frozenset({Permission.READ, Permission.OPERATE})
_DEVELOPER: Final = _OPERATOR | {Permission.CONFIGURE}
_ADMIN: Final = _DEVELOPER | {Permission.PEOPLE}
_PERMISSIONS: Final = {
    Role.OPERATOR: _OPERATOR,
    Role.DEVELOPER: _DEVELOPER,
    Role.ADMIN: _ADMIN,
    Role.OWNER: _ADMIN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """One customer of the bridge: its people, messengers and links."""

    id: str
    name: str
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody of a workspace."""

    id: str
    workspace_id: str
    login: str
    """Unique on the server, whatever its case."""
    name: str | None
    role: Role
    password_hash: str = field(repr=False)
    """Argon2id, in its own notation."""
    created_at: int
    updated_at: int
    disabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceKey:
    """A key with which programs manage a workspace."""

    id: str
    workspace_id: str
    name: str
    role: Role
    key_hash: bytes = field(repr=False)
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Whoever calls the management API."""

    name: str
    """For the audit: `server`, `user:…` or `key:…`."""
    workspace_id: str | None
    """None for the server's operator, who sees all of them."""
    role: Role = Role.OWNER
    user_id: str | None = None

    def may(self, permission: Permission) -> bool:
        """Return whether that is allowed."""
        if self.workspace_id is None:
            return True
        return permission in self.role.permissions

    def sees(self, workspace_id: str | None) -> bool:
        """Return whether what belongs to a workspace is visible; None stands for what belongs to none."""
        return self.workspace_id is None or workspace_id == self.workspace_id


SERVER: Final = Principal(name="server", workspace_id=None)
"""The server's operator."""
