"""Links that amojo refuses, cannot be asked for, are moved and are ended."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.acceptance.bridge import Bridge, Reply, eventually
from tests.acceptance.event_stream import reading
from tests.acceptance.sandbox import SandboxAmojo
from tests.acceptance.webhooks import texts
from tests.fakes import Answer, FarSide
from tests.plain_amojo import Account, PlainAmojo
from tests.processes import free_port

Amojo = PlainAmojo | SandboxAmojo


async def try_to_link(bridge: Bridge, account: Account, base_url: str) -> Reply:
    await bridge.add_channel(account, base_url)
    messenger = await bridge.add_messenger()
    link = {"channel": account.code, "account_id": account.account_id, "messenger": messenger["id"]}
    return await bridge.call("POST", "/v1/links", link)


async def test_a_wrong_secret_is_told_with_amojos_own_code(bridge: Bridge, amojo: Amojo) -> None:
    account = await amojo.open_account(bridge.hook_url)
    reply = await try_to_link(bridge, replace(account, secret="0" * 40), amojo.url)
    problem = reply.problem()
    assert (reply.status, problem["code"]) == (502, "amojo_refused")
    assert problem["amojo"]["status"] == 403
    assert problem["amojo"]["code"] == "ORIGIN_INVALID_SIGNATURE"
    assert "Check the channel's secret" in problem["detail"]
    assert (
        await bridge.call("PATCH", f"/v1/channels/{account.code}", {"secret": account.secret})
    ).status == 200
    messenger = await bridge.add_messenger()
    link = {"channel": account.code, "account_id": account.account_id, "messenger": messenger["id"]}
    assert (await bridge.call("POST", "/v1/links", link)).status == 201


async def test_an_unknown_channel_is_told_with_amojos_own_code(
    bridge: Bridge, amojo: Amojo
) -> None:
    account = await amojo.open_account(bridge.hook_url)
    unknown = replace(
        account, channel_id="5a0db0c4-ffff-4fff-8fff-ffffffffffff", code=f"{account.code}.x"
    )
    listed = await bridge.call("GET", f"/v1/channels/{unknown.channel_id}")
    if listed.status == 404:
        reply = await try_to_link(bridge, unknown, amojo.url)
    else:
        change = {"base_url": amojo.url}
        assert (
            await bridge.call("PATCH", f"/v1/channels/{unknown.channel_id}", change)
        ).status == 200
        messenger = await bridge.add_messenger()
        link = {
            "channel": unknown.channel_id,
            "account_id": account.account_id,
            "messenger": messenger["id"],
        }
        reply = await bridge.call("POST", "/v1/links", link)
    problem = reply.problem()
    assert (reply.status, problem["code"]) == (502, "amojo_refused")
    assert problem["amojo"]["status"] == 404
    assert problem["amojo"]["code"]
    assert "Check the channel id" in problem["detail"]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(status=403, body=b"Forbidden"), "amojo_refused"),
        (Answer(status=404), "amojo_refused"),
        (Answer(status=400, body=b'{"detail": "account_id: no such account"}'), "amojo_refused"),
        (Answer(status=429, headers={"Retry-After": "9"}), "amojo_refused"),
        (Answer(status=403, body=b"<html>blocked</html>"), "amojo_refused"),
        (Answer(status=301, headers={"Location": "http://127.0.0.1/"}), "amojo_refused"),
        (Answer(status=500, body=b"oops"), "amojo_unreachable"),
        (Answer(cut=True), "amojo_unreachable"),
        (Answer(body=b"<html>parked domain</html>"), "amojo_unreachable"),
    ],
)
async def test_every_other_answer_is_told_and_links_nothing(
    bridge: Bridge, plain: PlainAmojo, answer: Answer, code: str
) -> None:
    account = await plain.open_account(bridge.hook_url)
    plain.far_side.script.append(answer)
    reply = await try_to_link(bridge, account, plain.url)
    problem = reply.problem()
    assert (reply.status, problem["code"]) == (502, code)
    if code == "amojo_refused":
        assert problem["amojo"]["status"] == answer.status
    found = await bridge.call("GET", f"/v1/links/{account.scope_id}")
    assert found.status == 404


async def test_an_amojo_that_is_not_there(bridge: Bridge, plain: PlainAmojo) -> None:
    account = await plain.open_account(bridge.hook_url)
    reply = await try_to_link(bridge, account, f"http://127.0.0.1:{free_port()}")
    problem = reply.problem()
    assert (reply.status, problem["code"]) == (502, "amojo_unreachable")
    assert "cannot be reached" in problem["detail"]


async def test_a_name_that_stands_for_a_local_address_is_not_called(
    bridge: Bridge, plain: PlainAmojo
) -> None:
    """The link itself tells nothing; the guard looks when the connection is made."""
    account = await plain.open_account(bridge.hook_url)
    reply = await try_to_link(
        bridge, account, plain.url.replace("127.0.0.1", "127.0.0.2.nip.invalid")
    )
    assert reply.status == 502
    port = plain.url.rpartition(":")[2]
    other = await plain.open_account(bridge.hook_url)
    reply = await try_to_link(bridge, other, f"http://2130706434:{port}")
    assert (reply.status, plain.far_side.received) == (502, [])


async def test_unknown_parts_of_a_link_are_named(bridge: Bridge, plain: PlainAmojo) -> None:
    messenger = await bridge.add_messenger()
    link = {"channel": "nowhere", "account_id": "a", "messenger": messenger["id"]}
    reply = await bridge.call("POST", "/v1/links", link)
    assert (reply.status, reply.problem()["code"]) == (404, "not_found")
    assert "nowhere" in reply.problem()["detail"]
    account = await plain.open_account(bridge.hook_url)
    await bridge.add_channel(account, plain.url)
    link = {"channel": account.code, "account_id": "a", "messenger": "nobody"}
    reply = await bridge.call("POST", "/v1/links", link)
    assert (reply.status, reply.problem()["code"]) == (404, "not_found")
    assert plain.far_side.received == []


async def test_ten_wishes_for_one_link_make_one(bridge: Bridge, plain: PlainAmojo) -> None:
    account = await plain.open_account(bridge.hook_url)
    await bridge.add_channel(account, plain.url)
    messenger = await bridge.add_messenger()
    link = {"channel": account.code, "account_id": account.account_id, "messenger": messenger["id"]}
    replies = await asyncio.gather(*(bridge.call("POST", "/v1/links", link) for _ in range(10)))
    assert {reply.status for reply in replies} <= {201, 409}
    assert 201 in {reply.status for reply in replies}
    links = [
        one
        for one in (await everything(bridge, "/v1/links"))
        if one["messenger"] == messenger["id"]
    ]
    assert [one["scope_id"] for one in links] == [account.scope_id]


async def everything(bridge: Bridge, path: str) -> list[dict[str, Any]]:
    """All pages of a list."""
    items: list[dict[str, Any]] = []
    after = ""
    while True:
        page = (await bridge.call("GET", f"{path}?limit=3{after}")).json
        items += page["items"]
        if page["next"] is None:
            return items
        after = f"&after={page['next']}"


async def test_pages_show_everything_once(bridge: Bridge, plain: PlainAmojo) -> None:
    made = [(await bridge.open_shop(plain)).messenger["id"] for _ in range(7)]
    shown = [one["id"] for one in await everything(bridge, "/v1/messengers")]
    assert len(shown) == len(set(shown))
    assert [one for one in shown if one in made] == made


async def test_an_account_of_another_messenger_is_not_taken_over(
    bridge: Bridge, plain: PlainAmojo
) -> None:
    shop = await bridge.open_shop(plain)
    other = await bridge.add_messenger()
    link = {
        "channel": shop.account.code,
        "account_id": shop.account.account_id,
        "messenger": other["id"],
    }
    reply = await bridge.call("POST", "/v1/links", link)
    assert (reply.status, reply.problem()["code"]) == (409, "already_exists")


async def test_a_moved_link_brings_replies_to_the_new_messenger(
    bridge: Bridge, plain: PlainAmojo, backend: FarSide
) -> None:
    shop = await bridge.open_shop(plain)
    other = await bridge.add_messenger(backend)
    reply = await bridge.call(
        "PATCH", f"/v1/links/{shop.scope_id}", {"messenger": other["id"], "title": "T"}
    )
    assert (reply.status, reply.json["title"]) == (200, "T")
    await plain.operator_writes(shop.account, "c-1", "hello")
    assert texts(await backend.wait_for_requests(1)) == ["hello"]


async def test_a_link_ends_and_begins_again(bridge: Bridge, amojo: Amojo, backend: FarSide) -> None:
    shop = await bridge.open_shop(amojo, backend)
    await bridge.take(shop, "m-1")
    await bridge.wait_for_state(shop, "m-1", "delivered")
    assert (await bridge.call("DELETE", f"/v1/links/{shop.scope_id}")).status == 204
    shown = (await bridge.call("GET", f"/v1/links/{shop.scope_id}")).json
    assert shown["state"] == "disconnected"
    assert (await bridge.send(shop, "m-2")).problem()["code"] == "not_linked"
    again = {
        "channel": shop.account.code,
        "account_id": shop.account.account_id,
        "messenger": shop.messenger["id"],
    }
    assert (await bridge.call("POST", "/v1/links", again)).json["scope_id"] == shop.scope_id
    await bridge.take(shop, "m-2")
    await bridge.wait_for_state(shop, "m-2", "delivered")
    assert await amojo.arrived(shop.account) == {"c-1": ["m-1", "m-2"]}


async def test_what_amojo_rejects_is_parked_and_released_in_order(
    bridge: Bridge, plain: PlainAmojo
) -> None:
    shop = await bridge.open_shop(plain)
    plain.instead = lambda received: (
        Answer(status=422, body=b'{"error_type": "NO", "error_description": "not today"}')
        if b'"broken"' in received.body
        else None
    )
    for number in range(6):
        await bridge.take(shop, f"m-{number}", "broken" if number % 2 == 0 else "whole")
    path = f"/v1/parked?scope_id={shop.scope_id}"

    async def three() -> list[dict[str, Any]] | None:
        rows = (await bridge.call("GET", path)).json["items"]
        return rows if len(rows) == 3 else None

    rows = await eventually(three, "three messages are parked")
    assert [row["message_id"] for row in rows] == ["m-0", "m-2", "m-4"]
    assert {(row["code"], row["direction"], row["attempts"]) for row in rows} == {
        ("rejected", "to_amojo", 1)
    }
    assert "not today" in rows[0]["detail"]
    passport = await bridge.wait_for_state(shop, "m-0", "failed")
    assert [line["step"] for line in passport["timeline"]] == [
        "received",
        "stored",
        "signed",
        "parked",
    ]
    await bridge.wait_for_state(shop, "m-5", "delivered")

    plain.instead = None
    wish = {"scope_id": shop.scope_id}
    replies = await asyncio.gather(
        *(bridge.call("POST", "/v1/parked/release", wish) for _ in range(10))
    )
    assert sum(reply.json["released"] for reply in replies) == 3
    passport = await bridge.wait_for_state(shop, "m-4", "delivered")
    steps = [line["step"] for line in passport["timeline"]]
    assert steps[3:] == ["parked", "released", "signed", "accepted", "delivered"]
    assert await plain.arrived(shop.account) == {
        "whole": ["m-1", "m-3", "m-5"],
        "broken": ["m-0", "m-2", "m-4"],
    }
    assert (await bridge.call("GET", path)).json["items"] == []


async def test_what_waits_in_the_stream_stays_there_when_an_address_is_set(
    bridge: Bridge, plain: PlainAmojo, backend: FarSide
) -> None:
    shop = await bridge.open_shop(plain)
    _, amojo_id = await plain.operator_writes(shop.account, "c-1", "hello")
    await bridge.wait_for_step(shop, amojo_id, "delivered")
    change = {"webhook_url": backend.url}
    await bridge.call("PATCH", f"/v1/messengers/{shop.messenger['id']}", change)
    await plain.operator_writes(shop.account, "c-1", "again")
    assert texts(await backend.wait_for_requests(1)) == ["again"]
    async with reading(bridge, shop.key) as stream:
        assert (await stream.next()).text == "hello"
