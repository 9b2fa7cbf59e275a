"""Bodies that are wrong, and what their senders are told: the server in this process, over a real socket."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from chatbridge.app import create_app
from chatbridge.config import Settings

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKEN = "q8N2vX5kT1wZ7rY4mB6p"
Wire = dict[str, Any]


@dataclass
class Server:
    http: aiohttp.ClientSession
    api_key: str = ""

    async def ask(
        self, path: str, body: bytes | Wire, *, token: str = TOKEN, **headers: str
    ) -> tuple[int, Wire]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        async with self.http.post(path, data=data, headers=sent) as answer:
            return answer.status, await answer.json(content_type=None)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    path = tmp_path_factory.mktemp("server") / "bridge.db"
    settings = Settings(
        public_url="https://bridge.example.com",
        secret_key=TOKEN,
        admin_token=TOKEN,
        http={"body_limit": 20_000},
        store={"url": f"sqlite:///{path}", "synchronous": "normal"},
    )
    runner = web.AppRunner(create_app(settings), access_log=None, auto_decompress=False)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        address = "http://{}:{}".format(*runner.addresses[0])
        async with aiohttp.ClientSession(address) as http:
            server = Server(http)
            _, made = await server.ask("/v1/messengers", {"name": "Shop", "kind": "backend"})
            server.api_key = made["api_key"]
            yield server
    finally:
        await runner.cleanup()


# --- fields -------------------------------------------------------------------------------------

MESSAGE: Wire = {
    "id": "m-1",
    "conversation_id": "c-1",
    "sender": {"id": "u-1"},
    "message": {"type": "text", "text": "hi"},
}
PICTURE = {"type": "picture", "media_url": "https://a.example/p.jpg"}
CHANNEL: Wire = {"code": "amo.ext.shop", "channel_id": "a4490ccc", "secret": "0123456789"}
MESSENGER: Wire = {"name": "Shop", "kind": "backend"}
MANY = "a" * 256

WRONG_MESSAGES: list[tuple[Wire, str]] = [
    ({"id": ...}, "/id"),
    ({"id": ""}, "/id"),
    ({"id": 5}, "/id"),
    ({"id": MANY}, "/id"),
    ({"id": "a\nb"}, "/id"),
    ({"id": "a\u0000"}, "/id"),
    ({"id": "a\u202eb"}, "/id"),
    ({"conversation_id": None}, "/conversation_id"),
    ({"sender": ...}, "/sender"),
    ({"sender": {}}, "/sender/id"),
    ({"sender": {"id": "u-1", "name": ""}}, "/sender/name"),
    ({"sender": {"id": "u-1", "avatar_url": "a.png"}}, "/sender/avatar_url"),
    ({"sender": {"id": "u-1", "age": 5}}, "/sender/age"),
    ({"sender": "u-1"}, "/sender"),
    ({"message": {"type": "hologram"}}, "/message/type"),
    ({"message": {"text": "hi"}}, "/message/type"),
    ({"message": {"type": "text"}}, "/message"),
    ({"message": {"type": "text", "text": ""}}, "/message"),
    ({"message": {"type": "picture"}}, "/message"),
    ({"message": {"type": "location"}}, "/message"),
    ({"message": {"type": "contact"}}, "/message"),
    ({"message": {"type": "location", "location": {"lat": 91, "lon": 0}}}, "/message/location/lat"),
    ({"message": {"type": "location", "location": {"lat": 0, "lon": "0"}}}, "/message/location/lon"),
    ({"message": {"type": "location", "location": {"lat": 0}}}, "/message/location/lon"),
    ({"message": {"type": "contact", "contact": {"name": "Bob"}}}, "/message/contact/phone"),
    ({"message": PICTURE | {"media_url": "ftp://a.example/p"}}, "/message/media_url"),
    ({"message": PICTURE | {"file_size": -1}}, "/message/file_size"),
    ({"message": PICTURE | {"file_size": 2**53}}, "/message/file_size"),
    ({"message": PICTURE | {"file_size": "1"}}, "/message/file_size"),
    ({"message": PICTURE | {"duration": 1.5}}, "/message/duration"),
    ({"sent_at": "yesterday"}, "/sent_at"),
    ({"sent_at": "2026-11-20T12:00:00"}, "/sent_at"),
    ({"sent_at": "1969-12-31T23:59:59Z"}, "/sent_at"),
    ({"sent_at": "9000-01-01T00:00:00Z"}, "/sent_at"),
    ({"silent": "yes"}, "/silent"),
    ({"silent": 1}, "/silent"),
    ({"reply_to": ""}, "/reply_to"),
    ({"mood": "good"}, "/mood"),
]  # fmt: skip
WRONG_CHANNELS = [
    ({"code": ...}, "/code"),
    ({"secret": "short"}, "/secret"),
    ({"channel_id": "a" * 65}, "/channel_id"),
    ({"bot_id": "a" * 65}, "/bot_id"),
    ({"signing": "future"}, "/signing"),
    ({"hook_version": "v3"}, "/hook_version"),
    ({"base_url": "amojo.amocrm.ru"}, "/base_url"),
    ({"base_url": "http://10.0.0.1"}, "/base_url"),
    ({"base_url": "https://amojo.amocrm.ru/?a=1"}, "/base_url"),
]
WRONG_MESSENGERS = [
    ({"name": ""}, "/name"),
    ({"webhook_url": "http://127.0.0.1/hook"}, "/webhook_url"),
    ({"webhook_url": "https://me@a.example/hook"}, "/webhook_url"),
    ({"webhook_format": "xml"}, "/webhook_format"),
    ({"settings": []}, "/settings"),
    ({"settings": {"a": 2**70}}, "/settings"),
    ({"settings": {"a": "b" * 16_384}}, "/settings"),
    ({"a/b~c": 1}, "/a~1b~0c"),
]
WRONG_LINKS = [
    ({"account_id": "a" * 65}, "/account_id"),
    ({"messenger": 5}, "/messenger"),
    ({"title": "a" * 256}, "/title"),
]
LINK = {"channel": "amo.ext.shop", "account_id": "66666666", "messenger": "msgr_1"}


def changed(body: Wire, changes: Wire) -> Wire:
    """Return a body with members set, or left out where the value is `...`."""
    return {name: value for name, value in (body | changes).items() if value is not ...}


async def assert_names(server: Server, path: str, body: Wire, pointer: str, token: str) -> None:
    status, problem = await server.ask(path, body, token=token)
    assert (status, problem["code"]) == (422, "invalid_fields")
    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]
    assert problem["errors"][0]["detail"]


@pytest.mark.parametrize(("changes", "pointer"), WRONG_MESSAGES)
async def test_a_wrong_message_names_its_field(server: Server, changes: Wire, pointer: str) -> None:
    body = changed(MESSAGE, changes)
    await assert_names(server, "/v1/messages", body, pointer, server.api_key)


@pytest.mark.parametrize(
    ("path", "good", "changes", "pointer"),
    [("/v1/channels", CHANNEL, *row) for row in WRONG_CHANNELS]
    + [("/v1/messengers", MESSENGER, *row) for row in WRONG_MESSENGERS]
    + [("/v1/links", LINK, *row) for row in WRONG_LINKS],
)
async def test_a_wrong_setting_names_its_field(
    server: Server, path: str, good: Wire, changes: Wire, pointer: str
) -> None:
    await assert_names(server, path, changed(good, changes), pointer, TOKEN)


async def test_every_wrong_field_is_named(server: Server) -> None:
    body = changed(MESSAGE, {"id": "", "sender": {}, "silent": 1})
    _, problem = await server.ask("/v1/messages", body, token=server.api_key)
    assert {fault["pointer"] for fault in problem["errors"]} == {"/id", "/sender/id", "/silent"}


# --- whole bodies -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b'{"a":NaN', b'{"id":"\\ud800"}', b"{" * 5000, b"plain words"]
)
async def test_a_body_that_is_no_json(server: Server, body: bytes) -> None:
    status, problem = await server.ask("/v1/messages", body, token=server.api_key)
    assert (status, problem["code"]) == (400, "malformed_json")


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"1", b"null"])
async def test_a_body_that_is_no_object(server: Server, body: bytes) -> None:
    """RFC 6901: the empty pointer is the whole document."""
    status, problem = await server.ask("/v1/messages", body, token=server.api_key)
    assert status == 422
    assert [fault["pointer"] for fault in problem["errors"]] == [""]


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (MESSAGE, {"content_type": "text/plain"}, 415, "unsupported_media_type"),
        (MESSAGE, {"content_type": "application/json; charset=utf-8"}, 409, "not_linked"),
        (MESSAGE, {"content_encoding": "gzip"}, 415, "unsupported_media_type"),
        (MESSAGE, {"content_encoding": "identity"}, 409, "not_linked"),
        (b" " * 20_001, {}, 413, "body_too_large"),
    ],
)
async def test_how_a_body_is_sent(
    server: Server, body: Wire | bytes, headers: dict[str, str], status: int, code: str
) -> None:
    answered, problem = await server.ask("/v1/messages", body, token=server.api_key, **headers)
    assert (answered, problem["code"]) == (status, code)


@pytest.mark.parametrize("token", ["", "wrong", "\udcff", TOKEN + "x"])
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/channels"])
async def test_a_wrong_key_is_refused_before_the_body_is_read(
    server: Server, path: str, token: str
) -> None:
    status, problem = await server.ask(path, b"no json", token=token)
    assert (status, problem["code"]) == (401, "unauthenticated")


async def test_each_key_opens_its_own_calls_only(server: Server) -> None:
    assert (await server.ask("/v1/messages", MESSAGE, token=TOKEN))[0] == 401
    assert (await server.ask("/v1/channels", CHANNEL, token=server.api_key))[0] == 401
