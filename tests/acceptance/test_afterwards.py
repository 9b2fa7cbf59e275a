"""What happens to messages after they were sent: marks, reactions, edits, quotes, typing. Real processes, the sandbox in between."""

import uuid
from typing import Any

import pytest

from tests.acceptance.bridge import Bridge, Shop, eventually
from tests.acceptance.sandbox import SandboxAmojo
from tests.acceptance.webhooks import verified_event
from tests.fakes import Answer, FarSide
from tests.media import FileServer


@pytest.fixture
async def shop(bridge: Bridge, sandbox: SandboxAmojo, backend: FarSide) -> Shop:
    """A shop whose client has written `m-1`, which has arrived."""
    shop = await bridge.open_shop(sandbox, backend)
    await bridge.take(shop, "m-1")
    await bridge.wait_for_state(shop, "m-1", "delivered")
    return shop


async def rows(sandbox: SandboxAmojo, shop: Shop) -> dict[str, dict[str, Any]]:
    """All messages of c-1 at amoCRM, by both sides' ids."""
    chat = (await sandbox.chats(shop.account))["c-1"]
    found = (await sandbox.control("GET", f"/chats/{chat['id']}/messages"))["messages"]
    return {row["id"]: row for row in found} | {row["client_id"]: row for row in found}


async def until_at_amojo(sandbox: SandboxAmojo, shop: Shop, message_id: str, **wanted: Any) -> Any:
    """The message at amoCRM, once these members of it are so."""

    async def there() -> Any:
        row = (await rows(sandbox, shop)).get(message_id)
        return row if row and all(row[name] == value for name, value in wanted.items()) else None

    return await eventually(there, f"{message_id} at amoCRM has {wanted}")


async def reply(sandbox: SandboxAmojo, backend: FarSide, shop: Shop, **said: Any) -> str:
    """An operator's reply that the messenger has."""
    before = len(backend.received)
    status, amojo_id = await sandbox.operator_writes(shop.account, "c-1", "yes", **said)
    assert status == 200
    await backend.wait_for_requests(before + 1)
    return amojo_id


def sent(code: int | None, error_code: int | None = None, error: str | None = None) -> Any:
    return {"code": code, "error_code": error_code, "error": error}


async def report(bridge: Bridge, shop: Shop, message_id: str, **said: Any) -> Any:
    answer = await bridge.call("POST", f"/v1/messages/{message_id}/status", said, key=shop.key)
    assert answer.status == 200, answer
    return answer.json["news"]


async def test_marks_reach_amocrm_and_only_move_forward(
    bridge: Bridge, sandbox: SandboxAmojo, backend: FarSide, shop: Shop
) -> None:
    amojo_id = await reply(sandbox, backend, shop)
    assert await report(bridge, shop, amojo_id, status="delivered")
    await until_at_amojo(sandbox, shop, amojo_id, status=sent(1))
    assert await report(bridge, shop, amojo_id, status="read")
    await until_at_amojo(sandbox, shop, amojo_id, status=sent(2))
    for stale in ("delivered", "failed", "read"):
        assert not await report(bridge, shop, amojo_id, status=stale)
    passport = await bridge.wait_for_state(shop, amojo_id, "read")
    steps = [line["step"] for line in passport["timeline"]]
    assert steps.index("marked_delivered") < steps.index("marked_read")
    assert "marked_failed" not in steps
    assert (await rows(sandbox, shop))[amojo_id]["status"] == sent(2)


async def test_a_failure_is_shown_with_its_reason(
    bridge: Bridge, sandbox: SandboxAmojo, backend: FarSide, shop: Shop
) -> None:
    amojo_id = await reply(sandbox, backend, shop)
    said = {"status": "failed", "reason": "no_conversation", "text": "No such number"}
    assert await report(bridge, shop, amojo_id, **said)
    await until_at_amojo(sandbox, shop, amojo_id, status=sent(-1, 904, "No such number"))
    await bridge.wait_for_state(shop, amojo_id, "failed")


