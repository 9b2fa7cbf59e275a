"""A messenger that gives messages ids of its own, and files without links. A server in this process, the sandbox as amoCRM."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from chatbridge.app import create_app
from chatbridge.config import Settings
from chatbridge.model import Content, Message, MessageType, Person, Reaction
from chatbridge.web.listening import listen
from chatbridge.web.services import SERVICES
from chatbridge.web.sockets import open_sockets
from tests.acceptance.bridge import ADMIN_TOKEN, SECRET_KEY, Bridge, Shop, eventually
from tests.acceptance.sandbox import SandboxAmojo
from tests.acceptance.test_afterwards import report, rows, sent, until_at_amojo
from tests.fakes import BEGINNING
from tests.media import PNG, FileServer
from tests.pigeon import PigeonConnector, install_pigeons


@dataclass(frozen=True, kw_only=True)
class Loft:
    """A server with a connector for pigeons, and a shop whose client has written `m-1`, which has arrived."""

    pigeons: PigeonConnector
    bridge: Bridge
    sandbox: SandboxAmojo
    shop: Shop

    async def reply(self, **said: Any) -> Any:
        """An operator's message that the messenger has: amoCRM's id of it, and what the connector was given."""
        before = len(self.pigeons.sent)
        status, amojo_id = await self.sandbox.operator_writes(
            self.shop.account, "c-1", "yes", **said
        )
        assert status == 200
        await self.bridge.wait_for_state(self.shop, amojo_id, "delivered")
        (delivery,) = self.pigeons.sent[before:]
        return amojo_id, delivery.event

    async def client_sends(self, message_id: str, ref: str, **more: Any) -> None:
        """Take a client's picture that has no link, as a connector hands it in."""
        content = Content(type=MessageType.PICTURE, media_ref=ref, **more)
        message = Message(
            id=message_id,
            conversation_id="c-1",
            sent_at=BEGINNING,
            sender=Person(id="u-1", name="Anna"),
            content=content,
        )
        (messenger,) = self.pigeons.host.messengers("pigeon")
        await self.pigeons.inbound.message(messenger, message)


