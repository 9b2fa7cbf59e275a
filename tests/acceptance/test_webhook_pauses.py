"""A webhook that fails for long is paused, and what was given up is delivered when it is back. Real processes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.acceptance.bridge import Bridge, Shop, eventually
from tests.acceptance.conftest import OwnBridge
from tests.acceptance.sandbox import SandboxAmojo
from tests.acceptance.webhooks import texts
from tests.fakes import Answer, FarSide
from tests.plain_amojo import PlainAmojo

SECONDS = {"DELIVERY__PAUSE_AFTER_HOURS": str(1 / 3600)}
"""A webhook is paused after a second."""
LONG_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture(params=["sqlite", "postgresql"])
async def hasty(request: pytest.FixtureRequest, own_bridge: OwnBridge) -> AsyncIterator[Bridge]:
    """A server that pauses soon, on each database in turn."""
    if request.param == "sqlite":
        yield own_bridge(**SECONDS)
        return
    with request.getfixturevalue("postgres").database() as url:
        bridge = own_bridge(url, **SECONDS)
        yield bridge
        bridge.process.terminate()


async def webhook_of(bridge: Bridge, shop: Shop) -> dict[str, Any]:
    answer = await bridge.call("GET", f"/v1/messengers/{shop.messenger['id']}")
    found: dict[str, Any] = answer.json["webhook"]
    return found


async def until(bridge: Bridge, shop: Shop, state: str) -> dict[str, Any]:
    async def there() -> dict[str, Any] | None:
        webhook = await webhook_of(bridge, shop)
        return webhook if webhook["state"] == state else None

    found: dict[str, Any] = await eventually(there, f"the webhook is {state}")
    return found


async def mark_at_amojo(sandbox: SandboxAmojo, shop: Shop, amojo_id: str, code: int) -> None:
    chat = (await sandbox.chats(shop.account))["c-1"]

    async def shown() -> bool:
        rows = (await sandbox.control("GET", f"/chats/{chat['id']}/messages"))["messages"]
        return any(row["id"] == amojo_id and row["status"]["code"] == code for row in rows)

    await eventually(shown, f"{amojo_id} has the mark {code}")


async def paused(
    bridge: Bridge, sandbox: SandboxAmojo, backend: FarSide, **messenger: Any
) -> tuple[Shop, str]:
    """A shop whose webhook was paused, and the reply that found it dead."""
    shop = await bridge.open_shop(sandbox, backend, **messenger)
    await bridge.take(shop, "m-1")
    await bridge.wait_for_state(shop, "m-1", "delivered")
    assert await webhook_of(bridge, shop) == {
        "state": "ok",
        "failing_since": None,
        "last_error_code": None,
    }
    backend.otherwise = Answer(status=500)
    _, first = await sandbox.operator_writes(shop.account, "c-1", "r-0")
    failing = await until(bridge, shop, "failing")
    assert failing["last_error_code"] == "far_side_down"
    dead = await until(bridge, shop, "paused")
    assert dead["failing_since"] == failing["failing_since"]
    return shop, first


async def test_what_fails_for_long_is_paused_and_recovered_in_order(
    hasty: Bridge, sandbox: SandboxAmojo, backend: FarSide
) -> None:
    bridge = hasty
    shop, first = await paused(
        bridge, sandbox, backend, settings={"capabilities": {"reports": True}}
    )
    ids = [first]
    for number in range(1, 4):
        _, amojo_id = await sandbox.operator_writes(shop.account, "c-1", f"r-{number}")
        ids.append(amojo_id)
    for amojo_id in ids:
        passport = await bridge.wait_for_state(shop, amojo_id, "failed")
        assert passport["timeline"][-1]["step"] in {"parked", "marked_failed"}
        assert "endpoint_paused" in {line["code"] for line in passport["timeline"]}
        await mark_at_amojo(sandbox, shop, amojo_id, -1)
    assert any(line.get("event") == "webhook_paused" for line in bridge.process.events())
    metrics = (await bridge.call("GET", "/metrics", key=None)).body.decode()
    assert "chatbridge_webhooks_paused_total 1.0" in metrics

    backend.otherwise = Answer()
    before = len(backend.received)
    other = await bridge.add_messenger()
    assert (await recover(bridge, other["api_key"])).json == {"released": 0}
    assert (await recover(bridge, shop.key)).json == {"released": 4}
    received = await backend.wait_for_requests(before + 4)
    assert texts(received[before:]) == ["r-0", "r-1", "r-2", "r-3"]
    assert received[0].header("webhook-id") == received[before].header("webhook-id")
    for amojo_id in ids:
        await mark_at_amojo(sandbox, shop, amojo_id, 1)
    assert (await webhook_of(bridge, shop))["state"] == "ok"


async def recover(bridge: Bridge, key: str, **body: str) -> Any:
    body = {"since": LONG_AGO} | body
    return await bridge.call("POST", "/v1/webhook/recover", body, key=key)


async def test_a_pause_outlives_the_server(
    own_bridge: OwnBridge, sandbox: SandboxAmojo, backend: FarSide
) -> None:
    bridge = own_bridge(**SECONDS)
    shop, _ = await paused(bridge, sandbox, backend)
    bridge.process.kill()
    bridge.process.start("/readyz")
    assert (await webhook_of(bridge, shop))["state"] == "paused"
    backend.otherwise = Answer()
    before = len(backend.received)
    _, amojo_id = await sandbox.operator_writes(shop.account, "c-1", "late")
    await bridge.wait_for_state(shop, amojo_id, "failed")
    assert len(backend.received) == before


@pytest.mark.parametrize("way", ["resume", "address", "test", "recover"])
async def test_ways_to_end_a_pause(
    own_bridge: OwnBridge, sandbox: SandboxAmojo, backend: FarSide, way: str
) -> None:
    bridge = own_bridge(**SECONDS)
    shop, _ = await paused(bridge, sandbox, backend)
    path = f"/v1/messengers/{shop.messenger['id']}"
    if way == "test":
        assert not (await bridge.call("POST", f"{path}/test")).json["ok"]
        assert (await webhook_of(bridge, shop))["state"] == "paused"
    backend.otherwise = Answer()
    if way == "resume":
        assert (await bridge.call("POST", f"{path}/webhook/resume")).status == 204
    elif way == "address":
        await bridge.call("PATCH", path, {"name": "Still paused"})
        assert (await webhook_of(bridge, shop))["state"] == "paused"
        await bridge.call("PATCH", path, {"webhook_url": f"{backend.url}/new"})
    elif way == "test":
        assert (await bridge.call("POST", f"{path}/test")).json["ok"]
    else:
        released = await bridge.call("POST", f"{path}/recover", {"since": LONG_AGO})
        assert released.status == 200
    assert (await webhook_of(bridge, shop))["state"] == "ok"
    _, amojo_id = await sandbox.operator_writes(shop.account, "c-1", "again")
    await bridge.wait_for_state(shop, amojo_id, "delivered")


async def test_410_pauses_at_once_unless_it_speaks_of_the_message(
    bridge: Bridge, plain: PlainAmojo, backend: FarSide
) -> None:
    shop = await bridge.open_shop(plain, backend)
    backend.script.append(Answer(status=410, body=b'{"reason": "conversation_removed"}'))
    _, amojo_id = await plain.operator_writes(shop.account, "c-1", "for nobody")
    passport = await bridge.wait_for_state(shop, amojo_id, "failed")
    assert "rejected" in {line["code"] for line in passport["timeline"]}
    backend.script.append(Answer(status=410))
    await plain.operator_writes(shop.account, "c-1", "for the last time")
    assert (await until(bridge, shop, "paused"))["last_error_code"] == "endpoint_paused"


async def test_recovering_twice_at_once_delivers_once(
    hasty: Bridge, sandbox: SandboxAmojo, backend: FarSide
) -> None:
    shop, first = await paused(hasty, sandbox, backend)
    await hasty.wait_for_state(shop, first, "failed")
    backend.otherwise = Answer()
    before = len(backend.received)
    answers = await asyncio.gather(*(recover(hasty, shop.key) for _ in range(10)))
    assert sum(answer.json["released"] for answer in answers) == 1
    await hasty.wait_for_state(shop, first, "delivered")
    await sandbox.operator_writes(shop.account, "c-1", "last")
    received = await backend.wait_for_requests(before + 2)
    assert texts(received[before:]) == ["r-0", "last"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"since": "2999-01-01T00:00:00Z"}, "/since"),
        ({"until": "2019-01-01T00:00:00Z"}, "/since"),
        ({"since": "yesterday"}, "/since"),
        ({"since": "2026-01-01T00:00:00"}, "/since"),
        ({"til": LONG_AGO}, "/til"),
    ],
)
async def test_a_stretch_that_is_none_is_refused(
    bridge: Bridge, body: dict[str, str], pointer: str
) -> None:
    messenger = await bridge.add_messenger()
    refused = await recover(bridge, messenger["api_key"], **body)
    assert [fault["pointer"] for fault in refused.problem()["errors"]] == [pointer]


@pytest.mark.parametrize("call", ["webhook/resume", "recover", "test"])
async def test_nobody_does_it_for_another(bridge: Bridge, call: str) -> None:
    mine, other = await bridge.add_messenger(), await bridge.add_messenger()
    path = f"/v1/messengers/{other['id']}/{call}"
    refused = await bridge.call("POST", path, {"since": LONG_AGO}, key=mine["api_key"])
    assert refused.problem()["code"] == "unauthenticated"
    unknown = await bridge.call("POST", f"/v1/messengers/nobody/{call}", {"since": LONG_AGO})
    assert unknown.problem()["code"] == "not_found"
