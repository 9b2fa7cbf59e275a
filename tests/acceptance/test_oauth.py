"""Accounts let us in, against the sandbox: the server as a process, amoCRM as a process."""

import asyncio
import hashlib
import hmac
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from yarl import URL

from tests.acceptance.bridge import Bridge, bridge_process, faults_in
from tests.acceptance.conftest import OwnBridge
from tests.acceptance.crm import Crm, crm_settings, state_of
from tests.acceptance.sandbox import SandboxAmojo
from tests.processes import Process, stopped_afterwards

DEMO = 30112233
Wire = dict[str, Any]


@pytest.fixture(scope="module")
def crm_process(
    tmp_path_factory: pytest.TempPathFactory, sandbox_process_: Process
) -> Iterator[Process]:
    """A server whose accounts are the sandbox's, shared by tests that do not stop it."""
    folder = tmp_path_factory.mktemp("crm")
    with stopped_afterwards(bridge_process(folder, **crm_settings(sandbox_process_.url))) as one:
        one.start("/readyz")
        yield one
        assert faults_in(one.log) == []


@pytest.fixture
async def crm(crm_process: Process, sandbox: SandboxAmojo) -> Crm:
    """A private integration of the account `demo`."""
    return await Crm.made(Bridge(crm_process, sandbox.http), sandbox)


def outcome_of(body: bytes) -> tuple[str, str]:
    """How it ended and why, as the page has it for its script."""
    found = re.search(rb'data-outcome="(\w*)" data-why="(\w*)"', body)
    assert found is not None, body
    return found[1].decode(), found[2].decode()


async def test_a_private_integration_is_let_in_and_the_account_is_known(crm: Crm) -> None:
    account = await crm.authorize()
    assert account["account_id"] == DEMO
    assert account["host"] == "demo.amocrm.ru"
    assert account["amojo_id"] == "5a0db0c4-0000-4000-8000-0000000000a1"
    assert (account["state"], account["why"], account["advice"]) == ("authorized", None, None)
    assert account["name"] == "Demo shop"
    assert account["timezone"]
    assert crm.secret not in crm.bridge.process.log


async def test_the_page_speaks_the_browsers_language_and_loads_nothing_foreign(crm: Crm) -> None:
    path = await crm.consent(await crm.state())
    reply = await crm.come_back(path, "ru-RU,ru;q=0.9,en;q=0.8")
    page = reply.body.decode()
    assert '<html lang="ru">' in page
    assert "Подключено" in page
    assert reply.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert reply.headers["Cache-Control"] == "no-store"
    for link in re.findall(r'(?:href|src)="([^"]+)"', page):
        assert (await crm.bridge.call("GET", link, key=None)).status == 200


async def test_a_window_tells_the_origin_that_opened_it_and_no_other(crm: Crm) -> None:
    state = await crm.state(mode="post_message", origin="https://shop.example.com")
    reply = await crm.come_back(await crm.consent(state))
    assert b'data-origin="https://shop.example.com"' in reply.body
    other = await crm.come_back(await crm.consent(await crm.state()))
    assert b'data-origin=""' in other.body


async def test_a_refused_consent_says_so_and_ends_nothing(crm: Crm) -> None:
    state = await crm.state()
    refused = await crm.come_back(await crm.consent(state, answer="refuse"))
    assert outcome_of(refused.body) == ("denied", "denied")
    again = await crm.come_back(await crm.consent(state))
    assert outcome_of(again.body) == ("connected", "")


async def test_a_replayed_code_is_refused_and_nothing_is_asked_of_amocrm(crm: Crm) -> None:
    path = await crm.consent(await crm.state())
    await crm.come_back(path)
    before, account = await crm.calls(), await crm.accounts()
    replayed = await crm.come_back(path)
    assert replayed.status == 403
    assert outcome_of(replayed.body) == ("again", "used")
    stolen = re.sub(r"state=[^&]*", f"state={await crm.state()}", path)
    assert outcome_of((await crm.come_back(stolen)).body) == ("again", "used")
    assert await crm.calls() == before
    assert await crm.accounts() == account


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"state": "forged"}, ("again", "unknown")),
        ({"state": ""}, ("again", "unknown")),
        ({"referer": "evil.example.com"}, ("host", "host")),
        ({"referer": "demo.amocrm.ru.evil.example"}, ("host", "host")),
        ({"referer": "demo.amocrm.ru@evil.example"}, ("host", "host")),
        ({"referer": "127.0.0.1:8090"}, ("host", "host")),
        ({"client_id": "5d0c1b7a-9f42-4f7e-8a55-2c90f3ab77e1"}, ("again", "foreign")),
        ({"code": ""}, ("again", "incomplete")),
    ],
)
async def test_what_is_forged_is_refused_and_audited_and_has_no_effect(
    crm: Crm, changes: Wire, why: tuple[str, str]
) -> None:
    before, audited = await crm.calls(), await refusals(crm)
    path, _, query = (await crm.consent(await crm.state())).partition("?")
    members = dict(URL(f"/?{query}").query) | changes
    reply = await crm.come_back(f"{path}?{urlencode(members)}")
    assert reply.status == 403
    assert outcome_of(reply.body) == why
    assert await crm.calls() == before
    assert await crm.accounts() == []
    assert await refusals(crm) == [why[1], *audited]