async def test_a_reply_that_the_webhook_refuses_is_marked_at_once(
    bridge: Bridge, sandbox: SandboxAmojo, backend: FarSide, shop: Shop
) -> None:
    refusal = b'{"reason": "conversation_removed", "text": "gone"}'
    backend.script.append(Answer(status=422, body=refusal))
    _, amojo_id = await sandbox.operator_writes(shop.account, "c-1", "yes")
    row = await until_at_amojo(
        sandbox, shop, amojo_id, status=sent(-1, 901, "The messenger refused the message: gone")
    )
    assert row["status"]["code"] == -1
    passport = await bridge.wait_for_state(shop, amojo_id, "failed")
    assert passport["timeline"][-1]["step"] in {"parked", "marked_failed"}


async def test_what_was_taken_is_delivered_where_nothing_is_reported(
    bridge: Bridge, sandbox: SandboxAmojo, backend: FarSide
) -> None:
    shop = await bridge.open_shop(sandbox, backend, settings={"capabilities": {"reports": False}})
    await bridge.take(shop, "m-1")
    await bridge.wait_for_state(shop, "m-1", "delivered")
    amojo_id = await reply(sandbox, backend, shop)
    await until_at_amojo(sandbox, shop, amojo_id, status=sent(1))


async def test_a_clients_reaction_comes_and_goes(
    bridge: Bridge, sandbox: SandboxAmojo, backend: FarSide, shop: Shop
) -> None:
    amojo_id = await reply(sandbox, backend, shop)
    for message_id in ("m-1", amojo_id):
        path, user = f"/v1/messages/{message_id}/reactions", {"id": "u-1"}
        answer = await bridge.call("POST", path, {"user": user, "emoji": "👍"}, key=shop.key)
        assert (answer.status, answer.json) == (202, {"id": message_id, "state": "queued"})

        async def shown(message_id: str = message_id) -> Any:
            return (await rows(sandbox, shop))[message_id]["reactions"]

        (reaction,) = await eventually(shown, f"a reaction on {message_id}")
        assert reaction["emoji"] == "👍"
        await bridge.call("POST", path, {"user": user, "removed": True}, key=shop.key)
        await until_at_amojo(sandbox, shop, message_id, reactions=[])


async def test_an_operators_reaction_reaches_the_messenger(
    sandbox: SandboxAmojo, backend: FarSide, shop: Shop
) -> None:
    row = (await rows(sandbox, shop))["m-1"]
    for number, (kind, event_type) in enumerate(
        (("react", "reaction.added"), ("unreact", "reaction.removed"))
    ):
        body = {"type": kind, "emoji": "❤"}
        answer = await sandbox.control("POST", f"/messages/{row['id']}/reaction", body)
        assert answer["hook"]["status"] == 200
        received = (await backend.wait_for_requests(number + 1))[number]
        event = verified_event(received, shop)
        assert event["type"] == event_type
        assert event["data"]["message_id"] == "m-1"
        assert event["data"]["conversation_id"] == "c-1"


async def test_an_edit_replaces_the_text(bridge: Bridge, sandbox: SandboxAmojo, shop: Shop) -> None:
    content = {"type": "text", "text": "corrected"}
    answer = await bridge.call("PATCH", "/v1/messages/m-1", {"message": content}, key=shop.key)
    assert answer.status == 202, answer
    await until_at_amojo(sandbox, shop, "m-1", text="corrected", edited=True)


async def test_an_operators_message_cannot_be_edited(
    bridge: Bridge, sandbox: SandboxAmojo, backend: FarSide, shop: Shop
) -> None:
    amojo_id = await reply(sandbox, backend, shop)
    content = {"type": "text", "text": "mine"}
    answer = await bridge.call(
        "PATCH", f"/v1/messages/{amojo_id}", {"message": content}, key=shop.key
    )
    assert answer.problem()["code"] == "not_editable"


CHANGES = [
    ("PATCH", "", {"message": {"type": "text", "text": "x"}}),
    ("POST", "/status", {"status": "read"}),
    ("POST", "/reactions", {"user": {"id": "u-1"}, "emoji": "👍"}),
]


@pytest.mark.parametrize("change", CHANGES, ids=["edit", "status", "reaction"])
async def test_nobody_reaches_another_messengers_messages(
    bridge: Bridge, sandbox: SandboxAmojo, shop: Shop, change: tuple[str, str, Any]
) -> None:
    method, path, body = change
    other = await bridge.open_shop(sandbox)
    for message_id in ("m-1", "never-sent"):
        answer = await bridge.call(method, f"/v1/messages/{message_id}{path}", body, key=other.key)
        assert answer.problem()["code"] == "not_found"
    assert (await bridge.passport(shop, "m-1"))["state"] == "delivered"


