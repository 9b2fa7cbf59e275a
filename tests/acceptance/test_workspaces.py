"""Workspaces: each sees its own and nothing else, whatever it asks for; each role does what it may; who did what is kept."""

import json
import uuid
from dataclasses import dataclass
from typing import Any

import pytest

from chatbridge.model import Permission, Role
from chatbridge.web.endpoint import Access, Endpoint
from chatbridge.web.routes import ENDPOINTS
from tests.acceptance.bridge import Bridge, Reply, Shop
from tests.acceptance.sandbox import SandboxAmojo
from tests.plain_amojo import PlainAmojo

Wire = dict[str, Any]
MANAGED = [endpoint for endpoint in ENDPOINTS if endpoint.access is Access.MANAGER]


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """A workspace with a key for each role, and something in it."""

    id: str
    owner: Wire
    keys: dict[Role, Wire]
    shop: Shop
    channel_id: str
    client_id: str
    """Of an integration of its own."""

    @property
    def key(self) -> str:
        return str(self.keys[Role.OWNER]["key"])

    def ids(self) -> Wire:
        """What stands for the parts of an address."""
        return {
            "workspace_id": self.id,
            "user_id": self.owner["id"],
            "key_id": self.keys[Role.OPERATOR]["id"],
            "channel_id": self.channel_id,
            "client_id": self.client_id,
            "account": "nobody's: those of others are tried in test_oauth",
            "messenger_id": self.shop.messenger["id"],
            "scope_id": self.shop.scope_id,
        }


async def settle(bridge: Bridge, amojo: Any) -> Tenant:
    """Make a workspace, its keys, a channel of its own, a messenger and a link."""
    login = f"owner-{uuid.uuid4()}@example.com"
    made = await bridge.made("/v1/workspaces", {"name": "A shop", "owner": {"login": login}})
    keys = {
        role: await bridge.made(
            "/v1/keys", {"name": f"the {role}", "role": role, "workspace": made["id"]}
        )
        for role in Role
    }
    account = await amojo.open_account(bridge.hook_url)
    await bridge.add_channel(account, amojo.url, workspace=made["id"])
    messenger = await bridge.add_messenger(workspace=made["id"])
    assert messenger["workspace"] == made["id"]
    draft = {
        "channel": account.code,
        "account_id": account.account_id,
        "messenger": messenger["id"],
    }
    link = await bridge.made("/v1/links", draft)
    shop = Shop(account=account, messenger=messenger, scope_id=link["scope_id"])
    client_id = str(uuid.uuid4())
    draft = {"client_id": client_id, "secret": "x" * 64, "workspace": made["id"]}
    await bridge.made("/v1/integrations", draft)
    owner = {**made["owner"], "login": login}
    return Tenant(
        id=made["id"],
        owner=owner,
        keys=keys,
        shop=shop,
        channel_id=account.channel_id,
        client_id=client_id,
    )


@pytest.fixture
async def mine(bridge: Bridge, plain: PlainAmojo) -> Tenant:
    return await settle(bridge, plain)


@pytest.fixture
async def theirs(bridge: Bridge, plain: PlainAmojo) -> Tenant:
    return await settle(bridge, plain)


def bodies(other: Tenant) -> dict[str, Wire]:
    """A right body for every call that takes one, with another workspace's ids where it has any."""
    overlap = {"overlap_hours": 1}
    channel = {"code": "amo.ext.x", "channel_id": "c-x", "secret": "0123456789"}
    return {
        "create_workspace": {"name": "Mine", "owner": {"login": "nobody@example.com"}},
        "change_workspace": {"name": "Taken over"},
        "create_user": {"login": "x@example.com", "role": "admin", "workspace": other.id},
        "change_user": {"name": "Taken over", "role": "operator"},
        "create_key": {"name": "Taken over", "workspace": other.id},
        "create_channel": channel | {"workspace": other.id},
        "change_channel": {"title": "Taken over"},
        "create_messenger": {"name": "Mine", "kind": "backend", "workspace": other.id},
        "change_messenger": {"name": "Taken over"},
        "rotate_webhook_secret": overlap,
        "rotate_api_key": overlap,
        "recover_messenger": {"since": "2026-01-01T00:00:00Z"},
        "create_link": {
            "channel": other.channel_id,
            "account_id": other.shop.account.account_id,
            "messenger": other.shop.messenger["id"],
        },
        "change_link": {"title": "Taken over"},
        "create_integration": {
            "client_id": str(uuid.uuid4()),
            "secret": "x" * 64,
            "workspace": other.id,
        },
        "change_integration": {"name": "Taken over"},
        "create_authorization": {"client_id": other.client_id},
        "create_account": {"client_id": other.client_id, "host": "a.amocrm.ru", "code": "c"},
        "release_parked": {"scope_id": other.shop.scope_id},
        "create_recovery": {"scope_id": other.shop.scope_id},
    }


