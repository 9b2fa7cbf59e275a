"""Secrets, texts and phone numbers reach neither the log nor the metrics, whatever happens."""

import asyncio
import json

import pytest

from tests.acceptance.bridge import ADMIN_TOKEN, SECRET_KEY, Bridge, Shop, draft, eventually
from tests.acceptance.conftest import OwnBridge
from tests.acceptance.integration import Integration, payload
from tests.acceptance.wire import exchange, head, post_message
from tests.fakes import Answer, FarSide
from tests.media import FileServer
from tests.plain_amojo import PlainAmojo

TEXT, REPLY = "Zaphod-needs-his-second-head", "Trillian-answers-quickly"
PHONE, EMAIL, NAME = "+79153334455", "arthur@dent.example", "Arthur-Dent"
SENDER = {"id": "u-1", "name": NAME, "phone": PHONE, "email": EMAIL}
SAID = {"type": "text", "text": TEXT}
CONTACT = {"type": "contact", "contact": {"name": NAME, "phone": PHONE}}


async def clients_write(bridge: Bridge, shop: Shop, link: str) -> None:
    """Good, repeated, reused, malformed, unlinked, and with a key in the wrong place. The file behind the link is gone."""
    said = {"type": "picture", "media_url": link, "text": TEXT}
    await bridge.take(shop, "m-1", sender=SENDER, message=said)
    await bridge.take(shop, "m-1", sender=SENDER, message=said)
    await bridge.wait_for_state(shop, "m-1", "delivered")
    assert (await bridge.send(shop, "m-1", sender=SENDER, message=CONTACT)).status == 409
    whole = json.dumps(draft("m-2", sender=SENDER, message=said)).encode()
    assert (await post_message(bridge, shop, whole[:-1])).status == 400
    assert (await post_message(bridge, shop, whole.replace(b"picture", b"pigeon"))).status == 422
    await exchange(bridge, f"Authorization: Bearer {shop.key}\r\n\r\n".encode(), end=True)
    await exchange(bridge, head("GET", "/v1/links", f"X {shop.key}: {TEXT}".encode()), end=True)
    await bridge.call("GET", f"/v1/messages/x?key={shop.key}&phone={PHONE}", key=shop.key)
    await bridge.call("GET", "/v1/links", key=f"{shop.key}x")


async def an_integration_writes(bridge: Bridge, shop: Shop) -> None:
    """Good, unreadable, forged, and where there is nothing."""
    integration = Integration.of(bridge.url, bridge.http, shop)
    said = {"type": "text", "text": TEXT}
    person = {"id": "u-1", "name": NAME, "profile": {"phone": PHONE, "email": EMAIL}}
    await integration.send("i-1", said, sender=person)
    for wrong in ({"type": TEXT}, {"type": "contact", "contact": {"name": NAME, "phone": []}}):
        answer = await integration.event("new_message", payload("i-2", wrong, sender=person))
        assert answer.status == 400
    forged = await integration.event("new_message", payload("i-2", said), X_Signature=TEXT)
    assert forged.status == 403
    nowhere = await integration.call("POST", f"{integration.scope_id}/{TEXT}", {"phone": PHONE})
    assert nowhere.status == 404


async def amojo_fails(bridge: Bridge, shop: Shop, plain: PlainAmojo) -> None:
    """In every way, some of them quoting what it was sent."""
    quoted = json.dumps({"error_type": "E", "error_description": f"bad {TEXT} {PHONE}"}).encode()
    answers = [
        Answer(status=400, body=quoted),
        Answer(status=500, body=quoted),
        Answer(status=403, body=quoted),
        Answer(cut=True),
        Answer(after=asyncio.Event()),
        Answer(body=TEXT.encode()),
    ]
    for number, answer in enumerate(answers):
        plain.far_side.script.append(answer)
        await bridge.take(shop, f"f-{number}", f"c-{number}", sender=SENDER, message=SAID)
        step = "parked" if answer.status == 400 else "retry"
        await bridge.wait_for_step(shop, f"f-{number}", step)


async def operators_write(shop: Shop, plain: PlainAmojo, backend: FarSide) -> None:
    """Taken, failing, forged, unreadable."""
    backend.script += [Answer(status=500, body=REPLY.encode()), Answer(status=422)]
    await plain.operator_writes(shop.account, "c-1", REPLY)
    await plain.operator_writes(shop.account, "c-2", REPLY)
    await backend.wait_for_requests(3)
    body = json.dumps({"text": REPLY, "phone": PHONE}).encode()
    assert await plain.send_callback(shop.account, body) == 200
    assert await plain.send_callback(shop.account, body[:-1]) == 400
    assert await plain.send_callback(shop.account, body, "0" * 40) == 401