async def test_an_edit_under_the_same_id_is_one_edit(bridge: Bridge, shop: Shop) -> None:
    def edit(text: str) -> Any:
        body = {"id": "e-1", "message": {"type": "text", "text": text}}
        return bridge.call("PATCH", "/v1/messages/m-1", body, key=shop.key)

    assert [(await edit("one")).status for _ in range(2)] == [202, 202]
    assert (await edit("two")).problem()["code"] == "id_reused"


async def test_quotes_name_the_message_of_either_side(
    bridge: Bridge, sandbox: SandboxAmojo, backend: FarSide, shop: Shop
) -> None:
    amojo_id = await reply(sandbox, backend, shop)
    for number, quoted in enumerate(("m-1", amojo_id)):
        message_id = f"q-{number}"
        await bridge.take(shop, message_id, reply_to=quoted)
        await bridge.wait_for_state(shop, message_id, "delivered")
        known = await rows(sandbox, shop)
        assert known[message_id]["reply_to"]["message"]["id"] == known[quoted]["id"]


async def test_a_forwarded_message_goes_along(
    bridge: Bridge, sandbox: SandboxAmojo, shop: Shop
) -> None:
    written = {
        "message": {"type": "text", "text": "from elsewhere"},
        "sent_at": "2026-01-02T03:04:05Z",
        "sender_name": "Bob",
    }
    await bridge.take(shop, "f-1", forward=written)
    await bridge.take(shop, "f-2", forward={"id": "m-1"})
    await bridge.wait_for_state(shop, "f-2", "delivered")
    known = await rows(sandbox, shop)
    (first,) = known["f-1"]["forwards"]["messages"]
    assert (first["text"], first["sender"]["name"]) == ("from elsewhere", "Bob")
    assert [one["msgid"] for one in known["f-2"]["forwards"]["messages"]] == ["m-1"]


async def test_typing_goes_both_ways(
    bridge: Bridge, sandbox: SandboxAmojo, backend: FarSide, shop: Shop
) -> None:
    body = {"sender": {"id": "u-1"}}
    for _ in range(3):
        answer = await bridge.call("POST", "/v1/conversations/c-1/typing", body, key=shop.key)
        assert answer.status == 202

    async def told() -> Any:
        log = (await sandbox.control("GET", "/requests"))["requests"]
        return [one for one in log if one["path"].endswith(f"{shop.scope_id}/typing")]

    calls = await eventually(told, "amoCRM is told that a client types")
    assert [one["status"] for one in calls] == [204], "three in a second are told once"
    chat = (await sandbox.chats(shop.account))["c-1"]
    answer = await sandbox.control("POST", f"/chats/{chat['id']}/typing", {})
    assert answer["hook"]["status"] == 200
    (received,) = await backend.wait_for_requests(1)
    event = verified_event(received, shop)
    assert (event["type"], event["data"]["conversation_id"]) == ("typing.started", "c-1")


async def test_an_operator_writes_first_and_the_answer_binds_the_conversation(
    bridge: Bridge, sandbox: SandboxAmojo, backend: FarSide
) -> None:
    shop = await bridge.open_shop(sandbox, backend)
    begun = await sandbox.control(
        "POST",
        "/chats",
        {
            "scope_id": shop.scope_id,
            "name": "Bob",
            "phone": "+79000000009",
            "message": {"type": "text", "text": "Hello"},
        },
    )
    first, second = await backend.wait_for_requests(2)
    started, written = verified_event(first, shop), verified_event(second, shop)
    assert started["type"] == "conversation.started"
    assert started["data"]["receiver"]["phone"] == "+79000000009"
    amojo_conversation = started["data"]["amojo_conversation_id"]
    assert written["type"] == "message.created"
    assert written["data"]["amojo_conversation_id"] == amojo_conversation == begun["chat"]["id"]
    await bridge.take(shop, "b-1", "c-9", amojo_conversation_id=amojo_conversation)
    await bridge.wait_for_state(shop, "b-1", "delivered")
    await bridge.take(shop, "b-2", "c-9")
    await bridge.wait_for_state(shop, "b-2", "delivered")
    assert (await sandbox.arrived(shop.account)) == {"c-9": ["b-1", "b-2"]}
    assert (await sandbox.chats(shop.account))["c-9"]["id"] == amojo_conversation


