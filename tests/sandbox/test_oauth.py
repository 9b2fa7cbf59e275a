"""Codes, tokens, consent and what the server tells integrations."""

from typing import Any

import aiohttp
import pytest

from tests.sandbox.integrator import (
    CLIENT,
    CLIENT_SECRET,
    KATE_NUMBER,
    OLEG_NUMBER,
    Integrator,
    claims,
    query_of,
)
from tests.sandbox.messenger import ACCOUNT, CHANNEL, Answer, Desk, HookReceiver

OTHER = {"name": "Other", "subdomain": "other", "users": [{"name": "Eva", "is_admin": True}]}
TWENTY_MINUTES, DAY = 20 * 60, 86_400


def hint(answer: Answer, status: int = 400) -> str:
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.json["status"] == status
    assert answer.json["type"] == "https://developers.amocrm.ru/v3/errors/OAuthProblemJson"
    return str(answer.json["hint"])


async def works(integrator: Integrator, token: str) -> bool:
    integrator.token = token
    return (await integrator.api("GET", "/api/v4/account")).status == 200


async def test_a_code_becomes_a_pair_whose_claims_are_as_documented(integrator: Integrator) -> None:
    pair = await integrator.authorize()
    assert (pair["token_type"], pair["expires_in"]) == ("Bearer", DAY)
    said = claims(pair["access_token"])
    assert (said["aud"], said["sub"], said["account_id"]) == (CLIENT, str(KATE_NUMBER), 30112233)
    assert said["exp"] - said["iat"] == DAY
    assert said["api_domain"] == "api-a.amocrm.ru"
    assert said["scopes"] == ["crm", "notifications"]
    assert await works(integrator, pair["access_token"])


async def test_a_code_is_good_once_and_for_twenty_minutes(
    desk: Desk, integrator: Integrator
) -> None:
    code, late = await integrator.code(), await integrator.code()
    assert (await integrator.by_code(code)).status == 200
    assert hint(await integrator.by_code(code)) == "Authorization code has been revoked"
    await desk.switch(crm_clock_s=TWENTY_MINUTES)
    assert hint(await integrator.by_code(late)) == "Authorization code has expired"


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"client_id": "no-such"}, "Check the `client_id` parameter"),
        ({"client_secret": "no-such"}, "Check the `client_secret` parameter"),
        ({"redirect_uri": "http://127.0.0.1/"}, "Redirect URI is not associated with client"),
        ({"code": "mangled"}, "Cannot decrypt the authorization code"),
        ({"grant_type": "password"}, "Check the `grant_type` parameter"),
    ],
)
async def test_what_is_wrong_with_an_exchange_is_told_by_a_hint(
    integrator: Integrator, wrong: dict[str, Any], expected: str
) -> None:
    body = {"grant_type": "authorization_code", "code": await integrator.code()} | wrong
    assert hint(await integrator.exchange(**body)) == expected
    assert (await integrator.by_code(await integrator.code())).status == 200


async def test_a_code_belongs_to_its_account(desk: Desk, integrator: Integrator) -> None:
    await desk.control("POST", "/accounts", OTHER)
    code = await integrator.code()
    integrator.account = "other"
    assert hint(await integrator.by_code(code)) == "Cannot decrypt the authorization code"
    integrator.account = "nobody"
    assert (await integrator.by_code(code)).status == 404
    integrator.account = "demo"
    assert (await integrator.by_code(code)).status == 200


async def test_a_closed_account_gives_nothing(desk: Desk, integrator: Integrator) -> None:
    pair = await integrator.authorize()
    await desk.control("PATCH", "/accounts/demo", {"standing": "closed"})
    assert hint(await integrator.by_refresh(pair["refresh_token"])) == "Invalid account"
    assert not await works(integrator, pair["access_token"])


async def test_an_old_refresh_token_dies_at_once(desk: Desk, integrator: Integrator) -> None:
    old = (await integrator.authorize())["refresh_token"]
    new = (await integrator.by_refresh(old)).json["refresh_token"]
    assert hint(await integrator.by_refresh(old)) == "Token has been revoked"
    await desk.switch(oauth_refresh_refusal="401")
    assert hint(await integrator.by_refresh(old), 401) == "Token has been revoked"
    assert (await integrator.by_refresh(new)).status == 200
    assert hint(await integrator.by_refresh("no-such"), 401) == "Invalid refresh token"


async def test_or_lives_until_the_new_one_is_used(desk: Desk, integrator: Integrator) -> None:
    await desk.switch(oauth_rotation="lenient")
    old = (await integrator.authorize())["refresh_token"]
    lost = (await integrator.by_refresh(old)).json["refresh_token"]
    new = (await integrator.by_refresh(old)).json["refresh_token"]
    assert lost != new
    assert (await integrator.by_refresh(new)).status == 200
    assert hint(await integrator.by_refresh(old)) == "Token has been revoked"