async def ask(bridge: Bridge, endpoint: Endpoint[Any], key: str, other: Tenant) -> Reply:
    """A call as it is meant, but for what belongs to somebody else."""
    path = endpoint.path.format(**other.ids())
    body = None if endpoint.body is None else bodies(other)[endpoint.run.__name__]
    return await bridge.call(endpoint.method, path, body, key=key)


async def seen_by(bridge: Bridge, tenant: Tenant) -> dict[str, bytes]:
    """Everything that a workspace is told without naming anything, but for the audit."""
    paths = [
        endpoint.path
        for endpoint in MANAGED
        if endpoint.method == "GET" and "{" not in endpoint.path and endpoint.path != "/v1/audit"
    ]
    return {path: (await bridge.call("GET", path, key=tenant.key)).body for path in paths}


async def test_every_route_keeps_to_its_workspace(
    bridge: Bridge, mine: Tenant, theirs: Tenant
) -> None:
    before = await seen_by(bridge, theirs)
    for endpoint in MANAGED:
        reply = await ask(bridge, endpoint, mine.key, theirs)
        named = f"{endpoint.method} {endpoint.path}: {reply}"
        if endpoint.needs is Permission.SERVER:
            assert reply.status == 403, named
        elif "{" in endpoint.path or endpoint.run.__name__.startswith("create_"):
            assert reply.status == 404, named
        else:
            assert reply.status in (200, 204), named
        told = reply.body.decode()
        hidden = [*theirs.ids().values(), theirs.owner["login"], theirs.shop.messenger["api_key"]]
        if (
            reply.status < 300 and endpoint.path != "/v1/audit"
        ):  # which repeats what we named ourselves
            assert [secret for secret in hidden if str(secret) in told] == [], named
    assert await seen_by(bridge, theirs) == before, "nothing was changed"


async def test_what_is_ours_is_seen_and_changed(bridge: Bridge, mine: Tenant) -> None:
    for path in (
        f"/v1/workspaces/{mine.id}",
        f"/v1/users/{mine.owner['id']}",
        f"/v1/channels/{mine.channel_id}",
        f"/v1/messengers/{mine.shop.messenger['id']}",
        f"/v1/links/{mine.shop.scope_id}",
    ):
        assert (await bridge.call("GET", path, key=mine.key)).status == 200, path
    for path, count in (("/v1/workspaces", 1), ("/v1/messengers", 1), ("/v1/keys", len(Role))):
        assert len((await bridge.call("GET", path, key=mine.key)).json["items"]) == count, path
    made = await bridge.call(
        "POST", "/v1/messengers", {"name": "Second", "kind": "backend"}, key=mine.key
    )
    assert (made.status, made.json["workspace"]) == (201, mine.id)
    links = (await bridge.call("GET", "/v1/links", key=mine.key)).json["items"]
    assert [link["scope_id"] for link in links] == [mine.shop.scope_id]


async def test_a_workspace_connects_no_account_that_is_not_proven_to_be_its_own(
    bridge: Bridge, plain: PlainAmojo, mine: Tenant
) -> None:
    account = await plain.open_account(bridge.hook_url)
    await bridge.add_channel(account, plain.url)
    draft = {
        "channel": account.code,
        "account_id": account.account_id,
        "messenger": mine.shop.messenger["id"],
    }
    refused = await bridge.call("POST", "/v1/links", draft, key=mine.key)
    assert (refused.status, refused.problem()["code"]) == (403, "account_not_proven")
    assert (await bridge.call("POST", "/v1/links", draft)).status == 201


async def test_an_account_does_not_change_hands(
    bridge: Bridge, mine: Tenant, theirs: Tenant
) -> None:
    """Not even a disconnected one: its conversations are what somebody's clients said."""
    assert (await bridge.call("DELETE", f"/v1/links/{theirs.shop.scope_id}")).status == 204
    draft = {
        "channel": theirs.channel_id,
        "account_id": theirs.shop.account.account_id,
        "messenger": mine.shop.messenger["id"],
    }
    refused = await bridge.call("POST", "/v1/links", draft)
    assert (refused.status, refused.problem()["code"]) == (409, "already_exists")


async def test_the_servers_channel_is_used_by_all_and_changed_by_its_operator(
    bridge: Bridge, plain: PlainAmojo, mine: Tenant
) -> None:
    account = await plain.open_account(bridge.hook_url)
    channel = await bridge.add_channel(account, plain.url)
    assert channel["workspace"] is None
    path = f"/v1/channels/{account.channel_id}"
    assert (await bridge.call("GET", path, key=mine.key)).status == 200
    refused = await bridge.call("PATCH", path, {"title": "Mine"}, key=mine.key)
    assert refused.problem()["code"] == "forbidden"
    assert (await bridge.call("PATCH", path, {"title": "Ours"})).status == 200


