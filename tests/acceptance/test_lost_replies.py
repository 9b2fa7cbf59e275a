"""Replies whose callbacks were lost: found in amoCRM's history and delivered, once and in their order."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.acceptance.bridge import Bridge, Shop, eventually, faults_in, running_bridge
from tests.acceptance.sandbox import SandboxAmojo
from tests.fakes import FarSide
from tests.processes import Process


class Inbox:
    """Operators who answer in the sandbox, and what has come of it to the messenger."""

    def __init__(self, bridge: Bridge, sandbox: SandboxAmojo, shop: Shop, backend: FarSide) -> None:
        self.bridge, self.sandbox, self.shop, self.backend = bridge, sandbox, shop, backend
        self.chats: dict[str, str] = {}
        self.said: dict[str, list[str]] = {}
        self.ids: dict[str, str] = {}
        """amoCRM's id of each reply, by its text."""

    async def clients_write(self, count: int) -> None:
        """Begin so many conversations, which amoCRM knows when this returns."""
        names = [f"c-{number}" for number in range(count)]
        await asyncio.gather(*(self.bridge.take(self.shop, f"m-{name}", name) for name in names))
        for name in names:
            await self.bridge.wait_for_state(self.shop, f"m-{name}", "delivered")
        self.chats = {
            name: chat["id"] for name, chat in (await self.sandbox.chats(self.shop.account)).items()
        }

    async def answer(self, name: str, text: str) -> int | None:
        """Write a reply; return what its callback was answered with."""
        body = {"message": {"type": "text", "text": f"{name}:{text}"}}
        made = await self.sandbox.control("POST", f"/chats/{self.chats[name]}/messages", body)
        self.said.setdefault(name, []).append(f"{name}:{text}")
        self.ids[f"{name}:{text}"] = made["message"]["id"]
        status: int | None = made["hook"]["status"]
        return status

    async def answer_all(self, *texts: str) -> set[int | None]:
        """Write these replies in every conversation; return what callbacks were answered with."""

        async def talk(name: str) -> list[int | None]:
            return [await self.answer(name, text) for text in texts]

        answers = await asyncio.gather(*map(talk, self.chats))
        return {status for one in answers for status in one}

    async def stop_with(self, process: Process, *texts: str) -> None:
        """Kill the server; operators write these replies all the same."""
        process.kill()
        assert await self.answer_all(*texts) == {None}

    async def everything_arrives(self) -> None:
        """Wait for all that was said; it came once, each conversation in its order."""
        count = sum(map(len, self.said.values()))
        await self.backend.wait_for(
            lambda: len(self.backend.received) >= count, f"{count} replies arrive"
        )
        assert self.heard() == self.said
        # What is recorded is not sent again, whatever happens then.
        for message_id in self.ids.values():
            await self.bridge.wait_for_step(self.shop, message_id, "delivered")

    def heard(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for one in self.backend.received:
            data = json.loads(one.body)["data"]
            found.setdefault(data["conversation_id"], []).append(data["message"]["text"])
        return found

    async def ended(self, count: int = 1) -> list[dict[str, Any]]:
        """So many recoveries, newest first, once all have ended."""

        async def there() -> list[dict[str, Any]]:
            items = (await self.bridge.call("GET", "/v1/recoveries")).json["items"]
            done = len(items) >= count and all(item["ended_at"] for item in items)
            return items if done else []

        found: list[dict[str, Any]] = await eventually(there, f"{count} recoveries end")
        return found


on_one_database = pytest.mark.parametrize("empty_url", ["sqlite"], indirect=True)
"""For what goes wrong between servers: contract/test_recoveries has what is stored, on both."""


@pytest.fixture
def mortal(empty_url: str, tmp_path: Path) -> Iterator[Process]:
    """A server that is going to be killed, on each database in turn."""
    settings = {"RECOVERY__TOLERANCE": "0", "RECOVERY__TOLERANCE_SHARED": "0"}
    with running_bridge(tmp_path, empty_url, **settings) as process:
        yield process
        assert faults_in(process.log) == []


@pytest.fixture
async def inbox(
    mortal: Process,
    http: aiohttp.ClientSession,
    own_sandbox: SandboxAmojo,
    backend: FarSide,
) -> Inbox:
    bridge = Bridge(mortal, http)
    await own_sandbox.switch(slow_queue_s=0)
    return Inbox(bridge, own_sandbox, await bridge.open_shop(own_sandbox, backend), backend)


async def test_500_replies_of_an_outage_arrive_once_and_in_order(
    inbox: Inbox, mortal: Process
) -> None:
    await inbox.clients_write(50)
    assert await inbox.answer_all("before 1", "before 2") == {200}
    await inbox.everything_arrives()
    await inbox.stop_with(mortal, *(f"missed {number}" for number in range(10)))
    await asyncio.to_thread(mortal.start, "/readyz")
    assert await inbox.answer_all("after") == {200}
    await inbox.everything_arrives()
    (recovery,) = await inbox.ended()
    assert recovery["reason"] == "down"
    assert recovery["state"] == "done"
    # Of those written afterwards some may be found before their callbacks come.
    assert 500 <= recovery["recovered"] <= 550
    assert (recovery["conversations"], recovery["failed"]) == (50, 0)
    steps = [
        [
            line["step"]
            for line in (await inbox.bridge.passport(inbox.shop, inbox.ids[text]))["timeline"]
        ]
        for text in ("c-0:before 2", "c-0:missed 0")
    ]
    assert "recovered" not in steps[0]
    assert steps[1][:3] == ["received", "recovered", "stored"]
    metrics = (await inbox.bridge.call("GET", "/metrics", key=None)).body.decode()
    assert f"chatbridge_replies_recovered_total {recovery['recovered']}.0" in metrics


FAULTS: dict[str, dict[str, Any]] = {
    "500 for a while": {"fault": "500", "fault_requests": 5},
    "half of an answer": {"fault": "truncated", "fault_requests": 3},
    "asked to wait": {"fault": "429", "fault_requests": 2},
    "hanging up": {"fault": "lost_answer", "fault_requests": 3},
}


@on_one_database
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_history_that_fails_is_asked_again(
    inbox: Inbox, mortal: Process, fault: dict[str, Any]
) -> None:
    await inbox.clients_write(3)
    await inbox.stop_with(mortal, "missed 1", "missed 2")
    await inbox.sandbox.switch(**fault)
    await asyncio.to_thread(mortal.start, "/readyz")
    await inbox.everything_arrives()
    (recovery,) = await inbox.ended()
    assert (recovery["state"], recovery["recovered"]) == ("done", 6)


@on_one_database
async def test_a_history_that_is_refused_takes_no_other_with_it(
    inbox: Inbox, mortal: Process
) -> None:
    await inbox.clients_write(3)
    await inbox.stop_with(mortal, "missed")
    await inbox.sandbox.switch(fault="forbidden", fault_conversation="c-1")
    await asyncio.to_thread(mortal.start, "/readyz")
    (recovery,) = await inbox.ended()
    assert (recovery["state"], recovery["failed"], recovery["conversations"]) == ("partial", 1, 2)
    await inbox.sandbox.switch(fault="none", fault_conversation="")
    asked = await inbox.bridge.call("POST", "/v1/recoveries", {"scope_id": inbox.shop.scope_id})
    assert asked.status == 202, asked
    newest, _ = await inbox.ended(2)
    assert (newest["state"], newest["recovered"], newest["reason"]) == ("done", 1, "asked")
    await inbox.everything_arrives()


async def test_a_crash_in_the_middle_of_a_recovery_costs_nothing(
    inbox: Inbox, mortal: Process
) -> None:
    await inbox.clients_write(20)
    await inbox.stop_with(mortal, *(f"missed {number}" for number in range(5)))
    await asyncio.to_thread(mortal.start, "/readyz")
    await inbox.backend.wait_for_requests(20)
    mortal.kill()
    await asyncio.to_thread(mortal.start, "/readyz")
    await inbox.ended(1)
    for message_id in inbox.ids.values():
        await inbox.bridge.wait_for_step(inbox.shop, message_id, "delivered")
    # What was under way when it was killed comes twice, with the same id: nothing else does, and in order it is.
    first = {name: list(dict.fromkeys(texts)) for name, texts in inbox.heard().items()}
    assert first == inbox.said


@on_one_database
async def test_what_is_asked_for_is_looked_into(inbox: Inbox) -> None:
    await inbox.clients_write(2)
    assert await inbox.answer_all("taken") == {200}
    await inbox.everything_arrives()
    recoveries = "/v1/recoveries"
    for draft, fields in (
        ({"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, ["/from"]),
        ({"from": "yesterday"}, ["/from"]),
        ({"since": "2026-01-02T00:00:00Z"}, ["/since"]),
    ):
        refused = await inbox.bridge.call("POST", recoveries, draft)
        assert [fault["pointer"] for fault in refused.problem()["errors"]] == fields
    unknown = await inbox.bridge.call("POST", recoveries, {"scope_id": "nobody"})
    assert unknown.problem()["code"] == "not_found"
    forbidden = await inbox.bridge.call("POST", recoveries, {}, key=inbox.shop.key)
    assert forbidden.problem()["code"] == "unauthenticated"
    asked = await inbox.bridge.call("POST", recoveries, {})
    assert (asked.status, asked.json["state"], asked.json["scope_id"]) == (202, "waiting", None)
    (recovery,) = await inbox.ended()
    assert (recovery["conversations"], recovery["recovered"]) == (2, 0)
    page = (await inbox.bridge.call("GET", f"{recoveries}?limit=1")).json
    assert page["next"] == recovery["id"]
    rest = (await inbox.bridge.call("GET", f"{recoveries}?before={page['next']}")).json
    assert rest == {"items": [], "next": None}
    await inbox.everything_arrives()


async def test_a_restart_that_is_soon_over_is_not_looked_into(
    inbox: Inbox, mortal: Process
) -> None:
    await inbox.clients_write(1)
    for name in ("TOLERANCE", "TOLERANCE_SHARED"):
        mortal.settings[f"CHATBRIDGE_RECOVERY__{name}"] = "3600"
    mortal.terminate()
    await asyncio.to_thread(mortal.start, "/readyz")
    assert (await inbox.bridge.call("GET", "/v1/recoveries")).json["items"] == []
