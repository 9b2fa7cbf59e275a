"""History: uploaded in any order, imported in the order of its times, whatever breaks meanwhile."""

import asyncio
import contextlib
import json
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.acceptance.bridge import Bridge, Reply, Shop, draft, eventually, running_bridge
from tests.acceptance.sandbox import SandboxAmojo
from tests.acceptance.wire import head
from tests.plain_amojo import PlainAmojo
from tests.processes import Process

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
BAD = [
    b"{",
    b"[]",
    b'"text"',
    b"{} {}",
    b'{"id": "b-1"}',
    json.dumps(draft("b-2", sent_at="yesterday")).encode(),
    json.dumps(draft("b-3")).encode(),
    json.dumps(draft("b-4", sent_at="2026-01-01T00:00:00Z", scope_id="another")).encode(),
    json.dumps(draft("b-5", sent_at="2026-01-01T00:00:00Z", mood="glad")).encode(),
    b'{"id": "\xff"}',
]
"""Lines that are no messages, each for a reason of its own."""
CODES = ["malformed_json", "invalid_fields", "invalid_fields", "malformed_json", "invalid_fields"]
CODES += ["invalid_fields", "invalid_fields", "not_linked", "invalid_fields", "malformed_json"]


def line(conversation: str, number: int, **values: Any) -> bytes:
    """One message of a conversation, the later the greater its number."""
    at = (BEGAN + timedelta(minutes=number)).isoformat()
    return json.dumps(
        draft(f"{conversation}-{number}", conversation, sent_at=at, **values)
    ).encode()


def history(conversations: int, messages: int) -> dict[str, list[str]]:
    """Ids by conversation, in the order of their times."""
    names = [f"c-{number}" for number in range(conversations)]
    return {name: [f"{name}-{number}" for number in range(messages)] for name in names}


def shuffled(talks: dict[str, list[str]]) -> list[bytes]:
    lines = [line(name, number) for name, ids in talks.items() for number in range(len(ids))]
    random.Random(7).shuffle(lines)
    return lines


async def upload(bridge: Bridge, shop: Shop, lines: Iterable[bytes], name: str = "one") -> Reply:
    headers = {"Content-Type": "application/x-ndjson"}
    body = b"\n".join(lines)
    return await bridge.call(
        "POST", f"/v1/imports?id={name}", key=shop.key, data=body, headers=headers
    )


async def shown(bridge: Bridge, shop: Shop, name: str = "one") -> dict[str, Any]:
    reply = await bridge.call("GET", f"/v1/imports/{name}", key=shop.key)
    assert reply.status == 200, reply
    found: dict[str, Any] = reply.json
    return found


async def ended(bridge: Bridge, shop: Shop, name: str = "one") -> dict[str, Any]:
    """The import, once there is nothing left to do."""

    async def over() -> dict[str, Any] | None:
        found = await shown(bridge, shop, name)
        return found if found["ended_at"] else None

    found: dict[str, Any] = await eventually(over, "the import ends")
    return found


def counts(found: dict[str, Any]) -> dict[str, int]:
    return {name: value for name, value in found.items() if isinstance(value, int) and value}


async def test_a_shuffled_history_arrives_in_order_and_only_its_newest_messages_ring(
    bridge: Bridge, sandbox: SandboxAmojo
) -> None:
    shop = await bridge.open_shop(sandbox)
    talks = history(50, 100)
    lines = shuffled(talks)
    places = [37 + 499 * number for number in range(len(BAD))]
    for place, bad in zip(places, BAD, strict=True):
        lines.insert(place, bad)
    reply = await upload(bridge, shop, lines)
    assert reply.status == 202, reply
    assert (reply.json["id"], reply.json["lines"], reply.json["bad"]) == ("one", 5010, 10)
    found = await ended(bridge, shop)
    assert found["state"] == "done"
    assert counts(found) == {"lines": 5010, "bad": 10, "imported": 5000, "delivered": 5000}
    assert [bad["number"] for bad in found["bad_lines"]] == [place + 1 for place in places]
    assert [bad["code"] for bad in found["bad_lines"]] == CODES
    assert all(bad["reason"] for bad in found["bad_lines"])
    rows = await sandbox.messages(shop.account)
    assert {name: [row["client_id"] for row in talk] for name, talk in rows.items()} == talks
    ringing = {
        name: [row["client_id"] for row in talk if not row["silent"]] for name, talk in rows.items()
    }
    assert ringing == {name: [talk[-1]] for name, talk in talks.items()}


@pytest.fixture
def crashing(empty_url: str, tmp_path: Path) -> Iterator[Process]:
    """A server that is going to be killed, on each database in turn."""
    with running_bridge(tmp_path, empty_url) as process:
        yield process


