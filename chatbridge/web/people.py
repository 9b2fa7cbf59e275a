"""Endpoints of workspaces, people, keys, sessions and the audit."""

from typing import Any

from chatbridge import ids
from chatbridge.bridge.sign_in import SESSION_SECONDS
from chatbridge.model import MAIN, Permission, User, Workspace, WorkspaceKey
from chatbridge.store.audit import Noted
from chatbridge.web.answers import Answer, json_answer
from chatbridge.web.endpoint import Call
from chatbridge.web.managers import session_cookie
from chatbridge.web.pages import cut_page
from chatbridge.web.people_schemas import (
    AuditPage,
    AuditQuery,
    DeedOut,
    KeyCreated,
    KeyDraft,
    KeyOut,
    KeyPage,
    Me,
    SignInDraft,
    UserChange,
    UserCreated,
    UserDraft,
    UserOut,
    UserPage,
    WorkspaceChange,
    WorkspaceCreated,
    WorkspaceDraft,
    WorkspaceOut,
    WorkspacePage,
)
from chatbridge.web.times import to_datetime

# --- workspaces ---


async def create_workspace(call: Call[WorkspaceDraft]) -> WorkspaceCreated:
    """Make a workspace with its first owner."""
    draft = call.body
    password = draft.owner.password or ids.new_password()
    workspace, owner = await call.services.people.sign_up(
        draft.name, draft.owner.login, password, draft.owner.name
    )
    made = _created(owner, None if draft.owner.password else password)
    return WorkspaceCreated(**_workspace(workspace).model_dump(), owner=made)


async def list_workspaces(call: Call[None]) -> WorkspacePage:
    """List workspaces."""
    found = await call.services.people.list_workspaces(call.principal)
    page, following = cut_page(found, lambda each: each.id, call.query)
    return WorkspacePage(items=[_workspace(each) for each in page], next=following)


async def get_workspace(call: Call[None]) -> WorkspaceOut:
    """Show a workspace."""
    people = call.services.people
    return _workspace(await people.workspace(call.principal, call.path["workspace_id"]))


async def change_workspace(call: Call[WorkspaceChange]) -> WorkspaceOut:
    """Rename a workspace."""
    people, workspace_id = call.services.people, call.path["workspace_id"]
    return _workspace(await people.rename(call.principal, workspace_id, call.body.name))


# --- people ---


async def create_user(call: Call[UserDraft]) -> UserCreated:
    """Invite somebody."""
    draft = call.body
    password = draft.password or ids.new_password()
    user = await call.services.people.invite(
        call.principal,
        await call.workspace(draft.workspace, otherwise=MAIN),
        login=draft.login,
        password=password,
        name=draft.name,
        role=draft.role,
    )
    return _created(user, None if draft.password else password)


async def list_users(call: Call[None]) -> UserPage:
    """List people."""
    found = await call.services.people.list_users(call.principal)
    page, following = cut_page(found, lambda each: each.id, call.query)
    return UserPage(items=[_user(each) for each in page], next=following)


async def get_user(call: Call[None]) -> UserOut:
    """Show somebody."""
    return _user(await call.services.people.user(call.principal, call.path["user_id"]))


async def change_user(call: Call[UserChange]) -> UserOut:
    """Change somebody; everybody may change their own password."""
    changes: dict[str, Any] = call.body.model_dump(exclude_unset=True, exclude={"password"})
    for name in ("role", "disabled"):
        if changes.get(name) is None:
            changes.pop(name, None)
    people, user_id = call.services.people, call.path["user_id"]
    return _user(await people.change(call.principal, user_id, changes, call.body.password))


# --- keys ---


async def create_key(call: Call[KeyDraft]) -> KeyCreated:
    """Make a key and show it, this once."""
    draft = call.body
    workspace_id = await call.workspace(draft.workspace, otherwise=MAIN)
    key, secret = await call.services.people.make_key(
        call.principal, workspace_id, draft.name, draft.role
    )
    return KeyCreated(**_key(key).model_dump(), key=secret)


async def list_keys(call: Call[None]) -> KeyPage:
    """List keys."""
    found = await call.services.people.list_keys(call.principal)
    page, following = cut_page(found, lambda each: each.id, call.query)
    return KeyPage(items=[_key(each) for each in page], next=following)


async def delete_key(call: Call[None]) -> None:
    """Withdraw a key."""
    await call.services.people.withdraw_key(call.principal, call.path["key_id"])


# --- sessions ---


async def create_session(call: Call[SignInDraft]) -> Answer:
    """Sign in: the answer sets a cookie."""
    services, draft = call.services, call.body
    user, token = await services.sign_in.sign_in(draft.login, draft.password, call.address)
    answer = json_answer(_user(user), status=201)
    cookie = session_cookie(token, services, seconds=SESSION_SECONDS)
    return answer.with_headers({"Set-Cookie": cookie})


async def delete_session(call: Call[None]) -> Answer:
    """Sign out."""
    await call.services.sign_in.sign_out(call.cookie)
    cookie = session_cookie("", call.services, seconds=0)
    return Answer(status=204, headers={"Set-Cookie": cookie})


async def get_me(call: Call[None]) -> Me:
    """Show who calls."""
    principal, user = call.principal, None
    if principal.user_id is not None:
        user = _user(await call.services.people.user(principal, principal.user_id))
    return Me(
        name=principal.name,
        workspace=principal.workspace_id,
        role=principal.role,
        permissions=[each for each in Permission if principal.may(each)],
        user=user,
    )


# --- the audit ---


async def list_audit(call: Call[None]) -> AuditPage:
    """List what was done, newest first."""
    query: AuditQuery = call.query
    found = await call.services.audit.list_(call.principal, before=query.before, limit=query.limit)
    following = found[-1].id if len(found) == query.limit else None
    return AuditPage(items=[_deed(each) for each in found], next=following)


def _workspace(workspace: Workspace) -> WorkspaceOut:
    return WorkspaceOut(
        id=workspace.id,
        name=workspace.name,
        created_at=to_datetime(workspace.created_at),
        updated_at=to_datetime(workspace.updated_at),
    )


def _user(user: User) -> UserOut:
    return UserOut(
        id=user.id,
        workspace=user.workspace_id,
        login=user.login,
        name=user.name,
        role=user.role,
        disabled=user.disabled,
        created_at=to_datetime(user.created_at),
        updated_at=to_datetime(user.updated_at),
    )


def _created(user: User, password: str | None) -> UserCreated:
    return UserCreated(**_user(user).model_dump(), password=password)


def _key(key: WorkspaceKey) -> KeyOut:
    return KeyOut(
        id=key.id,
        workspace=key.workspace_id,
        name=key.name,
        role=key.role,
        created_at=to_datetime(key.created_at),
    )


def _deed(noted: Noted) -> DeedOut:
    deed = noted.deed
    return DeedOut(
        id=noted.id,
        at=to_datetime(deed.at),
        workspace=deed.workspace_id,
        actor=deed.actor,
        action=deed.action,
        subject=deed.subject,
        outcome=deed.outcome,
        detail=deed.detail,
    )
