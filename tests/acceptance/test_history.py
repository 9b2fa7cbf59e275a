"""What was said in a conversation: complete as soon as it is answered, edited in place, seen by nobody else."""

from typing import Any

import pytest

from tests.acceptance.bridge import Bridge, Shop
from tests.acceptance.sandbox import SandboxAmojo
from tests.fakes import FarSide
from tests.media import PNG, FileServer
from tests.plain_amojo import PlainAmojo


async def page(bridge: Bridge, shop: Shop, conversation: str = "c-1", query: str = "") -> Any:
    path = f"/v1/conversations/{conversation}/messages?{query}"
    reply = await bridge.call("GET", path, key=shop.key)
    assert reply.status == 200, reply
    return reply.json


async def test_a_conversation_is_shown_as_it_stands_now(
    bridge: Bridge, sandbox: SandboxAmojo, backend: FarSide
) -> None:
    shop = await bridge.open_shop(sandbox, backend)
    await bridge.take(shop, "m-1", sent_at="2026-11-20T12:00:00.123Z")
    await bridge.wait_for_state(shop, "m-1", "delivered")
    status, amojo_id = await sandbox.operator_writes(shop.account, "c-1", "Which one?")
    assert status == 200
    await bridge.wait_for_state(shop, amojo_id, "delivered")
    place = {"type": "location", "location": {"lat": 1.5, "lon": 2}}
    await bridge.take(shop, "m-2", message=place, reply_to=amojo_id)
    edit = {"message": {"type": "text", "text": "corrected"}, "edited_at": "2026-11-21T00:00:00Z"}
    assert (await bridge.call("PATCH", "/v1/messages/m-1", edit, key=shop.key)).status == 202
    liked = {"user": {"id": "u-1", "name": "Anna"}, "emoji": "👍"}
    path = f"/v1/messages/{amojo_id}/reactions"
    assert (await bridge.call("POST", path, liked, key=shop.key)).status == 202

    found = await page(bridge, shop)
    assert found["next"] is None
    last, reply, first = found["items"]
    assert (first["id"], first["from"], first["direction"]) == ("m-1", "client", "to_amojo")
    assert first["message"]["text"] == "corrected"
    assert (first["sent_at"], first["edited_at"]) == (
        "2026-11-20T12:00:00.123000Z",
        "2026-11-21T00:00:00Z",
    )
    assert first["sender"] == {"id": "u-1", "name": "Anna", "amojo_id": None}
    assert (reply["id"], reply["from"], reply["amojo_id"]) == (amojo_id, "operator", amojo_id)
    assert (reply["message"]["text"], reply["state"]) == ("Which one?", "delivered")
    (reaction,) = reply["reactions"]
    assert (reaction["emoji"], reaction["user"]["id"]) == ("👍", "u-1")
    assert last["message"]["location"] == {"lat": 1.5, "lon": 2.0}
    assert last["reply_to"] == amojo_id

    liked["removed"] = True
    assert (await bridge.call("POST", path, liked, key=shop.key)).status == 202
    assert (await page(bridge, shop))["items"][1]["reactions"] == []


async def test_every_message_is_there_once_it_is_taken(bridge: Bridge, plain: PlainAmojo) -> None:
    """Whether the index has come that far or not: some seconds pass meanwhile."""
    shop = await bridge.open_shop(plain)
    taken: list[str] = []
    for number in range(60):
        await bridge.take(shop, f"m-{number}")
        await bridge.take(shop, f"other-{number}", "c-2")
        taken.insert(0, f"m-{number}")
        found = await page(bridge, shop, query="limit=200")
        assert [item["id"] for item in found["items"]] == taken
    seen, after = [], ""
    while after is not None:
        found = await page(bridge, shop, query=f"limit=7{after and f'&after={after}'}")
        seen += [item["id"] for item in found["items"]]
        after = found["next"]
    assert seen == taken


async def test_messengers_see_their_own_conversations_only(
    bridge: Bridge, plain: PlainAmojo
) -> None:
    first, second = await bridge.open_shop(plain), await bridge.open_shop(plain)
    await bridge.take(first, "m-1")
    path = "/v1/conversations/c-1/messages"
    reply = await bridge.call("GET", path, key=second.key)
    assert (reply.status, reply.problem()["code"]) == (404, "not_found")
    reply = await bridge.call("GET", f"{path}?scope_id={first.scope_id}", key=second.key)
    assert reply.problem()["code"] == "not_found"
    await bridge.take(second, "m-2")
    assert [item["id"] for item in (await page(bridge, second))["items"]] == ["m-2"]


async def test_a_conversation_of_two_accounts_is_named_with_its_scope(
    bridge: Bridge, plain: PlainAmojo
) -> None:
    shop = await bridge.open_shop(plain)
    other = await plain.open_account(bridge.hook_url)
    await bridge.add_channel(other, plain.url)
    link = {
        "channel": other.code,
        "account_id": other.account_id,
        "messenger": shop.messenger["id"],
    }
    scopes = [shop.scope_id, (await bridge.made("/v1/links", link))["scope_id"]]
    for number, scope in enumerate(scopes):
        await bridge.take(shop, f"m-{number}", scope_id=scope)
    reply = await bridge.call("GET", "/v1/conversations/c-1/messages", key=shop.key)
    assert (reply.status, reply.problem()["code"]) == (409, "link_ambiguous")
    for number, scope in enumerate(scopes):
        found = await page(bridge, shop, query=f"scope_id={scope}")
        assert [item["id"] for item in found["items"]] == [f"m-{number}"]
    assert (await bridge.call("DELETE", f"/v1/links/{scopes[0]}")).status == 204
    found = await page(bridge, shop, query=f"scope_id={scopes[0]}")
    assert [item["id"] for item in found["items"]] == ["m-0"], "history outlives its link"


@pytest.mark.parametrize("capabilities", [{}, {"types": ["text", "file"], "max_bytes": 5}])
async def test_a_messenger_is_told_what_it_can_take(
    bridge: Bridge, capabilities: dict[str, Any]
) -> None:
    made = await bridge.add_messenger(settings={"capabilities": capabilities})
    told = await bridge.call("GET", "/v1/capabilities", key=made["api_key"])
    assert told.status == 200
    shown = await bridge.call("GET", f"/v1/messengers/{made['id']}")
    assert told.json == shown.json["capabilities"] == made["capabilities"]
    assert told.json["max_bytes"] == capabilities.get("max_bytes")
    if capabilities:
        assert told.json["types"] == capabilities["types"]
    else:
        assert len(told.json["types"]) == 9


async def test_files_are_shown_by_links_that_last(
    bridge: Bridge, plain: PlainAmojo, files: FileServer
) -> None:
    shop = await bridge.open_shop(plain)
    said = {"type": "picture", "media_url": files.link("png", "a.png")}
    await bridge.take(shop, "m-1", message=said)
    await bridge.wait_for_state(shop, "m-1", "delivered")
    (item,) = (await page(bridge, shop))["items"]
    assert item["message"]["media_url"].startswith(f"{bridge.url}/media/")
    assert item["message"]["file_size"] == len(PNG)
