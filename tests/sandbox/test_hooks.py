"""What the sandbox sends to messengers, to the byte."""

import asyncio
import json
from typing import Any

import pytest

from tests.sandbox.messenger import (
    ACCOUNT,
    CHANNEL,
    KATE,
    OLEG,
    SCOPE,
    Desk,
    HookReceiver,
    mac,
)


async def chat_with_ann(desk: Desk, version: str = "v2", **payload: Any) -> dict[str, Any]:
    await desk.connect(version)
    return await desk.sent("m-1", **payload)


async def test_a_v2_hook_is_signed_without_its_newline(desk: Desk, receiver: HookReceiver) -> None:
    sent = await chat_with_ann(desk, source={"external_id": "line-1"})
    reply = await desk.reply(sent["conversation_id"], "Добрый день", user_id=OLEG)
    path, body, headers = receiver.hooks[0]
    message = reply.json["message"]
    expected = {
        "account_id": ACCOUNT,
        "time": message["at_ms"] // 1000,
        "message": {
            "receiver": {
                "id": sent["sender_id"],
                "name": "Ann",
                "client_id": "cust-1",
                "phone": "",
                "email": "",
            },
            "sender": {"id": OLEG, "name": "Oleg"},
            "conversation": {"id": sent["conversation_id"], "client_id": "conv-1"},
            "timestamp": message["at_ms"] // 1000,
            "msec_timestamp": message["at_ms"],
            "message": {
                "id": message["id"],
                "type": "text",
                "text": "Добрый день",
                "markup": None,
                "tag": "",
                "media": "",
                "thumbnail": "",
                "file_name": "",
                "file_size": 0,
            },
            "source": {"external_id": "line-1"},
        },
    }
    compact = json.dumps(expected, ensure_ascii=False, separators=(",", ":")).encode()
    assert body == compact + b"\n"
    assert headers["X-Signature"] == mac(compact)
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"] == "amoCRM amoJo/1.0"
    assert path == f"/location/{SCOPE}"
    hook = reply.json["hook"]
    assert (hook["n"], hook["status"], hook["error"], hook["attempt"]) == (1, 200, None, 1)
    assert (hook["version"], hook["kind"]) == ("v2", "message")


async def test_a_v1_hook_is_flat(desk: Desk, receiver: HookReceiver) -> None:
    sent = await chat_with_ann(desk, "v1")
    message = {"type": "picture", "media": "http://127.0.0.1:1/p.jpg", "file_size": 20480}
    reply = await desk.reply(sent["conversation_id"], message=message)
    _, body, headers = receiver.hooks[0]
    assert json.loads(body) == {
        "receiver": "cust-1",
        "conversation_id": "conv-1",
        "msec_timestamp": reply.json["message"]["at_ms"],
        "type": "picture",
        "text": "",
        "media": "http://127.0.0.1:1/p.jpg",
        "thumbnail": "",
        "file_name": "",
        "file_size": 20480,
    }
    assert headers["X-Signature"] == mac(body[:-1])
    typing = await desk.control("POST", f"/chats/{sent['conversation_id']}/typing")
    assert typing.json == {"hook": None}
    first = {"scope_id": SCOPE, "phone": "+79000000009", "message": {"type": "text"}}
    answer = await desk.control("POST", "/chats", first)
    assert (answer.status, answer.json["error"]["code"]) == (409, "needs_hook_v2")


@pytest.mark.parametrize(("newline", "ends"), [("none", b"}"), ("signed", b"}\n")])
async def test_the_newline_can_be_left_out_or_signed(
    desk: Desk, receiver: HookReceiver, newline: str, ends: bytes
) -> None:
    sent = await chat_with_ann(desk)
    await desk.switch(hook_newline=newline)
    await desk.reply(sent["conversation_id"])
    _, body, headers = receiver.hooks[0]
    assert body.endswith(ends)
    assert headers["X-Signature"] == mac(body)


