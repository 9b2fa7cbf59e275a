"""The demo page: the client's phone, the operator's frame, the path of a message."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.pages.samples import png, wav

pytestmark = pytest.mark.asyncio(loop_scope="session")


def steps(page: Page) -> Any:
    return page.locator(".station")


async def write(page: Page, text: str) -> None:
    await page.get_by_label("Message", exact=True).fill(text)
    await page.keyboard.press("Enter")


async def test_an_empty_page_says_what_to_do(demo: Any, visit: Any) -> None:
    page = await visit(demo.running.origin)
    await expect(page.get_by_text("No messages yet")).to_be_visible()
    await expect(page.get_by_text("No message to follow yet")).to_be_visible()


async def test_a_message_is_shown_at_once_and_its_path_to_the_millisecond(
    demo: Any, visit: Any
) -> None:
    page = await visit(demo.running.origin)
    demo.steps_on_arrival = ()
    demo.may_answer = asyncio.Event()
    await write(page, "Hello!")
    await expect(page.locator(".message--own")).to_have_attribute("data-state", "pending")
    await expect(steps(page)).to_have_count(5)
    demo.may_answer.set()
    await expect(page.locator(".message--own")).to_have_attribute("data-state", "sent")
    (message_id,) = demo.messages
    for step in ("received", "stored", "signed", "accepted", "delivered"):
        demo.add_step(message_id, step)
    await expect(page.locator(".message--own")).to_have_attribute("data-state", "delivered")
    await expect(page.locator(".station--done")).to_have_count(5)
    await expect(steps(page).nth(1)).to_contain_text("+12 ms")
    await expect(steps(page).nth(0)).to_contain_text("from the messenger")
    await expect(page.locator(".path__signs")).to_contain_text("delivered · 48 ms")
    time = await steps(page).nth(0).locator("time").inner_text()
    assert len(time) == len("12:04:05.123")
    await expect(page.locator(".message")).to_have_count(1)


async def test_retries_are_counted_live_with_their_errors_in_words(demo: Any, visit: Any) -> None:
    demo.steps_on_arrival = ("received", "stored", "signed")
    message = demo.add_message(text="Can I pay by card?")
    page = await visit(demo.running.origin)
    await expect(page.locator(".station--now")).to_contain_text("Accepted")
    for attempt in (1, 2):
        error = {"code": "503", "detail": f"amoCRM answered 503, try {attempt}"}
        demo.add_step(message["id"], "retry", attempt=attempt, error=error)
        demo.add_step(message["id"], "signed")
        await expect(page.locator(".path__note")).to_have_count(attempt)
    await expect(page.locator(".station--trouble")).to_contain_text(
        "Retry \N{MULTIPLICATION SIGN}2"
    )
    await expect(page.locator(".path__note").last).to_contain_text("attempt 2")
    await expect(page.locator(".path__note").last).to_contain_text("amoCRM answered 503, try 2")
    demo.add_step(message["id"], "accepted")
    demo.add_step(message["id"], "delivered")
    await expect(page.locator(".station--now")).to_have_count(0)
    await expect(page.locator(".path__signs")).to_contain_text("delivered")


async def test_a_failed_message_shows_where_it_ended(demo: Any, visit: Any) -> None:
    demo.steps_on_arrival = ("received", "stored")
    message = demo.add_message(text="lost")
    demo.add_step(
        message["id"], "marked_failed", error={"code": "link_gone", "detail": "The link is off"}
    )
    page = await visit(demo.running.origin)
    await expect(page.locator(".station[data-step=marked_failed]")).to_contain_text("Failed")
    await expect(page.locator(".path__note")).to_contain_text("The link is off")
    await expect(page.locator(".message--own")).to_contain_text("Not delivered")
    await expect(steps(page)).to_have_count(3)


async def test_an_unknown_step_is_shown_by_its_name(demo: Any, visit: Any) -> None:
    demo.steps_on_arrival = ("received", "translated")
    demo.add_message(text="hello")
    page = await visit(demo.running.origin)
    await expect(page.locator(".station[data-step=translated]")).to_contain_text("translated")


async def test_the_newest_message_is_followed_until_one_is_chosen(demo: Any, visit: Any) -> None:
    demo.add_message(text="first")
    demo.add_message(text="second")
    page = await visit(demo.running.origin)
    about = page.locator(".path__about")
    await expect(about).to_have_text("second")
    await page.locator(".bubble", has_text="first").click()
    await expect(about).to_have_text("first")
    demo.add_message(direction="out", text="third", author="Kate")
    await expect(page.locator(".message", has_text="third")).to_be_visible()
    await expect(about).to_have_text("first")
    await page.get_by_role("button", name="Follow the newest").click()
    await expect(about).to_have_text("third")
    await expect(page.locator(".path__signs")).to_contain_text("operator → client")


async def test_a_click_on_the_operators_side_chooses_too(
    demo: Any, sandbox: Any, visit: Any
) -> None:
    first, last = demo.add_message(text="first"), demo.add_message(text="last")
    sandbox.add_chat()
    received = sandbox.add_message(text="first", client_id=first["id"])
    demo.amo_ids[received["id"]] = first["id"]
    page = await visit(demo.running.origin)
    await expect(page.locator(".path__about")).to_have_text("last")
    await page.frame_locator(".operator__frame").locator(".bubble", has_text="first").click()
    await expect(page.locator(".path__about")).to_have_text("first")
    selected = page.locator(".phone .message--selected")
    await expect(selected).to_contain_text("first")
    assert last["id"] != first["id"]


async def test_stickers_places_and_contacts_are_sent(demo: Any, visit: Any) -> None:
    page = await visit(demo.running.origin)
    await page.get_by_role("button", name="Sticker").click()
    await page.get_by_role("menuitem", name="Sticker: heart").click()
    await expect(page.locator("[data-type=sticker][data-state=delivered]")).to_have_count(1)
    await page.get_by_role("button", name="Attach").click()
    await page.get_by_role("menuitem", name="Location").click()
    await expect(page.locator("[data-type=location][data-state=delivered]")).to_have_count(1)
    await page.get_by_role("button", name="Attach").click()
    await page.get_by_role("menuitem", name="Contact").click()
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-type=contact][data-state=delivered]")).to_have_count(1)
    sticker, place, contact = demo.messages.values()
    assert sticker["media_url"] == f"{demo.running.origin}/demo/pages/stickers/heart.png"
    assert place["location"] == {"lat": 59.93863, "lon": 30.31413}
    assert contact["contact"]["phone"] == "+79160000000"


@pytest.mark.parametrize(
    ("item", "file", "kind"),
    [
        ("Picture", {"name": "p.png", "mimeType": "image/png", "buffer": png()}, "picture"),
        ("Voice message", {"name": "v.wav", "mimeType": "audio/wav", "buffer": wav()}, "voice"),
        ("File", {"name": "d.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"}, "file"),
    ],
)
async def test_files_are_uploaded_and_sent(
    item: str, file: Any, kind: str, demo: Any, visit: Any
) -> None:
    page = await visit(demo.running.origin)
    await page.get_by_role("button", name="Attach").click()
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("menuitem", name=item, exact=True).click()
    await (await chooser.value).set_files(file)
    await expect(page.locator(f"[data-type={kind}][data-state=delivered]")).to_have_count(1)
    (message,) = demo.messages.values()
    assert message["file_name"] == file["name"]
    assert (message["duration"] or 0) == (2 if kind == "voice" else 0)


async def test_a_voice_message_is_recorded(demo: Any, visit: Any) -> None:
    page = await visit(demo.running.origin)
    await page.get_by_role("button", name="Record a voice message").click()
    await expect(page.get_by_role("timer")).to_be_visible()
    await page.get_by_role("button", name="Stop and send").click()
    await expect(page.locator("[data-type=voice][data-state=delivered]")).to_have_count(1)
    (message,) = demo.messages.values()
    assert message["duration"] >= 1


async def test_a_recording_can_be_thrown_away(demo: Any, visit: Any) -> None:
    page = await visit(demo.running.origin)
    await page.get_by_role("button", name="Record a voice message").click()
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.get_by_role("timer")).to_be_hidden()
    assert demo.messages == {}


async def test_a_refusal_is_shown_with_what_to_do(demo: Any, visit: Any) -> None:
    visit.failures_expected = True
    demo.refuse_with = (
        409,
        {"title": "Another body", "detail": "This id was used.", "code": "conflict"},
    )
    page = await visit(demo.running.origin)
    await write(page, "again")
    await expect(page.locator(".toast")).to_contain_text("Another body. This id was used.")
    await expect(page.locator(".message--own")).to_contain_text("Not delivered")
    await expect(page.locator(".path__note")).to_contain_text("This id was used.")
    demo.refuse_with = None
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator(".message--own")).to_have_attribute("data-state", "delivered")


async def test_a_silent_server_is_explained(demo: Any, visit: Any) -> None:
    visit.failures_expected = True
    page = await visit(demo.running.origin)
    await page.route("**/demo/messages", lambda route: route.abort())
    await write(page, "anyone?")
    await expect(page.locator(".toast")).to_contain_text("The server does not answer.")
    await expect(page.locator(".toast")).to_contain_text("Check that it is running")


async def test_too_big_files_are_not_even_sent(demo: Any, visit: Any) -> None:
    page = await visit(demo.running.origin)
    await page.evaluate(
        """() => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(21 * 1024 * 1024)], "big.bin"));
            const drop = new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true});
            document.querySelector(".composer").dispatchEvent(drop);
        }"""
    )
    await expect(page.locator(".toast")).to_contain_text("“big.bin” is larger than 20 MB.")
    assert demo.files == {}


async def test_the_language_is_chosen_by_the_browser_switched_and_remembered(
    demo: Any, visit: Any
) -> None:
    page = await visit(demo.running.origin, locale="ru-RU")
    frame = page.frame_locator(".operator__frame")
    await expect(page.locator("html")).to_have_attribute("lang", "ru")
    await expect(frame.get_by_role("main").get_by_text("Переписки пока нет")).to_be_visible()
    await page.get_by_role("button", name="English").click()
    await expect(page.get_by_text("Path of the message")).to_be_visible()
    await expect(frame.get_by_role("main").get_by_text("No conversation yet")).to_be_visible()
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("lang", "en")


async def test_the_explanation_opens_and_esc_closes_it(demo: Any, visit: Any) -> None:
    page = await visit(demo.running.origin)
    await page.get_by_role("button", name="What is this?").click()
    await expect(page.get_by_role("dialog")).to_contain_text("On the left is the phone")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_role("button", name="What is this?")).to_be_focused()


async def test_links_lead_to_the_docs_and_metrics(demo: Any, visit: Any) -> None:
    page = await visit(demo.running.origin)
    await expect(page.get_by_role("link", name="API docs")).to_have_attribute("href", "/docs")
    await expect(page.get_by_role("link", name="Metrics")).to_have_attribute("href", "/metrics")


async def test_the_client_sees_that_the_operator_types(demo: Any, visit: Any) -> None:
    page = await visit(demo.running.origin)
    demo.events.publish("typing", {})
    await expect(page.locator(".phone__status")).to_have_text("typing…")


async def test_narrow_screens_show_one_part_at_a_time(demo: Any, visit: Any) -> None:
    demo.add_message(text="hello")
    page = await visit(demo.running.origin, width=390)
    await expect(page.locator(".phone")).to_be_visible()
    await expect(page.locator(".path")).to_be_hidden()
    await page.get_by_role("tab", name="Client").focus()
    await page.keyboard.press("ArrowRight")
    await expect(page.locator(".operator__frame")).to_be_visible()
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("tab", name="Path")).to_be_focused()
    await expect(page.locator(".station--done")).to_have_count(5)
    await expect(page.locator(".phone")).to_be_hidden()


async def test_a_missing_sandbox_is_told_in_words(demo: Any, visit: Any) -> None:
    visit.failures_expected = True
    demo.sandbox_port = 9
    page = await visit(demo.running.origin)
    await expect(page.get_by_text("The sandbox does not answer")).to_be_visible()
    await expect(page.get_by_role("button", name="Try again")).to_be_visible()
