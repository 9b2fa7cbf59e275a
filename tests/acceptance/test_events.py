"""The stream of a messenger's events: live, resumed by cursor after anything, and its own only. Real processes."""

from tests.acceptance.bridge import Bridge, Shop
from tests.acceptance.event_stream import reading
from tests.plain_amojo import PlainAmojo


async def say(plain: PlainAmojo, shop: Shop, *texts: str) -> list[str]:
    """What an operator says in one conversation, one after another; the ids."""
    ids = []
    for text in texts:
        status, amojo_id = await plain.operator_writes(shop.account, "c-1", text)
        assert status == 200
        ids.append(amojo_id)
    return ids


async def test_replies_wait_and_come_live(bridge: Bridge, plain: PlainAmojo) -> None:
    shop = await bridge.open_shop(plain)
    (first,) = await say(plain, shop, "one")
    passport = await bridge.wait_for_step(shop, first, "delivered")
    details = [line.get("detail") for line in passport["timeline"]]
    assert "waits in the messenger's event stream" in details
    assert passport["state"] == "queued"
    async with reading(bridge, shop.key) as stream:
        told = await stream.next()
        assert (told.id, told.type, told.text) == ("1", "message.created", "one")
        assert told.data["type"] == "message.created"
        assert told.data["data"]["id"] == first
        assert told.data["data"]["scope_id"] == shop.scope_id
        await say(plain, shop, "two", "three")
        assert [one.text for one in await stream.take(2)] == ["two", "three"]
        assert stream.last_id == "3"
    await bridge.wait_for_state(shop, first, "delivered")
