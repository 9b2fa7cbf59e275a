"""What the tests of the website chat do with its page."""

from typing import Any

from playwright.async_api import Page

CHAT = "chatbridge-chat"
WORDS = {
    "en-US": ("Open the chat", "Write a message…"),
    "ru-RU": ("Открыть чат", "Напишите сообщение…"),
}


async def loaded(site: Any, visit: Any, path: str = "/", **how: Any) -> Page:
    return await visit(site.running.origin + path, ready=CHAT, **how)


async def opened(site: Any, visit: Any, path: str = "/", **how: Any) -> Page:
    page = await loaded(site, visit, path, **how)
    await page.get_by_role("button", name=WORDS[how.get("locale", "en-US")][0]).click()
    return page


async def connected(site: Any, visit: Any, path: str = "/", **how: Any) -> Page:
    page = await opened(site, visit, path, **how)
    await page.wait_for_selector(".chat[data-state=ready]", state="attached")
    return page


async def say(page: Page, *texts: str) -> None:
    for text in texts:
        await page.locator("textarea").fill(text)
        await page.keyboard.press("Enter")


async def shown(page: Page) -> list[str]:
    return await page.locator(".message[data-id] .text").all_inner_texts()
