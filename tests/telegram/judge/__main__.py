"""The connector against somebody else's Bot API. See README.md beside this file."""

import asyncio
import os
import sys
from typing import Any

import aiohttp

from chatbridge.clients.guarded import GuardedClient
from chatbridge.clock import SystemClock
from chatbridge.connectors.base import Delivery
from chatbridge.connectors.telegram.connector import TelegramConnector
from chatbridge.model import Content, Message, MessageType, Messenger, Person
from tests.hosts import make_host
from tests.processes import free_port
from tests.unit.factories import NOW, make_link, make_messenger

TOKEN = "123456:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
CHAT = 501
SERVE = """
const TelegramServer = require('telegram-test-api');
const server = new (TelegramServer.default || TelegramServer)({port: PORT, host: '127.0.0.1'});
server.start().then(() => console.log('ready'));
"""
SAID, ANSWERED = ["/start campaign-7", "one", "two", "three"], ["Hello", "How can I help?"]


class Diary:
    """Notes what clients say."""

    def __init__(self) -> None:
        self.noted: list[str | None] = []
        self.complete = asyncio.Event()

    async def message(self, _: Messenger, message: Message) -> None:
        self.noted.append(message.content.text)
        if len(self.noted) == len(SAID):
            self.complete.set()


async def talk(url: str) -> bool:
    """Say something on both sides; whether both got it."""
    settings = {"api_base": url, "mode": "polling"}
    messenger = make_messenger(
        kind="telegram", webhook_url=None, settings=settings, secrets={"token": TOKEN}
    )
    host = make_host(messenger, clock=SystemClock())
    assert isinstance(host.http, GuardedClient)
    await host.http.start()
    connector, diary = TelegramConnector(host), Diary()
    await connector.start(diary)  # type: ignore[arg-type]
    async with aiohttp.ClientSession(url) as client:
        await connector.look_after([messenger])
        for words in SAID:
            await client.post("/sendMessage", json=as_client(words))
        async with asyncio.timeout(30):
            await diary.complete.wait()
        for words in ANSWERED:
            await connector.send(delivery(messenger, words))
        async with client.post("/getUpdates", json={"token": TOKEN, "chatId": CHAT}) as answer:
            got = [update["message"]["text"] for update in (await answer.json())["result"]]
    await connector.look_after(())
    await host.http.close()
    print("the connector got:", ", ".join(map(str, diary.noted)))  # noqa: T201 - it reports
    print("the client got:", ", ".join(got))  # noqa: T201 - it reports
    return diary.noted == SAID and got == ANSWERED


def as_client(words: str) -> dict[str, Any]:
    """A message as the emulator's own client sends it."""
    anna = {"id": CHAT, "first_name": "Anna", "username": "anna"}
    return {
        "botToken": TOKEN,
        "from": anna | {"is_bot": False},
        "chat": anna | {"type": "private"},
        "date": NOW // 1_000_000,
        "text": words,
    }


def delivery(messenger: Messenger, words: str) -> Delivery:
    """An operator's message."""
    message = Message(
        id=f"amo {words}",
        conversation_id=str(CHAT),
        sent_at=NOW,
        sender=Person(name="Kate"),
        content=Content(type=MessageType.TEXT, text=words),
    )
    return Delivery(
        id=f"msg {words}",
        messenger=messenger,
        link=make_link(),
        event=message,
        now=NOW,
        allowed=lambda: True,
    )


async def main(modules: str) -> int:
    """Start the emulator from these node_modules, talk, and end it."""
    port = free_port()
    node = await asyncio.create_subprocess_exec(
        "node",
        "-e",
        SERVE.replace("PORT", str(port)),
        env=os.environ | {"NODE_PATH": modules},
        stdout=asyncio.subprocess.PIPE,
    )
    assert node.stdout is not None
    try:
        assert await node.stdout.readline() == b"ready\n"
        passed = await talk(f"http://127.0.0.1:{port}")
    finally:
        node.terminate()
        await node.wait()
    print("passed" if passed else "FAILED")  # noqa: T201 - it reports
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1])))
