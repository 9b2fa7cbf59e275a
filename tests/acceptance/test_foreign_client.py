"""`amojowrapper`, a client of amojo that others wrote, drives this server and the sandbox, unchanged but for its base address.

It computes that address from the account's domain and keeps it in an attribute it documents, which is set from here. Its calls block,
so each is made in a thread.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from amojowrapper.actions import (
    ChannelAction,
    ChatAction,
    DeliveryStatusAction,
    HistoryAction,
    MessageAction,
    ReactAction,
    TypingAction,
)
from amojowrapper.client import AmojoClient
from amojowrapper.request.exceptions import RequestError
from amojowrapper.validators.webhook import WebhookValidator

from tests.acceptance.bridge import Bridge, eventually
from tests.acceptance.sandbox import SandboxAmojo
from tests.fakes import FarSide
from tests.media import FileServer
from tests.plain_amojo import Account

EVERY_TYPE: dict[str, dict[str, Any]] = {
    "text": {"message_text": "привет 👋"},
    "picture": {"message_media": "png/p.png", "message_file_name": "p.png", "message_file_size": 9},
    "file": {"message_media": "pdf/f.pdf", "message_file_name": "f.pdf", "message_file_size": 9},
    "video": {"message_media": "mp4/v.mp4", "message_file_name": "v.mp4", "message_file_size": 9},
    "voice": {"message_media": "ogg/o.ogg"},
    "audio": {"message_media": "mp3/s.mp3"},
    "sticker": {"message_media": "webp/s.webp", "message_sticker_id": "p:1"},
    "location": {"message_location_lon": 37.62, "message_location_lat": 55.75},
    "contact": {"message_contact_name": "Bob", "message_contact_phone": "+79000000002"},
}


@dataclass(frozen=True, kw_only=True)
class Place:
    """Somebody who answers amojo's calls, and the account at amoCRM that is behind it."""

    client: AmojoClient
    account: Account


def client_of(url: str, *, channel_id: str, account_id: str, secret: str) -> AmojoClient:
    client = AmojoClient(
        referer="shop.amocrm.ru",
        amojo_account_token=account_id,
        channel_secret=secret,
        channel_id=channel_id,
    )
    client.amojo_base_url = url
    return client


@pytest.fixture(params=["bridge", "sandbox"])
async def place(
    request: pytest.FixtureRequest, bridge: Bridge, sandbox: SandboxAmojo, backend: FarSide
) -> Place:
    hook = f"{backend.url}/amo/:scope_id"
    if request.param == "bridge":
        shop = await bridge.open_shop(sandbox, webhook_url=hook)
        client = client_of(bridge.url, **shop.messenger["amojo"])
        return Place(client=client, account=shop.account)
    account = await sandbox.open_account(hook)
    identity = {"channel_id": account.channel_id, "account_id": account.account_id}
    client = client_of(sandbox.url, **identity, secret=account.secret)
    return Place(client=client, account=account)


async def test_a_client_that_others_wrote_lives_a_whole_life(
    sandbox: SandboxAmojo, backend: FarSide, files: FileServer, place: Place
) -> None:
    client, messages = place.client, MessageAction(place.client)
    connected = await asyncio.to_thread(ChannelAction(client).connect, title="Shop")
    assert connected.scope_id == f"{client.channel_id}_{client.amojo_account_token}"
    assert connected.hook_api_version == "v2"

    answers = {}
    sender = {"sender_id": "u-1", "sender_name": "Anna", "conversation_id": "c-1"}
    for kind, members in EVERY_TYPE.items():
        said = {"message_type": kind, "msgid": f"m-{kind}"} | sender | members
        if "message_media" in said:
            said["message_media"] = f"{files.url}/{said['message_media']}"
        answers[kind] = (await asyncio.to_thread(messages.send, **said)).new_message
    assert [answer.ref_id for answer in answers.values()] == [f"m-{kind}" for kind in EVERY_TYPE]

    async def everything() -> Any:
        arrived = (await sandbox.arrived(place.account)).get("c-1", [])
        return arrived if len(arrived) == len(EVERY_TYPE) else None

    arrived = await eventually(everything, "every message at amoCRM")
    assert arrived == [f"m-{kind}" for kind in EVERY_TYPE]

    mended = {"msgid": "m-text", "message_type": "text", "message_text": "corrected"}
    edited = await asyncio.to_thread(messages.edit, conversation_id="c-1", **mended)
    assert edited.new_message.msgid == answers["text"].msgid
    typing = TypingAction(client).send
    assert await asyncio.to_thread(typing, conversation_id="c-1", sender_id="u-1")
    reaction = {"user_id": "u-1", "type": "react", "emoji": "👍", "id": answers["voice"].msgid}
    reacted = await asyncio.to_thread(ReactAction(client).set, conversation_id="c-1", **reaction)
    assert reacted.status_code == 200

    async def changed() -> Any:
        rows = {row["client_id"]: row for row in (await sandbox.messages(place.account))["c-1"]}
        return rows["m-text"]["text"] == "corrected" and rows["m-voice"]["reactions"]

    await eventually(changed, "an edit and a reaction at amoCRM")
    await replied(sandbox, backend, place)
    assert await asyncio.to_thread(ChannelAction(client).disconnect)


async def replied(sandbox: SandboxAmojo, backend: FarSide, place: Place) -> None:
    """An operator replies; the client checks the callback, reports what became of it, and reads the history."""
    client = place.client
    status, amojo_id = await sandbox.operator_writes(place.account, "c-1", "yes")
    assert status == 200
    (received,) = await backend.wait_for_requests(1)
    signature = received.header("X-Signature")
    assert WebhookValidator(client).validate(received.body.decode(), signature)
    delivery = DeliveryStatusAction(client).set
    failed = {"delivery_status": -1, "error_code": 905, "error": "Blocked"}
    assert await asyncio.to_thread(delivery, msgid=amojo_id, **failed) == 200
    chat = (await sandbox.chats(place.account))["c-1"]

    async def marked() -> Any:
        rows = (await sandbox.control("GET", f"/chats/{chat['id']}/messages"))["messages"]
        return next(row["status"] for row in rows if row["id"] == amojo_id)["code"]

    assert await eventually(marked, "a mark at amoCRM") == -1
    user = {"user_id": "u-2", "user_name": "Bob"}
    made = await asyncio.to_thread(ChatAction(client).create, conversation_id="c-2", **user)
    assert made.user.client_id == "u-2"
    await asyncio.to_thread(
        MessageAction(client).send,
        message_type="text",
        message_text="first",
        conversation_id="c-2",
        sender_id="u-2",
        sender_name="Bob",
        msgid="m-first",
    )

    async def listed() -> Any:
        arrived = await sandbox.arrived(place.account)
        return arrived.get("c-2")

    await eventually(listed, "the message in the chat that was made")
    history = await asyncio.to_thread(HistoryAction(client).get, conversation_ref_id=made.id)
    assert [item.message.client_id for item in history.messages] == ["m-first"]


async def test_it_is_told_what_is_wrong_in_the_form_it_knows(place: Place) -> None:
    await asyncio.to_thread(ChannelAction(place.client).connect, title="Shop")
    place.client.channel_secret = "f" * 40
    typing = TypingAction(place.client).send
    with pytest.raises(RequestError) as raised:
        await asyncio.to_thread(typing, conversation_id="c-1", sender_id="u-1")
    assert "403" in raised.value.message
    assert "ORIGIN_INVALID_SIGNATURE" in raised.value.message
