"""This server in the place of amojo: an integration changes its base address. The sandbox stands behind it as amoCRM."""

import uuid
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from tests.acceptance.bridge import Bridge, Shop, eventually
from tests.acceptance.integration import Integration, amojo_error, payload
from tests.acceptance.sandbox import SandboxAmojo
from tests.acceptance.webhooks import verified_callback
from tests.fakes import FarSide
from tests.media import FileServer

EVERY_TYPE: dict[str, dict[str, Any]] = {
    "text": {"text": "привет 👋"},
    "picture": {
        "media": "png/p.png",
        "file_name": "p.png",
        "file_size": 1,
        "text": "like this one",
    },
    "file": {"media": "pdf/f.pdf", "file_name": "f.pdf", "file_size": 1},
    "video": {"media": "mp4/v.mp4", "file_name": "v.mp4", "file_size": 1, "media_duration": 12},
    "voice": {"media": "ogg/o.ogg", "media_duration": 7, "text": None},
    "audio": {"media": "mp3/s.mp3", "media_duration": 180},
    "sticker": {"media": "webp/s.webp", "sticker_id": "pack1:17"},
    "location": {"location": {"lon": 37.62, "lat": 55.75}},
    "contact": {"contact": {"name": "Bob", "phone": "+79000000002"}},
}
FORBIDDEN = (403, "ORIGIN_INVALID_SIGNATURE", "invalid signature")
MISSING = (404, "ORIGIN_NOT_REGISTERED", "NOT_FOUND")
BAD = "ORIGIN_BAD_REQUEST"


COPIED = ("media", "file_size")
"""What becomes this server's own."""


def linked(members: dict[str, Any], files: FileServer) -> dict[str, Any]:
    """Content with its file at this server."""
    path = members.get("media")
    return members if path is None else members | {"media": f"{files.url}/{path}"}


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


async def reply(sandbox: SandboxAmojo, backend: FarSide, shop: Shop, **said: Any) -> dict[str, Any]:
    """The payload of the callback that an operator's reply makes, its signature checked."""
    before = len(backend.received)
    status, _ = await sandbox.operator_writes(shop.account, "c-1", "yes", **said)
    assert status == 200
    received = (await backend.wait_for_requests(before + 1))[before]
    assert (
        received.path
        == f"/amo/{shop.messenger['amojo']['channel_id']}_"
        + (shop.messenger["amojo"]["account_id"])
    )
    return verified_callback(received, shop)


# --- a whole life -------------------------------------------------------------------------------