async def test_a_messenger_may_name_a_conversation_in_its_answer(
    bridge: Bridge, sandbox: SandboxAmojo, backend: FarSide
) -> None:
    shop = await bridge.open_shop(sandbox, backend)
    backend.script.append(Answer(body=b'{"conversation_id": "c-77"}'))
    body = {
        "scope_id": shop.scope_id,
        "name": "Bob",
        "phone": "+79000000009",
        "message": {"type": "text", "text": "Hello"},
    }
    await sandbox.control("POST", "/chats", body)
    _, second = await backend.wait_for_requests(2)
    assert verified_event(second, shop)["data"]["conversation_id"] == "c-77"
    await bridge.take(shop, "b-1", "c-77")
    await bridge.wait_for_state(shop, "b-1", "delivered")
    assert list(await sandbox.chats(shop.account)) == ["c-77"]


async def test_what_an_operator_writes_in_the_messenger_is_his_at_amocrm(
    bridge: Bridge, sandbox: SandboxAmojo, shop: Shop
) -> None:
    state = await sandbox.control("GET", "/state")
    account = next(one for one in state["accounts"] if one["amojo_id"] == shop.account.account_id)
    said = {
        "from": "operator",
        "sender": {"id": "agent-7", "name": "Kate", "amojo_id": account["users"][0]["id"]},
        "receiver": {"id": "u-1", "name": "Anna"},
    }
    await bridge.take(shop, f"out-{uuid.uuid4().hex[:6]}", **said)
    await bridge.take(shop, "out-2", **said)
    await bridge.wait_for_state(shop, "out-2", "delivered")
    row = (await rows(sandbox, shop))["out-2"]
    assert (row["direction"], row["author"]["kind"]) == ("out", "user")
    said["sender"] = {"id": "agent-7", "name": "Kate"}
    refused = await bridge.send(shop, "out-3", **said)
    assert "/sender/amojo_id" in {fault["pointer"] for fault in refused.problem()["errors"]}


@pytest.mark.parametrize(
    ("capabilities", "pointer"),
    [
        ({"types": ["text", "smell"]}, "/settings/capabilities/types"),
        ({"max_bytes": 0}, "/settings/capabilities/max_bytes"),
        ({"qoutes": False}, "/settings/capabilities/qoutes"),
        ("none", "/settings/capabilities"),
    ],
)
async def test_capabilities_are_checked_when_they_are_given(
    bridge: Bridge, capabilities: Any, pointer: str
) -> None:
    settings = {"settings": {"capabilities": capabilities}}
    draft = {"name": "Shop", "kind": "backend"}
    refused = [await bridge.call("POST", "/v1/messengers", draft | settings)]
    made = await bridge.add_messenger()
    refused.append(await bridge.call("PATCH", f"/v1/messengers/{made['id']}", settings))
    for answer in refused:
        (fault,) = answer.problem()["errors"]
        assert fault["pointer"].startswith(pointer)


async def test_the_generation_of_2017_gets_messages_instead(
    bridge: Bridge, sandbox: SandboxAmojo, shop: Shop, files: FileServer
) -> None:
    path = f"/v1/channels/{shop.account.code}"
    assert (await bridge.call("PATCH", path, {"signing": "legacy"})).status == 200
    picture = {"type": "picture", "media_url": files.link("png"), "text": "mended"}
    # An edit has ids of its own: one that is called like a message is not that message.
    edit = {"id": "m-1", "message": picture}
    said = {"user": {"id": "u-1", "name": "Anna"}, "emoji": "👍", "id": "m-1"}
    for _ in range(2):
        answer = await bridge.call("PATCH", "/v1/messages/m-1", edit, key=shop.key)
        assert answer.status == 202, answer
        answer = await bridge.call("POST", "/v1/messages/m-1/reactions", said, key=shop.key)
        assert answer.status == 202, answer

    async def three() -> Any:
        found = (await sandbox.messages(shop.account))["c-1"]
        return found if len(found) >= 3 else None

    first, edited, reaction = await eventually(three, "an edit and a reaction as messages")
    assert first["client_id"] == "m-1"
    assert (edited["type"], edited["text"]) == ("picture", "✎ mended")
    assert (reaction["type"], reaction["text"]) == ("text", "👍")
