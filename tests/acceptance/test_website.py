"""The website chat: real visitors' sockets, a real server, a real sandbox."""

from tests.acceptance.bridge import Bridge, eventually
from tests.acceptance.sandbox import SandboxAmojo
from tests.acceptance.visitors import SITE, Page, open_chat


async def test_a_conversation_both_ways(bridge: Bridge, sandbox: SandboxAmojo) -> None:
    shop = await open_chat(bridge, sandbox)
    page = Page(bridge, shop)
    page.greeting = {
        "page": {
            "url": f"{SITE}/boots",
            "title": "Boots",
            "referrer": None,
            "utm": {"source": "x"},
        },
        "profile": {"name": "Anna", "phone": "+79151112233", "email": None},
    }
    async with page.connected() as connection:
        first = await connection.write("Is it in stock?")
        await bridge.wait_for_state(shop, f"{page.visitor}:{first}", "delivered")
        chat = (await sandbox.chats(shop.account))[page.visitor]
        assert chat["person"]["name"] == "Anna"
        _, reply = await sandbox.operator_writes(shop.account, page.visitor, "It is.")
        event = await connection.until(lambda frame: frame.get("id") == reply)
        assert (event["from"], event["text"], event["name"]) == ("operator", "It is.", "Kate")
        await connection.say(type="received", position=event["position"])
        await bridge.wait_for_state(shop, reply, "delivered")
        await connection.say(type="read", position=event["position"])
        await bridge.wait_for_state(shop, reply, "read")

        async def marked() -> bool:
            rows = (await sandbox.control("GET", f"/chats/{chat['id']}/messages"))["messages"]
            return bool(rows[-1]["status"]["code"] == 2)

        await eventually(marked, "amoCRM shows that it was read")
    assert page.texts == ["Is it in stock?", "It is."]
