"""The operator's inbox of the sandbox."""

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.pages.samples import png
from tests.pages.stub_sandbox import SCOPE

pytestmark = pytest.mark.asyncio(loop_scope="session")


def own(page: Page, text: str) -> Any:
    return page.locator(".message--own", has_text=text)


async def test_without_chats_it_says_what_to_do_next(sandbox: Any, visit: Any) -> None:
    page = await visit(sandbox.running.origin)
    await expect(page.get_by_role("main")).to_contain_text("No conversation yet")
    await expect(page.get_by_role("main")).to_contain_text("Write as the client")


async def test_a_new_chat_appears_with_its_unread_messages(sandbox: Any, visit: Any) -> None:
    sandbox.add_chat("chat-1")
    sandbox.add_message("chat-1", text="first chat")
    page = await visit(sandbox.running.origin)
    await expect(page.locator("[data-chat=chat-1]")).to_have_attribute("aria-current", "true")
    sandbox.add_chat("chat-2", person={"id": "p2", "name": "Boris", "phone": "", "avatar": ""})
    sandbox.add_message("chat-2", text="one")
    sandbox.add_message("chat-2", text="two")
    row = page.locator("[data-chat=chat-2]")
    await expect(row).to_contain_text("2 unread messages")
    await expect(page.locator(".chat-row").first).to_contain_text("Boris")
    await row.click()
    await expect(page.locator(".message")).to_have_count(2)
    await expect(row.locator(".badge")).to_have_count(0)


MARKS = {
    "en-US": ("Sent", "Delivered", "Read", "Not delivered", "a conversation cannot be created"),
    "ru-RU": ("Отправлено", "Доставлено", "Прочитано", "Не доставлено", "переписку нельзя создать"),  # noqa: RUF001 - Russian
}


@pytest.mark.parametrize("locale", MARKS)
async def test_delivery_marks_have_words_and_reasons(locale: str, sandbox: Any, visit: Any) -> None:
    sent, delivered, read, failed, reason = MARKS[locale]
    sandbox.add_chat()
    message = sandbox.add_message(direction="out", text="Hello")
    page = await visit(sandbox.running.origin, locale=locale)
    await expect(own(page, "Hello")).to_contain_text(sent)
    sandbox.set_status(message, 1)
    await expect(own(page, "Hello")).to_contain_text(delivered)
    sandbox.set_status(message, 2)
    await expect(own(page, "Hello")).to_contain_text(read)
    sandbox.set_status(message, -1, error_code=904, error="No such number")
    await expect(own(page, "Hello")).to_contain_text(failed)
    await expect(own(page, "Hello")).to_contain_text(f"904 · {reason}: No such number")


async def test_edits_reactions_and_typing_are_shown(sandbox: Any, visit: Any) -> None:
    sandbox.add_chat()
    message = sandbox.add_message(text="befour")
    page = await visit(sandbox.running.origin)
    await expect(page.locator(".message")).to_contain_text("befour")
    sandbox.events.publish("message", message | {"text": "before", "edited": True})
    await expect(page.locator(".message")).to_contain_text("edited")
    sandbox.events.publish("reaction", message | {"reactions": [{"user": "u-kate", "emoji": "👍"}]})
    await expect(page.locator(".reaction")).to_have_attribute("title", "Kate")
    sandbox.events.publish("typing", {"chat_id": "chat-1", "person": {}})
    await expect(page.locator(".who .typing")).to_have_text("typing…")


async def test_enter_sends_and_shift_enter_begins_a_line(sandbox: Any, visit: Any) -> None:
    sandbox.add_chat()
    page = await visit(sandbox.running.origin)
    await page.get_by_label("Answer as").select_option("Oleg")
    await page.get_by_label("Write an answer").click()
    await page.keyboard.type("one")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("two")
    await page.keyboard.press("Enter")
    await expect(own(page, "one")).to_contain_text("Sent")
    await expect(page.get_by_label("Write an answer")).to_have_value("")
    assert sandbox.messages[-1]["text"] == "one\ntwo"
    assert sandbox.typed[0]["user_id"] == "u-oleg"
    await expect(page.locator(".message")).to_have_count(1)