@dataclass
class Life:
    """What an integration does from its first call to its last."""

    sandbox: SandboxAmojo
    backend: FarSide
    shop: Shop
    integration: Integration
    files: FileServer
    answers: dict[str, Any] = field(default_factory=dict)

    async def row(self, message_id: str, **wanted: Any) -> Any:
        return await until_at_amojo(self.sandbox, self.shop, message_id, **wanted)

    async def connects(self) -> None:
        connected = await self.integration.connect()
        assert connected.status == 200
        assert connected.json == {
            "account_id": self.integration.account_id,
            "scope_id": self.integration.scope_id,
            "title": "Shop",
            "hook_api_version": "v2",
            "is_time_window_disabled": False,
        }

    async def sends_every_type(self) -> None:
        names = [f"m-{kind}" for kind in EVERY_TYPE]
        for kind, members in EVERY_TYPE.items():
            said = {"type": kind} | linked(members, self.files)
            answer = await self.integration.send(f"m-{kind}", said)
            assert answer["ref_id"] == f"m-{kind}"
            self.answers[kind] = answer
        assert len({answer["sender_id"] for answer in self.answers.values()}) == 1
        await self.row(names[-1])
        assert (await self.sandbox.arrived(self.shop.account))["c-1"] == names
        for kind, members in EVERY_TYPE.items():
            row = await self.row(f"m-{kind}", type=kind)
            kept = {name: value or "" for name, value in members.items() if name not in COPIED}
            assert {name: row[name] for name in kept} == kept
            assert ("media" in members) is ("/media/" in row["media"])

    async def edits_by_either_id(self) -> None:
        at = {"timestamp": 1_790_000_100, "conversation_id": "c-1"}
        text = {"msgid": "m-text", "message": {"type": "text", "text": "corrected"}}
        answer = (await self.integration.event("edit_message", text | at)).json["new_message"]
        assert answer["msgid"] == self.answers["text"]["msgid"]
        await self.row("m-text", text="corrected", edited=True)
        caption = {"type": "picture", "text": "or not"}
        picture = {"id": self.answers["picture"]["msgid"], "message": caption}
        answer = (await self.integration.event("edit_message", picture | at)).json["new_message"]
        assert answer["ref_id"] == "m-picture"
        row = await self.row("m-picture", text="or not")
        assert "/media/" in row["media"]
        assert row["file_name"] == "p.png"

    async def types(self) -> None:
        typing = {"conversation_id": "c-1", "sender": {"id": "u-1"}, "duration_ms": 3000}
        assert (await self.integration.below("typing", typing)).status == 204

        async def told() -> Any:
            log = (await self.sandbox.control("GET", "/requests"))["requests"]
            return [one for one in log if one["path"].endswith(f"{self.shop.scope_id}/typing")]

        assert [one["status"] for one in await eventually(told, "typing at amoCRM")] == [204]

    async def gets_a_reply(self) -> tuple[str, str]:
        """AmoCRM's ids of the message and of the chat."""
        callback = await reply(self.sandbox, self.backend, self.shop)
        assert callback["account_id"] == self.integration.account_id
        outer = callback["message"]
        assert outer["conversation"]["client_id"] == "c-1"
        assert outer["receiver"]["client_id"] == "u-1"
        return outer["message"]["id"], outer["conversation"]["id"]

    async def reacts_to_both_sides(self, amojo_id: str) -> None:
        reaction = {"conversation_id": "c-1", "user": {"id": "u-1"}, "type": "react", "emoji": "👍"}
        voice = self.answers["voice"]["msgid"]
        for named in ({"msgid": "m-text"}, {"id": voice}, {"id": amojo_id}):
            answer = await self.integration.below("react", reaction | named)
            assert (answer.status, answer.body) == (200, b"")
        by = (await self.row("m-text"))["author"]["id"]
        for message_id in ("m-text", "m-voice", amojo_id):
            await self.row(message_id, reactions=[{"user": by, "emoji": "👍"}])
        gone = reaction | {"type": "unreact", "msgid": "m-text"}
        assert (await self.integration.below("react", gone)).status == 200
        await self.row("m-text", reactions=[])

    async def reports_in_either_generation(self, amojo_id: str) -> None:
        path, nothing = f"{amojo_id}/delivery_status", {"error_code": None, "error": None}
        delivered = await self.integration.below(path, {"status_code": 1})
        assert (delivered.status, delivered.body) == (200, b"")
        await self.row(amojo_id, status=nothing | {"code": 1})
        read = {"msgid": amojo_id, "delivery_status": 2} | nothing
        assert (await self.integration.below(path, read)).status == 200
        await self.row(amojo_id, status=nothing | {"code": 2})

    async def finds_the_chat(self, amojo_id: str, chat_id: str) -> None:
        told = self.answers["text"]["conversation_id"]
        assert told != chat_id, "at the first message nobody knew amoCRM's id"
        for name in (chat_id, told):
            history = await self.integration.history(name, "?offset=0&limit=3")
            assert history.status == 200
            listed = history.json["messages"]
            assert (listed[0]["message"]["id"], len(listed)) == (amojo_id, 3)
        assert (await self.integration.send("m-later"))["conversation_id"] == chat_id
        chat = {"conversation_id": "c-1", "user": {"id": "u-1", "name": "Anna"}}
        made = await self.integration.below("chats", chat)
        assert (made.status, made.json["id"]) == (200, chat_id)

    async def disconnects(self) -> None:
        path = f"{self.integration.channel_id}/disconnect"
        for method in ("DELETE", "POST"):
            body = {"account_id": self.integration.account_id}
            gone = await self.integration.call(method, path, body)
            assert (gone.status, gone.body) == (200, b"")


async def test_a_whole_life(
    bridge: Bridge, sandbox: SandboxAmojo, backend: FarSide, files: FileServer, *, shop: Shop,
    integration: Integration,
) -> None:  # fmt: skip
    life = Life(sandbox, backend, shop, integration, files)
    await life.connects()
    await life.sends_every_type()
    await life.edits_by_either_id()
    await life.types()
    amojo_id, chat_id = await life.gets_a_reply()
    await life.reacts_to_both_sides(amojo_id)
    await life.reports_in_either_generation(amojo_id)
    await life.finds_the_chat(amojo_id, chat_id)
    await life.disconnects()
    link = (await bridge.call("GET", f"/v1/links/{shop.scope_id}")).json
    assert link["state"] == "connected", "the account belongs to whoever runs the server"