@pytest.mark.parametrize("form", ["json", "console"])
async def test_nothing_private_reaches_the_log(
    own_bridge: OwnBridge, plain: PlainAmojo, backend: FarSide, files: FileServer, form: str
) -> None:
    bridge = own_bridge(LOG__FORMAT=form, NETWORK__TOTAL_TIMEOUT="0.5")
    shop = await bridge.open_shop(plain, backend)
    link = files.link("gone", "secret-picture-42.png")
    await clients_write(bridge, shop, link)
    await an_integration_writes(bridge, shop)
    await amojo_fails(bridge, shop, plain)
    await operators_write(shop, plain, backend)
    parked = (await bridge.call("GET", "/v1/parked")).json["items"]
    assert parked
    metrics = (await bridge.call("GET", "/metrics", key=None)).body.decode()
    assert bridge.process.terminate() == 0

    private = [
        TEXT,
        REPLY,
        PHONE,
        EMAIL,
        NAME,
        link,
        "secret-picture",
        ADMIN_TOKEN,
        SECRET_KEY,
        shop.key,
    ]
    private += [
        shop.account.secret,
        shop.messenger["webhook_secret"],
        shop.messenger["amojo"]["secret"],
    ]
    private += [shop.messenger["webhook_secret"].removeprefix("whsec_"), f"{backend.url}/hooks"]
    for told in (bridge.process.log, metrics):
        assert [value for value in private if value in told] == []
    assert bridge.process.log


async def test_the_log_is_events_with_fields(own_bridge: OwnBridge, plain: PlainAmojo) -> None:
    bridge = own_bridge()
    shop = await bridge.open_shop(plain)
    headers = {"X-Request-Id": "my-own.id_7"}
    reply = await bridge.call("GET", "/v1/messages/none?token=x", key=shop.key, headers=headers)
    assert reply.headers["X-Request-Id"] == "my-own.id_7"
    strange = {"X-Request-Id": "x" * 65}
    assert (await bridge.call("GET", "/healthz", headers=strange)).headers[
        "X-Request-Id"
    ] != "x" * 65

    async def logged() -> list[dict[str, object]]:
        return [one for one in bridge.process.events() if one.get("request_id") == "my-own.id_7"]

    (line,) = await eventually(logged, "the request is logged")
    assert (line["event"], line["status"], line["route"]) == (
        "request",
        404,
        "/v1/messages/{message_id}",
    )


async def test_metrics_count_what_happened(
    own_bridge: OwnBridge, plain: PlainAmojo, backend: FarSide
) -> None:
    bridge = own_bridge()
    shop = await bridge.open_shop(plain, backend)
    for _ in range(2):
        await bridge.take(shop, "m-1")
    await bridge.send(shop, "m-1", silent=True)
    await plain.operator_writes(shop.account, "c-1", "hello")
    await plain.send_callback(shop.account, b"{}", "0" * 40)
    await bridge.wait_for_state(shop, "m-1", "delivered")
    await backend.wait_for_requests(1)
    wanted = [
        'chatbridge_accepted_total{direction="to_amojo",verdict="new"} 1.0',
        'chatbridge_accepted_total{direction="to_amojo",verdict="repeated"} 1.0',
        'chatbridge_accepted_total{direction="to_amojo",verdict="reused"} 1.0',
        'chatbridge_accepted_total{direction="to_messenger",verdict="new"} 1.0',
        "chatbridge_callbacks_refused_total 1.0",
        'chatbridge_delivery_attempts_total{code="",direction="to_messenger",outcome="delivered"} 1.0',
        'chatbridge_delivery_seconds_count{direction="to_amojo"} 1.0',
        "chatbridge_pending_in_memory 0.0",
    ]

    async def counted() -> bool:
        lines = (await bridge.call("GET", "/metrics", key=None)).body.decode().splitlines()
        return all(line in lines for line in wanted)

    await eventually(counted, "all of it is counted")


async def test_labels_do_not_grow_with_what_callers_send(
    own_bridge: OwnBridge, plain: PlainAmojo
) -> None:
    bridge = own_bridge()
    await bridge.open_shop(plain)

    async def series() -> int:
        return len((await bridge.call("GET", "/metrics", key=None)).body.splitlines())

    for number in range(3):
        await bridge.call("GET", f"/v1/channels/{number}")
        await bridge.call("GET", f"/nowhere/{number}")
    await series()
    before = await series()
    for number in range(40):
        await bridge.call("GET", f"/v1/channels/x{number}")
        await bridge.call("GET", f"/nowhere/x{number}")
    assert await series() == before
