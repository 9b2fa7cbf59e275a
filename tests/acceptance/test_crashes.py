"""Crashes, restarts and an amojo full of faults: nothing that was answered 2xx is lost, and order never changes."""

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from tests.acceptance.bridge import Bridge, Shop, bridge_process, eventually, running_bridge
from tests.acceptance.conftest import OwnBridge
from tests.acceptance.integration import Integration
from tests.acceptance.sandbox import SandboxAmojo
from tests.fakes import Answer, FarSide, Received
from tests.plain_amojo import PlainAmojo
from tests.processes import Process

AT_ONCE = 8
UNREACHED = (aiohttp.ClientError, ConnectionError)


class Load:
    """Clients who write and operators who answer, each conversation in its order, each until it is taken."""

    def __init__(self, bridge: Bridge, shop: Shop, amojo: PlainAmojo) -> None:
        self.bridge, self.shop, self.amojo = bridge, shop, amojo
        self.said: dict[str, list[str]] = {}
        self.replied: dict[str, list[str]] = {}
        self.repeats: Counter[str] = Counter()
        self.taken = 0

    async def client(self, conversation: str, count: int) -> None:
        for number in range(count):
            name = f"{conversation}-{number}"
            await eventually(partial(self._post, name, conversation), f"{name} is taken")
            self.said.setdefault(conversation, []).append(name)
            self.taken += 1

    async def operator(self, conversation: str, count: int) -> None:
        """amoCRM sends each callback once: one that is not answered 200 counts as not taken."""
        for number in range(count):
            text = f"{conversation}:{number}"
            with contextlib.suppress(*UNREACHED):
                status, _ = await self.amojo.operator_writes(self.shop.account, conversation, text)
                if status == 200:
                    self.replied.setdefault(conversation, []).append(text)
                    self.taken += 1
                    continue
            await asyncio.sleep(0.02)

    async def _post(self, name: str, conversation: str) -> bool:
        with contextlib.suppress(*UNREACHED):
            return (await self.bridge.send(self.shop, name, conversation)).status == 202
        return False

    async def everything_arrives(self, backend: FarSide) -> None:
        """Wait for all that was taken; check the order of first arrivals."""
        wanted = sum(map(len, self.said.values()))

        async def clients() -> bool:
            return sum(map(len, (await self.amojo.arrived(self.shop.account)).values())) >= wanted

        await eventually(clients, f"{wanted} messages arrive")
        assert await self.amojo.arrived(self.shop.account) == self.said

        expected = {text for texts in self.replied.values() for text in texts}
        await backend.wait_for(lambda: expected <= set(heard(backend)), "all replies arrive")
        for conversation, texts in self.replied.items():
            mine = [text for text in heard(backend) if text.startswith(f"{conversation}:")]
            # An unanswered callback may have been stored all the same, so more may arrive than was answered.
            assert [text for text in dict.fromkeys(mine) if text in expected] == texts
            assert list(dict.fromkeys(mine)) == sorted(
                set(mine), key=lambda t: int(t.rpartition(":")[2])
            )


def heard(backend: FarSide) -> list[str]:
    return [json.loads(one.body)["data"]["message"]["text"] for one in backend.received]


def repeated(load: Load, backend: FarSide) -> int:
    """How many deliveries were made more than once."""
    by_id = Counter(one.header("webhook-id") for one in backend.received)
    return sum(load.amojo.repeats.values()) + sum(count - 1 for count in by_id.values())


@pytest.fixture
def crashing(empty_url: str, tmp_path: Path) -> Iterator[Process]:
    """A server that is going to be killed, on each database in turn."""
    with running_bridge(tmp_path, empty_url, DELIVERY__AT_ONCE=str(AT_ONCE)) as process:
        yield process


