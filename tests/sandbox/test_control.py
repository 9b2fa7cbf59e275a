"""The control API: what it makes, what it refuses, and who may call it."""

import re
from typing import Any

import pytest

from tests.sandbox.messenger import ACCOUNT, BOT, CHANNEL, KATE, OLEG, SCOPE, SECRET, Answer, Desk

NOBODY = "5a0db0c4-0000-4000-8000-00000000dead"
TEXT = {"type": "text", "text": "hello"}


def sentence(answer: Answer, status: int = 400) -> str:
    assert answer.status == status, answer.body
    assert answer.json.keys() == {"error"}
    assert answer.json["error"].keys() == {"code", "message"}
    return str(answer.json["error"]["message"])


async def test_the_seed_is_as_documented(desk: Desk) -> None:
    state = (await desk.control("GET", "/state")).json
    [channel], [account] = state["channels"], state["accounts"]
    assert (channel["channel_id"], channel["secret"]) == (CHANNEL, SECRET)
    assert (channel["code"], channel["bot"]) == (
        "amo.ext.sandbox",
        {"id": BOT, "name": "Sandbox bot"},
    )
    assert channel["hook_url_v1"] == channel["hook_url_v2"]
    assert (account["amojo_id"], account["name"], account["subdomain"]) == (
        ACCOUNT,
        "Demo shop",
        "demo",
    )
    assert (account["id"], account["zone"], account["standing"]) == (30112233, "amocrm.ru", "open")
    assert account["users"] == [
        {"id": KATE, "name": "Kate", "user_id": 8101112, "is_admin": True},
        {"id": OLEG, "name": "Oleg", "user_id": 8101113, "is_admin": False},
    ]
    assert state["connections"] == []


async def test_a_channel_and_an_account_of_ones_own(desk: Desk) -> None:
    url = "http://127.0.0.1:1/hooks/:scope_id"
    channel = (await desk.control("POST", "/channels", {"hook_url": url})).json
    assert re.fullmatch("[0-9a-f]{40}", channel["secret"])
    assert channel["hook_url_v1"] == channel["hook_url_v2"] == url
    change = {"secret": "another-secret", "hook_url_v2": url + "/v2"}
    again = {"channel_id": channel["channel_id"]} | change
    changed = (await desk.control("POST", "/channels", again)).json
    assert changed == channel | change
    body = {"name": "Shop", "users": [{"name": "Eva"}]}
    made = await desk.control("POST", "/accounts", body)
    assert made.status == 201
    account = made.json
    connect = {"account_id": account["amojo_id"], "hook_api_version": "v2"}
    path = f"/{channel['channel_id']}/connect"
    answer = await desk.amojo("POST", path, connect, secret="another-secret")
    scope_id = f"{channel['channel_id']}_{account['amojo_id']}"
    assert answer.json["scope_id"] == scope_id
    state = (await desk.control("GET", "/state")).json
    assert len(state["channels"]) == len(state["accounts"]) == 2
    assert [one["scope_id"] for one in state["connections"]] == [scope_id]


@pytest.mark.parametrize(
    ("method", "path", "body", "named"),
    [
        ("POST", "/channels", {"hook_url": "http://127.0.0.1:1/no-marker"}, "hook_url"),
        ("POST", "/channels", {"hook_url": "ftp://127.0.0.1/:scope_id"}, "hook_url"),
        ("POST", "/channels", {"channel_id": "with_underscore"}, "channel_id"),
        ("POST", "/channels", {"secret": ""}, "secret"),
        ("POST", "/channels", {"sceret": "x"}, "sceret"),
        ("POST", "/channels", {"allowed_accounts": "all"}, "allowed_accounts"),
        ("POST", "/accounts", {}, "name"),
        ("POST", "/accounts", {"name": 5}, "name"),
        ("POST", "/accounts", {"name": "x", "users": [{"id": KATE}]}, "users.0.name"),
        ("POST", "/accounts", [], "body"),
        ("POST", "/chats", {"scope_id": SCOPE, "phone": "call me", "message": TEXT}, "phone"),
        ("PATCH", "/switches", {"no_such": "x"}, "hook_newline"),
        ("PATCH", "/switches", {"fault": "explode"}, "none | slow | forbidden"),
        ("PATCH", "/switches", {"fault_requests": 1.5}, "a whole number 0..1e+06"),
        ("PATCH", "/switches", {"fault_requests": True}, "fault_requests"),
        ("PATCH", "/switches", {"hook_deadline_s": 0}, "0.05..60"),
        ("PATCH", "/switches", {"fault_conversation": None}, "any text"),
        ("PATCH", "/switches", [], "body"),
    ],
)
async def test_wrong_bodies_get_a_sentence(
    desk: Desk, method: str, path: str, body: Any, named: str
) -> None:
    assert named in sentence(await desk.control(method, path, body))


