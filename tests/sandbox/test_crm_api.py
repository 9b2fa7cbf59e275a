"""An account's API: who may ask what, and how it refuses."""

from typing import Any

import pytest

from tests.sandbox.integrator import CLIENT, CODE, KATE_NUMBER, OLEG_NUMBER, Integrator, widget_zip
from tests.sandbox.messenger import ACCOUNT, KATE, Answer, Desk


def problem(answer: Answer, status: int) -> dict[str, Any]:
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.json["status"] == status
    assert answer.json.keys() >= {"title", "type", "detail"}
    return answer.json


async def test_the_account_says_what_is_asked_for(integrator: Integrator) -> None:
    await integrator.authorize()
    answer = await integrator.api("GET", "/api/v4/account")
    assert answer.headers["Content-Type"].startswith("application/hal+json")
    assert "x-request-id" in {name.lower() for name in answer.headers}
    plain = answer.json
    assert (plain["id"], plain["subdomain"], plain["current_user_id"]) == (
        30112233,
        "demo",
        KATE_NUMBER,
    )
    assert plain.keys().isdisjoint({"amojo_id", "_embedded"})
    path = "/api/v4/account?with=amojo_id,task_types,datetime_settings,no_such"
    more = (await integrator.api("GET", path)).json
    assert more["amojo_id"] == ACCOUNT
    assert more["_embedded"].keys() == {"task_types", "datetime_settings"}
    assert more["_embedded"]["datetime_settings"]["timezone"] == "Europe/Moscow"


async def test_the_account_of_2017(integrator: Integrator) -> None:
    await integrator.authorize()
    path = "/private/api/v2/json/accounts/current"
    old = (await integrator.api("GET", f"{path}?amojo=Y")).json["response"]["account"]
    assert (old["id"], old["subdomain"], old["amojo_id"]) == (30112233, "demo", ACCOUNT)
    assert "amojo_id" not in (await integrator.api("GET", path)).json["response"]["account"]


async def test_users_are_for_administrators(integrator: Integrator) -> None:
    await integrator.authorize()
    listed = (await integrator.api("GET", "/api/v4/users?with=amojo_id,role")).json
    users = listed["_embedded"]["users"]
    assert [(one["id"], one["rights"]["is_admin"]) for one in users] == [
        (KATE_NUMBER, True),
        (OLEG_NUMBER, False),
    ]
    assert (users[0]["amojo_id"], users[0]["_embedded"]) == (KATE, {"roles": []})
    oleg = (await integrator.api("GET", f"/api/v4/users/{OLEG_NUMBER}")).json
    assert (oleg["name"], oleg["rights"]["is_admin"]) == ("Oleg", False)
    problem(await integrator.api("GET", "/api/v4/users/1"), 404)
    integrator.headers = {"X-Context-User-ID": str(OLEG_NUMBER)}
    problem(await integrator.api("GET", "/api/v4/users"), 403)
    problem(await integrator.api("GET", "/api/v4/sources"), 403)
    integrator.headers = {"X-Context-User-ID": "1"}
    problem(await integrator.api("GET", "/api/v4/account"), 401)


async def test_pages_end_with_no_content(integrator: Integrator) -> None:
    await integrator.authorize()
    first = (await integrator.api("GET", "/api/v4/users?limit=1")).json
    assert first["_links"]["next"]["href"].endswith("page=2")
    second = (await integrator.api("GET", "/api/v4/users?limit=1&page=2")).json
    assert "next" not in second["_links"]
    end = await integrator.api("GET", "/api/v4/users?limit=1&page=3")
    assert (end.status, end.body) == (204, b"")


async def test_pipelines(integrator: Integrator) -> None:
    await integrator.authorize()
    listed = (await integrator.api("GET", "/api/v4/leads/pipelines")).json
    assert [one["id"] for one in listed["_embedded"]["pipelines"]] == [701, 702]
    one = (await integrator.api("GET", "/api/v4/leads/pipelines/702")).json
    assert [stage["id"] for stage in one["_embedded"]["statuses"]] == [70201, 70202, 142, 143]
    problem(await integrator.api("GET", "/api/v4/leads/pipelines/1"), 404)


async def test_without_a_valid_token_of_the_account_nothing_is_told(
    desk: Desk, integrator: Integrator
) -> None:
    problem(await integrator.api("GET", "/api/v4/account"), 401)
    await integrator.authorize()
    await desk.control("POST", "/accounts", {"name": "Other", "subdomain": "other"})
    integrator.account = "other"
    problem(await integrator.api("GET", "/api/v4/account"), 401)
    integrator.account = "nobody"
    problem(await integrator.api("GET", "/api/v4/account"), 404)