async def test_a_refused_message_says_why_and_can_be_sent_again(sandbox: Any, visit: Any) -> None:
    visit.failures_expected = True
    sandbox.add_chat()
    page = await visit(sandbox.running.origin)
    sandbox.refuse_with = (400, "The text is too long.")
    await page.get_by_label("Write an answer").fill("long")
    await page.keyboard.press("Enter")
    await expect(own(page, "long")).to_contain_text("The text is too long.")
    await expect(page.locator(".toast")).to_contain_text("Correct it and try again.")
    sandbox.refuse_with = None
    await own(page, "long").get_by_role("button", name="Try again").click()
    await expect(own(page, "long")).to_contain_text("Sent")
    await expect(page.locator(".message")).to_have_count(1)


async def test_files_places_and_contacts_are_attached(sandbox: Any, visit: Any) -> None:
    sandbox.add_chat()
    page = await visit(sandbox.running.origin)
    attach = page.get_by_role("button", name="Attach")
    await attach.click()
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("menuitem", name="Picture or file").click()
    picture = {"name": "p.png", "mimeType": "image/png", "buffer": png()}
    await (await chooser.value).set_files(picture)
    await expect(page.locator(".message[data-type=picture]")).to_contain_text("Sent")
    assert sandbox.messages[-1]["file_name"] == "p.png"
    await attach.click()
    await page.get_by_role("menuitem", name="Location").click()
    await page.get_by_role("dialog").get_by_role("button", name="Send").click()
    await expect(page.locator(".message[data-type=location]")).to_contain_text("Sent")
    await attach.click()
    await page.get_by_role("menuitem", name="Contact").click()
    await page.get_by_role("textbox", name="Name").fill("Boris")
    await page.get_by_role("textbox", name="Phone").fill("+79160000000")
    await page.keyboard.press("Enter")
    await expect(page.locator(".message[data-type=contact]")).to_contain_text("Sent")
    assert sandbox.messages[-1]["contact"] == {"name": "Boris", "phone": "+79160000000"}


async def test_the_operator_reacts(sandbox: Any, visit: Any) -> None:
    sandbox.add_chat()
    sandbox.add_message(text="Thank you!")
    page = await visit(sandbox.running.origin)
    await page.locator(".message").hover()
    await page.get_by_role("button", name="React").click()
    await page.get_by_role("menuitem", name="👍").click()
    await expect(page.locator(".reactions")).to_contain_text("👍")


async def test_the_operator_writes_first(sandbox: Any, visit: Any) -> None:
    page = await visit(sandbox.running.origin)
    await page.get_by_role("button", name="Write first").click()
    await page.get_by_role("textbox", name="Phone").fill("+79990001122")
    await page.get_by_role("textbox", name="Name").fill("Boris")
    await page.get_by_label("Text").fill("Your order is ready")
    await page.keyboard.press("Enter")
    await expect(page.locator(".who")).to_contain_text("not bound to a conversation yet")
    await expect(own(page, "Your order is ready")).to_contain_text("Sent")


async def test_switches_are_changed_and_set_back(sandbox: Any, visit: Any) -> None:
    page = await visit(sandbox.running.origin)
    await page.get_by_role("button", name="Switches").click()
    drawer = page.get_by_role("complementary", name="Switches")
    await expect(drawer).to_contain_text("Everything is normal")
    await drawer.get_by_label("What goes wrong").select_option("503")
    await drawer.get_by_label("How many requests").fill("3")
    await page.keyboard.press("Enter")
    await expect(drawer).to_contain_text("2 switches changed")
    assert (sandbox.switches["fault"], sandbox.switches["fault_requests"]) == ("503", 3)
    await drawer.get_by_role("button", name="All normal").click()
    await expect(drawer).to_contain_text("Everything is normal")
    await page.keyboard.press("Escape")
    await expect(drawer).to_be_hidden()
    await expect(page.get_by_role("button", name="Switches")).to_be_focused()


