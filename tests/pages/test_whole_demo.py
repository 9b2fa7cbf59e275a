"""What a newcomer does after `make run`: the real demo as a process, real clicks, both directions, all types."""

import asyncio
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import FrameLocator, Locator, Page, expect

from tests.pages.conftest import session_loop
from tests.pages.samples import png, wav
from tests.processes import environment, free_port

pytestmark = pytest.mark.asyncio(loop_scope="session")

SCREENSHOTS = Path(__file__).parents[1] / "screenshots"
PNG = {"name": "p.png", "mimeType": "image/png", "buffer": png()}
WAV = {"name": "v.wav", "mimeType": "audio/wav", "buffer": wav()}
PDF = {"name": "d.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4"}
MP4 = {"name": "v.mp4", "mimeType": "video/mp4", "buffer": b"\0\0\0\x18ftypmp42"}


class Demo:
    """`chatbridge demo` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.sandbox_port = free_port(), free_port()
        self.origin = f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        ports = {
            "CHATBRIDGE_HTTP__PORT": str(self.port),
            "CHATBRIDGE_SANDBOX__PORT": str(self.sandbox_port),
        }
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "chatbridge", "demo"),
            cwd=self.folder,
            env=environment(ports),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert self.process.stdout is not None
        self.said = ""
        async with asyncio.timeout(60):
            while self.origin + "/" not in self.said:
                line = await self.process.stdout.readline()
                assert line, self.said
                self.said += line.decode()

    async def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(30):
            await self.process.communicate()
        return self.process.returncode or 0

    async def get(self, path: str) -> Any:
        async with aiohttp.ClientSession() as http, http.get(self.origin + path) as answer:
            return await answer.json()


@session_loop()
async def running(tmp_path: Path) -> AsyncIterator[Demo]:
    demo = Demo(tmp_path)
    await demo.start()
    yield demo
    assert await demo.stop() == 0


def inbox(page: Page) -> FrameLocator:
    return page.frame_locator(".operator__frame")


def answers(phone: Locator, kind: str) -> Locator:
    return phone.locator(f".message:not(.message--own)[data-type={kind}]")


async def write(page: Page, text: str) -> None:
    await page.get_by_label("Message", exact=True).fill(text)
    await page.keyboard.press("Enter")


async def attach(page: Page, place: Any, item: str, file: Any) -> None:
    await place.get_by_role("button", name="Attach").click()
    async with page.expect_file_chooser() as chooser:
        await place.get_by_role("menuitem", name=item, exact=True).click()
    await (await chooser.value).set_files(file)


async def test_a_conversation_of_all_types_in_both_directions(running: Demo, visit: Any) -> None:
    page = await visit(running.origin, width=1440, height=1000)
    phone, operator = page.locator(".phone"), inbox(page)

    await write(page, "This one? <b>really</b>")
    await expect(phone.locator("[data-type=text][data-state=delivered]")).to_have_count(1)
    await expect(operator.locator(".bubble", has_text="This one? <b>really</b>")).to_be_visible()
    await expect(page.locator(".station--done")).to_have_count(5)

    for item, file, kind in (
        ("Picture", PNG, "picture"),
        ("File", PDF, "file"),
        ("Video", MP4, "video"),
        ("Voice message", WAV, "voice"),
        ("Audio", WAV, "audio"),
    ):
        await attach(page, phone, item, file)
        await expect(phone.locator(f"[data-type={kind}][data-state=delivered]")).to_have_count(1)
        await expect(operator.locator(f".message[data-type={kind}]")).to_have_count(1)
    await phone.get_by_role("button", name="Sticker").click()
    await page.get_by_role("menuitem", name="Sticker: heart").click()
    await expect(operator.locator(".message[data-type=sticker]")).to_have_count(1)
    for item in ("Location", "Contact"):
        await phone.get_by_role("button", name="Attach").click()
        await page.get_by_role("menuitem", name=item).click()
        if item == "Contact":
            await page.keyboard.press("Enter")
        await expect(operator.locator(f".message[data-type={item.lower()}]")).to_have_count(1)

    shown = (await running.get("/demo/messages"))["messages"]
    assert [message["type"] for message in shown] == [
        "text", "picture", "file", "video", "voice", "audio", "sticker", "location", "contact",
    ]  # fmt: skip
    await page.screenshot(path=SCREENSHOTS / "demo-client.png")

    await answer(operator, "Yes, two left")
    await expect(phone.locator(".bubble", has_text="Yes, two left")).to_be_visible()
    for file, kind in ((WAV, "audio"), (MP4, "video"), (PDF, "file"), (PNG, "picture")):
        await attach(page, operator, "Picture or file", file)
        await expect(answers(phone, kind)).to_have_count(1)
    for item in ("Location", "Contact"):
        await operator.get_by_role("button", name="Attach").click()
        await operator.get_by_role("menuitem", name=item).click()
        if item == "Contact":
            await operator.get_by_role("textbox", name="Name").fill("Boris")
            await operator.get_by_role("textbox", name="Phone").fill("+79160000000")
        await operator.get_by_role("dialog").get_by_role("button", name="Send").click()
        await expect(answers(phone, item.lower())).to_have_count(1)
    await expect(page.locator(".path__about")).to_have_text("Contact")
    await expect(page.locator(".path__signs")).to_contain_text("read")
    await expect(page.locator(".station--done")).to_have_count(7)
    await page.screenshot(path=SCREENSHOTS / "demo-operator.png")


async def test_a_replys_life_is_seen_on_both_sides(running: Demo, visit: Any) -> None:
    """Sent, delivered, read; a reaction from either side; somebody types."""
    page = await visit(running.origin, width=1440, height=1000)
    phone, operator = page.locator(".phone"), inbox(page)
    await write(page, "Is it blue?")
    question = operator.locator(".message", has_text="Is it blue?")
    await expect(question).to_be_visible()

    await operator.locator("textarea").fill("It is")
    await expect(phone.locator(".phone__status.typing")).to_be_visible()
    await operator.locator("textarea").press("Enter")
    answer = operator.locator(".message--own", has_text="It is")
    await expect(answer).to_have_attribute("data-state", "read")
    await expect(page.locator(".station[data-step=marked_read]")).to_contain_text("Read")

    await react(phone.locator(".message", has_text="It is"), "\N{THUMBS UP SIGN}")
    await expect(answer.locator(".reactions")).to_contain_text("\N{THUMBS UP SIGN}")
    await react(question, "\N{FIRE}")
    asked = phone.locator(".message--own", has_text="Is it blue?")
    await expect(asked.locator(".reactions")).to_contain_text("\N{FIRE}")
    await page.screenshot(path=SCREENSHOTS / "demo-marks.png")


async def react(message: Any, emoji: str) -> None:
    await message.hover()
    await message.get_by_role("button", name="React").click()
    await message.get_by_role("menuitem", name=emoji).click()


async def choose(message: Any, item: str) -> None:
    await message.hover()
    await message.get_by_role("button", name="More").click()
    await message.get_by_role("menuitem", name=item).click()


async def answer(operator: FrameLocator, text: str) -> None:
    await operator.locator("textarea").fill(text)
    await operator.locator("textarea").press("Enter")


async def write_first(operator: FrameLocator, phone: str, name: str) -> None:
    await operator.get_by_role("button", name="Write first").click()
    await operator.get_by_role("textbox", name="Phone").fill(phone)
    await operator.get_by_role("textbox", name="Name").fill(name)
    await operator.get_by_label("Text").fill(f"Your order is ready, {name}")
    await operator.get_by_role("dialog").get_by_role("button", name="Send").click()


async def test_messages_are_quoted_passed_on_edited_and_reacted_to(
    running: Demo, visit: Any
) -> None:
    page = await visit(running.origin, width=1440, height=1000)
    phone, operator = page.locator(".phone"), inbox(page)
    await write(page, "Is it blue?")
    asked = operator.locator(".message", has_text="Is it blue?").first
    await choose(asked, "Reply")
    await answer(operator, "Bluer than the sky")
    answered = phone.locator(".message--other", has_text="Bluer than the sky")
    await expect(answered.locator(".quote__lead")).to_contain_text("Is it blue?")
    await answered.locator(".quote__lead").click()
    await expect(phone.locator(".message--selected")).to_have_text(re.compile("^Is it blue?"))

    await choose(answered, "Reply")
    await write(page, "I take it")
    taken = operator.locator(".message--other .bubble", has_text="I take it")
    await expect(taken.locator(".quote__lead")).to_contain_text("Bluer than the sky")
    await choose(phone.locator(".message--own", has_text="I take it"), "Edit")
    await write(page, "I take two")
    edited = operator.locator(".message--other", has_text="I take two")
    await expect(edited).to_contain_text("edited")
    await expect(edited.locator(".quote__lead")).to_contain_text("Bluer than the sky")

    await choose(answered, "Forward")
    await write(page, "My wife asks if so")
    asked_again = operator.locator(".message--other", has_text="My wife asks if so")
    await expect(asked_again.locator(".quote__lead")).to_have_text(
        re.compile("Forwarded.*Bluer", re.DOTALL)
    )
    await choose(edited, "Forward")
    await answer(operator, "Pack these, please")
    packed = phone.locator(".message--other", has_text="Pack these, please")
    await expect(packed.locator(".quote__lead")).to_have_text(
        re.compile("Forwarded.*I take two", re.DOTALL)
    )

    await react(answered, "\N{FIRE}")
    seen = operator.locator(".message--own", has_text="Bluer").locator(".reaction")
    await expect(seen).to_have_text("\N{FIRE}")
    await answered.locator(".reaction").click()
    await expect(seen).to_have_count(0)
    await react(edited, "\N{THUMBS UP SIGN}")
    told = phone.locator(".message--own", has_text="I take two").locator(".reaction")
    await expect(told).to_have_text("\N{THUMBS UP SIGN}")
    await edited.locator(".reaction").click()
    await expect(told).to_have_count(0)
    await page.screenshot(path=SCREENSHOTS / "demo-quotes.png")


async def test_files_are_shown_from_the_bridges_links_alone(running: Demo, visit: Any) -> None:
    page = await visit(running.origin, width=1440, height=1000)
    phone, operator = page.locator(".phone"), inbox(page)
    await write(page, "Look")
    await expect(operator.locator(".message")).to_have_count(1)
    await attach(page, phone, "Picture", PNG)
    await attach(page, operator, "Picture or file", PNG)
    await attach(page, operator, "Picture or file", WAV)
    for picture in (operator.locator(".message--other img"), phone.locator(".message--other img")):
        await expect(picture).to_have_js_property("naturalWidth", 64)
        await expect(picture).to_have_attribute("src", re.compile(f"^{running.origin}/media/"))
    sound = answers(phone, "audio").locator("audio")
    await expect(sound).to_have_js_property("duration", 2)
    await expect(sound).to_have_attribute("src", re.compile(f"^{running.origin}/media/"))
    await phone.locator(".message--own[data-type=picture] .bubble__meta").click()
    await expect(page.locator(".station[data-step=copied]")).to_contain_text("image/png, ")


async def test_a_reply_that_fails_says_why(running: Demo, visit: Any) -> None:
    """The client blocks the shop, and nobody has the number that an operator writes to."""
    page = await visit(running.origin, width=1440, height=1000)
    phone, operator = page.locator(".phone"), inbox(page)
    await write(page, "Leave me alone")
    await expect(operator.locator(".message")).to_have_count(1)
    await phone.locator(".phone__head").get_by_role("button", name="More").click()
    await page.get_by_role("menuitem", name="Block the shop").click()
    await expect(page.get_by_text("You have blocked the shop")).to_be_visible()
    await answer(operator, "Why so?")
    refused = operator.locator(".message--own", has_text="Why so?")
    await expect(refused).to_have_attribute("data-state", "failed")
    await expect(refused).to_contain_text("904 · a conversation cannot be created")
    await expect(refused).to_contain_text("the client has blocked the shop")
    await expect(page.locator(".path__signs")).to_contain_text("failed")
    await expect(page.locator(".station[data-step=marked_failed]")).to_be_visible()
    await expect(page.locator(".path__note").last).to_contain_text("no conversation is possible")
    await page.screenshot(path=SCREENSHOTS / "demo-failed.png")
    await page.get_by_role("button", name="Unblock").click()
    await answer(operator, "Welcome back")
    await expect(phone.locator(".message--other", has_text="Welcome back")).to_be_visible()
    await expect(phone.locator(".message--other")).to_have_count(1)

    await write_first(operator, "+79990001122", "Boris")
    nobody = operator.locator(".message--own", has_text="Boris")
    await expect(nobody).to_contain_text("nobody has this number")
    await expect(phone.locator(".message--other")).to_have_count(1)


async def test_an_operator_writes_first_and_the_client_answers(running: Demo, visit: Any) -> None:
    page = await visit(running.origin, width=1440, height=1000)
    phone, operator = page.locator(".phone"), inbox(page)
    await write_first(operator, "+7 915 111-22-33", "Anna")
    await expect(answers(phone, "text")).to_contain_text("Your order is ready, Anna")
    sent = operator.locator(".message--own")
    await expect(sent).to_have_attribute("data-state", "read")
    await phone.get_by_role("button", name="Attach").click()
    await page.get_by_role("menuitem", name="Location").click()
    await expect(operator.locator(".message--other[data-type=location]")).to_have_count(1)
    await expect(operator.locator(".chat-row")).to_have_count(1)
    await expect(operator.locator(".who")).to_contain_text("demo-")
    await page.get_by_label("Message", exact=True).fill("I am com")
    await expect(operator.locator(".who .typing")).to_be_visible()


async def test_a_shop_with_the_chat_on_its_page(running: Demo, visit: Any) -> None:
    shop = await visit(running.origin + "/shop", locale="ru-RU", ready="chatbridge-chat")
    await shop.get_by_role("button", name="Спросить магазин").click()
    await shop.get_by_role("button", name="Пропустить").click()
    await shop.locator("textarea").fill("Есть 38-й размер?")
    await shop.keyboard.press("Enter")
    address = await shop.get_by_role("link", name="«Входящие» оператора").get_attribute("href")
    operator = await visit(address)
    await operator.locator(".chat-row", has_text="Есть 38-й размер?").click()
    await operator.locator("textarea").fill("Да, и 39-й тоже.")
    await operator.locator("textarea").press("Enter")
    await expect(shop.locator(".message[data-id]", has_text="Да, и 39-й тоже.")).to_be_visible()
    await shop.screenshot(path=SCREENSHOTS / "demo-shop.png")


async def test_a_second_start_opens_the_same_database(tmp_path: Path) -> None:
    first, second = Demo(tmp_path), Demo(tmp_path)
    await first.start()
    assert await first.stop() == 0
    await second.start()
    config = await second.get("/demo/config")
    assert config["scope_id"]
    assert await second.stop() == 0


async def test_a_taken_port_is_one_clear_sentence(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", demo.port))
        taken.listen()
        with pytest.raises(AssertionError, match=f"Port {demo.port} .* CHATBRIDGE_HTTP__PORT"):
            await demo.start()
    async with asyncio.timeout(30):
        assert await demo.process.wait() == 2