async def test_tokens_grow_old(desk: Desk, integrator: Integrator) -> None:
    pair = await integrator.authorize()
    await desk.switch(crm_clock_s=DAY)
    assert not await works(integrator, pair["access_token"])
    pair = (await integrator.by_refresh(pair["refresh_token"])).json
    assert await works(integrator, pair["access_token"])
    await desk.switch(crm_clock_s=92 * DAY)
    assert hint(await integrator.by_refresh(pair["refresh_token"])) == "Invalid refresh token"


async def test_calls_of_the_token_endpoint_are_counted(desk: Desk, integrator: Integrator) -> None:
    pair = await integrator.authorize()
    await integrator.by_refresh(pair["refresh_token"])
    await integrator.by_refresh(pair["refresh_token"])
    await integrator.exchange("password")
    assert (await desk.control("GET", "/oauth/calls")).json == {
        "authorization_code.received": 1,
        "authorization_code.done": 1,
        "refresh_token.received": 2,
        "refresh_token.done": 1,
        "refresh_token.refused": 1,
        "other.received": 1,
        "other.refused": 1,
    }
    rows = (await desk.control("GET", "/requests")).json["requests"]
    assert [(row["kind"], row["status"], row["error"]) for row in rows[1:3]] == [
        ("crm", 200, None),
        ("crm", 400, "Token has been revoked"),
    ]


async def test_an_answer_is_lost_after_the_exchange(desk: Desk, integrator: Integrator) -> None:
    old = (await integrator.authorize())["refresh_token"]
    await desk.switch(crm_fault="lost_answer", crm_fault_requests=1, crm_fault_call="token")
    with pytest.raises(aiohttp.ClientError):
        await integrator.by_refresh(old)
    assert hint(await integrator.by_refresh(old)) == "Token has been revoked"


async def test_a_broken_server_exchanges_nothing(desk: Desk, integrator: Integrator) -> None:
    old = (await integrator.authorize())["refresh_token"]
    await desk.switch(crm_fault="500", crm_fault_requests=1, crm_fault_call="token")
    broken = await integrator.by_refresh(old)
    assert (broken.status, broken.body[:6]) == (500, b"<html>")
    assert (await integrator.by_refresh(old)).status == 200


async def test_a_renamed_account_is_found_by_its_refresh_token(
    desk: Desk, integrator: Integrator
) -> None:
    pair = await integrator.authorize()
    await desk.control("PATCH", "/accounts/demo", {"subdomain": "renamed"})
    assert (await integrator.by_refresh(pair["refresh_token"])).status == 404
    path = "/accounts/api-a/oauth2/account/current/subdomain"
    found = await desk.request("GET", path, headers={"X-Refresh-Token": pair["refresh_token"]})
    assert found.json == {
        "id": 30112233,
        "subdomain": "renamed",
        "domain": "renamed.amocrm.ru",
        "top_level_domain": "ru",
    }
    assert (await desk.request("GET", path, headers={"X-Refresh-Token": "x"})).status == 401
    integrator.account = "renamed"
    assert (await integrator.by_refresh(pair["refresh_token"])).status == 200


async def test_a_long_lived_token_needs_no_refresh(desk: Desk, integrator: Integrator) -> None:
    path = f"/integrations/{CLIENT}/tokens"
    token = (await desk.control("POST", path, {"days": 2})).json["access_token"]
    await desk.switch(crm_clock_s=2 * DAY - 60)
    assert await works(integrator, token)
    await desk.switch(crm_clock_s=2 * DAY)
    assert not await works(integrator, token)
    assert (await desk.control("POST", path, {"days": 2000})).status == 400


async def test_what_is_revoked_is_void(desk: Desk, integrator: Integrator) -> None:
    pair = await integrator.authorize()
    assert (await desk.control("POST", f"/integrations/{CLIENT}/revoke")).status == 204
    assert not await works(integrator, pair["access_token"])
    assert hint(await integrator.by_refresh(pair["refresh_token"])) == "Token has been revoked"


async def test_consent_leads_back_with_a_code(desk: Desk, integrator: Integrator) -> None:
    body = {"client_id": CLIENT, "state": "s-1"}
    answer = await desk.control("POST", "/consent", body)
    url = answer.json["redirect"]
    assert url.startswith(integrator.redirect_uri + "?")
    query = query_of(url)
    assert (await integrator.by_code(query.pop("code"))).status == 200
    assert query == {
        "referer": "demo.amocrm.ru",
        "platform": "1",
        "client_id": CLIENT,
        "state": "s-1",
    }


async def test_consent_refused_leads_back_without_one(desk: Desk) -> None:
    body = {"client_id": CLIENT, "state": "s-1", "answer": "refuse"}
    url = (await desk.control("POST", "/consent", body)).json["redirect"]
    assert query_of(url) == {"client_id": CLIENT, "state": "s-1", "error": "access_denied"}