@pytest.fixture
def pigeonry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for a server that has a connector for pigeons."""
    install_pigeons(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.fixture
async def loft(
    store_url: str,
    pigeonry: Path,
    http: aiohttp.ClientSession,
    sandbox: SandboxAmojo,
    files: FileServer,
) -> AsyncIterator[Loft]:
    sockets = open_sockets("127.0.0.1", 0)
    url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    app = create_app(
        Settings(
            public_url=url,
            secret_key=SECRET_KEY,
            admin_token=ADMIN_TOKEN,
            store={"url": store_url},
            network={"allow": ["127.0.0.1"]},
            media={"url": str(pigeonry / "media")},
            spool={"folder": str(pigeonry / "spool")},
        )
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    entrance = await listen(runner, sockets)
    try:
        bridge = Bridge(SimpleNamespace(url=url), http)
        shop = await bridge.open_shop(sandbox, kind="pigeon", settings={"files_url": files.url})
        await bridge.take(shop, "m-1")
        await bridge.wait_for_state(shop, "m-1", "delivered")
        pigeons = app[SERVICES].connectors["pigeon"]
        assert isinstance(pigeons, PigeonConnector)
        yield Loft(pigeons=pigeons, bridge=bridge, sandbox=sandbox, shop=shop)
    finally:
        await entrance.close(delay=0, grace=0)
        await runner.cleanup()


async def test_a_client_names_an_operators_message_by_the_messengers_id(loft: Loft) -> None:
    bridge, sandbox, shop = loft.bridge, loft.sandbox, loft.shop
    amojo_id, _ = await loft.reply()
    for far_id in ("p-1", "p-2"):
        assert (await bridge.passport(shop, far_id))["amojo_id"] == amojo_id
    body = {"user": {"id": "u-1"}, "emoji": "👍"}
    answer = await bridge.call("POST", "/v1/messages/p-2/reactions", body, key=shop.key)
    assert answer.status == 202, answer

    async def shown() -> Any:
        return (await rows(sandbox, shop))[amojo_id]["reactions"]

    await eventually(shown, "the reaction")
    assert await report(bridge, shop, "p-1", status="read")
    await until_at_amojo(sandbox, shop, amojo_id, status=sent(2))
    assert not await report(bridge, shop, amojo_id, status="read"), "it is the same message"
    await bridge.take(shop, "q-1", reply_to="p-2")
    await bridge.take(shop, "q-2", forward={"id": "p-1"})
    await bridge.wait_for_state(shop, "q-2", "delivered")
    known = await rows(sandbox, shop)
    assert known["q-1"]["reply_to"]["message"]["id"] == amojo_id
    assert [one["id"] for one in known["q-2"]["forwards"]["messages"]] == [amojo_id]


async def test_an_operators_message_by_the_messengers_id_is_no_more_than_that(loft: Loft) -> None:
    await loft.reply()
    edit = {"message": {"type": "text", "text": "x"}}
    answer = await loft.bridge.call("PATCH", "/v1/messages/p-1", edit, key=loft.shop.key)
    assert answer.problem()["code"] == "not_editable"
    settings = {"files_url": "https://files.example"}
    other = await loft.bridge.open_shop(loft.sandbox, kind="pigeon", settings=settings)
    body = {"user": {"id": "u-1"}, "emoji": "👍"}
    for method, path, value in (
        ("GET", "", None),
        ("POST", "/status", {"status": "read"}),
        ("POST", "/reactions", body),
    ):
        answer = await loft.bridge.call(method, f"/v1/messages/p-1{path}", value, key=other.key)
        assert answer.problem()["code"] == "not_found"


async def test_an_operator_quotes_and_reacts_by_the_messengers_id(loft: Loft) -> None:
    amojo_id, said = await loft.reply()
    assert said.reply_to is None
    _, said = await loft.reply(reply_to=amojo_id)
    assert said.reply_to == "p-1"
    known = await rows(loft.sandbox, loft.shop)
    _, said = await loft.reply(reply_to=known["m-1"]["id"])
    assert said.reply_to == "m-1"
    for quoted, wanted in ((amojo_id, "p-1"), (known["m-1"]["id"], "m-1")):
        before = len(loft.pigeons.sent)
        body = {"type": "react", "emoji": "❤"}
        await loft.sandbox.control("POST", f"/messages/{quoted}/reaction", body)

        async def there(before: int = before) -> Any:
            return loft.pigeons.sent[before:]

        (delivery,) = await eventually(there, "the reaction")
        assert isinstance(delivery.event, Reaction)
        assert delivery.event.message_id == wanted


# --- files without links ------------------------------------------------------------------------


async def test_a_file_without_a_link_is_fetched_by_its_connector(
    loft: Loft, files: FileServer, http: aiohttp.ClientSession
) -> None:
    await loft.client_sends("m-2", "png", text="look", file_name="a.png")
    passport = await loft.bridge.wait_for_state(loft.shop, "m-2", "delivered")
    message = (await rows(loft.sandbox, loft.shop))["m-2"]
    assert (message["type"], message["text"]) == ("picture", "look")
    async with http.get(message["media"]) as answer:
        assert (answer.status, await answer.read()) == (200, PNG)
    assert files.asked == [f"/png/{loft.shop.messenger['id']}"]
    history = await loft.bridge.call("GET", "/v1/conversations/c-1/messages", key=loft.shop.key)
    for shown in (str(passport), history.body.decode(), str(message)):
        assert "media_ref" not in shown


@pytest.mark.parametrize(("ref", "code"), [("huge", "media_too_large"), ("nothing", "media_gone")])
async def test_a_file_that_is_not_given_out_becomes_text(
    loft: Loft, files: FileServer, ref: str, code: str
) -> None:
    await loft.client_sends("m-2", ref, text="look", file_name="film.mp4")
    passport = await loft.bridge.wait_for_state(loft.shop, "m-2", "delivered")
    message = (await rows(loft.sandbox, loft.shop))["m-2"]
    assert (message["type"], message["text"]) == ("text", f"look\n📎 film.mp4 ({code})")
    steps = {line["step"]: line for line in passport["timeline"]}
    assert steps["not_copied"]["code"] == code
    assert "sent as text" in steps["accepted"]["detail"]
    assert len(files.asked) == (ref != "huge"), "what is too large is not asked for"


async def test_what_follows_a_file_without_a_link_waits_for_it(
    loft: Loft, files: FileServer
) -> None:
    files.held = asyncio.Event()
    await loft.client_sends("m-2", "png")
    await loft.bridge.take(loft.shop, "m-3")
    await loft.bridge.take(loft.shop, "other", "c-2")
    await loft.bridge.wait_for_state(loft.shop, "other", "delivered")
    assert (await loft.sandbox.arrived(loft.shop.account))["c-1"] == ["m-1"]
    files.held.set()
    await loft.bridge.wait_for_state(loft.shop, "m-3", "delivered")
    assert (await loft.sandbox.arrived(loft.shop.account))["c-1"] == ["m-1", "m-2", "m-3"]


async def test_nobody_names_a_file_so_over_the_api(loft: Loft) -> None:
    said = {"type": "picture", "media_ref": "png"}
    for content in (said, said | {"media_url": "https://files.example/a.png"}):
        answer = await loft.bridge.send(loft.shop, "m-2", message=content)
        assert answer.problem()["code"] == "invalid_fields"