async def test_one_wrong_switch_changes_none(desk: Desk) -> None:
    before = (await desk.control("GET", "/switches")).json
    body = {"fault": "slow", "hook_newline": "sometimes"}
    sentence(await desk.control("PATCH", "/switches", body))
    assert (await desk.control("GET", "/switches")).json == before
    changed = (await desk.control("PATCH", "/switches", {"fault": "slow"})).json
    assert changed == before | {"fault": "slow"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"/chats/{NOBODY}/messages", {"message": TEXT}),
        (f"/chats/{NOBODY}/typing", {}),
        (f"/chats/{NOBODY}/read", {}),
        (f"/messages/{NOBODY}/reaction", {"type": "react", "emoji": "👍"}),
        ("/hooks/1/repeat", {}),
        ("/no-such-call", {}),
    ],
)
async def test_what_is_not_there_is_a_404(desk: Desk, path: str, body: Any) -> None:
    sentence(await desk.control("POST", path, body), 404)


async def test_operators_mistakes_are_told(desk: Desk) -> None:
    first = {"scope_id": SCOPE, "phone": "+79000000001", "message": TEXT}
    assert "connect first" in sentence(await desk.control("POST", "/chats", first), 409)
    await desk.connect()
    sent = await desk.sent("m-1")
    chat = f"/chats/{sent['conversation_id']}"
    reaction = f"/messages/{sent['msgid']}/reaction"
    for path, body, named in (
        (chat + "/messages", {}, "message: "),
        (chat + "/messages", {"message": {"type": "image"}}, "message.type: "),
        (chat + "/messages", {"message": TEXT, "user_id": NOBODY}, "no such user"),
        (chat + "/messages", {"message": TEXT | {"reply_to": NOBODY}}, "no such message"),
        (chat + "/messages", {"message": TEXT | {"forward": NOBODY}}, "no such message"),
        (chat + "/typing", {"user_id": 5}, "user_id: "),
        (reaction, {"type": "react"}, "emoji: required"),
        (reaction, {"type": "like"}, "type: "),
        ("/chats", first | {"user_id": NOBODY}, "no such user"),
    ):
        assert named in sentence(await desk.control("POST", path, body))
    assert len((await desk.control("GET", "/chats")).json["chats"]) == 1
    await desk.control("POST", "/accounts", {"amojo_id": ACCOUNT, "name": "Nobody's shop"})
    answer = await desk.control("POST", chat + "/messages", {"message": TEXT})
    assert "no users" in sentence(answer, 409)


async def test_reading_and_the_order_of_chats(desk: Desk) -> None:
    await desk.connect()
    first = await desk.sent("m-1", conversation_id="conv-1", source={"external_id": "line-1"})
    await desk.sent("m-2", conversation_id="conv-2")
    await desk.sent("m-3", conversation_id="conv-1")

    async def chats() -> list[tuple[str, int, str | None]]:
        views = (await desk.control("GET", "/chats")).json["chats"]
        return [(chat["client_id"], chat["unread"], chat["source"]) for chat in views]

    assert await chats() == [("conv-1", 2, "line-1"), ("conv-2", 1, None)]
    read = await desk.control("POST", f"/chats/{first['conversation_id']}/read")
    assert (read.status, read.body) == (204, b"")
    assert await chats() == [("conv-1", 0, "line-1"), ("conv-2", 1, None)]


async def test_reset_leaves_the_seed(desk: Desk) -> None:
    before = (await desk.control("GET", "/state")).json
    await desk.connect()
    await desk.reply((await desk.sent("m-1"))["conversation_id"])
    await desk.control("POST", "/accounts", {"name": "Shop"})
    await desk.switch(fault="slow")
    assert (await desk.control("POST", "/reset")).status == 204
    assert (await desk.control("GET", "/state")).json == before
    for path, member in (("/chats", "chats"), ("/requests", "requests"), ("/hooks", "hooks")):
        assert (await desk.control("GET", path)).json == {member: []}


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://evil.example", 403),
        ("null", 403),
        ("http://127.0.0.1:8080", 204),
        ("own", 204),
    ],
)
async def test_pages_of_other_sites_may_change_nothing(
    desk: Desk, origin: str, status: int
) -> None:
    headers = {"Origin": desk.url if origin == "own" else origin}
    answer = await desk.request("POST", "/sandbox/reset", json={}, headers=headers)
    assert answer.status == status
    plain = {"Content-Type": "text/plain"}
    answer = await desk.request("POST", "/sandbox/reset", data=b"{}", headers=headers | plain)
    assert answer.status == (403 if status == 403 else 415)


async def test_every_answer_is_protected(desk: Desk) -> None:
    for path in ("/sandbox/state", "/nowhere", "/v2/nowhere", "/pages/nowhere.js"):
        headers = (await desk.request("GET", path)).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert f"media-src 'self' blob: {desk.url} http://127.0.0.1:8080;" in policy
        assert policy.endswith("frame-ancestors 'self' http://127.0.0.1:8080")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-cache"