async def test_fields_of_a_message_hook_can_be_absent(desk: Desk, receiver: HookReceiver) -> None:
    sent = await chat_with_ann(desk, source={"external_id": "line-1"})
    await desk.switch(
        hook_phone_email="absent",
        hook_sender_name="absent",
        hook_source="absent",
        hook_markup="absent",
    )
    await desk.reply(sent["conversation_id"])
    hook = receiver.bodies()[0]["message"]
    assert "source" not in hook
    assert hook["sender"] == {"id": KATE}
    assert hook["receiver"].keys() == {"id", "name", "client_id"}
    assert "markup" not in hook["message"]


async def test_buttons_templates_groups_and_quotes_reach_the_hook(
    desk: Desk, receiver: HookReceiver
) -> None:
    sent = await chat_with_ann(desk)
    extra = {
        "markup": {"mode": "inline", "buttons": [[{"text": "Accept"}]]},
        "template": {"id": 701, "content": "Offer"},
        "media_group_id": "group-1",
        "post": {"id": "post-1"},
    }
    message = {"type": "text", "text": "Offer", "reply_to": sent["msgid"]} | extra
    await desk.reply(sent["conversation_id"], message=message)
    hook = receiver.bodies()[0]["message"]["message"]
    for name, value in extra.items():
        assert hook[name] == value
    assert hook["reply_to"]["message"]["msgid"] == "m-1"
    assert hook["reply_to"]["message"]["text"] == "Is it in stock?"


async def test_a_message_is_passed_on_from_another_chat(desk: Desk, receiver: HookReceiver) -> None:
    sent = await chat_with_ann(desk)
    other = await desk.sent("m-2", conversation_id="conv-2")
    message = {"type": "text", "text": "Look", "forward": sent["msgid"]}
    await desk.reply(other["conversation_id"], message=message)
    forwards = receiver.bodies()[0]["message"]["message"]["forwards"]
    assert forwards["conversation_ref_id"] == sent["conversation_id"]
    (forwarded,) = forwards["messages"]
    assert (forwarded["id"], forwarded["msgid"]) == (sent["msgid"], "m-1")
    assert forwarded["text"] == "Is it in stock?"


@pytest.mark.parametrize("place", ["nested", "top"])
async def test_typing_hooks(desk: Desk, receiver: HookReceiver, place: str) -> None:
    sent = await chat_with_ann(desk)
    await desk.switch(typing_user=place)
    answer = await desk.control("POST", f"/chats/{sent['conversation_id']}/typing")
    assert answer.json["hook"]["kind"] == "typing"
    hook = receiver.bodies()[0]
    typing = hook["action"]["typing"]
    user = typing.pop("user") if place == "nested" else hook["action"]["user"]
    assert user == {"id": KATE}
    assert typing == {
        "conversation": {"id": sent["conversation_id"], "client_id": "conv-1"},
        "expired_at": hook["time"] + 5,
    }


@pytest.mark.parametrize(
    ("switch", "members"),
    [("message", {"message"}), ("msgid", {"msgid"}), ("both", {"message", "msgid"})],
)
async def test_reaction_hooks(
    desk: Desk, receiver: HookReceiver, switch: str, members: set[str]
) -> None:
    sent = await chat_with_ann(desk)
    await desk.switch(reaction_hook=switch)
    path = f"/messages/{sent['msgid']}/reaction"
    await desk.control("POST", path, {"type": "react", "emoji": "👍", "user_id": OLEG})
    [message] = await desk.messages(sent["conversation_id"])
    assert message["reactions"] == [{"user": OLEG, "emoji": "👍"}]
    await desk.control("POST", path, {"type": "unreact", "user_id": OLEG})
    [message] = await desk.messages(sent["conversation_id"])
    assert message["reactions"] == []
    react, unreact = (hook["action"]["reaction"] for hook in receiver.bodies())
    assert react.keys() == {"user", "conversation", "type", "emoji"} | members
    assert unreact.keys() == {"user", "conversation", "type"} | members
    if "message" in members:
        assert react["message"]["id"] == sent["msgid"]
        assert react["message"]["client_id"] == "m-1"
    if "msgid" in members:
        assert react["msgid"] == sent["msgid"]


