"""Sending, importing and editing messages."""

from typing import Any

import pytest

from tests.sandbox.messenger import BOT, KATE, SCOPE, Answer, Desk, HookReceiver, text_message
from tests.sandbox.test_amojo import NOBODY, bad

PICTURE = {
    "type": "picture",
    "media": "http://127.0.0.1:1/p.jpg",
    "file_name": "p.jpg",
    "file_size": 20480,
}
FROM_KATE = {"id": "agent-7", "name": "Kate", "ref_id": KATE}
TO_ANN = {"id": "cust-1", "name": "Ann"}


async def edit(desk: Desk, **payload: Any) -> Answer:
    return await desk.amojo("POST", f"/{SCOPE}", {"event_type": "edit_message", "payload": payload})


async def test_an_incoming_message_is_answered_with_amo_ids(desk: Desk) -> None:
    await desk.connect()
    first, second = await desk.sent("m-1"), await desk.sent("m-2")
    assert first["ref_id"] == "m-1"
    assert first["receiver_id"] is None
    assert first["msgid"] != second["msgid"]
    for member in ("conversation_id", "sender_id"):
        assert first[member] == second[member]
    message = (await desk.messages(first["conversation_id"]))[0]
    assert message["author"] == {"id": first["sender_id"], "name": "Ann", "kind": "client"}
    assert (message["direction"], message["at_ms"]) == ("in", 1736847000123)


@pytest.mark.parametrize(
    "message",
    [
        {"type": "text", "text": "hello", "callback_data": "row-1"},
        PICTURE | {"text": None},
        PICTURE | {"type": "file"},
        PICTURE | {"type": "video", "media_duration": 12},
        {"type": "voice", "media": "http://127.0.0.1:1/o.ogg", "media_duration": 7},
        {"type": "audio", "media": "http://127.0.0.1:1/s.mp3"},
        {"type": "sticker", "media": "http://127.0.0.1:1/s.webp", "sticker_id": "pack1:17"},
        {"type": "location", "location": {"lon": 37.62, "lat": 55}},
        {"type": "contact", "contact": {"name": "Bob", "phone": "+79000000002"}},
        {"type": "text", "text": "nice", "post": {"id": "post-1", "url": "http://127.0.0.1:1/"}},
        {"type": "text", "text": "see", "shared_post": {"url": "http://127.0.0.1:1/"}},
    ],
)
async def test_every_type_is_stored_as_sent(desk: Desk, message: dict[str, Any]) -> None:
    await desk.connect()
    await desk.switch(media_download="off")
    sent = await desk.sent("m-1", message=message)
    stored = (await desk.messages(sent["conversation_id"]))[0]
    for name in stored.keys() & message.keys():
        assert stored[name] == (message[name] or ""), name


@pytest.mark.parametrize(
    ("change", "description"),
    [
        ({"timestamp": "1736847000"}, "payload.timestamp: should be a valid integer"),
        ({"timestamp": 1736847000.5}, "payload.timestamp: "),
        ({"timestamp": 10**400}, "payload.timestamp: "),
        ({"msgid": 5}, "payload.msgid: should be a valid string"),
        ({"msgid": ""}, "payload.msgid: "),
        ({"conversation_id": 7}, "payload.conversation_id: should be a valid string"),
        ({"conversation_ref_id": NOBODY}, "payload.conversation_ref_id: no such chat"),
        ({"silent": "yes"}, "payload.silent: should be a valid boolean"),
        ({"sender": {"name": "Ann"}}, "payload.sender.id: required"),
        ({"sender": {"id": "cust-1"}}, "payload.sender.name: required"),
        ({"sender": TO_ANN | {"ref_id": NOBODY}}, "sender: user not found"),
        ({"receiver": TO_ANN}, "sender: user not found"),
        ({"receiver": TO_ANN, "sender": FROM_KATE | {"ref_id": NOBODY}}, "sender: user not found"),
        ({"receiver": {"name": "Ann"}}, "payload.receiver.id: required"),
        (
            {"receiver": TO_ANN | {"ref_id": NOBODY}, "sender": FROM_KATE},
            "receiver: user not found",
        ),
        ({"message": {}}, "payload.message.type: required"),
        ({"message": {"type": "image", "media": "x"}}, "payload.message.type: "),
        ({"message": {"type": "text"}}, "payload.message.text: required"),
        ({"message": PICTURE | {"media": None}}, "payload.message.media: required"),
        ({"message": PICTURE | {"file_size": None}}, "payload.message.file_size: required"),
        ({"message": PICTURE | {"file_size": "9"}}, "payload.message.file_size: should be"),
        ({"message": {"type": "voice"}}, "payload.message.media: required"),
        ({"message": {"type": "location"}}, "payload.message.location: required"),
        (
            {"message": {"type": "location", "location": {"lon": 1.0}}},
            "payload.message.location.lat: required",
        ),
        ({"reply_to": {"message": {"text": "x"}}}, "payload.reply_to.message.type: required"),
        (
            {
                "reply_to": {
                    "message": {
                        "type": "text",
                        "timestamp": 1,
                        "msec_timestamp": 1000,
                        "sender": {},
                    }
                }
            },
            "payload.reply_to.message.text: required",
        ),
        ({"forwards": {"messages": []}}, "payload.forwards.messages: "),
        ({"forwards": {"messages": [{}]}}, "payload.forwards.messages.0.type: required"),
    ],
)
async def test_wrong_data_is_refused_and_nothing_is_stored(
    desk: Desk, change: dict[str, Any], description: str
) -> None:
    await desk.connect()
    body = text_message("m-1")
    body["payload"] |= change
    assert bad(await desk.amojo("POST", f"/{SCOPE}", body)).startswith(description)
    assert (await desk.control("GET", "/chats")).json["chats"] == []