async def refusals(crm: Crm) -> list[str]:
    """Why authorizations were refused, newest first, as the audit has it."""
    deeds = (await crm.bridge.call("GET", "/v1/audit?limit=200")).json["items"]
    return [deed["outcome"] for deed in deeds if deed["action"] == "authorize_account"]


async def test_the_install_hook_is_answered_at_once_and_makes_an_account_of_nobody(
    own_bridge: OwnBridge, own_sandbox: SandboxAmojo
) -> None:
    bridge = own_bridge(**crm_settings(own_sandbox.url))
    crm = await Crm.made(bridge, own_sandbox, kind="public", account=None)
    # amoCRM is slow itself, and all the same has its answer within three seconds.
    await own_sandbox.switch(crm_fault="slow", crm_fault_call="token", fault_delay_s=4.0)
    query = {
        "code": await crm.code(),
        "referer": "demo.amocrm.ru",
        "client_id": crm.client_id,
        "platform": "1",
        "from_widget": "1",
    }
    async with asyncio.timeout(3):
        reply = await crm.come_back(f"/oauth/redirect?{urlencode(query)}")
    assert reply.status == 200
    account = await crm.account_that(account_id=DEMO)
    assert account["workspace"] is None
    again = await crm.come_back(f"/oauth/redirect?{urlencode(query)}")
    assert again.status == 200
    assert (await crm.calls())["authorization_code.received"] == 1


async def test_a_code_is_not_lost_when_the_server_dies_before_it_was_used(
    own_bridge: OwnBridge, own_sandbox: SandboxAmojo
) -> None:
    bridge = own_bridge(**crm_settings(own_sandbox.url))
    crm = await Crm.made(bridge, own_sandbox)
    await own_sandbox.switch(crm_fault="503", crm_fault_call="token")
    query = {"code": await crm.code(), "referer": "demo.amocrm.ru", "client_id": crm.client_id}
    taken = await crm.come_back(f"/oauth/redirect?{urlencode(query)}&from_widget=1")
    assert taken.status == 200
    bridge.process.kill()
    await own_sandbox.switch(crm_fault="none")
    bridge.process.start("/readyz")
    await crm.account_that(account_id=DEMO, state="authorized")


async def test_an_external_integration_is_told_of_before_somebody_comes_back(crm: Crm) -> None:
    bridge = crm.bridge
    external = {
        "name": "Bridge",
        "description": "Chats",
        "logo": "https://example.com/logo.png",
    }
    begun = await bridge.made("/v1/authorizations", {"external": external})
    url = URL(begun["url"])
    button = {name: url.query[name] for name in ("name", "redirect_uri", "secrets_uri")}
    body = {"external": button, "state": state_of(begun["url"])}
    path = str((await crm.sandbox.control("POST", "/consent", body))["redirect"])
    async with bridge.http.get(path) as page:
        assert outcome_of(await page.read()) == ("connected", "")
    made = (await bridge.call("GET", "/v1/integrations?limit=200")).json["items"][-1]
    assert made["kind"] == "external"
    accounts = (await bridge.call("GET", "/v1/accounts?limit=200")).json["items"]
    assert made["client_id"] in {account["client_id"] for account in accounts}


async def test_keys_are_taken_only_with_a_state_and_change_nothing_that_is_there(crm: Crm) -> None:
    bridge = crm.bridge
    external = {"name": "B", "description": "C", "logo": "https://example.com/logo.png"}
    begun = await bridge.made("/v1/authorizations", {"external": external})
    state = state_of(begun["url"])
    keys = {"client_id": crm.client_id, "client_secret": "x" * 64, "state": state}
    squatting = await bridge.call("POST", "/oauth/secrets", keys, key=None)
    assert squatting.problem()["code"] == "already_exists"
    keys["client_id"] = "5d0c1b7a-9f42-4f7e-8a55-2c90f3ab77e1"
    forged = await bridge.call("POST", "/oauth/secrets", keys | {"state": "forged"}, key=None)
    assert forged.problem()["code"] == "authorization_refused"
    private = keys | {"state": await crm.state()}
    assert (await bridge.call("POST", "/oauth/secrets", private, key=None)).status == 403
    assert (await bridge.call("POST", "/oauth/secrets", keys, key=None)).status == 204
    twice = keys | {"client_id": "6d0c1b7a-9f42-4f7e-8a55-2c90f3ab77e1"}
    assert (await bridge.call("POST", "/oauth/secrets", twice, key=None)).status == 403
    await crm.authorize()


