"""Operators answer: verified webhooks, callbacks of both versions, repeats, forgeries, slow and broken messengers."""

import asyncio
import json
import uuid
from datetime import datetime, timedelta

import pytest

from tests.acceptance.bridge import Bridge, Shop
from tests.acceptance.conftest import OwnBridge
from tests.acceptance.sandbox import SandboxAmojo
from tests.acceptance.webhooks import texts, verified_callback, verified_event
from tests.fakes import Answer, FarSide, Received
from tests.media import PNG, FileServer
from tests.plain_amojo import PlainAmojo, sign_body

Amojo = PlainAmojo | SandboxAmojo


async def talk(bridge: Bridge, shop: Shop, conversation: str = "c-1") -> None:
    """Let a client begin, so that amoCRM knows the conversation."""
    await bridge.take(shop, f"hello-{conversation}", conversation)
    await bridge.wait_for_state(shop, f"hello-{conversation}", "delivered")


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_replies_come_back_in_order_as_verified_webhooks(
    bridge: Bridge, amojo: Amojo, backend: FarSide, version: str
) -> None:
    shop = await bridge.open_shop(amojo, backend, version=version)
    await talk(bridge, shop)
    for number in range(5):
        status, _ = await amojo.operator_writes(shop.account, "c-1", f"ответ {number}")
        assert status == 200
    received = await backend.wait_for_requests(5)
    events = [verified_event(one, shop) for one in received]
    assert texts(received) == [f"ответ {number}" for number in range(5)]
    assert len({one.header("webhook-id") for one in received}) == 5
    for event in events:
        assert event["type"] == "message.created"
        data = event["data"]
        assert (data["conversation_id"], data["scope_id"]) == ("c-1", shop.scope_id)
        assert data["account_id"] == shop.account.account_id
        assert data["message"]["type"] == "text"
        assert data["receiver"]["id"] == "u-1"
        assert event["timestamp"].endswith("Z")


async def test_an_operators_message_carries_everything(
    bridge: Bridge, plain: PlainAmojo, backend: FarSide, files: FileServer
) -> None:
    shop = await bridge.open_shop(plain, backend)
    status, amojo_id = await plain.operator_writes(
        shop.account,
        "c-1",
        "see",
        type="picture",
        media=files.link("png", "x.png"),
        thumbnail="https://a.example/t.png",
        file_name="x.png",
        file_size=10,
        markup={"mode": "inline", "buttons": [[{"text": "Да"}]]},
        reply_to={"message": {"id": "q-1", "msgid": "m-7"}},
    )
    assert status == 200
    (received,) = await backend.wait_for_requests(1)
    data = verified_event(received, shop)["data"]
    assert data["id"] == amojo_id
    assert data["message"].pop("media_url").startswith(f"{bridge.url}/media/")
    assert data["message"] == {
        "type": "picture",
        "text": "see",
        "thumbnail_url": "https://a.example/t.png",
        "content_type": "image/png",
        "file_name": "x.png",
        "file_size": len(PNG),
    }
    assert data["reply_to"] == "m-7"
    assert data["sender"] == {"amojo_id": "o-1", "name": "Kate"}
    assert data["extras"]["markup"]["buttons"] == [[{"text": "Да"}]]
    passport = await bridge.wait_for_state(shop, amojo_id, "delivered")
    assert passport["direction"] == "to_messenger"


async def test_an_operator_may_write_first(
    bridge: Bridge, plain: PlainAmojo, backend: FarSide
) -> None:
    """amoCRM's conversation has no id of ours yet."""
    shop = await bridge.open_shop(plain, backend)
    body = plain.callback_body(shop.account, None, "hello", amojo_id=str(uuid.uuid4()))
    assert await plain.send_callback(shop.account, body) == 200
    started, received = await backend.wait_for_requests(2)
    assert verified_event(started, shop)["type"] == "conversation.started"
    data = verified_event(received, shop)["data"]
    assert "conversation_id" not in data
    assert data["amojo_conversation_id"]


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_a_repeated_callback_is_one_message(
    bridge: Bridge, plain: PlainAmojo, backend: FarSide, version: str
) -> None:
    shop = await bridge.open_shop(plain, backend, version=version)
    body = plain.callback_body(shop.account, "c-1", "once", amojo_id="a-1")
    answers = await asyncio.gather(*(plain.send_callback(shop.account, body) for _ in range(20)))
    assert set(answers) == {200}
    await plain.operator_writes(shop.account, "c-1", "last")
    assert texts(await backend.wait_for_requests(2)) == ["once", "last"]


