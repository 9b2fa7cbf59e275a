"""Keys of a messenger are replaced while it works: the one before stays valid for a while, and not longer."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tests.acceptance.bridge import Bridge, Reply, Shop
from tests.acceptance.conftest import OwnBridge
from tests.fakes import FarSide, Received
from tests.plain_amojo import PlainAmojo


def passes(received: Received, secret: str) -> bool:
    """Whether the library's own check accepts a webhook."""
    headers = {key.decode().lower(): value.decode() for key, value in received.headers}
    try:
        Webhook(secret).verify(received.body, headers)
    except WebhookVerificationError:
        return False
    return True


async def rotate(bridge: Bridge, shop: Shop, what: str, **body: int) -> Reply:
    return await bridge.call("POST", f"/v1/messengers/{shop.messenger['id']}/{what}", body)


async def hears(plain: PlainAmojo, backend: FarSide, shop: Shop, text: str) -> Received:
    """The webhook that tells of a reply."""
    before = len(backend.received)
    await plain.operator_writes(shop.account, "c-1", text)
    return (await backend.wait_for_requests(before + 1))[-1]


async def test_webhooks_carry_both_signatures_until_the_overlap_ends(
    bridge: Bridge, plain: PlainAmojo, backend: FarSide
) -> None:
    shop = await bridge.open_shop(plain, backend)
    old = shop.messenger["webhook_secret"]
    made = (await rotate(bridge, shop, "webhook-secret", overlap_hours=2)).json
    new = made["webhook_secret"]
    until = datetime.fromisoformat(made["old_until"])
    assert timedelta(hours=1.9) < until - datetime.now(UTC) < timedelta(hours=2.1)
    received = await hears(plain, backend, shop, "during")
    assert (passes(received, old), passes(received, new), new != old) == (True, True, True)
    refused = await rotate(bridge, shop, "webhook-secret")
    assert (refused.status, refused.problem()["code"]) == (409, "rotation_under_way")
    newest = (await rotate(bridge, shop, "webhook-secret", overlap_hours=0)).json["webhook_secret"]
    received = await hears(plain, backend, shop, "after")
    assert [passes(received, one) for one in (old, new, newest)] == [False, False, True]


async def test_the_old_secret_outlives_the_server(
    own_bridge: OwnBridge, plain: PlainAmojo, backend: FarSide
) -> None:
    bridge = own_bridge()
    shop = await bridge.open_shop(plain, backend)
    made = (await rotate(bridge, shop, "webhook-secret")).json
    bridge.process.kill()
    bridge.process.start("/readyz")
    received = await hears(plain, backend, shop, "again")
    assert passes(received, shop.messenger["webhook_secret"])
    assert passes(received, made["webhook_secret"])


async def test_both_api_keys_open_until_the_overlap_ends(bridge: Bridge, plain: PlainAmojo) -> None:
    shop = await bridge.open_shop(plain)

    async def opens(key: str) -> bool:
        answer = await bridge.call("GET", "/v1/capabilities", key=key)
        assert answer.status in {200, 401}
        return answer.status == 200

    new = (await rotate(bridge, shop, "api-key")).json["api_key"]
    assert [await opens(key) for key in (shop.key, new)] == [True, True]
    await bridge.take(shop, "m-1")
    assert (await rotate(bridge, shop, "api-key")).problem()["code"] == "rotation_under_way"
    newest = (await rotate(bridge, shop, "api-key", overlap_hours=0)).json["api_key"]
    assert [await opens(key) for key in (shop.key, new, newest)] == [False, False, True]


async def test_two_who_replace_a_key_at_once_are_one(bridge: Bridge, plain: PlainAmojo) -> None:
    """The other one is refused: nobody is given a key that opens nothing."""
    shop = await bridge.open_shop(plain)
    answers = await asyncio.gather(*(rotate(bridge, shop, "api-key") for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409, 409]
    (made,) = [answer.json for answer in answers if answer.status == 201]
    assert (await bridge.call("GET", "/v1/capabilities", key=made["api_key"])).status == 200


@pytest.mark.parametrize("what", ["webhook-secret", "api-key"])
async def test_who_may_replace_keys_and_for_how_long(
    bridge: Bridge, plain: PlainAmojo, what: str
) -> None:
    shop = await bridge.open_shop(plain)
    path = f"/v1/messengers/{shop.messenger['id']}/{what}"
    assert (await bridge.call("POST", path, {}, key=shop.key)).problem()[
        "code"
    ] == "unauthenticated"
    for hours in (-1, 169, 1.5, "1"):
        refused = await bridge.call("POST", path, {"overlap_hours": hours})
        assert refused.problem()["errors"][0]["pointer"] == "/overlap_hours"
    unknown = await bridge.call("POST", f"/v1/messengers/nobody/{what}", {})
    assert unknown.problem()["code"] == "not_found"