async def halves(lines: list[bytes], half_sent: asyncio.Event) -> AsyncIterator[bytes]:
    """The first half of a body, and nothing more."""
    for one in lines[: len(lines) // 2]:
        yield one + b"\n"
    half_sent.set()
    await asyncio.Event().wait()


async def test_kill_9_during_the_upload_and_during_the_import(
    crashing: Process, http: aiohttp.ClientSession, plain: PlainAmojo
) -> None:
    bridge = Bridge(crashing, http)
    shop = await bridge.open_shop(plain)
    talks = history(20, 60)
    lines = shuffled(talks)
    half_sent = asyncio.Event()
    headers = {"Content-Type": "application/x-ndjson"}
    body = halves(lines, half_sent)
    uploading = asyncio.create_task(
        bridge.call("POST", "/v1/imports?id=one", key=shop.key, data=body, headers=headers)
    )
    await half_sent.wait()

    async def kept() -> bool:
        reply = await bridge.call("GET", "/v1/imports/one", key=shop.key)
        return reply.status == 200 and reply.json["lines"] >= 400

    await eventually(kept, "400 lines are kept")
    crashing.kill()
    with contextlib.suppress(aiohttp.ClientError, ConnectionError):
        await uploading
    await asyncio.to_thread(crashing.start, "/readyz")
    assert (await shown(bridge, shop))["state"] == "receiving"
    assert (await upload(bridge, shop, lines)).json["lines"] == 1200

    for goal in (100, 600):

        async def arrived(goal: int = goal) -> bool:
            return len(plain.taken) >= goal

        await eventually(arrived, f"{goal} messages have arrived")
        crashing.kill()
        await asyncio.to_thread(crashing.start, "/readyz")
    found = await ended(bridge, shop)
    assert counts(found) == {"lines": 1200, "imported": 1200, "delivered": 1200}
    # In the order of their first arrivals; what was under way when the server was killed may have come twice.
    assert await plain.arrived(shop.account) == talks
    ringing = defaultdict(set)
    for taken in plain.taken:
        if not taken.payload.get("silent"):
            ringing[taken.payload["conversation_id"]].add(taken.payload["msgid"])
    assert ringing == {name: {talk[-1]} for name, talk in talks.items()}


async def break_off(bridge: Bridge, shop: Shop, lines: list[bytes]) -> None:
    """Begin an upload that ends in the middle of a line, when 200 lines are kept."""
    kind = ("Content-Type", "application/x-ndjson")
    key = ("Authorization", f"Bearer {shop.key}")
    _, writer = await asyncio.open_connection("127.0.0.1", bridge.process.port)
    writer.write(head("POST", "/v1/imports?id=one", key, kind, length=10**9))
    writer.write(b"\n".join(lines) + b'\n{"id"')
    await writer.drain()

    async def kept() -> bool:
        reply = await bridge.call("GET", "/v1/imports/one", key=shop.key)
        return reply.status == 200 and reply.json["lines"] >= 200

    await eventually(kept, "200 lines are kept")
    writer.close()


async def test_an_upload_that_broke_off_goes_on_with_the_rest(
    bridge: Bridge, plain: PlainAmojo
) -> None:
    shop = await bridge.open_shop(plain)
    lines = [line("c-1", number) for number in range(400)]
    await break_off(bridge, shop, lines[:300])
    found = await shown(bridge, shop)
    assert (found["state"], found["uploaded_at"], found["bad"]) == ("receiving", None, 0)
    assert (await upload(bridge, shop, lines[200:])).json["lines"] == 400
    await ended(bridge, shop)
    assert await plain.arrived(shop.account) == {"c-1": [f"c-1-{number}" for number in range(400)]}
    reply = await upload(bridge, shop, lines)
    assert (reply.status, reply.problem()["code"]) == (409, "import_closed")


async def test_what_was_sent_before_is_repeated_and_what_is_left_out_can_be_imported(
    bridge: Bridge, plain: PlainAmojo
) -> None:
    shop = await bridge.open_shop(plain)
    said = json.loads(line("c-1", 1))
    assert (await bridge.call("POST", "/v1/messages", said, key=shop.key)).status == 202
    reused = line("c-1", 1, silent=True)
    lines = [line("c-1", 0), line("c-1", 1), line("c-1", 2), line("c-1", 2), b"", b"  "]
    assert (await upload(bridge, shop, [*lines, line("c-1", 2, silent=True)])).status == 202
    found = await ended(bridge, shop)
    assert counts(found) == {"lines": 4, "bad": 1, "repeated": 1, "imported": 2, "delivered": 2}
    assert [(bad["number"], bad["code"]) for bad in found["bad_lines"]] == [(7, "id_reused")]
    assert (await upload(bridge, shop, [reused], "two")).status == 202
    found = await ended(bridge, shop, "two")
    assert counts(found) == {"lines": 1, "bad": 1}
    assert found["bad_lines"][0]["code"] == "id_reused"


async def test_what_an_operator_wrote_is_imported_too(bridge: Bridge, plain: PlainAmojo) -> None:
    shop = await bridge.open_shop(plain)
    operator = {"from": "operator", "receiver": {"id": "u-1"}, "sender": {"id": "o-1"}}
    known = operator | {"sender": {"id": "o-1", "amojo_id": "user-1"}}
    lines = [line("c-1", 0), line("c-1", 1, **operator), line("c-1", 2, **known)]
    assert (await upload(bridge, shop, lines)).status == 202
    found = await ended(bridge, shop)
    assert counts(found) == {"lines": 3, "bad": 1, "imported": 2, "delivered": 2}
    (bad,) = found["bad_lines"]
    assert (bad["number"], bad["code"]) == (2, "invalid_fields")
    assert bad["reason"].startswith("/sender/amojo_id: needed")
    assert [taken.payload["sender"].get("ref_id") for taken in plain.taken] == [None, "user-1"]


async def test_messengers_see_their_own_imports_only(bridge: Bridge, plain: PlainAmojo) -> None:
    first, second = await bridge.open_shop(plain), await bridge.open_shop(plain)
    assert (await upload(bridge, first, [line("c-1", 0)])).status == 202
    for method in ("GET", "DELETE"):
        reply = await bridge.call(method, "/v1/imports/one", key=second.key)
        assert reply.problem()["code"] == "not_found"
    assert (await bridge.call("GET", "/v1/imports", key=second.key)).json["items"] == []
    reply = await upload(bridge, second, [line("c-1", 0), line("c-1", 1)])
    assert reply.json["lines"] == 2, "the same id is another import"
    assert counts(await ended(bridge, first))["lines"] == 1
    assert counts(await ended(bridge, second))["lines"] == 2
    reply = await bridge.call(
        "POST",
        f"/v1/imports?scope_id={first.scope_id}",
        key=second.key,
        headers={"Content-Type": "application/x-ndjson"},
    )
    assert reply.problem()["code"] == "not_linked"


async def test_a_list_of_imports_has_pages(bridge: Bridge, plain: PlainAmojo) -> None:
    shop = await bridge.open_shop(plain)
    names = [f"import-{number}" for number in range(5)]
    for name in names:
        assert (await upload(bridge, shop, [line(name, 0)], name)).status == 202
    seen, after = [], ""
    while after is not None:
        path = f"/v1/imports?limit=2{after and f'&after={after}'}"
        page = (await bridge.call("GET", path, key=shop.key)).json
        seen += [one["id"] for one in page["items"]]
        after = page["next"]
    assert seen == names
    reply = await bridge.call("GET", "/v1/imports?after=nothing", key=shop.key)
    assert reply.problem()["code"] == "invalid_fields"


async def test_an_import_without_a_name_gets_one(bridge: Bridge, plain: PlainAmojo) -> None:
    shop = await bridge.open_shop(plain)
    headers = {"Content-Type": "application/jsonl; charset=utf-8"}
    reply = await bridge.call(
        "POST", "/v1/imports", key=shop.key, data=line("c-1", 0) + b"\r\n", headers=headers
    )
    assert reply.status == 202
    assert counts(await ended(bridge, shop, reply.json["id"])) == {
        "lines": 1,
        "imported": 1,
        "delivered": 1,
    }


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/json"},
        {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"},
    ],
    ids=["json", "gzip"],
)
async def test_other_bodies_are_refused(
    bridge: Bridge, plain: PlainAmojo, headers: dict[str, str]
) -> None:
    shop = await bridge.open_shop(plain)
    reply = await bridge.call("POST", "/v1/imports", key=shop.key, data=b"{}", headers=headers)
    assert (reply.status, reply.problem()["code"]) == (415, "unsupported_media_type")


async def test_a_cancelled_import_drops_what_is_not_in_the_journal(
    bridge: Bridge, plain: PlainAmojo
) -> None:
    shop = await bridge.open_shop(plain)
    await break_off(bridge, shop, [line("c-1", number) for number in range(200)])
    assert (await bridge.call("DELETE", "/v1/imports/one", key=shop.key)).status == 204
    found = await ended(bridge, shop)
    assert (found["state"], counts(found)) == ("cancelled", {"lines": 200, "cancelled": 200})
    assert (await bridge.call("DELETE", "/v1/imports/one", key=shop.key)).status == 204
    reply = await upload(bridge, shop, [line("c-1", 0)])
    assert reply.problem()["code"] == "import_closed"
    await bridge.take(shop, "live")
    await bridge.wait_for_state(shop, "live", "delivered")
    assert await plain.arrived(shop.account) == {"c-1": ["live"]}
