"""What an integration is refused, in amojo's own form, and that nothing of it is kept."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import asyncpg
import pytest
from sqlalchemy import make_url

from tests.acceptance.bridge import Bridge, Shop
from tests.acceptance.conftest import OwnBridge
from tests.acceptance.integration import Integration, amojo_error, payload, spelled
from tests.fakes import Answer
from tests.plain_amojo import PlainAmojo
from tests.postgres import PostgresServer

FORBIDDEN = (403, "ORIGIN_INVALID_SIGNATURE", "invalid signature")
BAD = "ORIGIN_BAD_REQUEST"
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
async def shop(bridge: Bridge, plain: PlainAmojo) -> Shop:
    return await bridge.open_shop(plain)


@pytest.fixture
def integration(bridge: Bridge, http: aiohttp.ClientSession, shop: Shop) -> Integration:
    return Integration.of(bridge.url, http, shop)


async def is_kept(bridge: Bridge, shop: Shop, message_id: str) -> bool:
    return (await bridge.call("GET", f"/v1/messages/{message_id}", key=shop.key)).status == 200


# --- signatures ---------------------------------------------------------------------------------


FORGERIES: dict[str, dict[str, Any]] = {
    "no signature": {"X_Signature": ""},
    "a made-up one": {"X_Signature": "a" * 40},
    "another body": {"Content_MD5": "d41d8cd98f00b204e9800998ecf8427e"},
    "another type": {"Content_Type": "application/json; charset=utf-8"},
    "no date": {"Date": ""},
    "an ISO date": {"Date": "2026-11-20T12:00:00Z"},
}


@pytest.mark.parametrize("how", FORGERIES.values(), ids=FORGERIES)
async def test_a_forged_or_stale_signature_is_refused_and_nothing_is_kept(
    bridge: Bridge, shop: Shop, integration: Integration, how: dict[str, Any]
) -> None:
    answer = await integration.event("new_message", payload("m-1"), **how)
    assert amojo_error(answer) == FORBIDDEN
    assert not await is_kept(bridge, shop, "m-1")


async def test_a_foreign_secret_and_an_unknown_name_are_refused_alike(
    bridge: Bridge, plain: PlainAmojo, http: aiohttp.ClientSession, shop: Shop
) -> None:
    own = shop.messenger["amojo"]
    other = (await bridge.open_shop(plain)).messenger["amojo"]
    crossed = [
        own | {"secret": other["secret"]},
        own | {"channel_id": NOBODY},
        own | {"account_id": other["account_id"]},
        own | {"secret": shop.account.secret},
        {"channel_id": shop.account.channel_id, "account_id": shop.account.account_id}
        | {"secret": shop.account.secret},
    ]
    for identity in crossed:
        stranger = Integration(url=bridge.url, http=http, **identity)
        answer = await stranger.event("new_message", payload("m-1"))
        assert amojo_error(answer) == FORBIDDEN
    for secret in (other["secret"], "0" * 40):
        stranger = Integration(url=bridge.url, http=http, **own | {"secret": secret})
        assert amojo_error(await stranger.connect()) == FORBIDDEN
    assert not await is_kept(bridge, shop, "m-1")


async def test_a_channel_is_no_scope_and_a_scope_no_channel(integration: Integration) -> None:
    body = {"event_type": "new_message", "payload": payload("m-1")}
    assert amojo_error(await integration.call("POST", integration.channel_id, body)) == FORBIDDEN
    account = {"account_id": integration.account_id}
    answer = await integration.call("POST", f"{integration.scope_id}/connect", account)
    assert amojo_error(answer) == FORBIDDEN


@pytest.mark.parametrize("minutes", [-16, 16])
async def test_a_signature_of_another_quarter_of_an_hour_is_refused(
    bridge: Bridge, shop: Shop, integration: Integration, minutes: int
) -> None:
    """With the right secret, over the right bytes."""
    date = spelled(datetime.now(UTC) + timedelta(minutes=minutes))
    answer = await integration.event("new_message", payload("m-1"), date=date)
    assert amojo_error(answer) == FORBIDDEN
    assert not await is_kept(bridge, shop, "m-1")


@pytest.mark.parametrize("zone", ["+0000", "GMT", "+0300", "-0500"])
async def test_a_date_may_be_spelled_otherwise_but_it_is_signed_as_it_is_sent(
    bridge: Bridge, shop: Shop, integration: Integration, zone: str
) -> None:
    now = datetime.now(UTC)
    message = payload("m-1")
    other = spelled(now, "+0100")
    forged = await integration.event("new_message", message, date=spelled(now, zone), Date=other)
    assert amojo_error(forged) == FORBIDDEN
    assert not await is_kept(bridge, shop, "m-1")
    taken = await integration.event("new_message", message, date=spelled(now, zone))
    assert taken.status == 200


# --- bodies -------------------------------------------------------------------------------------


async def test_bad_fields_are_named(integration: Integration) -> None:
    scope, channel = integration.scope_id, integration.channel_id
    picture = {"type": "picture", "file_name": "p.jpg"}
    asked = {
        "account_id: required": (f"{channel}/connect", {}),
        "account_id: must be the one": (f"{channel}/connect", {"account_id": NOBODY}),
        "hook_api_version: Invalid": (
            f"{channel}/connect",
            {"account_id": integration.account_id, "hook_api_version": "v3"},
        ),
        "event_type: required": (scope, {}),
        "event_type: must be": (scope, {"event_type": "delete_message", "payload": {}}),
        "payload.msgid: required": (scope, {"event_type": "new_message", "payload": {}}),
        "payload.msgid: Expected `str`": (scope, sent(msgid=5)),
        "payload.message.media: required": (scope, sent(message=picture)),
        "payload.sender.id: required": (scope, sent(sender={"name": "Anna"})),
        "payload.source.external_id": (scope, sent(source={"external_id": "x" * 41})),
        "status_code: required": (f"{scope}/x/delivery_status", {}),
        "msgid: must be the id": (
            f"{scope}/x/delivery_status",
            {"msgid": "y", "delivery_status": 1},
        ),
        "error_code: must be": (
            f"{scope}/x/delivery_status",
            {"status_code": -1, "error_code": 900},
        ),
        "sender: required": (f"{scope}/typing", {"conversation_id": "c-1"}),
        "user.id: required": (
            f"{scope}/react",
            {"conversation_id": "c-1", "msgid": "m-1", "user": {}, "type": "react"},
        ),
        "conversation_id: required": (f"{scope}/chats", {"user": {"id": "u-1"}}),
    }
    for words, (path, body) in asked.items():
        status, kind, told = amojo_error(await integration.call("POST", path, body))
        assert (status, kind) == (400, BAD), words
        assert told.startswith(words)
    for query in ("?limit=51", "?limit=all", "?offset=-1"):
        status, kind, told = amojo_error(await integration.history(NOBODY, query))
        assert (status, kind, told.partition(":")[0]) == (400, BAD, query[1:].partition("=")[0])


def sent(**changes: Any) -> dict[str, Any]:
    return {"event_type": "new_message", "payload": payload("m-1") | changes}


async def test_a_wrong_address_is_answered_with_an_empty_404(integration: Integration) -> None:
    scope = integration.scope_id
    for method, path in (
        ("GET", scope),
        ("PUT", scope),
        ("POST", f"{scope}/delete"),
        ("POST", f"{scope}/chats/{NOBODY}/history"),
        ("GET", ""),
    ):
        answer = await integration.call(method, path)
        assert (answer.status, answer.body) == (404, b""), path


async def test_a_body_that_is_too_large_is_refused_in_amojos_form(
    integration: Integration,
) -> None:
    large = payload("m-1", {"type": "text", "text": "x" * 2_000_000})
    status, kind, _ = amojo_error(await integration.event("new_message", large))
    assert (status, kind) == (413, BAD)


# --- links --------------------------------------------------------------------------------------


async def test_a_messenger_without_a_link_is_told_what_to_do(
    bridge: Bridge, http: aiohttp.ClientSession
) -> None:
    made = await bridge.add_messenger()
    integration = Integration(url=bridge.url, http=http, **made["amojo"])
    assert (await integration.connect()).status == 200, "that needs no account yet"
    typing = {"conversation_id": "c-1", "sender": {"id": "u-1"}}
    chat = {"conversation_id": "c-1", "user": {"id": "u-1", "name": "Anna"}}
    for answer in (
        await integration.event("new_message", payload("m-1")),
        await integration.below("typing", typing),
        await integration.below("chats", chat),
        await integration.history(NOBODY),
    ):
        status, kind, words = amojo_error(answer)
        assert (status, kind) == (404, "ORIGIN_NOT_REGISTERED")
        assert "POST /v1/links" in words


async def test_a_messenger_with_several_links_is_told_what_to_do(
    bridge: Bridge, plain: PlainAmojo, shop: Shop, integration: Integration
) -> None:
    account = await plain.open_account(bridge.hook_url)
    await bridge.add_channel(account, plain.url)
    link = {"channel": account.code, "account_id": account.account_id}
    await bridge.made("/v1/links", link | {"messenger": shop.messenger["id"]})
    status, kind, words = amojo_error(await integration.event("new_message", payload("m-1")))
    assert (status, kind) == (400, BAD)
    assert "its own messenger" in words
    assert not await is_kept(bridge, shop, "m-1")


# --- amoCRM, where it is asked at once ----------------------------------------------------------


WORDS = {"status": 0, "error_code": 400, "error_type": "X", "error_description": "user.name: long"}
FAILURES = {
    "no": (Answer(status=400, body=json.dumps(WORDS).encode()), 400, BAD, "user.name: long"),
    "our secret": (Answer(status=403), 502, "ORIGIN_UNAVAILABLE", "secret"),
    "busy": (Answer(status=429, headers={"Retry-After": "7"}), 429, "ORIGIN_THROTTLED", "429"),
    "broken": (Answer(status=500), 502, "ORIGIN_UNAVAILABLE", "500"),
    "redirect": (
        Answer(status=302, headers={"Location": "http://127.0.0.1/"}),
        502,
        "ORIGIN_UNAVAILABLE",
        "302",
    ),
    "cut": (Answer(cut=True), 502, "ORIGIN_UNAVAILABLE", ""),
    "half": (Answer(body=b'{"messages": ['), 502, "ORIGIN_UNAVAILABLE", "not JSON"),
    "endless": (
        Answer(body=json.dumps({"messages": "x" * 200_000}).encode()),
        502,
        "ORIGIN_UNAVAILABLE",
        "longer than this server reads",
    ),
}


@pytest.mark.parametrize(("answer", "status", "kind", "words"), FAILURES.values(), ids=FAILURES)
async def test_what_amocrm_refuses_is_passed_on_in_its_own_form(
    plain: PlainAmojo,
    integration: Integration,
    *,
    answer: Answer,
    status: int,
    kind: str,
    words: str,
) -> None:
    plain.instead = lambda _: answer
    chat = {"conversation_id": "c-1", "user": {"id": "u-1", "name": "Anna"}}
    for reply in (await integration.below("chats", chat), await integration.history(NOBODY)):
        assert amojo_error(reply)[:2] == (status, kind)
        assert words in amojo_error(reply)[2]
        assert reply.headers.get("Retry-After") == ("7" if status == 429 else None)


async def test_what_amocrm_answers_is_passed_on_as_it_is(
    plain: PlainAmojo, shop: Shop, integration: Integration
) -> None:
    body = b'{"id": "dddddddd-0000-4111-8222-eeeeeeeeeeee",  "user": {"id": "f0"}, "new": 1.0}'
    plain.instead = lambda _: Answer(body=body)
    chat = {"conversation_id": "c-1", "user": {"id": "u-1", "name": "Anna", "mood": "good"}}
    made = await integration.below("chats", chat)
    assert (made.status, made.body) == (200, body)
    asked = plain.far_side.received[-1]
    assert asked.path == f"/v2/origin/custom/{shop.scope_id}/chats"
    assert json.loads(asked.body) == chat
    found = await integration.history("dddddddd-0000-4111-8222-eeeeeeeeeeee", "?limit=2")
    assert (found.status, found.body) == (200, body)
    assert plain.far_side.received[-1].path.endswith("/history?offset=0&limit=2")
    plain.instead = lambda _: Answer(status=204)
    assert (await integration.history(NOBODY)).status == 204


# --- the database -------------------------------------------------------------------------------


@asynccontextmanager
async def closed(postgres: PostgresServer, url: str) -> AsyncIterator[None]:
    """Nobody gets into the database, and whoever is in has to leave."""
    name = make_url(url).database
    connection = await asyncpg.connect(postgres.url)
    try:
        await connection.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
        )
        yield
    finally:
        await connection.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')
        await connection.close()


async def test_without_the_database_nothing_is_taken_and_it_may_be_sent_again(
    own_bridge: OwnBridge, postgres: PostgresServer, plain: PlainAmojo
) -> None:
    with postgres.database() as url:
        bridge = own_bridge(url)
        shop = await bridge.open_shop(plain)
        integration = Integration.of(bridge.url, bridge.http, shop)
        async with closed(postgres, url):
            answer = await integration.event("new_message", payload("m-1"))
            assert amojo_error(answer)[:2] == (503, "ORIGIN_UNAVAILABLE")
            assert int(answer.headers["Retry-After"]) > 0
        await integration.send("m-1")
        await bridge.wait_for_state(shop, "m-1", "delivered")