async def test_a_hook_is_sent_once_and_the_failure_is_told(
    desk: Desk, receiver: HookReceiver
) -> None:
    sent = await chat_with_ann(desk)
    await desk.switch(slow_queue_s=0)
    receiver.status = 503
    hook = (await desk.reply(sent["conversation_id"])).json["hook"]
    assert (hook["status"], hook["error"]) == (503, "answered 503; amoCRM expects 200")
    receiver.status = 200
    assert (await desk.reply(sent["conversation_id"])).json["hook"]["error"] is None
    assert len(receiver.hooks) == 2


async def test_nobody_listening_is_told(desk: Desk) -> None:
    dead = {"channel_id": CHANNEL, "secret": "5a0db0c40000400080000000000000015a0db0c4"}
    await desk.control("POST", "/channels", dead | {"hook_url": "http://127.0.0.1:1/:scope_id"})
    sent = await chat_with_ann(desk)
    hook = (await desk.reply(sent["conversation_id"])).json["hook"]
    assert hook["status"] is None
    assert hook["error"].startswith("not delivered: ")


@pytest.mark.parametrize(("retry", "hooks"), [("none", 1), ("once_after_timeout", 2)])
async def test_a_receiver_that_hangs_has_failed(
    desk: Desk, receiver: HookReceiver, retry: str, hooks: int
) -> None:
    sent = await chat_with_ann(desk)
    await desk.switch(hook_deadline_s=0.5, hook_retry=retry)
    receiver.gate.clear()
    hook = (await desk.reply(sent["conversation_id"])).json["hook"]
    assert (hook["status"], hook["error"]) == (None, "no answer within 0.5 s")
    assert hook["attempt"] == hooks
    assert len(receiver.hooks) == hooks
    assert len({body for _, body, _ in receiver.hooks}) == 1


async def test_hooks_of_a_connection_go_one_after_another(
    desk: Desk, receiver: HookReceiver
) -> None:
    sent = await chat_with_ann(desk)
    receiver.gate.clear()
    async with asyncio.timeout(10), desk.events() as events, asyncio.TaskGroup() as tasks:
        for number in range(5):
            tasks.create_task(desk.reply(sent["conversation_id"], f"text {number}"))
        for _ in range(5):
            await events.wait_for("message")
        await receiver.arrived.wait()
        assert len(receiver.hooks) == 1, "the others wait for the first one's answer"
        receiver.gate.set()
    stored = [m["text"] for m in (await desk.messages(sent["conversation_id"]))[1:]]
    assert [body["message"]["message"]["text"] for body in receiver.bodies()] == stored


async def test_a_repeated_hook_is_the_same_to_the_byte(desk: Desk, receiver: HookReceiver) -> None:
    sent = await chat_with_ann(desk)
    first = (await desk.reply(sent["conversation_id"])).json["hook"]
    again = (await desk.control("POST", f"/hooks/{first['n']}/repeat")).json["hook"]
    assert (again["n"], again["attempt"], again["status"]) == (2, 2, 200)
    (_, body, headers), (_, body_again, headers_again) = receiver.hooks
    assert body == body_again
    assert headers["X-Signature"] == headers_again["X-Signature"]
    hooks = (await desk.control("GET", "/hooks")).json["hooks"]
    assert hooks == [first, again]
    assert (await desk.control("POST", "/hooks/99/repeat")).status == 404


async def test_a_disconnected_account_gets_no_hooks(desk: Desk, receiver: HookReceiver) -> None:
    sent = await chat_with_ann(desk)
    await desk.amojo("DELETE", f"/{CHANNEL}/disconnect", {"account_id": ACCOUNT})
    answer = await desk.reply(sent["conversation_id"])
    assert (answer.status, answer.json["error"]["code"]) == (409, "not_connected")
    assert receiver.hooks == []
