"""Every type of message, in both directions, with everything that can be done to it. Real processes, the sandbox in between."""

from typing import Any

import pytest

from tests.acceptance.bridge import Bridge, Shop, eventually
from tests.acceptance.sandbox import SandboxAmojo
from tests.acceptance.webhooks import verified_event
from tests.fakes import FarSide
from tests.media import MP3, MP4, OGG, PDF, PNG, FileServer

FILES: dict[str, tuple[str, bytes]] = {
    "picture": ("png/p.png", PNG),
    "file": ("pdf/d.pdf", PDF),
    "video": ("mp4/v.mp4", MP4),
    "voice": ("ogg/v.ogg", OGG),
    "audio": ("mp3/a.mp3", MP3),
    "sticker": ("webp/s.webp", b""),
}
MORE: dict[str, dict[str, Any]] = {
    "text": {"text": "Эта? 🙂"},
    "location": {"location": {"lat": 55.75, "lon": 37.62}},
    "contact": {"contact": {"name": "Борис", "phone": "+79150000000"}},
    "sticker": {"sticker_id": "s-9"},
}
TYPES = sorted({*FILES, *MORE})

FEATURES: dict[str, dict[str, Any]] = {
    "plain": {},
    "quoting its own side": {"reply_to": "first"},
    "quoting the other side": {"reply_to": "{reply}"},
    "passing on by id": {"forward": {"id": "first"}},
    "passing on as written": {
        "forward": {
            "message": {"type": "text", "text": "from elsewhere"},
            "sent_at": "2026-01-02T03:04:05Z",
            "sender_name": "Bob",
        }
    },
    "silent": {"silent": True},
    "commenting": {"post": {"url": "https://example.com/post/1", "id": "p-1"}},
    "from a source": {"source": "line-1"},
}


def said(kind: str, files: FileServer, *, member: str = "media_url") -> dict[str, Any]:
    """Content of a type; `member` is the name of its link."""
    content: dict[str, Any] = {"type": kind} | MORE.get(kind, {})
    if kind in FILES:
        content |= {member: f"{files.url}/{FILES[kind][0]}", "text": "caption"}
    return content


async def rows(sandbox: SandboxAmojo, shop: Shop) -> dict[str, dict[str, Any]]:
    """All messages of c-1 at amoCRM, by both sides' ids."""
    chat = (await sandbox.chats(shop.account))["c-1"]
    found = (await sandbox.control("GET", f"/chats/{chat['id']}/messages"))["messages"]
    return {row["id"]: row for row in found} | {row["client_id"]: row for row in found}


async def row_with(
    sandbox: SandboxAmojo, shop: Shop, message_id: str, **wanted: Any
) -> dict[str, Any]:
    """The message at amoCRM, once these members of it are so."""

    async def there() -> Any:
        row = (await rows(sandbox, shop)).get(message_id)
        return row if row and all(row[name] == value for name, value in wanted.items()) else None

    found: dict[str, Any] = await eventually(there, f"{message_id} has {wanted}")
    return found


@pytest.fixture
async def shop(bridge: Bridge, sandbox: SandboxAmojo, backend: FarSide) -> Shop:
    """A shop whose client has written `first`."""
    shop = await bridge.open_shop(sandbox, backend)
    await bridge.take(shop, "first")
    await bridge.wait_for_state(shop, "first", "delivered")
    return shop


async def operator_says(
    sandbox: SandboxAmojo, backend: FarSide, shop: Shop, **content: Any
) -> tuple[str, dict[str, Any]]:
    """An operator's message: its id, and what the messenger was told."""
    before = len(backend.received)
    text = content.pop("text", "")
    status, amojo_id = await sandbox.operator_writes(shop.account, "c-1", text, **content)
    assert status == 200
    received = (await backend.wait_for_requests(before + 1))[before]
    event = verified_event(received, shop)
    assert event["type"] == "message.created"
    data: dict[str, Any] = event["data"]
    assert data["id"] == amojo_id
    return amojo_id, data


def check_said(kind: str, shown: dict[str, Any], bridge: Bridge, member: str) -> None:
    """It is of its type, with its file or its other content."""
    assert shown["type"] == kind
    for name, value in MORE.get(kind, {}).items():
        assert shown[name] == value
    if kind in FILES:
        assert shown[member].startswith(f"{bridge.url}/media/")
        assert shown["text"] == "caption"