async def test_an_unknown_event_is_refused(desk: Desk) -> None:
    await desk.connect()
    answer = await desk.amojo("POST", f"/{SCOPE}", {"event_type": "new_chat", "payload": {}})
    assert bad(answer).startswith("event_type: ")
    answer = await desk.amojo("POST", f"/{SCOPE}", {"event_type": "new_message"})
    assert bad(answer) == "payload: required"


async def test_lenient_converts_and_does_not_insist(desk: Desk) -> None:
    await desk.connect()
    await desk.switch(strictness="lenient")
    sender = {"id": 79000000001}
    sent = await desk.sent("m-1", sender=sender, timestamp="1736847000", message={"type": "text"})
    message = (await desk.messages(sent["conversation_id"]))[0]
    assert message["text"] == ""
    chats = (await desk.control("GET", "/chats")).json["chats"]
    assert chats[0]["person"]["client_id"] == "79000000001"


async def test_imported_words_of_managers_and_the_bot_cause_no_hook(
    desk: Desk, receiver: HookReceiver
) -> None:
    await desk.connect()
    incoming = await desk.sent("m-1")
    bot = {"id": "bot", "name": "Robot", "ref_id": BOT}
    for msgid, sender, kind in (("m-2", FROM_KATE, "user"), ("m-3", bot, "bot")):
        sent = await desk.sent(msgid, sender=sender, receiver=TO_ANN, silent=True)
        assert sent["conversation_id"] == incoming["conversation_id"]
        assert sent["sender_id"] == sender["ref_id"]
        assert sent["receiver_id"] == incoming["sender_id"]
        message = (await desk.messages(sent["conversation_id"]))[-1]
        assert (message["author"]["kind"], message["silent"]) == (kind, True)
        assert message["direction"] == "out"
    assert receiver.hooks == []


async def test_a_repeated_msgid_is_refused_or_answered_with_the_old_id(desk: Desk) -> None:
    await desk.connect()
    first = await desk.sent("m-1")
    description = bad(await desk.send("m-1", "other words"))
    assert "msgid m-1 already exists" in description
    await desk.switch(duplicate_msgid="200")
    assert (await desk.sent("m-1", "other words"))["msgid"] == first["msgid"]
    assert [m["text"] for m in await desk.messages(first["conversation_id"])] == ["Is it in stock?"]


@pytest.mark.parametrize(
    ("shape", "members"),
    [
        ("full", {"conversation_id", "sender_id", "receiver_id", "msgid", "ref_id"}),
        ("no_receiver_id", {"conversation_id", "sender_id", "msgid", "ref_id"}),
        ("msgid", {"msgid"}),
        ("msgid_ref_id", {"msgid", "ref_id"}),
    ],
)
async def test_the_answer_has_the_shape_of_its_era(
    desk: Desk, shape: str, members: set[str]
) -> None:
    await desk.connect()
    await desk.switch(new_message_answer=shape)
    assert (await desk.sent("m-1")).keys() == members


