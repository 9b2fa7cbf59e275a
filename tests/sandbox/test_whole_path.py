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


async def test_an_open_page_hears_of_a_message(desk: Desk) -> None:
    await desk.connect()
    async with desk.http.get(desk.url + "/sandbox/events") as stream, asyncio.timeout(10):
        assert await stream.content.readuntil(b"\n\n") == b": open\n\n"
        sent = await desk.sent("m-1")
        frames = [await stream.content.readuntil(b"\n\n") for _ in range(4)]
    events = [frame.split(b"\n")[0].decode() for frame in frames]
    assert events == ["event: chat", "event: message", "event: chat", "event: request"]
    message = json.loads(frames[1].split(b"data: ")[1])
    assert message["id"] == sent["msgid"]