async def test_kill_9_under_load_loses_nothing(
    crashing: Process, http: aiohttp.ClientSession, plain: PlainAmojo, backend: FarSide
) -> None:
    chance = random.Random(crashing.settings["CHATBRIDGE_STORE__URL"].partition(":")[0])
    bridge = Bridge(crashing, http)
    shop = await bridge.open_shop(plain, backend)
    load = Load(bridge, shop, plain)
    talks = [load.client(f"c{n}", 40) for n in range(6)] + [
        load.operator(f"o{n}", 60) for n in range(3)
    ]
    talking = asyncio.gather(*talks)
    kills = 3
    for _ in range(kills):
        before, more = load.taken, chance.randrange(5, 60)

        async def enough(goal: int = before + more) -> bool:
            return load.taken >= goal or talking.done()

        await eventually(enough, f"{more} more messages are taken")
        await asyncio.sleep(chance.random() / 50)  # any instant will do: this waits for nothing
        crashing.kill()
        await asyncio.to_thread(crashing.start, "/readyz")
    await talking
    await load.everything_arrives(backend)
    # What was under way, and what was answered and not yet recorded: a batch, about as much again.
    assert repeated(load, backend) <= 2 * AT_ONCE * kills


async def test_sigterm_under_load_loses_nothing_and_exits_with_zero(
    crashing: Process, http: aiohttp.ClientSession, plain: PlainAmojo, backend: FarSide
) -> None:
    bridge = Bridge(crashing, http)
    shop = await bridge.open_shop(plain, backend)
    load = Load(bridge, shop, plain)
    talks = [load.client(f"c{n}", 40) for n in range(6)] + [
        load.operator(f"o{n}", 60) for n in range(3)
    ]
    talking = asyncio.gather(*talks)

    async def enough() -> bool:
        return load.taken >= 40

    await eventually(enough, "40 messages are taken")
    assert await asyncio.to_thread(crashing.terminate) == 0
    await asyncio.to_thread(crashing.start, "/readyz")
    await talking
    await load.everything_arrives(backend)
    assert repeated(load, backend) == 0, "what was under way was recorded before the end"


async def test_a_backlog_is_delivered_after_a_restart_in_order(
    crashing: Process, http: aiohttp.ClientSession, plain: PlainAmojo
) -> None:
    """More than a lane keeps in memory, while amojo is away."""
    bridge = Bridge(crashing, http)
    shop = await bridge.open_shop(plain)
    plain.instead = lambda received: (
        Answer(status=503) if received.path.endswith(shop.scope_id) else None
    )
    names = {f"c-{n}": [f"c-{n}-{k}" for k in range(90)] for n in range(3)}
    for number in range(90):
        for conversation, messages in names.items():
            await bridge.take(shop, messages[number], conversation)
    crashing.kill()
    plain.instead = None
    await asyncio.to_thread(crashing.start, "/readyz")
    assert (await bridge.send(shop, "c-0-0", "c-0")).status == 202, "known from before"
    for conversation, messages in names.items():
        await bridge.take(shop, f"{conversation}-late", conversation)
        messages.append(f"{conversation}-late")
    for conversation in names:
        await bridge.wait_for_state(shop, f"{conversation}-late", "delivered")
    assert await plain.arrived(shop.account) == names


async def test_what_the_ingress_answered_is_delivered_after_kill_9(
    crashing: Process, http: aiohttp.ClientSession, plain: PlainAmojo
) -> None:
    bridge = Bridge(crashing, http)
    shop = await bridge.open_shop(plain)
    integration = Integration.of(bridge.url, http, shop)
    plain.instead = lambda received: (
        Answer(status=503) if received.path.endswith(shop.scope_id) else None
    )
    names = [f"m-{number}" for number in range(20)]
    answers = [(await integration.send(name))["msgid"] for name in names]
    crashing.kill()
    plain.instead = None
    await asyncio.to_thread(crashing.start, "/readyz")
    again = [(await integration.send(name))["msgid"] for name in reversed(names)]
    assert again == answers[::-1]
    await bridge.wait_for_state(shop, names[-1], "delivered")
    assert await plain.arrived(shop.account) == {"c-1": names}


