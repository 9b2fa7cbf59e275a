"""Answering, passing on, changing and reacting to a particular message, on both pages."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.pages.samples import png

pytestmark = pytest.mark.asyncio(loop_scope="session")

PICTURE = {"name": "p.png", "mimeType": "image/png", "buffer": png()}


async def choose(page: Page, text: str, item: str) -> None:
    """Choose an item of the menu beside a bubble."""
    message = page.locator(".message", has_text=text).first
    await message.hover()
    await message.get_by_role("button", name="More").click()
    await message.get_by_role("menuitem", name=item).click()


async def say(page: Page, text: str) -> None:
    await page.locator(".composer__text").fill(text)
    await page.keyboard.press("Enter")


def quote(page: Page, text: str) -> Locator:
    return page.locator(".message", has_text=text).locator(".quote")


async def test_the_operator_answers_a_message(sandbox: Any, visit: Any) -> None:
    sandbox.add_chat()
    asked = sandbox.add_message(text="Is it blue?")
    sandbox.add_message(text="And how much is it?")
    page = await visit(sandbox.running.origin)
    await choose(page, "Is it blue?", "Reply")
    await expect(page.locator(".context")).to_contain_text("Reply: Anna Berg")
    await expect(page.locator(".context")).to_contain_text("Is it blue?")
    await expect(page.locator(".composer__text")).to_be_focused()
    await say(page, "Bluer than the sky")
    await expect(page.locator(".context")).to_be_hidden()
    await expect(quote(page, "Bluer")).to_contain_text("Is it blue?")
    await expect(page.locator(".message--own")).to_contain_text("Sent")
    assert sandbox.messages[-1]["reply_to"]["message"]["id"] == asked["id"]
    await say(page, "Anything else?")
    await expect(quote(page, "Anything else?")).to_have_count(0)


async def test_esc_leaves_the_answer_and_nothing_else(sandbox: Any, visit: Any) -> None:
    sandbox.add_chat()
    sandbox.add_message(text="Is it blue?")
    page = await visit(sandbox.running.origin)
    await page.get_by_role("button", name="Log").click()
    await choose(page, "Is it blue?", "Reply")
    await page.keyboard.press("Escape")
    await expect(page.locator(".context")).to_be_hidden()
    await expect(page.get_by_role("complementary", name="Log")).to_be_visible()
    await choose(page, "Is it blue?", "Reply")
    await page.locator(".context").get_by_role("button", name="Cancel").click()
    await expect(page.locator(".composer__text")).to_be_focused()
    await say(page, "Hello")
    await expect(page.locator(".message--own")).to_contain_text("Sent")
    await expect(page.locator(".quote")).to_have_count(0)


async def test_the_menu_is_reached_by_the_keyboard(sandbox: Any, visit: Any) -> None:
    sandbox.add_chat()
    sandbox.add_message(text="Is it blue?")
    page = await visit(sandbox.running.origin)
    await page.locator(".bubble").focus()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="React")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menuitem", name="Reply")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.locator(".context")).to_contain_text("Forward: Anna Berg")


@pytest.mark.parametrize("side", ["in", "out"])
async def test_no_edge_cuts_a_menu(side: str, demo: Any, visit: Any) -> None:
    demo.add_message(direction=side, text="as wide as a screen can be " * 3, author="Kate")
    page = await visit(demo.running.origin, width=320)
    for name in ("React", "More"):
        await page.locator(".message").hover()
        await page.locator(".message").get_by_role("button", name=name).click()
        await expect(page.get_by_role("menu")).to_be_in_viewport(ratio=1)
        await page.keyboard.press("Escape")


async def test_a_quote_leads_to_its_message_however_long_ago(sandbox: Any, visit: Any) -> None:
    sandbox.add_chat()
    first = sandbox.add_message(text="the very first")
    for number in range(250):
        sandbox.add_message(text=f"message {number}")
    sandbox.add_message(text="as I said", reply_to={"message": sandbox.embedded(first["id"])})
    page = await visit(sandbox.running.origin)
    await expect(page.locator(".message", has_text="as I said")).to_be_visible()
    await page.locator(".quote__lead").click()
    found = page.locator(f".message[data-key='{first['id']}']")
    await expect(found).to_be_in_viewport()
    await expect(found).to_have_attribute("aria-current", "true")
    await expect(found.locator(".bubble")).to_be_focused()


async def test_a_quote_of_something_else_leads_nowhere(sandbox: Any, visit: Any) -> None:
    sandbox.add_chat()
    told = {"id": "elsewhere", "type": "picture", "text": "", "sender": {"name": "Boris"}}
    sandbox.add_message(text="look", forwards={"messages": [told]})
    page = await visit(sandbox.running.origin, locale="ru-RU")
    await expect(page.locator(".quote")).to_contain_text("Переслано")
    await expect(page.locator(".quote")).to_contain_text("Boris")
    await expect(page.locator(".quote")).to_contain_text("Картинка")
    await expect(page.locator(".quote__lead")).to_have_count(0)


async def test_a_message_is_passed_on_to_another_chat(sandbox: Any, visit: Any) -> None:
    sandbox.add_chat("chat-2")
    sandbox.add_message("chat-2", text="hello")
    sandbox.add_chat("chat-1")
    asked = sandbox.add_message("chat-1", text="Is it blue?")
    page = await visit(sandbox.running.origin)
    await choose(page, "Is it blue?", "Reply")
    await page.locator("[data-chat=chat-2]").click()
    await expect(page.locator(".context")).to_be_hidden()
    await page.locator("[data-chat=chat-1]").click()
    await choose(page, "Is it blue?", "Forward")
    await page.locator("[data-chat=chat-2]").click()
    await say(page, "Please answer this")
    await expect(quote(page, "Please answer this")).to_contain_text("Forwarded")
    await expect(page.locator(".message--own")).to_contain_text("Sent")
    assert sandbox.messages[-1]["chat_id"] == "chat-2"
    assert sandbox.messages[-1]["forwards"]["messages"][0]["id"] == asked["id"]


async def test_the_operator_takes_a_reaction_back(sandbox: Any, visit: Any) -> None:
    sandbox.add_chat()
    sandbox.add_message(text="Thank you!", reactions=[{"user": "p-1", "emoji": "👍"}])
    page = await visit(sandbox.running.origin)
    chip = page.locator(".reaction")
    await expect(chip).to_have_attribute("title", "Anna Berg")
    await expect(chip).to_have_attribute("aria-pressed", "false")
    await chip.click()
    await expect(chip).to_have_attribute("title", "Kate")
    await expect(chip).to_have_attribute("aria-pressed", "true")
    await page.get_by_label("Answer as").select_option("Oleg")
    await expect(chip).to_have_attribute("aria-pressed", "false")
    await page.get_by_label("Answer as").select_option("Kate")
    await chip.click()
    await expect(chip).to_have_count(0)


async def test_an_event_wins_over_a_list_that_was_read_before(sandbox: Any, visit: Any) -> None:
    sandbox.add_chat()
    message = sandbox.add_message(text="befour")
    sandbox.list_may_answer = asyncio.Event()
    page = await visit(sandbox.running.origin)
    await sandbox.list_asked.wait()
    sandbox.events.publish("message", message | {"text": "before", "edited": True})
    await expect(page.locator(".chat-row__last")).to_have_text("before")
    sandbox.list_may_answer.set()
    await expect(page.locator(".message")).to_contain_text("before")


async def test_the_client_answers_with_words_and_files(demo: Any, visit: Any) -> None:
    offered = demo.add_message(direction="out", text="This one?", author="Kate")
    page = await visit(demo.running.origin)
    await choose(page, "This one?", "Reply")
    await say(page, "Rather that one")
    await expect(quote(page, "Rather that one")).to_contain_text("Kate")
    await choose(page, "This one?", "Reply")
    await page.get_by_role("button", name="Attach").click()
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("menuitem", name="Picture").click()
    await (await chooser.value).set_files(PICTURE)
    await expect(page.locator("[data-type=picture][data-state=delivered] .quote")).to_have_count(1)
    await expect(page.locator(".context")).to_be_hidden()
    assert [body["reply_to"] for _, body in demo.noted if "type" in body] == [offered["id"]] * 2
    await page.locator(".quote__lead").first.click()
    await expect(page.locator(".message--selected")).to_contain_text("This one?")
    await expect(page.locator(".path__about")).to_have_text("This one?")


async def test_the_client_edits_only_what_was_written(demo: Any, visit: Any) -> None:
    demo.add_message(text="befour")
    demo.add_message(direction="out", text="Pardon?", author="Kate")
    page = await visit(demo.running.origin)
    await page.locator(".composer__text").fill("half a tho")
    await choose(page, "befour", "Edit")
    await expect(page.locator(".composer__text")).to_have_value("befour")
    await page.keyboard.press("Escape")
    await expect(page.locator(".composer__text")).to_have_value("half a tho")
    await choose(page, "befour", "Edit")
    await say(page, "before")
    await expect(page.locator(".message--own")).to_contain_text("before")
    await expect(page.locator(".message--own")).to_contain_text("edited")
    await expect(page.locator(".composer__text")).to_have_value("half a tho")
    theirs = page.locator(".message--other")
    await theirs.hover()
    await theirs.get_by_role("button", name="More").click()
    await expect(theirs.get_by_role("menuitem", name="Edit")).to_have_count(0)


async def test_a_refused_edit_may_be_corrected(demo: Any, visit: Any) -> None:
    visit.failures_expected = True
    demo.add_message(text="befour")
    page = await visit(demo.running.origin)
    demo.refuse_with = (422, {"title": "Too long", "detail": "Say less.", "code": "invalid"})
    await choose(page, "befour", "Edit")
    await say(page, "before and more")
    await expect(page.locator(".toast")).to_contain_text("Too long. Say less.")
    await expect(page.locator(".composer__text")).to_have_value("before and more")
    demo.refuse_with = None
    await say(page, "before")
    await expect(page.locator(".message--own")).to_contain_text("edited")


async def test_the_client_reacts_and_takes_it_back(demo: Any, visit: Any) -> None:
    demo.add_message(direction="out", text="It is", author="Kate")
    page = await visit(demo.running.origin)
    await page.locator(".message").hover()
    await page.get_by_role("button", name="React").click()
    await page.get_by_role("menuitem", name="🔥").click()
    chip = page.locator(".reaction")
    await expect(chip).to_have_attribute("aria-pressed", "true")
    await expect(chip).to_have_attribute("title", "You")
    await chip.click()
    await expect(chip).to_have_count(0)


async def test_a_client_who_has_blocked_the_shop_sees_nothing_but_the_path(
    demo: Any, visit: Any
) -> None:
    page = await visit(demo.running.origin)
    await page.locator(".phone__head").get_by_role("button", name="More").click()
    await page.get_by_role("menuitem", name="Block the shop").click()
    await expect(page.get_by_text("You have blocked the shop")).to_be_visible()
    await expect(page.locator(".composer")).to_be_hidden()
    refused = demo.add_message(direction="out", text="Hello?")
    said = "no_conversation: The messenger refused the message"
    demo.add_step(refused["id"], "marked_failed", detail=said)
    demo.messages.clear()
    await page.reload()
    await expect(page.get_by_text("You have blocked the shop")).to_be_visible()
    demo.events.publish("refused", {"id": refused["id"]})
    await expect(page.locator(".path__signs")).to_contain_text("failed")
    await expect(page.locator(".path__note")).to_contain_text(
        "no conversation is possible: The messenger refused the message"
    )
    await page.get_by_role("button", name="Unblock").click()
    await expect(page.locator(".composer")).to_be_visible()
    await say(page, "Here I am")
    await expect(page.locator(".path__about")).to_have_text("Here I am")


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("en-US", ("Copied", "image/png, 2 KB", "The file is too large.")),
        ("ru-RU", ("Скопировано", "image/png, 2 КБ", "Файл слишком большой.")),
    ],
)
async def test_the_copy_of_a_file_is_a_step_of_its_path(
    locale: str, said: tuple[str, str, str], demo: Any, visit: Any
) -> None:
    step, caption, words = said
    demo.steps_on_arrival = ("received", "stored")
    demo.add_message(text="no file")
    page = await visit(demo.running.origin, locale=locale)
    await expect(page.locator(".station")).to_have_count(5)
    picture = demo.add_message(type="picture", file_name="p.png")
    await expect(page.locator(".station--now")).to_contain_text(step)
    demo.add_step(picture["id"], "copied", detail="image/png, 2048 bytes")
    await expect(page.locator(".station[data-step=copied]")).to_contain_text(caption)
    video = demo.add_message(type="video", file_name="v.mp4")
    error = {"code": "media_too_large", "detail": "the file has more than 50 MB"}
    demo.add_step(video["id"], "not_copied", error=error)
    await expect(page.locator(".station--trouble")).to_have_count(1)
    await expect(page.locator(".path__note")).to_contain_text(words)
    await expect(page.locator(".path__note")).to_contain_text("more than 50 MB")
    await expect(page.locator(".station--now")).to_have_attribute("data-step", "signed")
