"""Real Chromium against stub servers that answer the two contracts from memory."""

import os
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlsplit

import pytest_asyncio
from aiohttp import ClientSession, web
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from chatbridge.sandbox.app import create_app
from chatbridge.sandbox.settings import SandboxSettings
from tests.pages.stub_demo import StubDemo
from tests.pages.stub_sandbox import StubSandbox
from tests.pages.stub_website import PlainSite, StubWebsite
from tests.sandbox.messenger import Desk, HookReceiver

CHROMIUM = os.environ.get("CHATBRIDGE_TEST_CHROMIUM", "/usr/bin/chromium")
DISABLED = [
    # Pages of the browser's own address bar, which it would load for every context: half of what a test costs.
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    # What counts of Playwright's list, which this one replaces.
    "AimEnabled",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
]
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    f"--disable-features={','.join(DISABLED)}",
]
PATIENCE_MS = 20_000
FAILURES = ("Failed to load resource", "WebSocket connection to")
"""What the browser itself says when a server is away or refuses."""

expect.set_options(timeout=PATIENCE_MS)


def session_loop(scope: Any = "function") -> Callable[..., Any]:
    """A fixture that lives in the loop of the browser, which is started once."""
    return pytest_asyncio.fixture(loop_scope="session", scope=scope)


@session_loop(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield browser
        await browser.close()


@session_loop()
async def sandbox() -> AsyncIterator[StubSandbox]:
    stub = StubSandbox()
    await stub.running.start()
    yield stub
    await stub.running.stop()


@session_loop()
async def demo(sandbox: StubSandbox) -> AsyncIterator[StubDemo]:
    stub = StubDemo(sandbox.running.port)
    await stub.running.start()
    yield stub
    await stub.running.stop()


@session_loop()
async def website() -> AsyncIterator[StubWebsite]:
    stub = StubWebsite()
    await stub.running.start()
    yield stub
    await stub.running.stop()


@session_loop()
async def site(website: StubWebsite) -> AsyncIterator[PlainSite]:
    site = PlainSite(website.running.origin)
    await site.running.start()
    yield site
    await site.running.stop()


@session_loop()
async def receiver() -> AsyncIterator[HookReceiver]:
    """A messenger, and an integration's server."""
    async with HookReceiver() as receiver:
        yield receiver


@session_loop()
async def desk(receiver: HookReceiver) -> AsyncIterator[Desk]:
    """A running sandbox whose hooks are taken by a messenger."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        settings = SandboxSettings(
            port=listener.getsockname()[1],
            public_url=url,
            hook_url=receiver.url + "/location/:scope_id",
        )
        runner = web.AppRunner(create_app(settings), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        async with ClientSession() as http:
            yield Desk(http, url)
        await runner.cleanup()


class Visitor:
    """Opens pages, each in a fresh context, and keeps what must not happen on any of them."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []
        self.failures_expected = False

    async def __call__(
        self,
        address: str,
        *,
        locale: str = "en-US",
        scheme: Any = "light",
        width: int = 1280,
        height: int = 800,
        ready: str = "[data-state=open]",
        **more: Any,
    ) -> Page:
        context = await self._browser.new_context(
            locale=locale, color_scheme=scheme, viewport={"width": width, "height": height}, **more
        )
        context.set_default_timeout(PATIENCE_MS)
        self._contexts.append(context)
        page = await self.watched(context)
        await page.goto(address)
        await page.wait_for_selector(ready, state="attached")
        return page

    async def watched(self, context: BrowserContext) -> Page:
        page = await context.new_page()
        page.on("console", lambda message: self._console(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", lambda request: self._request(request.url))
        return page

    def _console(self, kind: str, text: str) -> None:
        if self.failures_expected and any(failure in text for failure in FAILURES):
            return
        if kind in {"error", "warning"}:
            self.complaints.append(f"{kind}: {text}")

    def _request(self, url: str) -> None:
        address = urlsplit(url)
        if address.scheme in {"http", "https"} and address.hostname != "127.0.0.1":
            self.complaints.append(f"request to another host: {url}")

    async def close(self) -> None:
        for context in self._contexts:
            await context.close()


@session_loop()
async def visit(browser: Browser) -> AsyncIterator[Visitor]:
    visitor = Visitor(browser)
    yield visitor
    await visitor.close()
    assert visitor.complaints == []