async def test_order_holds_with_a_faulty_amojo(own_bridge: OwnBridge, plain: PlainAmojo) -> None:
    """In each conversation a few messages meet a fault: refused, cut before or after storing, half an answer."""
    chance = random.Random(5)
    faults = {
        f'"c-{n}-{chance.randrange(20)}"'.encode(): fault
        for n, fault in enumerate(["500", "502", "503", "cut", "cut after", "half"] * 2)
    }

    def meets(received: Received, *kinds: str) -> str | None:
        name = next((name for name in faults if name in received.body), None)
        return faults.pop(name) if name is not None and faults[name] in kinds else None

    def instead(received: Received) -> Answer | None:
        fault = meets(received, "500", "502", "503", "cut")
        if fault is None:
            return None
        return Answer(cut=True) if fault == "cut" else Answer(status=int(fault))

    def spoil(received: Received, answer: Answer) -> Answer:
        fault = meets(received, "cut after", "half")
        if fault is None:
            return answer
        return Answer(cut=True) if fault == "cut after" else Answer(body=answer.body[:20])

    plain.instead, plain.spoil = instead, spoil
    bridge = own_bridge()
    shop = await bridge.open_shop(plain)
    load = Load(bridge, shop, plain)
    async with FarSide() as nobody:
        await asyncio.gather(*(load.client(f"c-{n}", 20) for n in range(12)))
        await load.everything_arrives(nobody)
    assert faults == {}
    assert sum(plain.repeats.values()) == 4, "only what had been stored before its answer was lost"


SANDBOX_FAULTS = ("500", "503", "429", "lost_answer", "truncated", "forbidden", "slow")


async def test_order_holds_with_the_faults_of_the_sandbox(
    own_bridge: OwnBridge, own_sandbox: SandboxAmojo
) -> None:
    bridge = own_bridge(NETWORK__TOTAL_TIMEOUT="1")
    shop = await bridge.open_shop(own_sandbox)
    names = {
        f"c-{fault}": [f"{fault}-{k}" for k in range(20)] for fault in (*SANDBOX_FAULTS, "none")
    }
    for fault in SANDBOX_FAULTS:
        only = {"fault_requests": 1, "fault_conversation": f"c-{fault}", "fault_delay_s": 2}
        await own_sandbox.switch(fault=fault, **only)
        await bridge.take(shop, f"{fault}-0", f"c-{fault}")
        await bridge.wait_for_step(shop, f"{fault}-0", "retry")

    async def talk(conversation: str) -> None:
        for name in names[conversation]:
            await bridge.take(shop, name, conversation)

    await asyncio.gather(*map(talk, names))
    for messages in names.values():
        await bridge.wait_for_state(shop, messages[-1], "delivered")
    assert await own_sandbox.arrived(shop.account) == names


async def test_a_second_server_on_the_same_database_is_welcome_or_refused(
    crashing: Process, tmp_path: Path
) -> None:
    folder = tmp_path / "second"
    folder.mkdir()
    second = bridge_process(folder, crashing.settings["CHATBRIDGE_STORE__URL"])
    if crashing.settings["CHATBRIDGE_STORE__URL"].startswith("postgresql"):
        second.start()
        assert second.terminate() == 0
        return
    with pytest.raises(AssertionError, match="nother chatbridge process"):
        second.start()
    assert second.process is not None
    assert second.process.returncode == 2
    assert "Traceback" not in second.log
    assert crashing.running


async def test_what_was_parked_before_a_restart_is_released_after_it(
    own_bridge: OwnBridge, plain: PlainAmojo
) -> None:
    bridge = own_bridge()
    shop = await bridge.open_shop(plain)
    plain.far_side.script.append(Answer(status=422))
    await bridge.take(shop, "m-1")
    await bridge.wait_for_state(shop, "m-1", "failed")
    await asyncio.to_thread(bridge.process.terminate)
    await asyncio.to_thread(bridge.process.start, "/readyz")
    assert (await bridge.call("POST", "/v1/parked/release", {})).json["released"] == 1
    await bridge.wait_for_state(shop, "m-1", "delivered")
