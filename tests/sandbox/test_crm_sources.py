"""The Sources API: every rule that is documented."""

from typing import Any

import pytest

from tests.sandbox.integrator import CLIENT, MANIFEST, Integrator, widget_zip
from tests.sandbox.messenger import Answer, Desk

PATH = "/api/v4/sources"
SOURCE = {"name": "Shop bot", "external_id": "tg-1"}


@pytest.fixture
async def shop(integrator: Integrator, desk: Desk) -> Integrator:
    await desk.switch(crm_limit=0)
    await integrator.upload()
    await integrator.authorize()
    return integrator


def errors(answer: Answer) -> list[tuple[str, str, str]]:
    assert answer.status == 400, answer.body
    assert answer.json["detail"] == "Request validation failed"
    return [
        (item["request_id"], one["code"], one["path"])
        for item in answer.json["validation-errors"]
        for one in item["errors"]
    ]


async def added(shop: Integrator, *sources: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await shop.api("POST", PATH, list(sources))
    assert answer.status == 200, answer.body
    return answer.json["_embedded"]["sources"]


async def test_sources_come_change_and_go(shop: Integrator) -> None:
    empty = await shop.api("GET", PATH)
    assert (empty.status, empty.body) == (204, b"")
    [one, two] = await added(shop, SOURCE | {"request_id": "r-1"}, SOURCE | {"external_id": "tg-2"})
    assert (one["request_id"], two["request_id"]) == ("r-1", "1")
    assert (one["pipeline_id"], one["default"], one["origin_code"]) == (
        701,
        False,
        "amo.ext.sandbox",
    )
    change = [{"id": two["id"], "name": "Second", "pipeline_id": 702}]
    [changed] = (await shop.api("PATCH", PATH, change)).json["_embedded"]["sources"]
    assert (changed["name"], changed["pipeline_id"], changed["external_id"]) == (
        "Second",
        702,
        "tg-2",
    )
    single = await shop.api("PATCH", f"{PATH}/{one['id']}", {"name": "First"})
    assert (single.status, single.json["name"]) == (200, "First")
    assert (await shop.api("GET", f"{PATH}/{one['id']}")).json["name"] == "First"
    gone = await shop.api("DELETE", f"{PATH}/{one['id']}")
    assert (gone.status, gone.body) == (204, b"")
    assert (await shop.api("GET", f"{PATH}/{one['id']}")).status == 404
    assert (await shop.api("DELETE", PATH, [{"id": two["id"]}])).status == 204
    assert (await shop.api("GET", PATH)).status == 204


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"name": ""}, ("InvalidType", "name")),
        ({"name": 5}, ("InvalidType", "name")),
        ({"external_id": "x" * 37}, ("InvalidType", "external_id")),
        ({"external_id": "привет"}, ("InvalidType", "external_id")),
        ({"external_id": None}, ("InvalidType", "external_id")),
        ({"pipeline_id": 1}, ("NotSupportedChoice", "pipeline_id")),
        ({"pipeline_id": [701]}, ("NotSupportedChoice", "pipeline_id")),
        ({"default": "yes"}, ("InvalidType", "default")),
        ({"origin_code": "amo.ext.other"}, ("NotSupportedChoice", "origin_code")),
        ({"services": [{"type": "sms"}]}, ("NotSupportedChoice", "services")),
    ],
)
async def test_one_wrong_source_refuses_all(
    shop: Integrator, wrong: dict[str, Any], expected: tuple[str, str]
) -> None:
    good = SOURCE | {"external_id": "tg-2"}
    answer = await shop.api("POST", PATH, [good, SOURCE | {"request_id": "bad"} | wrong])
    assert errors(answer) == [("bad", *expected)]
    assert (await shop.api("GET", PATH)).status == 204