@pytest.mark.parametrize("kind", TYPES)
async def test_what_a_client_says_with_everything_that_can_be_done_to_it(
    bridge: Bridge, sandbox: SandboxAmojo, backend: FarSide, files: FileServer, *, shop: Shop, kind: str
) -> None:  # fmt: skip
    reply, _ = await operator_says(sandbox, backend, shop, type="text", text="yes")
    for number, (name, more) in enumerate(FEATURES.items()):
        message_id = f"m-{number}"
        values = {k: reply if v == "{reply}" else v for k, v in more.items()}
        await bridge.take(shop, message_id, message=said(kind, files), **values)
        row = await row_with(sandbox, shop, message_id)
        check_said(kind, row, bridge, "media")
        known = await rows(sandbox, shop)
        if name.startswith("quoting"):
            assert row["reply_to"]["message"]["id"] == known[values["reply_to"]]["id"]
        if name.startswith("passing on"):
            (passed,) = row["forwards"]["messages"]
            assert passed.get("msgid") == "first" or passed["text"] == "from elsewhere"
        assert row["silent"] is (name == "silent")
    passport = await bridge.wait_for_state(shop, "m-0", "delivered")
    assert (passport["type"], passport["amojo_id"]) == (kind, known["m-0"]["id"])

    edit = {"message": said(kind, files) | ({"text": "corrected"} if kind != "contact" else {})}
    assert (await bridge.call("PATCH", "/v1/messages/m-0", edit, key=shop.key)).status == 202
    await row_with(sandbox, shop, "m-0", edited=True)
    path, user = "/v1/messages/m-0/reactions", {"id": "u-1"}
    await bridge.call("POST", path, {"user": user, "emoji": "👍"}, key=shop.key)

    async def reacted() -> Any:
        return (await rows(sandbox, shop))["m-0"]["reactions"]

    assert (await eventually(reacted, "a reaction"))[0]["emoji"] == "👍"
    await bridge.call("POST", path, {"user": user, "removed": True}, key=shop.key)
    await row_with(sandbox, shop, "m-0", reactions=[])

    before = len(backend.received)
    amojo_id = (await rows(sandbox, shop))["m-0"]["id"]
    await sandbox.control("POST", f"/messages/{amojo_id}/reaction", {"type": "react", "emoji": "❤"})
    received = (await backend.wait_for_requests(before + 1))[before]
    event = verified_event(received, shop)
    assert (event["type"], event["data"]["message_id"]) == ("reaction.added", "m-0")


@pytest.mark.parametrize("kind", TYPES)
async def test_what_an_operator_says_with_everything_that_can_be_done_to_it(
    bridge: Bridge, sandbox: SandboxAmojo, backend: FarSide, files: FileServer, *, shop: Shop, kind: str
) -> None:  # fmt: skip
    first = (await rows(sandbox, shop))["first"]["id"]
    content = said(kind, files, member="media")
    buttons = {"mode": "inline", "buttons": [[{"text": "Да"}]]}
    passed = {"messages": [{"id": first, "type": "text", "text": "text of first"}]}
    plain, data = await operator_says(sandbox, backend, shop, **content)
    check_said(kind, data["message"], bridge, "media_url")
    _, data = await operator_says(sandbox, backend, shop, **content, reply_to=first)
    assert data["reply_to"] == "first"
    _, data = await operator_says(sandbox, backend, shop, **content, forwards=passed)
    assert data["extras"]["forwards"] == passed
    failing, data = await operator_says(sandbox, backend, shop, **content, markup=buttons)
    assert data["extras"]["markup"] == buttons

    for status, code in (("delivered", 1), ("read", 2)):
        path = f"/v1/messages/{plain}/status"
        assert (await bridge.call("POST", path, {"status": status}, key=shop.key)).status == 200
        told = {"code": code, "error_code": None, "error": None}
        await row_with(sandbox, shop, plain, status=told)
    failure = {"status": "failed", "reason": "conversation_removed", "text": "gone"}
    await bridge.call("POST", f"/v1/messages/{failing}/status", failure, key=shop.key)
    told = {"code": -1, "error_code": 901, "error": "gone"}
    await row_with(sandbox, shop, failing, status=told)
    assert (await bridge.passport(shop, plain))["type"] == kind

    await bridge.take(shop, "answer", reply_to=plain)
    assert (await row_with(sandbox, shop, "answer"))["reply_to"]["message"]["id"] == plain
    body = {"user": {"id": "u-1"}, "emoji": "👍"}
    await bridge.call("POST", f"/v1/messages/{plain}/reactions", body, key=shop.key)

    async def reacted() -> Any:
        return (await rows(sandbox, shop))[plain]["reactions"]

    assert (await eventually(reacted, "a reaction"))[0]["emoji"] == "👍"
