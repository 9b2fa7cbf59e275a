"""What of the website chat comes when: a small script at once, the panel when it is wanted; nothing is lost if it does not come."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from chatbridge.connectors.website.script import lean_css
from tests.pages.stub_website import STATIC
from tests.pages.website_chat import CHAT, connected, loaded, opened, say, shown

pytestmark = pytest.mark.asyncio(loop_scope="session")

MISSING = "The chat did not open. Please try again."


def launcher(page: Page, name: str = "Open the chat") -> Any:
    return page.get_by_role("button", name=name)


def aged(website: Any) -> None:
    """Let `/chat.js` be that of another version, as in a cache or a page of before an upgrade."""
    scripts = website.scripts
    old = scripts.chat.replace(scripts.version, "0123456789abcdef")
    website.scripts = replace(scripts, chat=old)


async def test_the_panel_comes_once_when_it_is_wanted(website: Any, site: Any, visit: Any) -> None:
    page = await loaded(site, visit)
    await page.wait_for_load_state("networkidle")
    assert website.panels == []
    for _ in range(2):
        await launcher(page).click()
        await expect(page.get_by_role("textbox")).to_be_focused()
        await page.keyboard.press("Escape")
    assert len(website.panels) == 1


@pytest.mark.parametrize("how", ["hover", "focus"])
async def test_the_panel_comes_before_the_press(
    how: str, website: Any, site: Any, visit: Any
) -> None:
    page = await loaded(site, visit)
    await getattr(launcher(page), how)()
    await website.until(lambda: website.panels)
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert website.connections == 0


async def test_who_has_a_conversation_has_the_panel_soon(
    website: Any, site: Any, visit: Any
) -> None:
    page = await connected(site, visit)
    await say(page, "one")
    await website.until(lambda: website.texts() == ["one"])
    await page.reload()
    await website.until(lambda: len(website.panels) == 2)
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_a_panel_that_does_not_come_is_said_and_asked_for_again(
    website: Any, site: Any, visit: Any
) -> None:
    visit.failures_expected = True
    website.panel_status = 503
    page = await opened(site, visit)
    for _ in range(2):
        await expect(page.get_by_role("alert")).to_have_text(MISSING)
        await expect(launcher(page)).to_have_attribute("aria-busy", "false")
        await launcher(page).click()
    await expect(page.get_by_role("alert")).to_have_text(MISSING)
    website.panel_status = 200
    await launcher(page).click()
    await say(page, "Here I am")
    await website.until(lambda: website.texts() == ["Here I am"])
    await expect(page.get_by_text(MISSING)).to_have_count(0)
    assert len(set(website.panels)) == len(website.panels) >= 4, "a browser may remember a failure"


async def test_a_panel_that_is_late_finds_what_is_wanted_by_then(
    website: Any, site: Any, visit: Any
) -> None:
    page = await loaded(site, visit)
    may_come = asyncio.Event()

    async def hold(route: Route) -> None:
        await may_come.wait()
        await route.continue_()

    await page.route("**/chat/panel/*", hold)
    await launcher(page).click()
    await expect(launcher(page)).to_have_attribute("aria-busy", "true")
    await page.evaluate("chatbridge.close()")
    await expect(launcher(page)).to_have_attribute("aria-busy", "false")
    may_come.set()
    await website.until(lambda: website.panels)
    came = f"import('{website.running.origin}{website.panels[0]}').then(() => null)"
    await page.evaluate(came)
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_without_the_panel_messages_leave_and_arrive(
    website: Any, site: Any, visit: Any
) -> None:
    visit.failures_expected = True
    page = await connected(site, visit)
    await say(page, "before")
    await website.until(lambda: website.texts() == ["before"])
    await website.stop()
    await say(page, "one", "two")
    website.panel_status = 503
    await website.start_again()
    await page.reload()
    await website.until(lambda: website.texts() == ["before", "one", "two"])
    await website.write("three")
    await expect(launcher(page, "Open the chat, 1 unread message")).to_be_visible()
    await expect(page.locator(".badge")).to_have_text("1")
    await expect(page.get_by_text(MISSING)).to_have_count(0)
    website.panel_status = 200
    await launcher(page).click()
    await expect(page.locator(".message[data-id]")).to_have_count(4)
    assert await shown(page) == ["before", "one", "two", "three"]


async def test_a_page_that_is_nothing_but_the_chat_asks_for_the_panel_until_it_comes(
    website: Any, visit: Any
) -> None:
    visit.failures_expected = True
    website.panel_status = 503
    page = await visit(f"{website.running.origin}/chat/shop", ready=CHAT)
    await website.until(lambda: len(website.panels) == 2)
    website.panel_status = 200
    await expect(page.get_by_role("textbox")).to_be_visible()


async def test_a_page_of_before_an_upgrade_renews_itself_when_the_chat_is_opened(
    website: Any, site: Any, visit: Any
) -> None:
    aged(website)
    page = await opened(site, visit)
    await say(page, "Is it in stock?")
    await website.until(lambda: website.texts() == ["Is it in stock?"])
    await website.write("It is.")
    await expect(page.locator(".message[data-id]")).to_have_count(2)
    await expect(page.locator(CHAT)).to_have_count(1)
    assert len(website.person.sockets) == 1
    assert len(website.panels) == 1
    await page.evaluate("chatbridge.close()")
    await expect(launcher(page)).to_be_focused()


async def test_a_page_of_before_an_upgrade_keeps_its_conversation(
    website: Any, site: Any, visit: Any
) -> None:
    page = await connected(site, visit)
    await say(page, "one")
    await website.until(lambda: website.texts() == ["one"])
    aged(website)
    await page.reload()
    await expect(page.locator(".chat")).to_have_attribute("data-state", "ready")
    await website.write("two")
    await launcher(page, "Open the chat, 1 unread message").click()
    await expect(page.locator(".message[data-id]")).to_have_count(2)
    assert await shown(page) == ["one", "two"]
    await website.until(lambda: len(website.said("hello")) == 3)
    await website.until(lambda: len(website.person.sockets) == 1)
    await expect(page.locator(CHAT)).to_have_count(1)


@pytest.mark.parametrize(
    "policy",
    [
        "script-src 'nonce-abc'",
        "script-src 'nonce-abc' 'strict-dynamic'",
        "script-src 'nonce-abc'; require-trusted-types-for 'script'; trusted-types 'none'",
    ],
)
async def test_a_site_that_allows_its_scripts_one_by_one(
    policy: str, website: Any, site: Any, visit: Any
) -> None:
    site.script_policy = policy
    site.attributes["nonce"] = "abc"
    page = await connected(site, visit)
    await say(page, "Hello")
    await website.until(lambda: website.texts() == ["Hello"])


async def test_the_page_finds_one_new_name(site: Any, visit: Any) -> None:
    page = await connected(site, visit)
    new = await page.evaluate(
        """() => {
            const plain = document.body.appendChild(document.createElement("iframe")).contentWindow;
            return Object.getOwnPropertyNames(window).filter((name) => !(name in plain) && name !== "0");
        }"""
    )
    assert new == ["chatbridge"]


@pytest.mark.parametrize("name", ["chat", "panel"])
async def test_a_lean_style_sheet_has_the_same_rules(name: str, website: Any, visit: Any) -> None:
    page = await visit(f"{website.running.origin}/chat/shop", ready=CHAT)
    css = (STATIC / f"chat/{name}.css").read_text(encoding="utf-8")
    one, other = await page.evaluate(
        """(sheets) => sheets.map((text) => {
            const sheet = new CSSStyleSheet();
            sheet.replaceSync(text);
            return [...sheet.cssRules].map((rule) => rule.cssText.replaceAll(", ", ","));
        })""",
        [css, lean_css(css)],
    )
    assert one == other
    assert one