async def test_the_sandbox_repeats_a_callback(
    bridge: Bridge, sandbox: SandboxAmojo, backend: FarSide
) -> None:
    shop = await bridge.open_shop(sandbox, backend)
    await talk(bridge, shop)
    await sandbox.operator_writes(shop.account, "c-1", "once")
    hooks = (await sandbox.control("GET", "/hooks"))["hooks"]
    mine = [hook for hook in hooks if shop.scope_id in hook["url"]]
    again = await sandbox.control("POST", f"/hooks/{mine[-1]['n']}/repeat")
    assert again["hook"]["status"] == 200
    await sandbox.operator_writes(shop.account, "c-1", "last")
    assert texts(await backend.wait_for_requests(2)) == ["once", "last"]


async def posted(
    bridge: Bridge, shop: Shop, body: bytes, *signatures: str, scope: str = ""
) -> tuple[int, str]:
    headers = [("Content-Type", "application/json"), *(("X-Signature", one) for one in signatures)]
    url = f"{bridge.url}/location/{scope or shop.scope_id}"
    async with bridge.http.post(url, data=body, headers=headers) as answer:
        return answer.status, (await answer.read()).decode()


async def test_a_forged_callback_is_refused_and_nothing_tells_why(
    bridge: Bridge, plain: PlainAmojo, backend: FarSide
) -> None:
    shop, other = await bridge.open_shop(plain, backend), await bridge.open_shop(plain)
    body = plain.callback_body(shop.account, "c-1", "forged", amojo_id="a-1")
    right = sign_body(shop.account.secret, body)
    refused = [
        await posted(bridge, shop, body),
        await posted(bridge, shop, body, ""),
        await posted(bridge, shop, body, "0" * 40),
        await posted(bridge, shop, body, right.upper()),
        await posted(bridge, shop, body, right[:39]),
        await posted(bridge, shop, body, right + "0"),
        await posted(bridge, shop, body, f"sha1={right}"),
        await posted(bridge, shop, body, right, right),
        await posted(bridge, shop, body, "0" * 40, right),
        await posted(bridge, shop, body.replace(b"forged", b"forge!"), right),
        await posted(bridge, shop, body + b" ", right),
        await posted(bridge, shop, b"", right),
        await posted(bridge, shop, body, sign_body(other.account.secret, body)),
        await posted(bridge, shop, body, sign_body(shop.messenger["amojo"]["secret"], body)),
        await posted(bridge, shop, body, right, scope=other.scope_id),
        await posted(bridge, shop, body, right, scope="unknown"),
        await posted(bridge, shop, body, sign_body("0" * 40, body), scope="unknown"),
    ]
    assert {status for status, _ in refused} == {401}
    assert len({answer for _, answer in refused}) == 1
    assert json.loads(refused[0][1])["code"] == "callback_refused"
    true = body.replace(b"forged", b"true")
    assert (await posted(bridge, shop, true, sign_body(shop.account.secret, true)))[0] == 200
    assert texts(await backend.wait_for_requests(1)) == ["true"]


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"])
async def test_the_ending_of_a_callback_may_or_may_not_be_signed(
    bridge: Bridge, plain: PlainAmojo, backend: FarSide, ending: bytes
) -> None:
    shop = await bridge.open_shop(plain, backend)
    for number, signed in enumerate((b"", ending)):
        body = plain.callback_body(shop.account, "c-1", f"t{number}", amojo_id=f"a-{number}")
        signature = sign_body(shop.account.secret, body + signed)
        assert (await posted(bridge, shop, body + ending, signature))[0] == 200
    assert texts(await backend.wait_for_requests(2)) == ["t0", "t1"]


@pytest.mark.parametrize("shape", ["amojo_v1", "amojo_v2"])
async def test_a_messenger_may_ask_for_amojos_own_shape(
    bridge: Bridge, plain: PlainAmojo, backend: FarSide, shape: str
) -> None:
    url = f"{backend.url}/amo/:scope_id/hook"
    shop = await bridge.open_shop(plain, webhook_url=url, webhook_format=shape)
    _, amojo_id = await plain.operator_writes(shop.account, "c-1", "привет")
    (received,) = await backend.wait_for_requests(1)
    payload = verified_callback(received, shop)
    identity = shop.messenger["amojo"]
    assert received.path == f"/amo/{identity['channel_id']}_{identity['account_id']}/hook"
    if shape == "amojo_v1":
        flat = payload
        assert (flat["conversation_id"], flat["receiver"]) == ("c-1", "u-1")
    else:
        outer = payload["message"]
        flat = outer["message"]
        assert payload["account_id"] == identity["account_id"]
        assert flat["id"] == amojo_id
        assert outer["conversation"]["client_id"] == "c-1"
        assert outer["receiver"]["client_id"] == "u-1"
        assert outer["sender"] == {"id": "o-1", "name": "Kate"}
        assert outer["msec_timestamp"] // 1000 == outer["timestamp"]
    assert (flat["type"], flat["text"], flat["media"], flat["file_size"]) == (
        "text",
        "привет",
        "",
        0,
    )


