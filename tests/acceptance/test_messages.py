"""Clients write, operators answer: what arrives, in which shape and order, how often."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.acceptance.bridge import Bridge, Shop, draft, eventually
from tests.acceptance.sandbox import SandboxAmojo
from tests.fakes import FarSide
from tests.media import JPEG, MP3, MP4, OGG, PDF, PNG, WEBP, FileServer
from tests.plain_amojo import PlainAmojo

Amojo = PlainAmojo | SandboxAmojo

TYPES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"type": "text", "text": "Эта? 🙂\n\t\"'<b>"}, {"type": "text", "text": "Эта? 🙂\n\t\"'<b>"}),
    (
        {"type": "picture", "media_url": "png/a/picture%20one.png", "text": "caption"},
        {"type": "picture", "text": "caption", "file_name": "picture one.png", "file_size": len(PNG)},
    ),
    (
        {"type": "image", "media_url": "jpeg/x", "file_name": "p.jpg", "file_size": 12},
        {"type": "picture", "file_name": "p.jpg", "file_size": len(JPEG)},
    ),
    (
        {"type": "file", "media_url": "pdf/x", "file_name": "Прайс.pdf", "file_size": 2**52},
        {"type": "file", "file_name": "Прайс.pdf", "file_size": len(PDF)},
    ),
    (
        {"type": "video", "media_url": "mp4/x", "file_name": "v.mp4", "file_size": 5, "duration": 61},
        {"type": "video", "file_name": "v.mp4", "file_size": len(MP4), "media_duration": 61},
    ),
    (
        {"type": "voice", "media_url": "ogg/v.ogg", "duration": 7},
        {"type": "voice", "file_name": "v.ogg", "file_size": len(OGG), "media_duration": 7},
    ),
    (
        {"type": "audio", "media_url": "mp3/v.mp3"},
        {"type": "audio", "file_name": "v.mp3", "file_size": len(MP3)},
    ),
    (
        {"type": "sticker", "media_url": "webp/s.webp", "sticker_id": "s-9"},
        {"type": "sticker", "file_name": "s.webp", "file_size": len(WEBP), "sticker_id": "s-9"},
    ),
    (
        {"type": "location", "location": {"lat": 55.75, "lon": -37.5}},
        {"type": "location", "location": {"lat": 55.75, "lon": -37.5}},
    ),
    (
        {"type": "contact", "contact": {"name": "Борис", "phone": "+7 915"}},
        {"type": "contact", "contact": {"name": "Борис", "phone": "+7 915"}},
    ),
]  # fmt: skip


def linked(said: dict[str, Any], files: FileServer) -> dict[str, Any]:
    """Content with its file at this server."""
    path = said.get("media_url")
    return said if path is None else said | {"media_url": f"{files.url}/{path}"}


async def wait_for_arrivals(amojo: Amojo, shop: Shop, count: int) -> dict[str, list[str]]:
    async def there() -> dict[str, list[str]] | None:
        arrived = await amojo.arrived(shop.account)
        return arrived if sum(map(len, arrived.values())) >= count else None

    arrived: dict[str, list[str]] = await eventually(there, f"{count} messages arrive")
    return arrived


async def test_every_type_arrives_in_order_with_its_wire_shape(
    bridge: Bridge, plain: PlainAmojo, files: FileServer
) -> None:
    shop = await bridge.open_shop(plain)
    for number, (said, _) in enumerate(TYPES):
        await bridge.take(
            shop,
            f"m-{number}",
            message=linked(said, files),
            sent_at="2026-11-20T12:00:00.123+03:00",
            sender={
                "id": "u-1",
                "name": "Анна",
                "avatar_url": "https://files.example/anna.png",
                "phone": "+79151112233",
                "email": "anna@example.com",
                "profile_url": "https://example.com/anna",
            },
            silent=number % 2 == 1,
            reply_to=f"m-{number - 1}" if number else None,
        )
    await wait_for_arrivals(plain, shop, len(TYPES))
    at_ms = int(datetime(2026, 11, 20, 9, 0, 0, 123_000, UTC).timestamp() * 1000)
    assert plain.refusals == []
    for number, (taken, (_, wire)) in enumerate(zip(plain.taken, TYPES, strict=True)):
        payload = {
            "timestamp": at_ms // 1000,
            "msec_timestamp": at_ms,
            "msgid": f"m-{number}",
            "conversation_id": "c-1",
            "sender": {
                "id": "u-1",
                "name": "Анна",
                "avatar": "https://files.example/anna.png",
                "profile": {"phone": "+79151112233", "email": "anna@example.com"},
                "profile_link": "https://example.com/anna",
            },
            "message": wire,
            "silent": number % 2 == 1,
        }
        if number:
            payload["reply_to"] = {"message": {"msgid": f"m-{number - 1}"}}
        if "file_size" in wire:
            assert taken.payload["message"].pop("media").startswith(f"{bridge.url}/media/")
        # Which conversation it is at amoCRM may be named as well, once that is known.
        assert {k: v for k, v in taken.payload.items() if k != "conversation_ref_id"} == payload


async def test_every_type_arrives_at_the_sandbox(
    bridge: Bridge, sandbox: SandboxAmojo, files: FileServer
) -> None:
    shop = await bridge.open_shop(sandbox)
    for number, (said, _) in enumerate(TYPES):
        await bridge.take(shop, f"m-{number}", message=linked(said, files))
    await wait_for_arrivals(sandbox, shop, len(TYPES))
    rows = (await sandbox.messages(shop.account))["c-1"]
    for number, (row, (_, wire)) in enumerate(zip(rows, TYPES, strict=True)):
        assert row["client_id"] == f"m-{number}"
        assert {name: row[name] for name in wire} == wire


async def test_least_and_odd_ids_go_through(bridge: Bridge, amojo: Amojo) -> None:
    shop = await bridge.open_shop(amojo)
    names = ["m", "номер два", "a/b?c=%2F&d#e", "🙂" * 60, "x" * 255, "../..", "%00"]
    for name in names:
        await bridge.take(shop, name, "c/1?", sender={"id": "u"})
    assert await wait_for_arrivals(amojo, shop, len(names)) == {"c/1?": names}


async def test_a_passport_tells_the_whole_way(bridge: Bridge, amojo: Amojo) -> None:
    shop = await bridge.open_shop(amojo)
    await bridge.take(shop, "m/1 ы?", "c-9")
    passport = await bridge.wait_for_state(shop, "m%2F1%20%D1%8B%3F", "delivered")
    assert passport["id"] == "m/1 ы?"
    assert (passport["conversation_id"], passport["direction"], passport["type"]) == (
        "c-9",
        "to_amojo",
        "text",
    )
    assert passport["amojo_id"]
    assert passport["next_attempt_at"] is None
    steps = [line["step"] for line in passport["timeline"]]
    assert steps == ["received", "stored", "signed", "accepted", "delivered"]
    times = [line["at"] for line in passport["timeline"]]
    assert times == sorted(times)


async def test_many_conversations_keep_their_order(bridge: Bridge, amojo: Amojo) -> None:
    shop = await bridge.open_shop(amojo)

    async def talk(conversation: str) -> None:
        for number in range(12):
            await bridge.take(shop, f"{conversation}-{number}", conversation)

    names = [f"c-{number}" for number in range(10)]
    await asyncio.gather(*(talk(name) for name in names))
    arrived = await wait_for_arrivals(amojo, shop, 120)
    assert arrived == {name: [f"{name}-{n}" for n in range(12)] for name in names}


async def test_the_same_message_fifty_times_is_one(bridge: Bridge, amojo: Amojo) -> None:
    shop = await bridge.open_shop(amojo)
    replies = await asyncio.gather(*(bridge.send(shop, "m-1") for _ in range(50)))
    assert {reply.status for reply in replies} == {202}
    assert len({reply.body for reply in replies}) == 1
    await bridge.take(shop, "last")
    assert await wait_for_arrivals(amojo, shop, 2) == {"c-1": ["m-1", "last"]}


async def test_other_white_space_is_the_same_message(bridge: Bridge, plain: PlainAmojo) -> None:
    shop = await bridge.open_shop(plain)
    await bridge.take(shop, "m-1")
    body = json.dumps(dict(reversed(draft("m-1").items())), indent=4).encode()
    headers = {"Content-Type": "application/json; charset=utf-8"}
    reply = await bridge.call("POST", "/v1/messages", key=shop.key, data=body, headers=headers)
    assert reply.status == 202


@pytest.mark.parametrize(
    "change",
    [
        {"message": {"type": "text", "text": "other"}},
        {"conversation": "c-2"},
        {"silent": True},
        {"sender": {"id": "u-2"}},
    ],
)
async def test_the_same_id_with_another_body_is_refused(
    bridge: Bridge, plain: PlainAmojo, change: dict[str, Any]
) -> None:
    shop = await bridge.open_shop(plain)
    await bridge.take(shop, "m-1")
    reply = await bridge.send(shop, "m-1", **change)
    assert reply.status == 409
    assert reply.problem()["code"] == "id_reused"
    await bridge.take(shop, "m-1")
    await bridge.take(shop, "last")
    assert await wait_for_arrivals(plain, shop, 2) == {"c-1": ["m-1", "last"]}
    assert plain.taken[0].payload["message"]["text"] == "text of m-1"


async def test_two_messengers_may_use_the_same_ids(bridge: Bridge, amojo: Amojo) -> None:
    first, second = await bridge.open_shop(amojo), await bridge.open_shop(amojo)
    for shop in (first, second):
        await bridge.take(shop, "m-1")
    for shop in (first, second):
        assert await wait_for_arrivals(amojo, shop, 1) == {"c-1": ["m-1"]}


async def test_a_messenger_sees_only_its_own_messages(bridge: Bridge, plain: PlainAmojo) -> None:
    first, second = await bridge.open_shop(plain), await bridge.open_shop(plain)
    await bridge.take(first, "mine")
    reply = await bridge.call("GET", "/v1/messages/mine", key=second.key)
    assert reply.problem()["code"] == "not_found"


async def test_with_two_links_the_message_says_for_which(
    bridge: Bridge, plain: PlainAmojo, backend: FarSide
) -> None:
    shop = await bridge.open_shop(plain, backend)
    other = await plain.open_account(bridge.hook_url)
    await bridge.add_channel(other, plain.url)
    link = {
        "channel": other.channel_id,
        "account_id": other.account_id,
        "messenger": shop.messenger["id"],
    }
    made = await bridge.made("/v1/links", link)
    reply = await bridge.send(shop, "m-1")
    assert (reply.status, reply.problem()["code"]) == (409, "link_ambiguous")
    await bridge.take(shop, "m-1", scope_id=made["scope_id"])
    await plain.far_side.wait_for(lambda: plain.taken, "the message arrives")
    assert plain.taken[0].scope_id == other.scope_id