# --- both generations ---------------------------------------------------------------------------


async def test_the_generation_of_2017_connects_writes_and_gets_its_own_callbacks(
    sandbox: SandboxAmojo, backend: FarSide, shop: Shop, integration: Integration
) -> None:
    account = {"account_id": integration.account_id}
    connected = await integration.call(
        "POST", f"{integration.channel_id}/connect", account, legacy=True
    )
    assert connected.status == 200
    assert connected.json["scope_id"] == integration.scope_id
    old = payload("m-1", sender={"id": "u-1", "name": "Ann", "profile": {"phone": 79000000001}})
    del old["msec_timestamp"]
    taken = await integration.event("new_message", old, legacy=True)
    assert taken.status == 200, taken
    await until_at_amojo(sandbox, shop, "m-1", text="text of m-1")
    callback = await reply(sandbox, backend, shop)
    assert (callback["conversation_id"], callback["receiver"], callback["text"]) == (
        "c-1",
        "u-1",
        "yes",
    )
    newer = {
        "typing": {"conversation_id": "c-1", "sender": {"id": "u-1"}},
        "react": {"conversation_id": "c-1", "msgid": "m-1", "user": {"id": "u-1"}, "type": "react"},
        "chats": {"conversation_id": "c-1", "user": {"id": "u-1", "name": "Ann"}},
        "any/delivery_status": {"status_code": 1},
    }
    for path, body in newer.items():
        assert amojo_error(await integration.below(path, body, legacy=True)) == FORBIDDEN
    closed = await integration.call(
        "DELETE", f"{integration.channel_id}/disconnect", account, legacy=True
    )
    assert closed.status == 200


async def test_an_account_of_2017_gets_the_new_caption_of_a_picture_as_a_message(
    bridge: Bridge, sandbox: SandboxAmojo, files: FileServer, shop: Shop, integration: Integration
) -> None:
    await integration.send("m-1", {"type": "picture"} | linked(EVERY_TYPE["picture"], files))
    path = f"/v1/channels/{shop.account.code}"
    assert (await bridge.call("PATCH", path, {"signing": "legacy"})).status == 200
    edit = {"msgid": "m-1", "message": {"type": "picture", "text": "or not"}}
    assert (await integration.event("edit_message", edit)).status == 200

    async def both() -> Any:
        found = (await sandbox.messages(shop.account)).get("c-1", [])
        return found if len(found) == 2 else None

    _, edited = await eventually(both, "an edit as a message")
    assert (edited["type"], edited["text"]) == ("text", "✎ or not")


# --- ids ----------------------------------------------------------------------------------------


async def test_a_repeat_is_answered_the_same_and_another_message_under_its_id_is_refused(
    sandbox: SandboxAmojo, shop: Shop, integration: Integration
) -> None:
    first, again = [await integration.send("m-1") for _ in range(2)]
    # amoCRM's id of the conversation may have become known in between.
    assert again | {"conversation_id": ""} == first | {"conversation_id": ""}
    other = payload("m-1", {"type": "text", "text": "something else"})
    status, kind, words = amojo_error(await integration.event("new_message", other))
    assert (status, kind) == (400, BAD)
    assert "'m-1' was used before" in words
    await integration.send("m-2")
    await until_at_amojo(sandbox, shop, "m-2")
    assert (await sandbox.arrived(shop.account))["c-1"] == ["m-1", "m-2"]