# --- roles ---


@pytest.mark.parametrize("role", Role)
async def test_every_role_does_what_it_may(
    bridge: Bridge, mine: Tenant, theirs: Tenant, role: Role
) -> None:
    for endpoint in MANAGED:
        reply = await ask(bridge, endpoint, mine.keys[role]["key"], theirs)
        allowed = endpoint.needs in role.permissions
        assert (reply.status == 403) is not allowed, f"{endpoint.method} {endpoint.path}: {reply}"


async def test_only_owners_make_and_dismiss_owners(bridge: Bridge, mine: Tenant) -> None:
    admin, owner = mine.keys[Role.ADMIN]["key"], mine.key
    draft = {"login": f"{uuid.uuid4()}@example.com", "role": "owner"}
    assert (await bridge.call("POST", "/v1/users", draft, key=admin)).problem()[
        "code"
    ] == "forbidden"
    made = await bridge.call("POST", "/v1/users", draft, key=owner)
    assert (made.status, made.json["role"]) == (201, "owner")
    path = f"/v1/users/{made.json['id']}"
    for change in ({"role": "operator"}, {"disabled": True}, {"password": "a new password"}):
        assert (await bridge.call("PATCH", path, change, key=admin)).status == 403
    assert (await bridge.call("PATCH", path, {"disabled": True}, key=owner)).status == 200
    key = mine.keys[Role.OWNER]["id"]
    assert (await bridge.call("DELETE", f"/v1/keys/{key}", key=admin)).status == 403


async def test_a_workspace_keeps_an_owner(bridge: Bridge, mine: Tenant) -> None:
    path = f"/v1/users/{mine.owner['id']}"
    for change in ({"role": "admin"}, {"disabled": True}):
        refused = await bridge.call("PATCH", path, change, key=mine.key)
        assert (refused.status, refused.problem()["code"]) == (409, "last_owner")
    user = (await bridge.call("GET", path, key=mine.key)).json
    assert (user["role"], user["disabled"]) == ("owner", False)


async def test_a_withdrawn_key_opens_nothing(bridge: Bridge, mine: Tenant) -> None:
    operator = mine.keys[Role.OPERATOR]
    assert (await bridge.call("GET", "/v1/me", key=operator["key"])).json["role"] == "operator"
    withdrawn = await bridge.call("DELETE", f"/v1/keys/{operator['id']}", key=mine.key)
    assert withdrawn.status == 204
    assert (await bridge.call("GET", "/v1/me", key=operator["key"])).status == 401


async def test_keys_open_only_what_they_are_for(bridge: Bridge, mine: Tenant) -> None:
    assert (await bridge.call("GET", "/v1/me", key=mine.shop.key)).status == 401
    assert (await bridge.call("GET", "/v1/capabilities", key=mine.key)).status == 401
    for key in ("", "cbw_", "cbs_", "cbw_" + "x" * 43, "x" * 5000):
        assert (await bridge.call("GET", "/v1/me", key=key)).status == 401


# --- signing in ---


def cookie_of(reply: Reply) -> dict[str, str]:
    return {"Cookie": reply.headers["Set-Cookie"].partition(";")[0]}


async def sign_in(bridge: Bridge, login: str, password: str) -> Reply:
    draft = {"login": login, "password": password}
    return await bridge.call("POST", "/v1/sessions", draft, key=None)


async def test_somebody_signs_in_and_out(bridge: Bridge, mine: Tenant) -> None:
    signed_in = await sign_in(bridge, mine.owner["login"].upper(), mine.owner["password"])
    assert signed_in.status == 201
    assert "HttpOnly; SameSite=Lax" in signed_in.headers["Set-Cookie"]
    session = cookie_of(signed_in)
    me = (await bridge.call("GET", "/v1/me", key=None, headers=session)).json
    assert (me["workspace"], me["role"]) == (mine.id, "owner")
    assert me["user"]["login"] == mine.owner["login"]
    assert "password" not in json.dumps(me)
    draft = {"name": "By cookie", "kind": "backend"}
    for origin in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        headers = session | origin
        refused = await bridge.call("POST", "/v1/messengers", draft, key=None, headers=headers)
        assert refused.status == 401, "pages of other sites cannot use a session"
    own = session | {"Origin": bridge.url}
    assert (await bridge.call("POST", "/v1/messengers", draft, key=None, headers=own)).status == 201
    out = await bridge.call("DELETE", "/v1/sessions", key=None, headers=own)
    assert (out.status, "Max-Age=0" in out.headers["Set-Cookie"]) == (204, True)
    assert (await bridge.call("GET", "/v1/me", key=None, headers=session)).status == 401


