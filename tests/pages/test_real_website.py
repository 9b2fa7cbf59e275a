"""The website chat as its users have it: somebody's page in a real browser, the real server and the real sandbox as processes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Page, expect

from tests.acceptance.bridge import Bridge, Shop, bridge_process, eventually, faults_in
from tests.acceptance.sandbox import SandboxAmojo, sandbox_process
from tests.acceptance.visitors import open_chat
from tests.pages.conftest import Visitor, session_loop
from tests.pages.samples import png
from tests.pages.stub_website import PlainSite
from tests.pages.website_chat import connected, say, shown
from tests.processes import stopped_afterwards

pytestmark = pytest.mark.asyncio(loop_scope="session")


@dataclass
class Street:
    """A site with a chat, the server behind it, and the operator's inbox."""

    site: PlainSite
    bridge: Bridge
    sandbox: SandboxAmojo
    shop: Shop

    async def rows(self, direction: str) -> list[dict[str, Any]]:
        """What the operator sees of the only conversation, `in` or `out`."""
        chats = await self.sandbox.chats(self.shop.account)
        if not chats:
            return []
        (chat,) = chats.values()
        rows = (await self.sandbox.control("GET", f"/chats/{chat['id']}/messages"))["messages"]
        return [row for row in rows if row["direction"] == direction]

    async def seen(self, *texts: str) -> None:
        """Return when these are what the visitor has written, in this order."""

        async def arrived() -> bool:
            return [row["text"] for row in await self.rows("in")] == list(texts)

        await eventually(arrived, f"the operator sees {texts}")

    async def reply(self, text: str) -> None:
        (visitor,) = await self.sandbox.chats(self.shop.account)
        await self.sandbox.operator_writes(self.shop.account, visitor, text)


@session_loop()
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    folders = [tmp_path / name for name in ("bridge", "sandbox")]
    for folder in folders:
        folder.mkdir()
    server, crm = bridge_process(folders[0]), sandbox_process(folders[1])
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as http:
        with stopped_afterwards(server), stopped_afterwards(crm):
            await asyncio.to_thread(server.start, "/readyz")
            await asyncio.to_thread(crm.start, "/sandbox/state")
            bridge, sandbox = Bridge(server, http), SandboxAmojo(crm, http)
            site = PlainSite(bridge.url)
            await site.running.start()
            shop = await open_chat(bridge, sandbox, sites=[site.running.origin])
            site.attributes["data-messenger"] = shop.messenger["id"]
            yield Street(site, bridge, sandbox, shop)
            await site.running.stop()
        assert faults_in(server.log) == []


async def reads(page: Page, *texts: str) -> None:
    """Return when the page shows these and nothing else, in this order."""
    await expect(page.locator(".message[data-id] .text")).to_have_text(list(texts))
    assert await shown(page) == list(texts)


async def test_a_conversation_over_reloads_a_lost_network_and_a_killed_server(
    street: Street, visit: Visitor
) -> None:
    page = await connected(street.site, visit)
    await say(page, "one <b>bold</b>")
    await street.seen("one <b>bold</b>")
    await street.reply("two <script>alert(1)</script>")
    said = ["one <b>bold</b>", "two <script>alert(1)</script>"]
    await reads(page, *said)

    await page.reload()
    await page.get_by_role("button", name="Open the chat").click()
    await reads(page, *said)

    visit.failures_expected = True
    await page.context.set_offline(True)
    await say(page, "three", "four")
    await page.context.set_offline(False)
    await street.seen("one <b>bold</b>", "three", "four")
    await reads(page, *said, "three", "four")

    street.bridge.process.kill()
    await say(page, "five", "six")
    await page.reload()  # what is not sent yet outlives the page
    await asyncio.to_thread(street.bridge.process.start, "/readyz")
    await page.get_by_role("button", name="Open the chat").click()
    await street.seen("one <b>bold</b>", "three", "four", "five", "six")
    await street.reply("seven")
    await reads(page, *said, "three", "four", "five", "six", "seven")

    async def read() -> bool:
        return [row["status"]["code"] for row in await street.rows("out")] == [2, 2]

    await eventually(read, "the operator sees that both answers were read")


async def test_visitors_see_their_own_conversation_only(street: Street, visit: Visitor) -> None:
    pages = [await connected(street.site, visit) for _ in range(2)]
    for number, page in enumerate(pages):
        await say(page, f"I am visitor {number}")

    async def both() -> bool:
        return len(await street.sandbox.chats(street.shop.account)) == len(pages)

    await eventually(both, "two conversations")
    for visitor, chat in (await street.sandbox.chats(street.shop.account)).items():
        rows: list[Any] = (await street.sandbox.control("GET", f"/chats/{chat['id']}/messages"))[
            "messages"
        ]
        await street.sandbox.operator_writes(
            street.shop.account, visitor, f"Hello, {rows[0]['text']}"
        )
    for number, page in enumerate(pages):
        await reads(page, f"I am visitor {number}", f"Hello, I am visitor {number}")


async def test_a_file_goes_to_amocrm_and_is_shown(street: Street, visit: Visitor) -> None:
    page = await connected(street.site, visit)
    picture = {"name": "dot.png", "mimeType": "image/png", "buffer": png()}
    await page.locator("input[type=file]").set_input_files(picture)
    await expect(page.locator(".own img")).to_be_visible()

    async def there() -> list[tuple[str, str]]:
        return [(row["type"], row["file_name"]) for row in await street.rows("in")]

    assert await eventually(there, "amoCRM has the picture") == [("picture", "dot.png")]


async def test_the_page_that_is_nothing_but_the_chat(street: Street, visit: Visitor) -> None:
    address = f"{street.bridge.url}/chat/{street.shop.messenger['id']}"
    page = await visit(address, ready=".chat[data-state=ready]")
    await say(page, "Hello")
    await street.seen("Hello")
