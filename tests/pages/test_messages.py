"""Messages of every type, drawn on both pages, and texts that would like to be more than text."""

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.pages.samples import FILES, HOSTILE, every_type, for_demo

pytestmark = pytest.mark.asyncio(loop_scope="session")

TYPES = ("text", "picture", "file", "video", "voice", "audio", "sticker", "location", "contact")


async def drawn(page: Page) -> dict[str, Any]:
    for kind in TYPES:
        await expect(page.locator(f".message[data-type={kind}]")).to_have_count(1)
    return {kind: page.locator(f".message[data-type={kind}]") for kind in TYPES}


async def check_every_type(page: Page) -> None:
    by_type = await drawn(page)
    await expect(by_type["text"]).to_contain_text("Is it in stock?")
    await expect(by_type["picture"].locator("button img")).to_be_visible()
    await expect(by_type["picture"]).to_contain_text("caption")
    await expect(by_type["file"].locator("a[download]")).to_contain_text("d.pdf")
    await expect(by_type["file"]).to_contain_text("88 KB")
    await expect(by_type["video"].locator("video[controls]")).to_have_count(1)
    await expect(by_type["voice"].locator("audio[controls]")).to_have_count(1)
    await expect(by_type["voice"]).to_contain_text("0:07")
    await expect(by_type["audio"]).to_contain_text("song.wav")
    await expect(by_type["audio"]).to_contain_text("3:05")
    await expect(by_type["sticker"].locator("img[alt=Sticker]")).to_be_visible()
    await expect(by_type["location"]).to_contain_text("55.75222, 37.61556")
    await expect(by_type["contact"]).to_contain_text("+79160000000")


async def test_the_inbox_draws_all_nine_types(sandbox: Any, visit: Any) -> None:
    sandbox.files = dict(FILES)
    sandbox.add_chat()
    for content in every_type(f"{sandbox.running.origin}/attachments"):
        sandbox.add_message(**content)
    await check_every_type(await visit(sandbox.running.origin))


async def test_the_phone_draws_all_nine_types(demo: Any, visit: Any) -> None:
    demo.files = dict(FILES)
    for content in every_type(f"{demo.running.origin}/demo/files"):
        demo.add_message(**for_demo(content))
    await check_every_type(await visit(demo.running.origin))


async def test_a_picture_opens_large_and_esc_closes_it(sandbox: Any, visit: Any) -> None:
    sandbox.files = dict(FILES)
    sandbox.add_chat()
    address = f"{sandbox.running.origin}/attachments/p.png/p.png"
    sandbox.add_message(type="picture", media=address, file_name="p.png")
    page = await visit(sandbox.running.origin)
    await page.get_by_role("button", name="Open the picture: p.png").click()
    await expect(page.get_by_role("dialog", name="p.png").locator("img")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_a_type_of_the_future_is_named_in_a_sentence(sandbox: Any, visit: Any) -> None:
    sandbox.add_chat()
    sandbox.add_message(type="poll", text="Tea or coffee?")
    page = await visit(sandbox.running.origin)
    bubble = page.locator(".message[data-type=poll]")
    await expect(bubble).to_contain_text("cannot show messages of the type “poll”")
    await expect(bubble).to_contain_text("Tea or coffee?")


async def test_hostile_texts_stay_text_everywhere(sandbox: Any, visit: Any) -> None:
    person = {
        "id": "p",
        "client_id": "c",
        "name": HOSTILE,
        "avatar": "javascript:1",
        "phone": HOSTILE,
    }
    sandbox.add_chat(person=person, source=HOSTILE)
    author = {"id": "p", "name": HOSTILE, "kind": "client"}
    sandbox.add_message(text=HOSTILE, author=author, reply_to={"message": {"text": HOSTILE}})
    sandbox.add_message(type="file", media="javascript:alert(1)", file_name=HOSTILE)
    sandbox.add_message(type="contact", contact={"name": HOSTILE, "phone": HOSTILE})
    sandbox.add_message(type=HOSTILE, text=HOSTILE)
    sandbox.set_status(sandbox.add_message(direction="out", text=HOSTILE), -1, error=HOSTILE)
    sandbox.add_hook(status=None, error=HOSTILE, body_text=HOSTILE)
    page = await visit(sandbox.running.origin)
    await page.get_by_role("button", name="Log").click()
    await page.locator(".log-row summary").first.click()
    await expect(page.locator(".message")).to_have_count(5)
    await expect(page.locator("img[src=x], script:not([src])")).to_have_count(0)
    await expect(page.locator("a[href^=javascript], img[src^=javascript]")).to_have_count(0)
    await expect(page).to_have_title("amoCRM sandbox")


async def test_only_web_addresses_become_links(sandbox: Any, visit: Any) -> None:
    sandbox.add_chat()
    sandbox.add_message(
        text="See https://shop.example/a?b=1. Not javascript:alert(1), not ftp://x.example"
    )
    page = await visit(sandbox.running.origin)
    link = page.locator(".bubble__text a")
    await expect(link).to_have_count(1)
    await expect(link).to_have_attribute("href", "https://shop.example/a?b=1")
    await expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")


async def test_times_are_short_and_tell_the_full_time_on_hover(sandbox: Any, visit: Any) -> None:
    sandbox.add_chat()
    sandbox.add_message(text="old", at_ms=1_736_847_000_123)
    page = await visit(sandbox.running.origin, locale="ru-RU")
    time = page.locator(".bubble time")
    await expect(time).to_have_attribute("datetime", "2025-01-14T09:30:00.123Z")
    await expect(time).to_have_attribute("title", re.compile("2025"))
    assert len(await time.inner_text()) == len("12:04")


async def test_a_long_conversation_is_drawn_in_parts(sandbox: Any, visit: Any) -> None:
    sandbox.add_chat()
    for number in range(250):
        sandbox.add_message(text=f"message {number}")
    page = await visit(sandbox.running.origin)
    await expect(page.locator(".message")).to_have_count(200)
    await expect(page.locator(".message").last).to_contain_text("message 249")
    await page.get_by_role("button", name="Show earlier messages").click()
    await expect(page.locator(".message")).to_have_count(250)
    await expect(page.locator(".message").first).to_contain_text("message 0")
