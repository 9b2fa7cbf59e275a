"""History: uploaded in any order, imported in the order of its times, whatever breaks meanwhile."""

import json
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.acceptance.bridge import Bridge, Reply, Shop, draft, eventually
from tests.acceptance.sandbox import SandboxAmojo

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