async def test_wrong_logins_and_passwords_look_the_same(bridge: Bridge, mine: Tenant) -> None:
    wrong = await sign_in(bridge, mine.owner["login"], "a wrong password")
    nobody = await sign_in(bridge, f"{uuid.uuid4()}@example.com", "a wrong password")
    assert (wrong.status, wrong.problem()["code"]) == (401, "login_wrong")
    assert wrong.body == nobody.body


async def test_guessing_is_slowed_down(bridge: Bridge) -> None:
    login = f"{uuid.uuid4()}@example.com"
    codes = [(await sign_in(bridge, login, f"guess {n}")).problem()["code"] for n in range(12)]
    assert codes[0] == "login_wrong"
    assert codes[-1] == "too_many"


async def test_a_new_password_and_a_closed_door_end_sessions(bridge: Bridge, mine: Tenant) -> None:
    login = f"{uuid.uuid4()}@example.com"
    draft = {"login": login, "role": "developer", "password": "the first password"}
    user = (await bridge.call("POST", "/v1/users", draft, key=mine.key)).json
    assert user["password"] is None, "it was given, so it is not shown"
    path = f"/v1/users/{user['id']}"
    first = cookie_of(await sign_in(bridge, login, "the first password"))
    own = first | {"Origin": bridge.url}
    changed = await bridge.call(
        "PATCH", path, {"password": "the second one"}, key=None, headers=own
    )
    assert changed.status == 200, "everybody may change their own"
    assert (await bridge.call("GET", "/v1/me", key=None, headers=first)).status == 401
    assert (await sign_in(bridge, login, "the first password")).status == 401
    second = cookie_of(await sign_in(bridge, login, "the second one"))
    forbidden = await bridge.call(
        "PATCH", path, {"role": "owner"}, key=None, headers=second | {"Origin": bridge.url}
    )
    assert forbidden.problem()["code"] == "forbidden"
    assert (await bridge.call("PATCH", path, {"disabled": True}, key=mine.key)).status == 200
    assert (await bridge.call("GET", "/v1/me", key=None, headers=second)).status == 401
    assert (await sign_in(bridge, login, "the second one")).status == 401


async def test_a_login_is_somebodys_alone(bridge: Bridge, mine: Tenant, theirs: Tenant) -> None:
    draft = {"login": theirs.owner["login"].upper(), "role": "admin"}
    taken = await bridge.call("POST", "/v1/users", draft, key=mine.key)
    assert (taken.status, taken.problem()["code"]) == (409, "already_exists")


# --- the audit ---


async def test_the_audit_tells_who_did_what_and_what_was_refused(
    bridge: Bridge, mine: Tenant, theirs: Tenant
) -> None:
    await bridge.call("POST", "/v1/messengers", {"name": "M", "kind": "backend"}, key=mine.key)
    await bridge.call(
        "PATCH", f"/v1/messengers/{theirs.shop.messenger['id']}", {"name": "T"}, key=mine.key
    )
    operator = mine.keys[Role.OPERATOR]
    await bridge.call("POST", "/v1/messengers", {"name": "M"}, key=operator["key"])
    await sign_in(bridge, mine.owner["login"], "a wrong password")
    page = (await bridge.call("GET", "/v1/audit?limit=4", key=mine.key)).json
    told = [(deed["actor"], deed["action"], deed["outcome"]) for deed in page["items"]]
    key = f"key:{mine.keys[Role.OWNER]['id']}"
    assert told == [
        (f"user:{mine.owner['id']}", "sign_in", "login_wrong"),
        (f"key:{operator['id']}", "create_messenger", "forbidden"),
        (key, "change_messenger", "not_found"),
        (key, "create_messenger", "done"),
    ]
    assert {deed["workspace"] for deed in page["items"]} == {mine.id}
    assert page["next"] is None or page["next"] == page["items"][-1]["id"]
    others = (await bridge.call("GET", "/v1/audit", key=theirs.key)).json["items"]
    assert mine.id not in {deed["workspace"] for deed in others}
    forbidden = await bridge.call("GET", "/v1/audit", key=mine.keys[Role.DEVELOPER]["key"])
    assert forbidden.status == 403


async def test_amocrm_and_clients_find_a_workspaces_messenger(
    bridge: Bridge, sandbox: SandboxAmojo
) -> None:
    """What is hidden from other workspaces works for those it is for."""
    tenant = await settle(bridge, sandbox)
    await bridge.take(tenant.shop, "m-1")
    await bridge.wait_for_state(tenant.shop, "m-1", "delivered")
