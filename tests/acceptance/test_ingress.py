"""This server in the place of amojo: an integration changes its base address. The sandbox stands behind it as amoCRM."""

import uuid
from typing import Any

import aiohttp
import pytest

from tests.acceptance.bridge import Bridge, Shop, eventually
from tests.acceptance.integration import Integration, amojo_error, payload
from tests.acceptance.sandbox import SandboxAmojo
from tests.acceptance.webhooks import verified_callback
from tests.fakes import FarSide

URL = "https://files.example.org"
FILE = {"media": f"{URL}/f.bin", "file_name": "f.bin", "file_size": 20480}
EVERY_TYPE: dict[str, dict[str, Any]] = {
    "text": {"text": "привет 👋"},
    "picture": FILE | {"text": "like this one"},
    "file": FILE,
    "video": FILE | {"media_duration": 12},
    "voice": {"media": f"{URL}/o.ogg", "media_duration": 7, "text": None},
    "audio": {"media": f"{URL}/s.mp3", "media_duration": 180},
    "sticker": {"media": f"{URL}/s.webp", "sticker_id": "pack1:17"},
    "location": {"location": {"lon": 37.62, "lat": 55.75}},
    "contact": {"contact": {"name": "Bob", "phone": "+79000000002"}},
}
FORBIDDEN = (403, "ORIGIN_INVALID_SIGNATURE", "invalid signature")
MISSING = (404, "ORIGIN_NOT_REGISTERED", "NOT_FOUND")
BAD = "ORIGIN_BAD_REQUEST"


@pytest.fixture
async def shop(bridge: Bridge, sandbox: SandboxAmojo, backend: FarSide) -> Shop:
    """A shop whose messenger speaks amojo."""
    return await bridge.open_shop(sandbox, webhook_url=f"{backend.url}/amo/:scope_id")


@pytest.fixture
def integration(bridge: Bridge, http: aiohttp.ClientSession, shop: Shop) -> Integration:
    return Integration.of(bridge.url, http, shop)


async def rows(sandbox: SandboxAmojo, shop: Shop, conversation: str = "c-1") -> dict[str, Any]:
    """All messages of a conversation at amoCRM, by both sides' ids."""
    chat = (await sandbox.chats(shop.account))[conversation]
    found = (await sandbox.control("GET", f"/chats/{chat['id']}/messages"))["messages"]
    return {row["id"]: row for row in found} | {row["client_id"]: row for row in found}


async def until_at_amojo(sandbox: SandboxAmojo, shop: Shop, message_id: str, **wanted: Any) -> Any:
    """The message at amoCRM, once these members of it are so."""

    async def there() -> Any:
        if "c-1" not in await sandbox.chats(shop.account):
            return None
        row = (await rows(sandbox, shop)).get(message_id)
        return row if row and all(row[name] == value for name, value in wanted.items()) else None

    return await eventually(there, f"{message_id} at amoCRM has {wanted}")


async def reply(
    sandbox: SandboxAmojo, backend: FarSide, shop: Shop, **said: Any
) -> dict[str, Any]:
    """The payload of the callback that an operator's reply makes, its signature checked."""
    before = len(backend.received)
    status, _ = await sandbox.operator_writes(shop.account, "c-1", "yes", **said)
    assert status == 200
    received = (await backend.wait_for_requests(before + 1))[before]
    assert received.path == f"/amo/{shop.messenger['amojo']['channel_id']}_" + (
        shop.messenger["amojo"]["account_id"]
    )
    return verified_callback(received, shop)


# --- a whole life -------------------------------------------------------------------------------