async def test_an_external_id_is_unique_and_stays(shop: Integrator) -> None:
    twice = await shop.api("POST", PATH, [SOURCE, SOURCE])
    assert errors(twice) == [("1", "NotSupportedChoice", "external_id")]
    [one] = await added(shop, SOURCE)
    again = await shop.api("POST", PATH, [SOURCE])
    assert errors(again) == [("0", "NotSupportedChoice", "external_id")]
    moved = await shop.api("PATCH", PATH, [{"id": one["id"], "external_id": "tg-9"}])
    assert errors(moved) == [("0", "NotSupportedChoice", "external_id")]
    same = await shop.api("PATCH", PATH, [{"id": one["id"], "external_id": "tg-1", "name": "New"}])
    assert same.status == 200


async def test_one_source_is_the_default_one(desk: Desk, shop: Integrator) -> None:
    def marks(answer: Answer) -> dict[str, bool]:
        listed = answer.json["_embedded"]["sources"]
        return {one["external_id"]: one["default"] for one in listed}

    await added(shop, SOURCE | {"default": True})
    await added(shop, {"name": "Second", "external_id": "tg-2", "default": True})
    assert marks(await shop.api("GET", PATH)) == {"tg-1": False, "tg-2": True}
    await desk.switch(source_default="refused")
    third = {"name": "Third", "external_id": "tg-3", "default": True}
    answer = await shop.api("POST", PATH, [third])
    assert errors(answer) == [("0", "NotSupportedChoice", "default")]
    listed = (await shop.api("GET", PATH)).json["_embedded"]["sources"]
    await shop.api("DELETE", f"{PATH}/{listed[1]['id']}")
    assert marks(await shop.api("GET", PATH)) == {"tg-1": False}


async def test_there_are_limits(shop: Integrator) -> None:
    def batch(first: int, count: int) -> list[dict[str, Any]]:
        return [{"name": "n", "external_id": f"e-{n}"} for n in range(first, first + count)]

    assert (await shop.api("POST", PATH, batch(0, 51))).status == 400
    await added(shop, *batch(0, 50))
    await added(shop, *batch(50, 50))
    assert (await shop.api("POST", PATH, batch(100, 1))).status == 400
    for body in ({}, [], "x", [1]):
        assert (await shop.api("POST", PATH, body)).status == 400


async def test_removing_unknown_ones_removes_none(shop: Integrator) -> None:
    [one] = await added(shop, SOURCE)
    answer = await shop.api("DELETE", PATH, [{"id": one["id"]}, {"id": 1}])
    assert (answer.status, answer.json["detail"]) == (400, "Invalid request items")
    assert answer.json["errors"] == [
        {
            "request_id": "1",
            "errors": {"code": "EntityNotFound", "path": "id", "detail": "Entity not found"},
        }
    ]
    assert (await shop.api("GET", PATH)).status == 200
    unknown = await shop.api("PATCH", PATH, [{"id": 1, "name": "x"}])
    assert errors(unknown) == [("0", "EntityNotFound", "id")]


async def test_only_widgets_among_lead_sources_have_sources(shop: Integrator) -> None:
    manifest = MANIFEST | {"locations": ["settings"]}
    await shop.upload(widget_zip(manifest))
    answer = await shop.api("GET", PATH)
    assert (answer.status, "not authorised" in answer.json["detail"]) == (403, True)


async def test_the_account_makes_a_source_unless_the_integration_does(
    desk: Desk, shop: Integrator
) -> None:
    body = {"code": "sandbox_widget", "pipeline_id": 702}
    await desk.control("POST", "/integrations", {"client_id": CLIENT, "multiple_sources": True})
    assert (await desk.control("POST", "/accounts/demo/sources", body)).json["sources"] == []
    await desk.control("POST", "/integrations", {"client_id": CLIENT, "multiple_sources": False})
    for _ in range(2):
        answer = await desk.control("POST", "/accounts/demo/sources", body)
        [source] = answer.json["sources"]
        assert (source["external_id"], source["pipeline_id"]) == ("sandbox_widget", 702)
    [own] = (await shop.api("GET", PATH)).json["_embedded"]["sources"]
    assert own["id"] == source["id"]