async def test_an_unpaid_account(desk: Desk, integrator: Integrator) -> None:
    await integrator.authorize()
    await desk.control("PATCH", "/accounts/demo", {"standing": "unpaid"})
    problem(await integrator.api("GET", "/api/v4/account"), 402)


async def test_too_many_requests_get_pages_and_end_in_a_ban(
    desk: Desk, integrator: Integrator
) -> None:
    await integrator.authorize()
    await desk.switch(crm_limit=1, crm_ban_after=2)
    statuses = []
    while 403 not in statuses:
        answer = await integrator.api("GET", "/api/v4/account")
        statuses.append(answer.status)
        if answer.status != 200:
            assert answer.headers["Content-Type"].startswith("text/html")
            assert "Retry-After" not in answer.headers
    assert statuses.count(429) == 2
    await desk.switch(crm_limit=0)
    assert (await integrator.api("GET", "/api/v4/account")).status == 403


@pytest.mark.parametrize("fault", ["500", "503", "504", "429", "403"])
async def test_a_fault_hits_the_call_that_it_is_aimed_at(
    desk: Desk, integrator: Integrator, fault: str
) -> None:
    await integrator.authorize()
    await desk.switch(crm_fault=fault, crm_fault_requests=1, crm_fault_call="users")
    assert (await integrator.api("GET", "/api/v4/account")).status == 200
    broken = await integrator.api("GET", "/api/v4/users")
    assert (broken.status, broken.body[:6]) == (int(fault), b"<html>")
    assert (await integrator.api("GET", "/api/v4/users")).status == 200


async def test_widgets_are_installed_and_disabled_by_api(integrator: Integrator) -> None:
    await integrator.authorize()
    path = f"/api/v4/widgets/{CODE}"
    problem(await integrator.api("GET", path), 404)
    assert (await integrator.api("GET", "/api/v4/widgets")).status == 204
    required = {"login": {"name": "settings.login", "type": "text", "required": True}}
    manifest = {
        "widget": {"version": "2", "interface_version": 2, "locale": ["ru"]},
        "locations": ["lead_sources-0"],
        "settings": required,
    }
    assert (await integrator.upload(widget_zip(manifest))).status == 201
    [listed] = (await integrator.api("GET", "/api/v4/widgets")).json["_embedded"]["widgets"]
    assert (listed["code"], listed["version"], listed["client_uuid"]) == (CODE, "2", CLIENT)
    assert (listed["is_lead_source"], listed["is_active_in_account"]) == (True, False)
    assert listed["settings_template"] == [
        {"key": "login", "name": "settings.login", "type": "text", "is_required": True}
    ]
    wrong = problem(await integrator.api("POST", path, {}), 400)
    assert wrong["validation-errors"][0]["errors"][0]["path"] == "login"
    installed = (await integrator.api("POST", path, {"login": "anna"})).json
    assert (installed["is_active_in_account"], installed["settings"]) == (True, {"login": "anna"})
    assert (await integrator.api("DELETE", path)).status == 204
    problem(await integrator.api("GET", path), 401)  # an integration that is disabled


async def test_another_integration_does_not_see_the_settings(
    desk: Desk, integrator: Integrator
) -> None:
    await integrator.upload()
    await integrator.widget("install", settings={"bridge_state": {"link": "l-1"}})
    uri = "http://127.0.0.1:1/back"
    made = (await desk.control("POST", "/integrations", {"redirect_uri": uri})).json
    stranger = Integrator(desk, uri, client_id=made["client_id"])
    stranger.secret = made["client_secret"]
    await stranger.authorize()
    assert "settings" not in (await stranger.api("GET", f"/api/v4/widgets/{CODE}")).json
    await integrator.authorize()
    own = (await integrator.api("GET", f"/api/v4/widgets/{CODE}")).json
    assert own["settings"] == {"bridge_state": {"link": "l-1"}}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"name": "x", "subdomain": "demo"}, "subdomain"),
        ({"name": "x", "subdomain": "api_a"}, "subdomain"),
        ({"name": "x", "zone": "example.org"}, "zone"),
    ],
)
async def test_an_account_needs_an_address_of_its_own(
    desk: Desk, body: dict[str, str], named: str
) -> None:
    answer = await desk.control("POST", "/accounts", body)
    assert answer.status in {400, 409}
    assert named in answer.json["error"]["message"]
    made = (await desk.control("POST", "/accounts", {"name": "x"})).json
    assert made["subdomain"] == f"account{made['id']}"
    moved = await desk.control("PATCH", f"/accounts/{made['subdomain']}", {"subdomain": "demo"})
    assert moved.status == 409