async def test_a_whole_life(
    bridge: Bridge, sandbox: SandboxAmojo, backend: FarSide, shop: Shop, integration: Integration
) -> None:
    connected = await integration.connect()
    assert (connected.status, connected.json) == (
        200,
        {
            "account_id": integration.account_id,
            "scope_id": integration.scope_id,
            "title": "Shop",
            "hook_api_version": "v2",
            "is_time_window_disabled": False,
        },
    )
    answers = {
        kind: await integration.send(f"m-{kind}", {"type": kind} | members)
        for kind, members in EVERY_TYPE.items()
    }
    assert {answer["ref_id"] for answer in answers.values()} == {f"m-{kind}" for kind in EVERY_TYPE}
    assert len({answer["sender_id"] for answer in answers.values()}) == 1
    await until_at_amojo(sandbox, shop, "m-contact")
    assert (await sandbox.arrived(shop.account))["c-1"] == [f"m-{kind}" for kind in EVERY_TYPE]
    known = await rows(sandbox, shop)
    for kind, members in EVERY_TYPE.items():
        row = known[f"m-{kind}"]
        given = {name: row[name] for name in members}
        assert given == {name: value or "" for name, value in members.items()}

    text = {"type": "text", "text": "corrected"}
    at = {"timestamp": 1_790_000_100, "conversation_id": "c-1"}
    edit = await integration.event("edit_message", {"msgid": "m-text", "message": text} | at)
    assert edit.json["new_message"]["msgid"] == answers["text"]["msgid"]
    await until_at_amojo(sandbox, shop, "m-text", text="corrected", edited=True)
    again = {"id": answers["picture"]["msgid"], "message": {"type": "picture", "text": "or not"}}
    edit = await integration.event("edit_message", again | at)
    assert edit.json["new_message"]["ref_id"] == "m-picture"
    picture = await until_at_amojo(sandbox, shop, "m-picture", text="or not")
    assert (picture["media"], picture["file_name"]) == (FILE["media"], FILE["file_name"])

    typing = {"conversation_id": "c-1", "sender": {"id": "u-1"}, "duration_ms": 3000}
    assert (await integration.below("typing", typing)).status == 204

    async def told() -> Any:
        log = (await sandbox.control("GET", "/requests"))["requests"]
        return [one for one in log if one["path"].endswith(f"{shop.scope_id}/typing")]

    assert [one["status"] for one in await eventually(told, "typing at amoCRM")] == [204]

    callback = await reply(sandbox, backend, shop)
    assert callback["account_id"] == integration.account_id
    outer = callback["message"]
    assert outer["conversation"]["client_id"] == "c-1"
    assert outer["receiver"]["client_id"] == "u-1"
    amojo_id, chat_id = outer["message"]["id"], outer["conversation"]["id"]

    reaction = {"conversation_id": "c-1", "user": {"id": "u-1"}, "type": "react", "emoji": "👍"}
    for named in ({"msgid": "m-text"}, {"id": answers["voice"]["msgid"]}, {"id": amojo_id}):
        answer = await integration.below("react", reaction | named)
        assert (answer.status, answer.body) == (200, b"")
    for message_id in ("m-text", "m-voice", amojo_id):

        async def shown(message_id: str = message_id) -> Any:
            return (await rows(sandbox, shop))[message_id]["reactions"]

        assert [one["emoji"] for one in await eventually(shown, "a reaction")] == ["👍"]
    gone = reaction | {"type": "unreact", "msgid": "m-text"}
    assert (await integration.below("react", gone)).status == 200
    await until_at_amojo(sandbox, shop, "m-text", reactions=[])

    path, code = f"{amojo_id}/delivery_status", {"error_code": None, "error": None}
    delivered = await integration.below(path, {"status_code": 1})
    assert (delivered.status, delivered.body) == (200, b"")
    await until_at_amojo(sandbox, shop, amojo_id, status=code | {"code": 1})
    read = {"msgid": amojo_id, "delivery_status": 2, "error_code": None, "error": None}
    assert (await integration.below(path, read)).status == 200
    await until_at_amojo(sandbox, shop, amojo_id, status=code | {"code": 2})

    told_id = answers["text"]["conversation_id"]
    assert told_id != chat_id, "at the first message nobody knew amoCRM's id"
    for name in (chat_id, told_id):
        history = await integration.history(name, "?offset=0&limit=3")
        assert history.status == 200
        listed = history.json["messages"]
        assert (listed[0]["message"]["id"], len(listed)) == (amojo_id, 3)
    later = await integration.send("m-later")
    assert later["conversation_id"] == chat_id
    made = await integration.below(
        "chats", {"conversation_id": "c-1", "user": {"id": "u-1", "name": "Anna"}}
    )
    assert (made.status, made.json["id"]) == (200, chat_id)

    for method in ("DELETE", "POST"):
        gone_now = await integration.call(
            method, f"{integration.channel_id}/disconnect", {"account_id": integration.account_id}
        )
        assert (gone_now.status, gone_now.body) == (200, b"")
    link = (await bridge.call("GET", f"/v1/links/{shop.scope_id}")).json
    assert link["state"] == "connected", "the account belongs to whoever runs the server"