async def test_the_log_shows_bodies_on_demand_and_repeats_hooks(sandbox: Any, visit: Any) -> None:
    sandbox.add_request()
    sandbox.add_hook(status=None, error="no answer within 5 s")
    page = await visit(sandbox.running.origin)
    await page.get_by_role("button", name="Log").click()
    log = page.get_by_role("complementary", name="Log")
    await expect(log.locator(".log-row")).to_have_count(2)
    await expect(log).to_contain_text("POST new_message")
    await log.get_by_role("button", name="Failed").click()
    await expect(log.locator(".log-row")).to_have_count(1)
    await expect(log.locator("pre")).to_be_hidden()
    await log.locator("summary").click()
    await expect(log.locator("pre")).to_contain_text('"account_id": "a"')
    await log.get_by_role("button", name="Repeat hook").click()
    await expect(page.locator(".toast")).to_contain_text("was sent again")
    await log.get_by_role("button", name="All").click()
    await expect(log.locator(".log-row")).to_have_count(3)


async def test_a_hook_that_was_not_taken_is_told(sandbox: Any, visit: Any) -> None:
    sandbox.add_chat()
    page = await visit(sandbox.running.origin)
    sandbox.hook_error = "answered 500; amoCRM expects 200"
    await page.get_by_label("Write an answer").fill("hello")
    await page.keyboard.press("Enter")
    await expect(page.locator(".toast")).to_contain_text("answered 500; amoCRM expects 200")


async def test_nothing_is_missed_while_the_stream_is_cut(sandbox: Any, visit: Any) -> None:
    sandbox.add_chat()
    sandbox.add_message(text="before")
    page = await visit(sandbox.running.origin)
    await expect(page.locator(".message")).to_have_count(1)
    sandbox.events.cut()
    sandbox.add_message(text="meanwhile")
    await expect(page.locator(".message")).to_have_count(2)
    await expect(page.locator(".topbar [data-state]")).to_have_attribute("data-state", "open")


async def test_embedded_it_shows_one_connection_and_no_top_bar(sandbox: Any, visit: Any) -> None:
    sandbox.add_chat("chat-1")
    sandbox.add_chat("foreign", scope_id="another")
    page = await visit(f"{sandbox.running.origin}/?embed=1&scope={SCOPE}&lang=ru")
    await expect(page.locator(".topbar")).to_have_count(0)
    await expect(page.locator(".chat-row")).to_have_count(1)
    await expect(page.locator("html")).to_have_attribute("lang", "ru")
    await page.get_by_role("button", name="Переключатели").click()
    await expect(page.get_by_role("complementary", name="Переключатели")).to_be_visible()


async def test_bubbles_are_reached_and_chosen_by_keyboard(sandbox: Any, visit: Any) -> None:
    sandbox.add_chat()
    for text in ("one", "two", "three"):
        sandbox.add_message(text=text)
    page = await visit(sandbox.running.origin)
    await page.locator(".bubble", has_text="three").focus()
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    await expect(page.locator(".message", has_text="two")).to_have_attribute("aria-current", "true")
    await expect(page.locator(".bubble", has_text="two")).to_be_focused()


async def test_new_messages_are_read_aloud(sandbox: Any, visit: Any) -> None:
    sandbox.add_chat()
    page = await visit(sandbox.running.origin)
    sandbox.add_message(type="picture", text="the blue one", media="")
    voice = page.locator("body > .sr-only[aria-live=polite]")
    await expect(voice).to_have_text("Anna Berg: Picture: the blue one")


async def test_on_a_narrow_screen_list_and_chat_take_turns(sandbox: Any, visit: Any) -> None:
    sandbox.add_chat()
    sandbox.add_message(text="hello")
    page = await visit(sandbox.running.origin, width=390)
    await expect(page.locator(".conversation")).to_be_hidden()
    await page.locator(".chat-row").click()
    await expect(page.locator(".message")).to_be_visible()
    await expect(page.locator(".chats")).to_be_hidden()
    await page.get_by_role("button", name="Back to the chats").click()
    await expect(page.locator(".chat-row")).to_be_visible()


async def test_the_page_speaks_about_its_reader_in_the_right_plural(
    sandbox: Any, visit: Any
) -> None:
    sandbox.switches = {"fault": "503", "duplicate_msgid": "200"}
    page = await visit(sandbox.running.origin, locale="ru-RU")
    await page.get_by_role("button", name="Переключатели").click()
    await expect(page.locator(".switches__count")).to_have_text(
        re.compile("Изменено 2 переключателя")
    )
