"""Two nodes on one PostgreSQL. One cannot hear the other: every notification is still on its way."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import web

from chatbridge.app import create_app
from chatbridge.bridge.directory import Directory
from chatbridge.bridge.naming import FarNames
from chatbridge.bridge.sending import Sending
from chatbridge.clients.addresses import AddressGuard
from chatbridge.clients.transport import TransportLimits, open_transport
from chatbridge.config import Settings
from chatbridge.errors import Misconfigured
from chatbridge.ids import api_key_hash, new_api_key
from chatbridge.model import Channel, Direction, Link, LinkState, Messenger
from chatbridge.store import directory as rows
from chatbridge.store import journal
from chatbridge.store.engine import Store, open_store
from chatbridge.store.sealing import Sealer
from chatbridge.web.listening import listen
from chatbridge.web.services import SERVICES, Services
from chatbridge.web.sockets import open_sockets
from tests.callers import Caller, Said
from tests.factories import make_channel, make_draft, make_link, make_messenger
from tests.fakes import SECONDS, FakeClock
from tests.media import make_attachments, make_media_parts
from tests.plain_amojo import sign_body
from tests.postgres import PostgresServer

TOKEN = "q8N2vX5kT1wZ7rY4mB6p"
MANY = 40
HOOK = json.dumps(
    {
        "account_id": "a-1",
        "time": 1736847060,
        "message": {
            "receiver": {"id": "r-1", "client_id": "u-1"},
            "sender": {"id": "o-1", "name": "Kate"},
            "conversation": {"id": "8e4d4baa-9e6c-4a88-838a-5f62be227bdc", "client_id": "c-1"},
            "timestamp": 1736847060,
            "msec_timestamp": 1736847060980,
            "message": {"id": "0371a0ff-b78a-4c7b-8538-a7d547e10692", "type": "text", "text": "Hi"},
        },
    }
).encode()


@dataclass
class Other:
    """Another node, as far as it fills the database. It tells what it does, and is not heard."""

    store: Store
    directory: Directory
    channel: Channel = field(default_factory=make_channel)

    async def messenger(self) -> tuple[Messenger, str]:
        """A new messenger, and its key."""
        key = new_api_key()
        made = make_messenger(api_key_hash=api_key_hash(key))
        return await self.directory.add_messenger(made), key

    async def link(self, messenger: Messenger) -> Link:
        if self.channel not in self.directory.channels():
            await self.directory.add_channel(self.channel)
        return await self.directory.add_link(make_link(self.channel, messenger))


@dataclass
class Node:
    """A server of this process that hears nobody."""

    services: Services
    clock: FakeClock
    port: int
    looks: list[rows.Names] = field(default_factory=list)
    """What the database was asked for."""
    loads: int = 0

    async def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Said:
        named = {"Host": "bridge", "Content-Length": str(len(body))} | headers
        lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in named.items()]
        caller = await Caller.arriving(self.port)
        head = f"{method} {path} HTTP/1.1\r\n{''.join(lines)}\r\n"
        said = await caller.ask(head.encode("latin-1") + body)
        caller.writer.close()
        return said

    async def post_message(self, key: str, **values: Any) -> Said:
        body = {
            "id": "m-1",
            "conversation_id": "c-1",
            "sender": {"id": "u-1"},
            "message": {"type": "text", "text": "hi"},
        }
        headers = {"Authorization": f"Bearer {key}", "Content_Type": "application/json"}
        return await self.ask("POST", "/v1/messages", json.dumps(body | values).encode(), **headers)

    async def get_message(self, key: str) -> Said:
        return await self.ask("GET", "/v1/messages/m-9", Authorization=f"Bearer {key}")

    async def callback(self, scope_id: str, signature: str) -> Said:
        return await self.ask("POST", f"/location/{scope_id}", HOOK, X_Signature=signature)

    async def connect(self, messenger: Messenger, *, secret: str | None = None) -> Said:
        """As an integration of the legacy generation, which signs the body alone."""
        body = json.dumps({"account_id": messenger.amojo.account_id}).encode()
        signature = sign_body(secret or messenger.amojo.secret, body)
        path = f"/v2/origin/custom/{messenger.amojo.channel_id}/connect"
        return await self.ask("POST", path, body, X_Signature=signature)

    def count_reads(self) -> None:
        """Take note from now on of what is read of the directory."""
        read = self.services.store.read

        async def noting(unit: Any, *args: Any, **kwargs: Any) -> Any:
            if unit is rows.find_names:
                self.looks.append(args[0])
            self.loads += unit is rows.list_messengers
            return await read(unit, *args, **kwargs)

        self.services.store.read = noting  # type: ignore[method-assign]


@pytest.fixture
async def node(postgres: PostgresServer) -> AsyncIterator[Node]:
    with postgres.database() as url:
        settings = Settings(
            public_url="https://bridge.example.com",
            secret_key=TOKEN,
            admin_token=TOKEN,
            store={"url": url},
        )
        clock = FakeClock()
        app = create_app(settings, clock)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        sockets = open_sockets("127.0.0.1", 0)
        entrance = await listen(runner, sockets)
        node = Node(app[SERVICES], clock, sockets[0].getsockname()[1])
        try:
            await be_deaf(node.services.store)
            node.count_reads()
            yield node
        finally:
            await entrance.close(delay=0, grace=0)
            await runner.cleanup()


async def be_deaf(store: Any) -> None:
    """Lose the connection for notifications, and let what was heard so far come to its end."""
    store._listening.cancel()  # noqa: SLF001 - as a cut cable does
    await asyncio.gather(store._listening, return_exceptions=True)  # noqa: SLF001
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == "directory"))


@pytest.fixture
async def other(node: Node) -> AsyncIterator[Other]:
    url = node.services.store._engine.url  # type: ignore[attr-defined]  # noqa: SLF001
    store = open_store(url.set(drivername="postgresql").render_as_string(hide_password=False))
    await store.start()
    yield Other(store, Directory(store, Sealer([TOKEN]), node.clock))
    await store.close()


# --- what another node made a moment ago --------------------------------------------------------


async def test_a_messenger_made_elsewhere_may_write_at_once(node: Node, other: Other) -> None:
    messenger, key = await other.messenger()
    await other.link(messenger)
    assert (await node.post_message(key)).status == 202
    assert (node.loads, len(node.looks)) == (1, 1)
    assert (await node.post_message(key, id="m-2")).status == 202
    assert (await node.get_message(key)).status == 404
    assert (node.loads, len(node.looks)) == (1, 1), "a known key costs no look"


async def test_a_messenger_made_elsewhere_may_ask_at_once(node: Node, other: Other) -> None:
    """By way of aiohttp."""
    _, key = await other.messenger()
    assert (await node.get_message(key)).status == 404


async def test_an_integration_made_elsewhere_may_call_at_once(node: Node, other: Other) -> None:
    messenger, _ = await other.messenger()
    await other.link(messenger)
    assert (await node.connect(messenger)).status == 200
    assert (node.loads, len(node.looks)) == (1, 1)
    assert (await node.connect(messenger)).status == 200
    assert (node.loads, len(node.looks)) == (1, 1), "a known channel costs no look"
    node.clock.advance(1)
    assert (await node.connect(messenger, secret="0" * 40)).status == 403
    assert (node.loads, len(node.looks)) == (1, 2), (
        "a wrong signature costs as much as an unknown one"
    )
    stranger = make_messenger()
    node.clock.advance(1)
    assert (await node.connect(stranger)).status == 403
    assert (node.loads, len(node.looks)) == (1, 3)


async def test_a_chat_made_elsewhere_may_be_opened_at_once(node: Node, other: Other) -> None:
    settings = {"sites": ["https://shop.example"]}
    chat = make_messenger(kind="website", settings=settings)
    await other.directory.add_messenger(chat)
    assert (await node.ask("GET", f"/chat/{chat.id}/settings")).status == 200
    assert (node.loads, len(node.looks)) == (1, 1)
    assert (await node.ask("GET", f"/chat/{chat.id}")).status == 200
    assert (node.loads, len(node.looks)) == (1, 1), "a known chat costs no look"
    node.clock.advance(1)
    for nobody in ("msgr_0", "%00", "x" * 300):
        assert (await node.ask("GET", f"/chat/{nobody}/settings")).status == 404
        node.clock.advance(1)


@pytest.mark.parametrize("named", [False, True])
async def test_a_link_made_elsewhere_takes_messages_at_once(
    node: Node, other: Other, *, named: bool
) -> None:
    messenger, key = await other.messenger()
    await node.services.directory.load()
    link = await other.link(messenger)
    values = {"scope_id": link.scope_id} if named else {}
    assert (await node.post_message(key, **values)).status == 202
    await other.directory.change_link(link, state=LinkState.DISCONNECTED)
    await node.services.directory.load()
    node.clock.advance(1)
    assert (await node.post_message(key, **values, id="m-2")).status == 409
    await other.directory.change_link(link, state=link.state)
    node.clock.advance(1)
    assert (await node.post_message(key, **values, id="m-2")).status == 202


async def test_a_callback_for_a_link_made_elsewhere_is_taken_at_once(
    node: Node, other: Other
) -> None:
    messenger, _ = await other.messenger()
    link = await other.link(messenger)
    said = await node.callback(link.scope_id, sign_body(other.channel.secret, HOOK))
    assert said.status == 200
    assert (node.loads, len(node.looks)) == (1, 1)


async def test_what_another_node_accepted_for_a_new_link_is_delivered(
    node: Node, other: Other, tmp_path: Path
) -> None:
    messenger, _ = await other.messenger()
    drafts = [make_draft(await other.link(messenger), "m-1", direction=Direction.TO_MESSENGER)]
    (taken,) = await other.store.write(journal.accept, drafts, node.clock.now())
    transport = open_transport("thin", AddressGuard.allowing([]), LIMITS, user_agent="t", proxy="")
    media = make_media_parts(other.store, node.clock, tmp_path)
    sending = Sending(
        directory=node.services.directory,
        transport=transport,
        connectors={},
        attachments=make_attachments(other.store, media),
        names=FarNames(other.store),
        webhooks=node.services.webhooks,
        clock=node.clock,
    )
    assert taken.entry is not None
    with pytest.raises(Misconfigured, match=messenger.kind):
        await sending.to_messenger(taken.entry, lambda: True)


LIMITS = TransportLimits(connect_timeout=1, total_timeout=1, connections=1, connections_per_host=1)


# --- what nobody made ---------------------------------------------------------------------------


async def test_guessed_keys_share_a_look_each_second(node: Node) -> None:
    assert (await node.post_message("cbk_first")).status == 401
    assert len(node.looks) == 1
    guesses = [
        asyncio.create_task(ask(f"cbk_{number}"))
        for number in range(MANY // 2)
        for ask in (node.post_message, node.get_message)
    ]
    await waiting_for_a_look(node, MANY)
    assert len(node.looks) == 1
    node.clock.advance(1)
    assert [said.status for said in await asyncio.gather(*guesses)] == [401] * MANY
    assert [len(names.key_hashes) for names in node.looks] == [1, MANY // 2]
    assert node.loads == 0


async def waiting_for_a_look(node: Node, count: int) -> None:
    second_look: Any = node.services.directory._second_look  # noqa: SLF001 - nothing else tells
    deadline = time.monotonic() + SECONDS
    while second_look._waiting < count:  # noqa: SLF001
        assert time.monotonic() < deadline
        await asyncio.sleep(0.001)


async def test_unknown_scopes_and_wrong_signatures_are_one(node: Node, other: Other) -> None:
    messenger, _ = await other.messenger()
    link = await other.link(messenger)
    await node.services.directory.load()
    loads = node.loads
    answers = []
    for scope_id in (link.scope_id, "nobody"):
        node.clock.advance(1)
        said = await node.callback(scope_id, "0" * 40)
        answers.append((said.status, said.body))
    assert answers[0] == answers[1]
    assert answers[0][0] == 401
    assert [names.scopes for names in node.looks] == [{link.scope_id}, {"nobody"}]
    assert node.loads == loads


@pytest.mark.parametrize("scope_id", ["\0", "\x7f", "a" * 300, "'; --", "ж", "\ufffe"])
async def test_a_scope_that_no_database_holds_is_refused_as_any_other(
    node: Node, scope_id: str
) -> None:
    said = await node.callback(quote(scope_id), "0" * 40)
    assert said.status == 401


async def test_bytes_that_are_no_text_are_refused_as_any_other_scope(node: Node) -> None:
    assert (await node.callback("%ff", "0" * 40)).status == 401


@pytest.mark.parametrize(
    ("method", "path", "authorization"),
    [
        ("GET", "/v1/messages/m-1", ""),
        ("GET", "/v1/messages/m-1", "Basic YTpi"),
        ("GET", "/v1/messages/m-1", "Bearer "),
        ("GET", "/v1/channels", "Bearer wrong"),
    ],
)
async def test_what_can_be_no_key_is_not_looked_for(
    node: Node, method: str, path: str, authorization: str
) -> None:
    assert (await node.ask(method, path, Authorization=authorization)).status == 401
    assert node.looks == []