async def test_an_account_is_connected_by_hand_with_a_code_or_a_token(crm: Crm) -> None:
    draft = {"client_id": crm.client_id, "host": "demo.amocrm.ru", "code": await crm.code()}
    made = await crm.bridge.made("/v1/accounts", draft)
    assert (made["account_id"], made["long_lived"]) == (DEMO, False)
    used = (await crm.bridge.call("POST", "/v1/accounts", draft)).problem()
    assert used["code"] == "crm_unreachable" or used["amojo"]["means"] == "the code was used before"
    path = f"/integrations/{crm.client_id}/tokens"
    token = (await crm.sandbox.control("POST", path, {"days": 30}))["access_token"]
    del draft["code"]
    with_token = await crm.bridge.made("/v1/accounts", draft | {"token": token})
    assert (with_token["id"], with_token["long_lived"]) == (made["id"], True)
    wrong = (await crm.bridge.call("POST", "/v1/accounts", draft | {"code": "wrong"})).problem()
    assert wrong["code"] == "crm_refused"
    assert wrong["amojo"]["means"] == "the code is not of this account, or mangled"


async def test_the_disconnect_hook_signs_the_account_out_once(crm: Crm) -> None:
    account = await crm.authorize()
    forged = {"account_id": DEMO, "client_uuid": crm.client_id, "signature": "0" * 64}
    refused = await crm.come_back(f"/oauth/disconnect?{urlencode(forged)}")
    assert refused.problem()["code"] == "callback_refused"
    assert (await crm.accounts()) == [account]
    signed = sign(crm, DEMO)
    for _ in range(2):
        assert (await crm.come_back(f"/oauth/disconnect?{urlencode(signed)}")).status == 200
    (out,) = await crm.accounts()
    assert (out["state"], out["why"]) == ("signed_out", "disconnected")
    assert "install it there again" in out["advice"]
    told = [
        event
        for event in crm.bridge.process.events()
        if event["event"] == "account_signed_out" and event["account"] == account["id"]
    ]
    assert len(told) == 1
    assert (await crm.authorize())["id"] == account["id"]


def sign(crm: Crm, account_id: int) -> Wire:
    """The hook as amoCRM signs it, by hand."""
    words = f"{crm.client_id}|{account_id}".encode()
    signature = hmac.new(crm.secret.encode(), words, hashlib.sha256).hexdigest()
    return {"account_id": account_id, "client_uuid": crm.client_id, "signature": signature}


async def test_an_account_is_its_workspaces_alone(crm: Crm) -> None:
    bridge, keys = crm.bridge, []
    for name in ("mine", "theirs"):
        owner = {"login": f"{crm.client_id}-{name}@example.com"}
        workspace = await bridge.made("/v1/workspaces", {"name": name, "owner": owner})
        key = {"name": name, "role": "owner", "workspace": workspace["id"]}
        keys.append((await bridge.made("/v1/keys", key))["key"])
    mine, theirs = keys
    draft = {"client_id": crm.client_id}
    begun = await bridge.call("POST", "/v1/authorizations", draft, key=theirs)
    await crm.come_back(await crm.consent(state_of(begun.json["url"])))
    (account,) = await crm.accounts()
    channel = await crm.sandbox.open_account(bridge.hook_url)
    await bridge.add_channel(channel, crm.sandbox.url)
    for key, status in ((mine, 403), (theirs, 201)):
        shop = await bridge.call(
            "POST", "/v1/messengers", {"name": "Shop", "kind": "backend"}, key=key
        )
        link = {
            "channel": channel.code,
            "account_id": account["amojo_id"],
            "messenger": shop.json["id"],
        }
        assert (await bridge.call("POST", "/v1/links", link, key=key)).status == status
    path = f"/v1/accounts/{account['id']}"
    for method in ("GET", "DELETE"):
        assert (await bridge.call(method, path, key=mine)).status == 404
    assert (await bridge.call("GET", "/v1/accounts", key=mine)).json["items"] == []
    assert (await bridge.call("GET", path, key=theirs)).json == account
    taken = await bridge.call("POST", "/v1/authorizations", draft, key=mine)
    reply = await crm.come_back(await crm.consent(state_of(taken.json["url"])))
    assert b'data-outcome="connected"' not in reply.body, "it does not change hands"
    assert await crm.accounts() == [account]


async def test_an_integration_in_use_stays_and_an_unused_one_goes(crm: Crm) -> None:
    bridge: Bridge = crm.bridge
    account = await crm.authorize()
    path = f"/v1/integrations/{crm.client_id}"
    assert (await bridge.call("DELETE", path)).problem()["code"] == "integration_in_use"
    assert (await bridge.call("DELETE", f"/v1/accounts/{account['id']}")).status == 204
    assert (await bridge.call("GET", f"/v1/accounts/{account['id']}")).status == 404
    assert (await bridge.call("DELETE", path)).status == 204
    assert (await bridge.call("GET", path)).status == 404
