"""What a messenger is told if it asks for it: what became of its messages, and of its links."""

from typing import Any

import pytest

from tests.acceptance.bridge import Bridge, Shop
from tests.acceptance.conftest import OwnBridge
from tests.acceptance.event_stream import reading
from tests.acceptance.sandbox import SandboxAmojo
from tests.acceptance.webhooks import texts, verified_event
from tests.fakes import Answer, FarSide
from tests.plain_amojo import PlainAmojo

STATUS: dict[str, Any] = {"settings": {"events": ["message.status"]}}
LINKS: dict[str, Any] = {"settings": {"events": ["link.connected", "link.disconnected"]}}


async def told(backend: FarSide, shop: Shop, count: int) -> list[dict[str, Any]]:
    """So many events, verified, in the order in which they came."""
    return [verified_event(one, shop) for one in await backend.wait_for_requests(count)]


async def test_a_message_that_has_arrived_is_told_with_amocrms_ids(
    bridge: Bridge, sandbox: SandboxAmojo, backend: FarSide
) -> None:
    shop = await bridge.open_shop(sandbox, backend, **STATUS)
    await bridge.take(shop, "m-1")
    await bridge.take(shop, "m-2")
    events = await told(backend, shop, 2)
    chat = (await sandbox.chats(shop.account))["c-1"]
    rows = {row["client_id"]: row for row in (await sandbox.messages(shop.account))["c-1"]}
    for event, message_id in zip(events, ("m-1", "m-2"), strict=True):
        assert event["type"] == "message.status"
        assert event["data"] == {
            "scope_id": shop.scope_id,
            "account_id": shop.account.account_id,
            "conversation_id": "c-1",
            "message_id": message_id,
            "status": "delivered",
            "amojo_message_id": rows[message_id]["id"],
            "amojo_conversation_id": chat["id"],
        }


async def test_a_message_that_is_refused_is_told_and_told_again_when_it_arrives(
    bridge: Bridge, plain: PlainAmojo, backend: FarSide
) -> None:
    shop = await bridge.open_shop(plain, backend, **STATUS)
    plain.far_side.script.append(Answer(status=400, body=b'{"detail": "payload: no"}'))
    await bridge.take(shop, "m-1")
    (failed,) = await told(backend, shop, 1)
    assert (failed["data"]["status"], failed["data"]["code"]) == ("failed", "rejected")
    assert failed["data"]["detail"]
    released = await bridge.call("POST", "/v1/parked/release", {"scope_id": shop.scope_id})
    assert released.json == {"released": 1}
    _, delivered = await told(backend, shop, 2)
    assert delivered["data"]["status"] == "delivered"
    assert "code" not in delivered["data"]


async def test_who_does_not_ask_is_told_nothing(
    bridge: Bridge, plain: PlainAmojo, backend: FarSide
) -> None:
    asks = await bridge.open_shop(plain, backend, **STATUS)
    silent = await bridge.open_shop(plain, backend)
    for shop in (silent, asks):
        await bridge.take(shop, f"m-{shop.scope_id}")
        await bridge.wait_for_state(shop, f"m-{shop.scope_id}", "delivered")
    await plain.operator_writes(silent.account, "c-1", "hello")
    first, second = await backend.wait_for_requests(2)
    heard = {one.body for one in (first, second)}
    assert sum(asks.scope_id.encode() in body for body in heard) == 1
    assert sum(silent.scope_id.encode() in body for body in heard) == 1
    assert any(b"message.created" in body for body in heard)


@pytest.mark.parametrize("shape", ["amojo_v1", "amojo_v2"])
async def test_amojos_own_shapes_have_no_word_for_it(
    bridge: Bridge, plain: PlainAmojo, backend: FarSide, shape: str
) -> None:
    shop = await bridge.open_shop(plain, backend, webhook_format=shape, **STATUS)
    await bridge.take(shop, "m-1")
    await bridge.wait_for_state(shop, "m-1", "delivered")
    await plain.operator_writes(shop.account, "c-1", "hello")
    (only,) = await backend.wait_for_requests(1)
    assert b"hello" in only.body


@pytest.mark.parametrize("shape", ["standard", "amojo_v2"])
async def test_the_stream_of_events_tells_it_too(
    bridge: Bridge, plain: PlainAmojo, shape: str
) -> None:
    notices = {"settings": {"events": ["message.status", "link.connected"]}}
    shop = await bridge.open_shop(plain, webhook_format=shape, **notices)
    await bridge.take(shop, "m-1")
    async with reading(bridge, shop.key) as stream:
        told = {event.type: event.data["data"] for event in await stream.take(2)}
    assert told.keys() == {"link.connected", "message.status"}
    assert told["message.status"]["status"] == "delivered"


async def test_a_report_outlives_the_server(
    own_bridge: OwnBridge, plain: PlainAmojo, backend: FarSide
) -> None:
    """It is killed after amoCRM has the message and before the messenger has heard of it."""
    bridge = own_bridge()
    shop = await bridge.open_shop(plain, backend, **STATUS)
    backend.script.extend([Answer(status=500)] * 3)
    await bridge.take(shop, "m-1")
    await bridge.wait_for_state(shop, "m-1", "delivered")
    await backend.wait_for_requests(1)
    bridge.process.kill()
    backend.script.clear()
    bridge.process.start("/readyz")
    events = await told(backend, shop, 2)
    assert events[0] == events[-1]
    assert len({one.header("webhook-id") for one in backend.received}) == 1


async def test_messengers_hear_of_their_links(
    bridge: Bridge, plain: PlainAmojo, backend: FarSide
) -> None:
    async with FarSide() as second:
        shop = await bridge.open_shop(plain, backend, **LINKS)
        other = await bridge.add_messenger(second, **LINKS)
        new = Shop(account=shop.account, messenger=other, scope_id=shop.scope_id)
        moved = {"messenger": other["id"]}
        await bridge.call("PATCH", f"/v1/links/{shop.scope_id}", moved)
        assert (await bridge.call("DELETE", f"/v1/links/{shop.scope_id}")).status == 204
        link = {"channel": shop.account.code, "account_id": shop.account.account_id}
        await bridge.made("/v1/links", link | moved)
        await bridge.made("/v1/links", link | moved)
        await plain.operator_writes(shop.account, "c-1", "the end")
        mine, theirs = await told(backend, shop, 2), await told(second, new, 4)
    assert [event["type"] for event in mine] == ["link.connected", "link.disconnected"]
    assert [event["type"] for event in theirs if "link" in event["type"]] == [
        "link.connected",
        "link.disconnected",
        "link.connected",
    ]
    assert mine[0]["data"] == {
        "scope_id": shop.scope_id,
        "account_id": shop.account.account_id,
    }
    assert "the end" in texts([one for one in second.received if b"message.created" in one.body])


@pytest.mark.parametrize("events", [["message.stauts"], "message.status", [1]])
async def test_what_may_be_asked_for_is_checked(bridge: Bridge, events: Any) -> None:
    draft = {"name": "Shop", "kind": "backend", "settings": {"events": events}}
    refused = (await bridge.call("POST", "/v1/messengers", draft)).problem()
    (fault, *_) = refused["errors"]
    assert fault["pointer"].startswith("/settings/events")