async def test_quotes_and_forwards_name_messages_by_every_id_there_is(
    sandbox: SandboxAmojo, backend: FarSide, shop: Shop, integration: Integration
) -> None:
    await integration.connect()
    first = await integration.send("m-1")
    await until_at_amojo(sandbox, shop, "m-1")
    amojo_id = (await reply(sandbox, backend, shop))["message"]["message"]["id"]
    at_amojo = (await rows(sandbox, shop))["m-1"]["id"]
    assert at_amojo != first["msgid"]
    named = {
        "q-msgid": ({"msgid": "m-1"}, at_amojo),
        "q-answered": ({"id": first["msgid"]}, at_amojo),
        "q-amojo": ({"id": at_amojo}, at_amojo),
        "q-operator": ({"id": amojo_id}, amojo_id),
    }
    for msgid, (quoted, _) in named.items():
        await integration.send(msgid, reply_to={"message": quoted})
    written = {
        "type": "text",
        "text": "old words",
        "timestamp": 1736840000,
        "msec_timestamp": 1736840000000,
        "sender": {"name": "Bob"},
    }
    await integration.send("f-1", forwards={"messages": [{"id": first["msgid"]}]})
    await integration.send("f-2", forwards={"messages": [written]})
    await until_at_amojo(sandbox, shop, "f-2")
    known = await rows(sandbox, shop)
    for msgid, (_, wanted) in named.items():
        assert known[msgid]["reply_to"]["message"]["id"] == wanted, msgid
    assert [one["msgid"] for one in known["f-1"]["forwards"]["messages"]] == ["m-1"]
    (forwarded,) = known["f-2"]["forwards"]["messages"]
    assert (forwarded["text"], forwarded["sender"]["name"]) == ("old words", "Bob")


async def test_ids_that_were_answered_may_be_given_back(
    bridge: Bridge, sandbox: SandboxAmojo, shop: Shop, integration: Integration
) -> None:
    """What amoCRM would know, but does not as this server made it, never reaches it."""
    first = await integration.send("m-1")
    sender = {"id": "u-1", "name": "Anna", "ref_id": first["sender_id"]}
    given_back = {"conversation_ref_id": first["conversation_id"], "sender": sender}
    await integration.send("m-2", **given_back)
    alone = payload("m-3", **given_back)
    del alone["conversation_id"]
    assert (await integration.event("new_message", alone)).status == 200
    await bridge.wait_for_state(shop, "m-3", "delivered")
    assert (await sandbox.arrived(shop.account)) == {"c-1": ["m-1", "m-2", "m-3"]}
    by_amocrm = payload("m-4")
    by_amocrm["conversation_ref_id"] = (await sandbox.chats(shop.account))["c-1"]["id"]
    del by_amocrm["conversation_id"]
    assert (await integration.event("new_message", by_amocrm)).status == 200
    await bridge.wait_for_state(shop, "m-4", "delivered")
    assert (await sandbox.arrived(shop.account))["c-1"][-1] == "m-4"


async def test_a_conversation_that_an_operator_began_gets_the_integrations_id(
    sandbox: SandboxAmojo, backend: FarSide, shop: Shop, integration: Integration
) -> None:
    await integration.connect()
    begun = {"name": "Bob", "phone": "+79000000009", "message": {"type": "text", "text": "Hello"}}
    await sandbox.control("POST", "/chats", begun | {"scope_id": shop.scope_id})
    (received,) = await backend.wait_for_requests(1)
    outer = verified_callback(received, shop)["message"]
    assert "client_id" not in outer["conversation"]
    assert outer["receiver"]["phone"] == "+79000000009"
    await integration.send(
        "b-1",
        conversation="c-9",
        conversation_ref_id=outer["conversation"]["id"],
        sender={"id": "u-9", "name": "Bob", "ref_id": outer["receiver"]["id"]},
    )

    async def bound() -> Any:
        return (await sandbox.arrived(shop.account)).get("c-9") == ["b-1"]

    await eventually(bound, "the message arrives in the conversation that amoCRM began")
    assert (await sandbox.chats(shop.account))["c-9"]["id"] == outer["conversation"]["id"]


async def test_callbacks_name_the_integrations_messages_as_they_were_answered(
    sandbox: SandboxAmojo, backend: FarSide, shop: Shop, integration: Integration
) -> None:
    await integration.connect()
    first = await integration.send("m-1")
    row = await until_at_amojo(sandbox, shop, "m-1")
    body = {"type": "react", "emoji": "❤"}
    await sandbox.control("POST", f"/messages/{row['id']}/reaction", body)
    (received,) = await backend.wait_for_requests(1)
    reaction = verified_callback(received, shop)["action"]["reaction"]
    assert reaction["message"] == {"id": first["msgid"], "client_id": "m-1"}
    assert reaction["msgid"] == first["msgid"]
    callback = await reply(sandbox, backend, shop, reply_to=row["id"])
    quoted = callback["message"]["message"]["reply_to"]["message"]
    assert (quoted["id"], quoted["msgid"]) == (first["msgid"], "m-1")


