"""Bodies of workspaces, people, keys, sessions and the audit."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from chatbridge.model import Permission, Role
from chatbridge.web.fields import Identifier, In, Out, Short

Login = Annotated[Identifier, Field(examples=["kate@example.com"])]
Password = Annotated[str, Field(min_length=10, max_length=1024)]
WorkspaceId = Annotated[Identifier, Field(max_length=64)]


class OwnerDraft(In):
    """The first owner of a workspace; without a password, one is made and shown once."""

    login: Login
    name: Short | None = None
    password: Password | None = None


class WorkspaceDraft(In):
    """A workspace to make."""

    name: Annotated[Short, Field(min_length=1)]
    owner: OwnerDraft


class WorkspaceChange(In):
    """What may change of a workspace."""

    name: Annotated[Short, Field(min_length=1)]


class WorkspaceOut(Out):
    """A workspace."""

    id: str
    name: str
    created_at: datetime
    updated_at: datetime


class WorkspacePage(Out):
    """Workspaces."""

    items: list[WorkspaceOut]
    next: str | None


class UserDraft(In):
    """Somebody to invite; without a password, one is made and shown once."""

    login: Login
    role: Role
    name: Short | None = None
    password: Password | None = None
    workspace: WorkspaceId | None = Field(
        default=None, description="For the server's operator; everybody else invites into their own"
    )


class UserChange(In):
    """What may change of somebody; members left out stay."""

    name: Short | None = None
    role: Role | None = None
    password: Password | None = None
    disabled: bool | None = None


class UserOut(Out):
    """Somebody of a workspace."""

    id: str
    workspace: str
    login: str
    name: str | None
    role: Role
    disabled: bool
    created_at: datetime
    updated_at: datetime


class UserCreated(UserOut):
    """Somebody new."""

    password: str | None = Field(description="Shown once, if it was made here")


class WorkspaceCreated(WorkspaceOut):
    """A new workspace."""

    owner: UserCreated


class UserPage(Out):
    """People."""

    items: list[UserOut]
    next: str | None


class KeyDraft(In):
    """A key to make."""

    name: Annotated[Short, Field(min_length=1)]
    role: Role = Role.DEVELOPER
    workspace: WorkspaceId | None = Field(
        default=None, description="For the server's operator; everybody else makes their own's"
    )


class KeyOut(Out):
    """A workspace's key, without its secret."""

    id: str
    workspace: str
    name: str
    role: Role
    created_at: datetime


class KeyCreated(KeyOut):
    """A new key."""

    key: str = Field(description="Shown once")


class KeyPage(Out):
    """Keys."""

    items: list[KeyOut]
    next: str | None


class SignInDraft(In):
    """Login and password."""

    login: Login
    password: Annotated[str, Field(max_length=1024)]


class Me(Out):
    """Who calls."""

    name: str = Field(description="`server`, `user:…` or `key:…`")
    workspace: str | None = Field(description="Absent for the server's operator")
    role: Role
    permissions: list[Permission]
    user: UserOut | None


class AuditQuery(BaseModel):
    """Which part of the audit."""

    model_config = ConfigDict(extra="forbid")

    before: int | None = Field(default=None, ge=1, le=2**63 - 1)
    limit: int = Field(default=50, ge=1, le=200)


class DeedOut(Out):
    """Something that was done or refused."""

    id: int
    at: datetime
    workspace: str | None
    actor: str
    action: str
    subject: str | None
    outcome: str = Field(description="`done`, or the code of the refusal")
    detail: str | None


class AuditPage(Out):
    """Deeds, newest first."""

    items: list[DeedOut]
    next: int | None = Field(description="Pass it as `before`")
