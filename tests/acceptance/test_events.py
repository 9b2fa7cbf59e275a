"""The stream of a messenger's events: live, resumed by cursor after anything, and its own only. Real processes."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.acceptance.bridge import ADMIN_TOKEN, Bridge, Shop, eventually, faults_in
from tests.acceptance.conftest import OwnBridge
from tests.acceptance.event_stream import Stream, Told, reading
from tests.acceptance.sandbox import SandboxAmojo
from tests.acceptance.test_workers import begin, crew_process
from tests.callers import Caller
from tests.fakes import SECONDS
from tests.plain_amojo import PlainAmojo
from tests.postgres import PostgresServer
from tests.processes import ROOT, stopped_afterwards


async def say(plain: PlainAmojo, shop: Shop, *texts: str) -> list[str]:
    """What an operator says in one conversation, one after another; the ids."""
    ids = []
    for text in texts:
        status, amojo_id = await plain.operator_writes(shop.account, "c-1", text)
        assert status == 200
        ids.append(amojo_id)
    return ids


async def test_replies_wait_and_come_live(bridge: Bridge, plain: PlainAmojo) -> None:
    shop = await bridge.open_shop(plain)
    (first,) = await say(plain, shop, "one")
    passport = await bridge.wait_for_step(shop, first, "delivered")
    details = [line.get("detail") for line in passport["timeline"]]
    assert "waits in the messenger's event stream" in details
    assert passport["state"] == "queued"
    async with reading(bridge, shop.key) as stream:
        told = await stream.next()
        assert (told.id, told.type, told.text) == ("1", "message.created", "one")
        assert told.data["type"] == "message.created"
        assert told.data["data"]["id"] == first
        assert told.data["data"]["scope_id"] == shop.scope_id
        await say(plain, shop, "two", "three")
        assert [one.text for one in await stream.take(2)] == ["two", "three"]
        assert stream.last_id == "3"
    await bridge.wait_for_state(shop, first, "delivered")


async def test_a_stream_begins_where_its_reader_is(bridge: Bridge, plain: PlainAmojo) -> None:
    shop = await bridge.open_shop(plain)
    ids = await say(plain, shop, "one", "two", "three")
    for amojo_id in ids:
        await bridge.wait_for_step(shop, amojo_id, "delivered")
    async with reading(bridge, shop.key, after="1") as stream:
        assert [told.text for told in await stream.take(2)] == ["two", "three"]
    async with reading(bridge, shop.key, after="1", last_id="2") as stream:
        assert (await stream.next()).text == "three"
    async with reading(bridge, shop.key, after="latest") as stream:
        await say(plain, shop, "four")
        assert (await stream.next()).text == "four"


@pytest.mark.parametrize(
    ("where", "cursor"),
    [("after", "x"), ("after", "-1"), ("after", ""), ("after", "2"), ("after", "9" * 19)]
    + [("Last-Event-ID", cursor) for cursor in ("x", "2", "1x", "9" * 19, "٣")],
)
async def test_a_cursor_that_is_none_is_refused(
    bridge: Bridge, plain: PlainAmojo, where: str, cursor: str
) -> None:
    shop = await bridge.open_shop(plain)
    (amojo_id,) = await say(plain, shop, "one")
    await bridge.wait_for_step(shop, amojo_id, "delivered")
    if where == "after":
        reply = await bridge.call("GET", f"/v1/events?after={cursor}", key=shop.key)
        pointer = "?after"
    else:
        headers = {where: cursor}
        reply = await bridge.call("GET", "/v1/events", key=shop.key, headers=headers)
        pointer = where
    problem = reply.problem()
    assert problem["code"] == "invalid_fields"
    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]


async def test_nobody_reads_anothers_events(bridge: Bridge, plain: PlainAmojo) -> None:
    shops = [await bridge.open_shop(plain) for _ in range(2)]
    async with reading(bridge, shops[0].key) as mine, reading(bridge, shops[1].key) as theirs:
        for number in range(3):
            await say(plain, shops[number % 2], f"to {number % 2}")
        assert [told.text for told in await mine.take(2)] == ["to 0", "to 0"]
        assert (await theirs.next()).text == "to 1"
        assert [mine.last_id, theirs.last_id] == ["2", "1"]
    for key in (None, "cbk_nobody's", ADMIN_TOKEN):
        reply = await bridge.call("GET", "/v1/events", key=key)
        assert reply.problem()["code"] == "unauthenticated"


async def test_typing_is_told_and_not_kept(bridge: Bridge, sandbox: SandboxAmojo) -> None:
    shop = await bridge.open_shop(sandbox)
    await bridge.take(shop, "m-1")
    await bridge.wait_for_state(shop, "m-1", "delivered")
    chat = (await sandbox.chats(shop.account))["c-1"]
    async with reading(bridge, shop.key) as stream:
        await stream.begun()
        await sandbox.control("POST", f"/chats/{chat['id']}/typing", {})
        told = await stream.next()
        assert (told.id, told.type) == (None, "typing.started")
        assert told.data["data"]["conversation_id"] == "c-1"
        await sandbox.operator_writes(shop.account, "c-1", "hello")
        told = await stream.next()
        assert (told.id, told.type) == ("1", "message.created")


async def test_marks_tell_what_was_fetched(bridge: Bridge, sandbox: SandboxAmojo) -> None:
    settings = {"capabilities": {"reports": False}}
    shop = await bridge.open_shop(sandbox, settings=settings)
    await bridge.take(shop, "m-1")
    await bridge.wait_for_state(shop, "m-1", "delivered")
    _, amojo_id = await sandbox.operator_writes(shop.account, "c-1", "hello")
    await bridge.wait_for_step(shop, amojo_id, "delivered")
    passport = await bridge.passport(shop, amojo_id)
    assert "marked_delivered" not in [line["step"] for line in passport["timeline"]]
    async with reading(bridge, shop.key) as stream:
        assert (await stream.next()).text == "hello"
    await bridge.wait_for_step(shop, amojo_id, "marked_delivered")


async def test_a_killed_server_loses_nothing_and_tells_nothing_twice(
    own_bridge: OwnBridge, plain: PlainAmojo
) -> None:
    bridge = own_bridge()
    shop = await bridge.open_shop(plain)
    wanted = [f"text {number}" for number in range(60)]
    saying = asyncio.create_task(say_through_crashes(plain, shop, wanted))
    heard: list[Told] = []
    for part in (15, 30, 60):
        last_id = heard[-1].id if heard else None
        async with reading(bridge, shop.key, last_id=last_id) as stream:
            heard += await stream.take(part - len(heard))
            if part < 60:
                bridge.process.kill()
                assert not await stream.is_over()
        if part < 60:
            bridge.process.start("/readyz")
    await saying
    assert [told.text for told in heard] == wanted
    assert [told.id for told in heard] == [str(number) for number in range(1, 61)]
    async with reading(bridge, shop.key) as stream:
        assert [told.text for told in await stream.take(60)] == wanted


def documented_reader() -> Any:
    """The function in docs/reference/api.md."""
    page = (ROOT / "docs/reference/api.md").read_text(encoding="utf-8")
    code = page.split("```python\n")[1].split("```")[0]
    names = {
        "aiohttp": aiohttp,
        "asyncio": asyncio,
        "json": json,
        "suppress": suppress,
        "AsyncIterator": AsyncIterator,
        "ClientSession": aiohttp.ClientSession,
    }
    exec(compile(code, "api.md", "exec"), names)
    return names["read"]


async def test_the_documented_reader_goes_on_after_a_restart(
    own_bridge: OwnBridge, plain: PlainAmojo
) -> None:
    bridge = own_bridge()
    shop = await bridge.open_shop(plain)
    events = documented_reader()(bridge.url, shop.key)
    async with asyncio.timeout(SECONDS):
        await say(plain, shop, "one")
        assert (await anext(events))[0] == "1"
        await asyncio.to_thread(bridge.process.terminate)
        await asyncio.to_thread(bridge.process.start, "/readyz")
        await say(plain, shop, "two")
        number, event = await anext(events)
    await events.aclose()
    assert (number, event["data"]["message"]["text"]) == ("2", "two")
    with pytest.raises(aiohttp.ClientResponseError):
        await anext(documented_reader()(bridge.url, "cbk_nobodys"))


async def say_through_crashes(plain: PlainAmojo, shop: Shop, texts: list[str]) -> None:
    """What the operator says, each again under its id until the server takes it."""
    for number, text in enumerate(texts):
        body = plain.callback_body(shop.account, "c-1", text, amojo_id=f"a-{number}")

        async def taken(body: bytes = body) -> bool:
            try:
                return await plain.send_callback(shop.account, body) == 200
            except aiohttp.ClientError:
                return False

        await eventually(taken, f"the callback of {text!r} is taken")


async def test_a_server_that_stops_ends_its_streams_at_once(
    own_bridge: OwnBridge, plain: PlainAmojo
) -> None:
    bridge = own_bridge(HTTP__SHUTDOWN_GRACE="1000")
    shop = await bridge.open_shop(plain)
    await say(plain, shop, "one")
    async with reading(bridge, shop.key) as stream:
        assert (await stream.next()).text == "one"
        assert await asyncio.to_thread(bridge.process.terminate) == 0
        assert await stream.is_over()


async def test_a_reader_that_takes_nothing_holds_nobody_up(
    own_bridge: OwnBridge, plain: PlainAmojo
) -> None:
    """It fills the system's buffers, then waits in the feed: other readers go on, and the server stops when it is told to."""
    bridge = own_bridge(HTTP__SHUTDOWN_GRACE="1000")
    shop = await bridge.open_shop(plain)
    caller = await Caller.arriving(bridge.process.port)
    head = f"GET /v1/events HTTP/1.1\r\nHost: bridge\r\nAuthorization: Bearer {shop.key}\r\n\r\n"
    caller.writer.transport.pause_reading()
    caller.send(head.encode())
    count, text = 40, "x" * 200_000
    await say(plain, shop, *([text] * count))
    async with reading(bridge, shop.key) as stream:
        assert {told.text for told in await stream.take(count)} == {text}
    assert await asyncio.to_thread(bridge.process.terminate) == 0
    caller.writer.close()


async def test_an_event_of_either_worker_reaches_readers_at_both(
    tmp_path: Path, postgres: PostgresServer, plain: PlainAmojo, http: aiohttp.ClientSession
) -> None:
    with postgres.database() as url, stopped_afterwards(crew_process(tmp_path, url)) as process:
        begin(process)
        bridge = Bridge(process, http)
        shop = await bridge.open_shop(plain)
        async with AsyncExitStack() as stack:
            streams: list[Stream] = []
            while len({stream.worker for stream in streams}) < 2:
                opening = reading(bridge, shop.key)
                streams.append(await stack.enter_async_context(opening))
            wanted = [f"text {number}" for number in range(40)]
            await say(plain, shop, *wanted)
            for stream in streams:
                assert [told.text for told in await stream.take(40)] == wanted
        assert faults_in(process.log) == []
