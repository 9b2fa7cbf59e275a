"""Faults on purpose: what the caller sees, and what is stored all the same."""

import json

import pytest
from aiohttp import ServerDisconnectedError

from tests.sandbox.messenger import SCOPE, Desk


async def stored(desk: Desk) -> list[str]:
    chats = (await desk.control("GET", "/chats")).json["chats"]
    return [m["client_id"] for chat in chats for m in await desk.messages(chat["id"])]


@pytest.mark.parametrize("fault", ["500", "503", "429", "forbidden"])
async def test_a_refusing_fault_stores_nothing(desk: Desk, fault: str) -> None:
    await desk.connect()
    await desk.switch(fault=fault, fault_requests=1, fault_retry_after_s=7)
    answer = await desk.send("m-1")
    assert answer.status == (403 if fault == "forbidden" else int(fault))
    assert answer.headers.get("Retry-After") == ("7" if fault == "429" else None)
    assert await stored(desk) == []
    assert (await desk.send("m-1")).status == 200, "one request was hit, the next is not"
    assert (await desk.control("GET", "/state")).json["switches"]["fault"] == "none"


async def test_a_lost_answer_is_stored(desk: Desk) -> None:
    await desk.connect()
    await desk.switch(fault="lost_answer", fault_requests=1)
    with pytest.raises((ServerDisconnectedError, ConnectionResetError)):
        await desk.send("m-1")
    assert await stored(desk) == ["m-1"]
    rows = (await desk.control("GET", "/requests")).json["requests"]
    assert rows[-1]["error"] == "fault: lost_answer"


async def test_a_truncated_answer_is_stored(desk: Desk) -> None:
    await desk.connect()
    await desk.switch(fault="truncated", fault_requests=1)
    answer = await desk.send("m-1")
    assert answer.status == 200
    with pytest.raises(json.JSONDecodeError):
        _ = answer.json
    assert await stored(desk) == ["m-1"]


async def test_a_slow_answer_comes_after_storing(desk: Desk) -> None:
    await desk.connect()
    await desk.switch(fault="slow", fault_delay_s=0.05)
    assert (await desk.send("m-1")).status == 200
    assert await stored(desk) == ["m-1"]
    rows = (await desk.control("GET", "/requests")).json["requests"]
    assert rows[-1]["error"] == "fault: slow"


async def test_a_fault_counts_down_and_may_aim_at_one_conversation(desk: Desk) -> None:
    await desk.connect()
    sent = await desk.sent("m-0")
    await desk.switch(fault="503", fault_requests=3, fault_conversation="conv-1")
    assert (await desk.send("m-1", conversation_id="conv-2")).status == 200
    assert (await desk.send("m-2")).status == 503
    path = f"/{SCOPE}/{sent['msgid']}/delivery_status"
    assert (await desk.amojo("POST", path, {"status_code": 1})).status == 503
    switches = (await desk.control("GET", "/state")).json["switches"]
    assert (switches["fault"], switches["fault_requests"]) == ("503", 1)
    path = f"/{SCOPE}/chats/{sent['conversation_id']}/history"
    assert (await desk.amojo("GET", path)).status == 503
    assert (await desk.send("m-2")).status == 200


async def test_a_fault_without_a_count_stays_until_switched_off(desk: Desk) -> None:
    await desk.connect()
    await desk.switch(fault="503")
    assert [(await desk.send(f"m-{n}")).status for n in range(3)] == [503] * 3
    await desk.switch(fault="none")
    assert (await desk.send("m-0")).status == 200
