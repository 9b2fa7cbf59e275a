"""What a newcomer does after `make run`: the real demo as a process, real clicks, both directions, all types."""

import asyncio
import os
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

pytestmark = pytest.mark.asyncio(loop_scope="session")

SCREENSHOTS = Path(__file__).parents[1] / "screenshots"
PNG = {"name": "p.png", "mimeType": "image/png", "buffer": png()}
WAV = {"name": "v.wav", "mimeType": "audio/wav", "buffer": wav()}
PDF = {"name": "d.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4"}
MP4 = {"name": "v.mp4", "mimeType": "video/mp4", "buffer": b"\0\0\0\x18ftypmp42"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Demo:
    """`chatbridge demo` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.sandbox_port = free_port(), free_port()
        self.origin = f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        ours = {
            name: value for name, value in os.environ.items() if not name.startswith("CHATBRIDGE_")
        }
        ports = {
            "CHATBRIDGE_HTTP__PORT": str(self.port),
            "CHATBRIDGE_SANDBOX__PORT": str(self.sandbox_port),
        }
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "chatbridge", "demo"),
            cwd=self.folder,
            env=ours | ports,
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

    await operator.locator("textarea").fill("Yes, two left")
    await operator.locator("textarea").press("Enter")
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