async def test_quotes_show_the_words_quoted(desk: Desk) -> None:
    await desk.connect()
    first = await desk.sent("m-1")
    await desk.sent("m-2", "yes", reply_to={"message": {"msgid": "m-1"}})
    await desk.sent("m-3", "no", reply_to={"message": {"id": first["msgid"]}})
    await desk.sent("m-4", "lost", reply_to={"message": {"msgid": "m-0"}})
    await desk.sent("m-5", "fwd", forwards={"messages": [{"msgid": "m-1"}]})
    messages = await desk.messages(first["conversation_id"])
    for message in messages[1:3]:
        assert message["reply_to"]["message"]["text"] == "Is it in stock?"
        assert message["reply_to"]["message"]["sender"]["client_id"] == "cust-1"
    assert messages[3]["reply_to"] == {"message": {"msgid": "m-0"}}
    assert messages[4]["forwards"]["messages"] == [messages[1]["reply_to"]["message"]]


async def test_an_edit_finds_the_message_by_either_id(desk: Desk) -> None:
    await desk.connect()
    sent = await desk.sent("m-1", message=PICTURE)
    answer = await edit(desk, msgid="m-1", message={"type": "picture", "text": "corrected"})
    assert answer.json["new_message"]["msgid"] == sent["msgid"]
    message = (await desk.messages(sent["conversation_id"]))[0]
    assert (message["text"], message["edited"]) == ("corrected", True)
    assert (message["media"], message["file_size"]) == (PICTURE["media"], 20480)
    status = {"status_code": -1, "error_code": 905, "error": "blocked"}
    body = {"type": "text", "text": "again", "delivery_status": status}
    answer = await edit(desk, id=sent["msgid"], msgid="m-2", message=body)
    assert answer.json["new_message"]["ref_id"] == "m-2"
    message = (await desk.messages(sent["conversation_id"]))[0]
    assert (message["client_id"], message["status"]["code"]) == ("m-2", -1)
    assert (await desk.send("m-1")).status == 200, "the old msgid is free again"


async def test_an_edit_cannot_take_another_messages_msgid(desk: Desk) -> None:
    await desk.connect()
    await desk.sent("m-1")
    second = await desk.sent("m-2")
    answer = await edit(desk, id=second["msgid"], msgid="m-1", message={"type": "text"})
    assert "msgid m-1 already exists" in bad(answer)


async def test_writing_first_is_bound_by_the_clients_answer(
    desk: Desk, receiver: HookReceiver
) -> None:
    await desk.connect()
    body = {"scope_id": SCOPE, "phone": "+79000000009", "message": {"type": "text", "text": "Hi"}}
    begun = await desk.control("POST", "/chats", body)
    assert begun.status == 201
    hook = receiver.bodies()[0]["message"]
    assert hook["conversation"] == {"id": begun.json["chat"]["id"]}
    assert hook["receiver"]["phone"] == "+79000000009"
    assert "client_id" not in hook["receiver"]

    answer = text_message(
        "m-9",
        conversation_id="conv-9",
        conversation_ref_id=hook["conversation"]["id"],
        sender={"id": "cust-9", "ref_id": hook["receiver"]["id"], "name": "Bob"},
    )
    sent = (await desk.amojo("POST", f"/{SCOPE}", answer)).json["new_message"]
    assert sent["conversation_id"] == hook["conversation"]["id"]
    assert sent["sender_id"] == hook["receiver"]["id"]
    await desk.reply(sent["conversation_id"])
    hook = receiver.bodies()[1]["message"]
    assert hook["conversation"]["client_id"] == "conv-9"
    assert hook["receiver"]["client_id"] == "cust-9"
    again = await desk.sent("m-10", conversation_id="conv-9")
    assert again["conversation_id"] == hook["conversation"]["id"]


async def test_the_newest_binding_of_a_conversation_wins(desk: Desk) -> None:
    await desk.connect()
    before = await desk.sent("m-1")
    body = {"scope_id": SCOPE, "phone": "+79000000009", "message": {"type": "text", "text": "Hi"}}
    begun = (await desk.control("POST", "/chats", body)).json["chat"]
    bound = await desk.sent("m-2", conversation_ref_id=begun["id"])
    assert bound["conversation_id"] == begun["id"] != before["conversation_id"]
    assert (await desk.sent("m-3"))["conversation_id"] == begun["id"]
