"""The website chat in a browser, with the real server and the real sandbox behind it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import expect

from tests.acceptance.bridge import Bridge, Shop, bridge_process, eventually, faults_in
from tests.acceptance.sandbox import SandboxAmojo, sandbox_process
from tests.pages.conftest import session_loop
from tests.pages.stub_website import PlainSite
from tests.pages.website_chat import connected, say, shown
from tests.processes import stopped_afterwards

pytestmark = pytest.mark.asyncio(loop_scope="session")


@dataclass(frozen=True, kw_only=True)
class House:
    """Everything that is behind the page."""

    bridge: Bridge
    sandbox: SandboxAmojo
    shop: Shop
    site: PlainSite

    async def written(self) -> list[str]:
        """What the visitor wrote, as amoCRM has it."""
        messages = await self.sandbox.messages(self.shop.account)
        return [row["text"] for rows in messages.values() for row in rows]

    async def wait_for(self, *texts: str) -> None:
        async def there() -> bool:
            return await self.written() == list(texts)

        await eventually(there, f"amoCRM has {texts}")

    async def answer(self, text: str) -> None:
        (visitor,) = await self.sandbox.chats(self.shop.account)
        await self.sandbox.operator_writes(self.shop.account, visitor, text)


@session_loop()
async def house(tmp_path: Path) -> AsyncIterator[House]:
    folders = tmp_path / "bridge", tmp_path / "sandbox"
    for folder in folders:
        folder.mkdir()
    connector = aiohttp.TCPConnector(force_close=True)
    with (
        stopped_afterwards(bridge_process(folders[0])) as server,
        stopped_afterwards(sandbox_process(folders[1])) as amojo,
    ):
        await asyncio.to_thread(server.start, "/readyz")
        await asyncio.to_thread(amojo.start, "/sandbox/state")
        site = PlainSite(server.url)
        await site.running.start()
        async with aiohttp.ClientSession(connector=connector) as http:
            bridge, sandbox = Bridge(server, http), SandboxAmojo(amojo, http)
            settings = {"sites": [site.running.origin], "greeting": "Hello!"}
            shop = await bridge.open_shop(sandbox, kind="website", settings=settings)
            site.attributes = {"data-messenger": shop.messenger["id"]}
            yield House(bridge=bridge, sandbox=sandbox, shop=shop, site=site)
        await site.running.stop()
        assert faults_in(server.log) == []


async def test_a_conversation_over_reloads_and_crashes(house: House, visit: Any) -> None:
    visit.failures_expected = True
    page = await connected(house.site, visit)
    await say(page, "Is it in stock?", "The red one.")
    await house.wait_for("Is it in stock?", "The red one.")
    await house.answer("It is.")
    await expect(page.locator(".message").last).to_contain_text("It is.")

    await page.reload()
    await page.get_by_role("button", name="Open the chat").click()
    await expect(page.locator(".message[data-id]")).to_have_count(3)

    house.bridge.process.kill()
    await expect(page.locator(".chat")).to_have_attribute("data-state", "waiting")
    await say(page, "Hello?", "Anybody?")
    await asyncio.to_thread(house.bridge.process.start, "/readyz")
    await house.wait_for("Is it in stock?", "The red one.", "Hello?", "Anybody?")
    await house.answer("Sorry, we are back.")
    await expect(page.locator(".message").last).to_contain_text("Sorry, we are back.")
    texts = ["Is it in stock?", "The red one.", "It is.", "Hello?", "Anybody?"]
    assert await shown(page) == [*texts, "Sorry, we are back."]

    async def read() -> bool:
        (chat,) = (await house.sandbox.chats(house.shop.account)).values()
        rows = (await house.sandbox.control("GET", f"/chats/{chat['id']}/messages"))["messages"]
        return [row["status"]["code"] for row in rows if row["direction"] == "out"] == [2, 2]

    await eventually(read, "amoCRM shows that both answers were read")


async def test_a_file_goes_to_amocrm_and_is_shown(house: House, visit: Any) -> None:
    page = await connected(house.site, visit)
    picture = {"name": "dot.png", "mimeType": "image/png", "buffer": DOT}
    await page.locator("input[type=file]").set_input_files(picture)
    await expect(page.locator(".own img")).to_be_visible()

    async def there() -> Any:
        rows = (await house.sandbox.messages(house.shop.account)).values()
        return [(row["type"], row["file_name"]) for found in rows for row in found]

    assert await eventually(there, "amoCRM has the picture") == [("picture", "dot.png")]


DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


async def test_the_page_of_its_own(house: House, visit: Any) -> None:
    address = f"{house.bridge.url}/chat/{house.shop.messenger['id']}"
    page = await visit(address, ready=".chat[data-state=ready]")
    await say(page, "Hello")
    await house.wait_for("Hello")
