"""The inbox with the real sandbox behind it."""

import json
from typing import Any

import pytest
from playwright.async_api import expect

from chatbridge.sandbox.switches import SWITCHES
from tests.sandbox.messenger import SCOPE, Desk

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_conversation_from_the_first_message_to_the_read_mark(
    desk: Desk, visit: Any
) -> None:
    page = await visit(desk.url)
    await desk.connect()
    await desk.sent("m-1", "Is it in stock?")
    await page.locator(".chat-row", has_text="Ann").click()
    await expect(page.locator(".message--other")).to_contain_text("Is it in stock?")
    await page.get_by_label("Write an answer").fill("Yes, two left")
    await page.keyboard.press("Enter")
    answer = page.locator(".message--own")
    await expect(answer).to_contain_text("Sent")
    chat = (await desk.control("GET", "/chats")).json["chats"][0]
    messages = (await desk.control("GET", f"/chats/{chat['id']}/messages")).json["messages"]
    path = f"/{SCOPE}/{messages[-1]['id']}/delivery_status"
    await desk.amojo("POST", path, {"status_code": 2})
    await expect(answer).to_contain_text("Read")
    await page.get_by_role("button", name="Log").click()
    await expect(page.locator(".log-row", has_text="delivery_status")).to_have_count(1)
    await expect(page.locator(".log-row", has_text="Hook: message")).to_have_count(1)


async def test_the_drawer_knows_every_switch_and_every_allowed_value(
    desk: Desk, visit: Any
) -> None:
    page = await visit(desk.url)
    shown = await page.evaluate("async () => (await import('/pages/switch_table.js')).SWITCHES")
    for one in shown:
        one.setdefault("choices", [])
    allowed = [
        {"name": one.name, "normal": one.default, "choices": list(one.choices)}
        | ({} if one.low is None else {"low": one.low, "high": one.high})
        for one in SWITCHES
    ]
    known = [{key: one[key] for key in one if key != "whole"} for one in shown]
    assert sorted(map(json.dumps, map(ordered, known))) == sorted(
        map(json.dumps, map(ordered, allowed))
    )


def ordered(one: dict[str, Any]) -> dict[str, Any]:
    return {key: float(one[key]) if isinstance(one[key], int) else one[key] for key in sorted(one)}


async def test_all_switches_go_back_to_normal_at_once(desk: Desk, visit: Any) -> None:
    await desk.control("PATCH", "/switches", {"fault": "503", "hook_deadline_s": 1.5})
    page = await visit(desk.url)
    await page.get_by_role("button", name="Switches").click()
    await expect(page.get_by_text("2 switches changed")).to_be_visible()
    await page.get_by_role("button", name="All normal").click()
    await expect(page.get_by_text("Everything is normal")).to_be_visible()
    values = (await desk.control("GET", "/switches")).json
    assert values == {one.name: one.default for one in SWITCHES}