async def test_only_an_administrator_of_its_own_account_allows_a_private_integration(
    desk: Desk,
) -> None:
    await desk.control("POST", "/accounts", OTHER)
    for body, status in (({"user_id": OLEG_NUMBER}, 403), ({"account": "other"}, 400)):
        answer = await desk.control("POST", "/consent", {"client_id": CLIENT} | body)
        assert answer.status == status, answer.body
    body = {"account": "other"}
    assert (await desk.control("POST", f"/integrations/{CLIENT}/codes", body)).status == 400
    change = {"client_id": CLIENT, "kind": "public"}
    assert (await desk.control("POST", "/integrations", change)).status == 201
    answer = await desk.control("POST", "/consent", {"client_id": CLIENT, "account": "other"})
    assert query_of(answer.json["redirect"])["referer"] == "other.amocrm.ru"
    shown = (await desk.control("GET", f"/consent?client_id={CLIENT}")).json
    assert [one["subdomain"] for one in shown["accounts"]] == ["demo", "other"]


async def test_an_external_integration_gets_its_keys_before_the_browser_leaves(
    desk: Desk, integrator: Integrator, receiver: HookReceiver
) -> None:
    external = {
        "name": "Bridge",
        "redirect_uri": receiver.url + "/back",
        "secrets_uri": receiver.url + "/secrets",
    }
    receiver.status = 500  # what is answered changes nothing
    answer = await desk.control("POST", "/consent", {"external": external, "state": "s-2"})
    [(path, _, _)], [keys] = receiver.hooks, receiver.bodies()
    query = query_of(answer.json["redirect"])
    assert (path, keys["state"], query["state"]) == ("/secrets", "s-2", "s-2")
    integrator.client_id, integrator.secret = keys["client_id"], keys["client_secret"]
    integrator.redirect_uri = external["redirect_uri"]
    pair = (await integrator.by_code(query["code"])).json
    integrator.token = pair["access_token"]
    assert (await integrator.api("GET", "/api/v4/account")).status == 200
    assert (await integrator.api("GET", "/api/v4/users")).status == 403


async def test_installing_tells_the_server_once(
    integrator: Integrator, receiver: HookReceiver
) -> None:
    await integrator.upload()
    receiver.status = 500
    row = (await integrator.widget("install")).json["notice"]
    assert (row["kind"], row["status"]) == ("install", 500)
    [(path, query)] = receiver.queries
    assert (path, query["from_widget"], query["platform"]) == ("/oauth/redirect", "1", "1")
    assert query.keys() == {"code", "referer", "platform", "client_id", "from_widget"}
    assert (await integrator.by_code(query["code"])).status == 200
    assert (await integrator.widget("install")).json["notice"] is None
    assert len(receiver.queries) == 1


async def test_a_server_that_hangs_is_left_alone_after_the_deadline(
    desk: Desk, integrator: Integrator, receiver: HookReceiver
) -> None:
    await integrator.upload()
    await desk.switch(install_hook_deadline_s=0.05)
    receiver.gate.clear()
    row = (await integrator.widget("install")).json["notice"]
    assert (row["status"], row["error"]) == (None, "no answer within 0.05 s")


async def test_an_install_hook_may_be_lost(desk: Desk, integrator: Integrator) -> None:
    await integrator.upload()
    await desk.switch(install_hook="lost")
    assert (await integrator.widget("install")).json["notice"] is None
    assert await integrator.notices() == []


async def test_disabling_takes_everything_back(
    desk: Desk, integrator: Integrator, receiver: HookReceiver
) -> None:
    await integrator.upload()
    await integrator.widget("install")
    await desk.connect()
    pair = await integrator.authorize()
    row = (await integrator.widget("disable")).json["notice"]
    assert (row["kind"], row["status"]) == ("disconnect", 200)
    path, query = receiver.queries[-1]
    assert path == "/oauth/disconnect"
    assert query.keys() == {"account_id", "client_uuid", "signature"}
    assert (query["account_id"], query["client_uuid"]) == ("30112233", CLIENT)
    assert not await works(integrator, pair["access_token"])
    assert hint(await integrator.by_refresh(pair["refresh_token"])) == "Token has been revoked"
    assert (await desk.send("m-1")).status == 404  # the channel is disconnected
    again = (await integrator.widget("install")).json["notice"]
    assert again["kind"] == "install"


async def test_an_integration_of_ones_own(desk: Desk) -> None:
    await desk.control("POST", "/accounts", OTHER)
    body = {
        "name": "Mine",
        "account": "other",
        "redirect_uri": "http://127.0.0.1:1/back",
        "channel_id": CHANNEL,
    }
    made = (await desk.control("POST", "/integrations", body)).json
    assert (made["name"], made["kind"], made["channel_id"]) == ("Mine", "private", CHANNEL)
    assert made["client_secret"] != CLIENT_SECRET
    listed = (await desk.control("GET", "/integrations")).json["integrations"]
    assert [one["client_id"] for one in listed] == [CLIENT, made["client_id"]]
    seen = (await desk.control("GET", "/accounts/other")).json
    assert [one["name"] for one in seen["integrations"]] == ["Mine"]
    assert seen["account"]["amojo_id"] != ACCOUNT