@pytest.mark.parametrize("failure", [Answer(status=500), Answer(cut=True), Answer(status=301)])
async def test_a_webhook_is_repeated_with_the_same_id_and_the_next_one_waits(
    bridge: Bridge, plain: PlainAmojo, backend: FarSide, failure: Answer
) -> None:
    shop = await bridge.open_shop(plain, backend)
    backend.script.append(failure)
    _, amojo_id = await plain.operator_writes(shop.account, "c-1", "first")
    await plain.operator_writes(shop.account, "c-1", "second")
    received = await backend.wait_for_requests(3)
    for one in received:
        verified_event(one, shop)
    assert texts(received) == ["first", "first", "second"]
    ids = [one.header("webhook-id") for one in received]
    assert ids[0] == ids[1] != ids[2]
    passport = await bridge.wait_for_state(shop, amojo_id, "delivered")
    steps = [line["step"] for line in passport["timeline"]]
    assert steps == ["received", "stored", "signed", "retry", "signed", "accepted", "delivered"]


async def test_a_backend_that_asks_for_time_gets_twice_the_wait_and_no_more(
    bridge: Bridge, plain: PlainAmojo, backend: FarSide
) -> None:
    """The first wait is a second, give or take a fifth. Ten minutes would leave the client without an answer."""
    shop = await bridge.open_shop(plain, backend)
    backend.script.append(Answer(status=429, headers={"Retry-After": "600"}))
    _, amojo_id = await plain.operator_writes(shop.account, "c-1", "first")
    passport = await bridge.wait_for_state(shop, amojo_id, "delivered")
    asked = next(line for line in passport["timeline"] if line["step"] == "retry")
    again = [line for line in passport["timeline"] if line["step"] == "signed"][1]
    assert asked["code"] == "throttled"
    assert moment(again["at"]) - moment(asked["at"]) >= timedelta(seconds=2 * 0.8)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_a_hanging_messenger_stops_nobody_else(
    bridge: Bridge, plain: PlainAmojo, backend: FarSide
) -> None:
    """Callbacks are answered, other conversations and other messengers flow."""
    hanging, other = await bridge.open_shop(plain, backend), None
    released = asyncio.Event()

    def answer(received: Received) -> Answer:
        conversation = json.loads(received.body)["data"]["conversation_id"]
        return Answer(after=released) if conversation == "stuck" else Answer()

    backend.otherwise = answer
    async with FarSide() as second:
        other = await bridge.open_shop(plain, second)
        for number in range(3):
            status, _ = await plain.operator_writes(hanging.account, "stuck", f"s{number}")
            assert status == 200
        await backend.wait_for_requests(1)
        for number in range(3):
            status, _ = await plain.operator_writes(hanging.account, "free", f"f{number}")
            assert status == 200
            await plain.operator_writes(other.account, "c-1", f"o{number}")
        assert texts(await second.wait_for_requests(3)) == ["o0", "o1", "o2"]
        assert texts(await backend.wait_for_requests(4)) == ["s0", "f0", "f1", "f2"]
        released.set()
        assert texts(await backend.wait_for_requests(6))[4:] == ["s1", "s2"]


async def test_a_silent_messenger_is_given_up_on_and_tried_again(
    own_bridge: OwnBridge, plain: PlainAmojo, backend: FarSide
) -> None:
    bridge = own_bridge(NETWORK__TOTAL_TIMEOUT="0.3")
    shop = await bridge.open_shop(plain, backend)
    backend.script.append(Answer(after=asyncio.Event()))
    _, amojo_id = await plain.operator_writes(shop.account, "c-1", "first")
    received = await backend.wait_for_requests(2)
    assert received[0].header("webhook-id") == received[1].header("webhook-id")
    passport = await bridge.wait_for_state(shop, amojo_id, "delivered")
    assert "outcome_unknown" in {line["code"] for line in passport["timeline"]}


async def test_events_that_are_not_relayed_are_answered_and_counted(
    bridge: Bridge, plain: PlainAmojo, backend: FarSide
) -> None:
    shop = await bridge.open_shop(plain, backend)
    for action in (
        {"typing": {"user": {"id": "o-1"}}},
        {"reaction": {"type": "react"}},
        {"new": {}},
    ):
        body = json.dumps({"account_id": shop.account.account_id, "action": action}).encode()
        assert await plain.send_callback(shop.account, body) == 200
    await plain.operator_writes(shop.account, "c-1", "after")
    assert texts(await backend.wait_for_requests(1)) == ["after"]
    metrics = (await bridge.call("GET", "/metrics", key=None)).body.decode()
    for kind in ("typing", "reaction", "unknown"):
        assert f'chatbridge_unknown_events_total{{kind="{kind}"}}' in metrics
