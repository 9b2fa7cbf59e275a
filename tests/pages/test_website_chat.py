"""The website chat on somebody else's page: both ways, over reloads and cuts."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

pytestmark = pytest.mark.asyncio(loop_scope="session")

CHAT = "chatbridge-chat"
OPEN = {"en-US": "Open the chat", "ru-RU": "Открыть чат"}


async def opened(site: Any, visit: Any, **how: Any) -> Page:
    page = await visit(site.running.origin, ready=CHAT, **how)
    await page.get_by_role("button", name=OPEN[how.get("locale", "en-US")]).click()
    return page


async def say(page: Page, *texts: str) -> None:
    for text in texts:
        await page.get_by_role("textbox", name="Write a message…").fill(text)
        await page.keyboard.press("Enter")


async def shown(page: Page) -> list[str]:
    return await page.locator(".message[data-id] .text").all_inner_texts()


async def test_a_conversation_both_ways(website: Any, site: Any, visit: Any) -> None:
    page = await opened(site, visit)
    await expect(page.locator(".bubble")).to_have_text("Hello! How can we help?")
    await say(page, "Is it in stock?")
    await website.until(lambda: website.said("message"))
    await expect(page.locator(".own")).to_have_attribute("data-state", "sent")
    await website.write("Good morning!")
    await expect(page.locator(".message").last).to_contain_text("Good morning!")
    await expect(page.locator(".author")).to_contain_text("Olga")
    assert await shown(page) == ["Is it in stock?", "Good morning!"]