async def test_what_an_operator_wrote_in_the_messenger_is_imported(
    bridge: Bridge, sandbox: SandboxAmojo, shop: Shop, integration: Integration
) -> None:
    state = await sandbox.control("GET", "/state")
    account = next(one for one in state["accounts"] if one["amojo_id"] == shop.account.account_id)
    user = account["users"][0]["id"]
    receiver = {"id": "u-1", "name": "Anna"}
    said = {"sender": {"id": "agent-7", "name": "Kate", "ref_id": user}, "receiver": receiver}
    answer = await integration.send("out-1", **said)
    assert answer["sender_id"] == user
    assert answer["receiver_id"] == (await integration.send("m-1"))["sender_id"]
    row = await until_at_amojo(sandbox, shop, "out-1")
    assert (row["direction"], row["author"]["kind"]) == ("out", "user")
    nameless = payload("out-2", sender={"id": "bot", "name": "Bot"}, receiver=receiver)
    _, _, words = amojo_error(await integration.event("new_message", nameless))
    assert words.startswith("payload.sender.ref_id: required")
    bot = next(one for one in state["channels"] if one["channel_id"] == shop.account.channel_id)
    path = f"/v1/channels/{shop.account.code}"
    assert (await bridge.call("PATCH", path, {"bot_id": bot["bot"]["id"]})).status == 200
    assert (await integration.event("new_message", nameless)).status == 200
    row = await until_at_amojo(sandbox, shop, "out-2")
    assert row["author"]["kind"] == "bot"


# --- how far a reply has come -------------------------------------------------------------------


FAILURES = [
    ({"status_code": -1, "error_code": 904, "error": "No such number"}, (904, "No such number")),
    ({"status_code": -1, "error_code": 901}, (901, None)),
    ({"status_code": -1, "error_code": 905, "error": "a\u0000b"}, (905, "a b")),
]


@pytest.mark.parametrize(("body", "wanted"), FAILURES)
async def test_a_failure_is_shown_with_its_reason(
    sandbox: SandboxAmojo,
    backend: FarSide,
    shop: Shop,
    integration: Integration,
    *,
    body: dict[str, Any],
    wanted: tuple[int, str | None],
) -> None:
    await integration.connect()
    await integration.send("m-1")
    await until_at_amojo(sandbox, shop, "m-1")
    amojo_id = (await reply(sandbox, backend, shop))["message"]["message"]["id"]
    path = f"{amojo_id}/delivery_status"
    assert (await integration.below(path, {"status_code": 0})).status == 200, "sent, as is known"
    assert (await integration.below(path, body)).status == 200
    status = {"code": -1, "error_code": wanted[0], "error": wanted[1]}
    await until_at_amojo(sandbox, shop, amojo_id, status=status)


async def test_nobody_reaches_another_integrations_messages(
    bridge: Bridge, sandbox: SandboxAmojo, backend: FarSide, shop: Shop, integration: Integration
) -> None:
    await integration.connect()
    first = await integration.send("m-1")
    await until_at_amojo(sandbox, shop, "m-1")
    amojo_id = (await reply(sandbox, backend, shop))["message"]["message"]["id"]
    stranger = Integration.of(bridge.url, integration.http, await bridge.open_shop(sandbox))
    reaction = {"conversation_id": "c-1", "user": {"id": "u-1"}, "type": "react", "emoji": "👍"}
    text = {"type": "text", "text": "mine"}
    for name in (first["msgid"], "m-1", amojo_id, str(uuid.uuid4())):
        asked = [
            await stranger.below("react", reaction | {"id": name}),
            await stranger.below(f"{name}/delivery_status", {"status_code": 1}),
            await stranger.below(f"{name}/delivery_status", {"status_code": 0}),
            await stranger.event("edit_message", {"id": name, "message": text}),
        ]
        assert [amojo_error(answer) for answer in asked] == [MISSING] * len(asked)
    told = {"conversation_ref_id": first["conversation_id"]}
    await stranger.send("s-1", conversation="c-2", **told)
    assert (await stranger.history(first["conversation_id"])).status == 204
    row = (await rows(sandbox, shop))["m-1"]
    assert (row["reactions"], row["edited"]) == ([], False)
