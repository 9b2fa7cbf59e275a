import asyncio
import json

from tests.sandbox.messenger import ACCOUNT, KATE, SCOPE, Desk, HookReceiver, mac


async def test_a_client_writes_and_an_operator_answers(desk: Desk, receiver: HookReceiver) -> None:
    await desk.connect()
    sent = await desk.sent("m-1")
    chats = (await desk.control("GET", "/chats")).json["chats"]
    assert [chat["id"] for chat in chats] == [sent["conversation_id"]]
    assert chats[0]["client_id"] == "conv-1"
    assert chats[0]["unread"] == 1
    assert chats[0]["last_message"]["client_id"] == "m-1"

    answer = await desk.reply(sent["conversation_id"])

    assert answer.status == 201
    assert answer.json["hook"]["status"] == 200
    path, body, headers = receiver.hooks[0]
    assert path == f"/location/{SCOPE}"
    assert headers["X-Signature"] == mac(body.removesuffix(b"\n"))
    hook = json.loads(body)
    assert hook["account_id"] == ACCOUNT
    assert hook["message"]["conversation"] == {"id": sent["conversation_id"], "client_id": "conv-1"}
    assert hook["message"]["sender"] == {"id": KATE, "name": "Kate"}
    assert hook["message"]["message"]["text"] == "Yes, two left"

    amo_id = answer.json["message"]["id"]
    status = await desk.amojo("POST", f"/{SCOPE}/{amo_id}/delivery_status", {"status_code": 2})
    assert (status.status, status.body) == (200, b"")
    messages = await desk.messages(sent["conversation_id"])
    assert [(m["direction"], m["text"]) for m in messages] == [
        ("in", "Is it in stock?"),
        ("out", "Yes, two left"),
    ]
    assert messages[1]["status"] == {"code": 2, "error_code": None, "error": None}


async def test_an_open_page_hears_of_everything(desk: Desk) -> None:
    await desk.connect()
    async with asyncio.timeout(10), desk.events() as events:
        sent = await desk.sent("m-1")
        assert [(await events.next())[0] for _ in range(4)] == [
            "chat",
            "message",
            "chat",
            "request",
        ]
        reply = await desk.reply(sent["conversation_id"])
        message = await events.wait_for("message")
        assert message == reply.json["message"]
        assert (await events.wait_for("chat"))["last_message"] == message
        assert await events.wait_for("hook") == reply.json["hook"]
        path = f"/{SCOPE}/{message['id']}/delivery_status"
        await desk.amojo("POST", path, {"status_code": 1})
        assert await events.wait_for("status") == {
            "message_id": message["id"],
            "status": {"code": 1, "error_code": None, "error": None},
        }
        typing = {"conversation_id": "conv-1", "sender": {"id": "cust-1"}}
        await desk.amojo("POST", f"/{SCOPE}/typing", typing)
        typed = await events.wait_for("typing")
        assert (typed["chat_id"], typed["person"]["name"]) == (sent["conversation_id"], "Ann")
        reaction = {"type": "react", "emoji": "👍"}
        await desk.control("POST", f"/messages/{sent['msgid']}/reaction", reaction)
        assert (await events.wait_for("reaction"))["reactions"] == [{"user": KATE, "emoji": "👍"}]
        await desk.switch(fault="slow")
        assert (await events.wait_for("switches"))["fault"] == "slow"
        await desk.control("POST", "/reset")
        assert await events.wait_for("reset") == {}
