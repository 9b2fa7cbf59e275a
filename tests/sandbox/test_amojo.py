"""Every call of amojo over a socket: what it answers, and what it refuses."""

import io
import json
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest

from tests.sandbox.messenger import (
    ACCOUNT,
    BASE,
    CHANNEL,
    KATE,
    SCOPE,
    Answer,
    Desk,
    mac,
    signed_headers,
    text_message,
)

NOBODY = "5a0db0c4-0000-4000-8000-00000000dead"


def refused(answer: Answer, status: int, error_type: str) -> str:
    """Check a refusal's shape and return its description."""
    assert answer.status == status, answer.body
    error = answer.json
    assert (error["status"], error["error_code"], error["error_type"]) == (0, status, error_type)
    return str(error["error_description"])


def bad(answer: Answer) -> str:
    return refused(answer, 400, "ORIGIN_BAD_REQUEST")


async def last_error(desk: Desk) -> str:
    rows = (await desk.control("GET", "/requests")).json["requests"]
    return str(rows[-1]["error"])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v2/origin/custom"),
        ("POST", f"/v2/origin/custom/{CHANNEL}/disconnect"),
        ("POST", f"/v2/origin/custom/{SCOPE}/m-1/react"),
        ("GET", "/v2/"),
    ],
)
async def test_an_unknown_path_is_an_empty_404(desk: Desk, method: str, path: str) -> None:
    answer = await desk.request(method, path)
    assert (answer.status, answer.body) == (404, b"")


async def test_an_unknown_channel_is_not_registered(desk: Desk) -> None:
    for path in (f"/{NOBODY}/connect", f"/{NOBODY}_{ACCOUNT}/chats"):
        answer = await desk.amojo("POST", path, {})
        assert refused(answer, 404, "ORIGIN_NOT_REGISTERED") == "NOT_FOUND"


async def test_the_signature_is_checked_before_the_scope_and_the_body(desk: Desk) -> None:
    answer = await desk.amojo("POST", f"/{CHANNEL}_{NOBODY}/chats", b"{", secret="wrong")
    assert refused(answer, 403, "ORIGIN_INVALID_SIGNATURE") == "invalid signature"
    assert "wrong secret" in await last_error(desk)
    answer = await desk.amojo("POST", f"/{CHANNEL}_{NOBODY}/chats", b"{")
    refused(answer, 404, "ORIGIN_NOT_REGISTERED")
    assert "not connected" in await last_error(desk)


async def test_an_old_date_is_refused(desk: Desk) -> None:
    body = {"account_id": ACCOUNT}
    date = "Tue, 14 Jan 2025 09:30:00 +0000"
    answer = await desk.amojo("POST", f"/{CHANNEL}/connect", body, date=date)
    refused(answer, 403, "ORIGIN_INVALID_SIGNATURE")
    assert "900 s are allowed" in await last_error(desk)


async def test_the_old_generation_may_connect_send_and_disconnect_only(desk: Desk) -> None:
    async def old(method: str, path: str, value: Any) -> Answer:
        body = json.dumps(value).encode()
        headers = {"X-Signature": mac(body), "Content-Type": "application/json"}
        return await desk.request(method, BASE + path, data=body, headers=headers)

    connected = await old("POST", f"/{CHANNEL}/connect", {"account_id": ACCOUNT})
    assert connected.json["scope_id"] == SCOPE
    profile = {"profile": {"phone": 79000000001}}
    sender = {"id": "cust-1", "name": "Ann"} | profile
    message = text_message("m-1", sender=sender)
    del message["payload"]["msec_timestamp"]
    assert (await old("POST", f"/{SCOPE}", message)).status == 200
    chats = (await desk.control("GET", "/chats")).json["chats"]
    assert chats[0]["person"]["phone"] == "79000000001"
    typing = {"conversation_id": "conv-1", "sender": {"id": "cust-1"}}
    refused(await old("POST", f"/{SCOPE}/typing", typing), 403, "ORIGIN_INVALID_SIGNATURE")
    gone = await old("DELETE", f"/{CHANNEL}/disconnect", {"account_id": ACCOUNT})
    assert (gone.status, gone.body) == (200, b"")


async def test_connect_answers_what_was_sent_and_the_scope(desk: Desk) -> None:
    body = {"account_id": ACCOUNT, "title": "Shop chat", "hook_api_version": "v2"}
    answer = await desk.amojo("POST", f"/{CHANNEL}/connect", body)
    assert answer.json == body | {"scope_id": SCOPE, "is_time_window_disabled": False}
    again = await desk.amojo("POST", f"/{CHANNEL}/connect", {"account_id": ACCOUNT})
    assert again.json == {
        "account_id": ACCOUNT,
        "scope_id": SCOPE,
        "is_time_window_disabled": False,
    }
    connections = (await desk.control("GET", "/state")).json["connections"]
    assert [(one["hook_api_version"], one["title"]) for one in connections] == [("v1", "Sandbox")]


@pytest.mark.parametrize(
    ("body", "description"),
    [
        (b"", "body: "),
        (b"[]", "body: "),
        (b"\xff", "body: "),
        (b"{}", "account_id: required"),
        (b'{"account_id": 5}', "account_id: should be a valid string"),
        (f'{{"account_id": "{NOBODY}"}}'.encode(), "account_id: no such account"),
        (f'{{"account_id": "{ACCOUNT}", "hook_api_version": "v3"}}'.encode(), "hook_api_version: "),
        (f'{{"account_id": "{ACCOUNT}", "is_time_window_disabled": 1}}'.encode(), "is_time_wind"),
    ],
)
async def test_connect_refuses_wrong_data(desk: Desk, body: bytes, description: str) -> None:
    answer = await desk.amojo("POST", f"/{CHANNEL}/connect", body)
    assert bad(answer).startswith(description)


async def test_a_private_channel_connects_to_listed_accounts_only(desk: Desk) -> None:
    channel = {"hook_url_v2": "http://127.0.0.1:1/:scope_id", "allowed_accounts": [NOBODY]}
    made = (await desk.control("POST", "/channels", channel)).json
    path = f"/{made['channel_id']}/connect"
    answer = await desk.amojo("POST", path, {"account_id": ACCOUNT}, secret=made["secret"])
    refused(answer, 403, "ORIGIN_ACCOUNT_NOT_ALLOWED")
    await desk.control("POST", "/accounts", {"amojo_id": NOBODY, "name": "Other"})
    answer = await desk.amojo("POST", path, {"account_id": NOBODY}, secret=made["secret"])
    assert bad(answer) == "hook_api_version: the channel has no hook address for v1"


async def test_after_disconnect_the_scope_is_gone(desk: Desk) -> None:
    await desk.connect()
    for _ in range(2):
        answer = await desk.amojo("DELETE", f"/{CHANNEL}/disconnect", {"account_id": ACCOUNT})
        assert (answer.status, answer.body) == (200, b"")
    refused(await desk.send("m-1"), 404, "ORIGIN_NOT_REGISTERED")


async def test_a_chat_is_made_once(desk: Desk) -> None:
    await desk.connect()
    user = {
        "id": "cust-1",
        "name": "Ann",
        "profile": {"phone": "+79000000001", "email": "ann@example.org"},
    }
    body = {"conversation_id": "conv-1", "source": {"external_id": "line-1"}, "user": user}
    first = await desk.amojo("POST", f"/{SCOPE}/chats", body)
    assert first.json == {
        "id": first.json["id"],
        "user": {
            "id": first.json["user"]["id"],
            "client_id": "cust-1",
            "name": "Ann",
            "phone": "+79000000001",
            "email": "ann@example.org",
        },
    }
    assert (await desk.amojo("POST", f"/{SCOPE}/chats", body)).json == first.json
    by_ref = {"conversation_id": "conv-2", "user": {"ref_id": first.json["user"]["id"]}}
    second = await desk.amojo("POST", f"/{SCOPE}/chats", by_ref)
    assert second.json["user"]["client_id"] == "cust-1"
    assert (await desk.sent("m-1"))["conversation_id"] == first.json["id"]


@pytest.mark.parametrize(
    ("change", "description"),
    [
        ({"conversation_id": None}, "conversation_id: should be a valid string"),
        ({"user": {"name": "Ann"}}, "user.id: required"),
        ({"user": {"id": "cust-1"}}, "user.name: required"),
        ({"user": {"id": 1, "name": "Ann"}}, "user.id: should be a valid string"),
        ({"user": {"ref_id": NOBODY}}, "user: user not found"),
        ({"source": {"external_id": "ё"}}, "source.external_id: "),
        ({"source": {"external_id": "x" * 41}}, "source.external_id: "),
    ],
)
async def test_a_chat_refuses_wrong_data(
    desk: Desk, change: dict[str, Any], description: str
) -> None:
    await desk.connect()
    body = {"conversation_id": "conv-1", "user": {"id": "cust-1", "name": "Ann"}} | change
    assert bad(await desk.amojo("POST", f"/{SCOPE}/chats", body)).startswith(description)


async def test_delivery_status_in_both_generations(desk: Desk) -> None:
    await desk.connect()
    chat_id = (await desk.sent("m-1"))["conversation_id"]
    amo_id = (await desk.reply(chat_id)).json["message"]["id"]
    path = f"/{SCOPE}/{amo_id}/delivery_status"
    failed = {"status_code": -1, "error_code": 905, "error": "blocked"}
    for body, status in (
        ({"status_code": 1}, {"code": 1, "error_code": None, "error": None}),
        (failed, {"code": -1, "error_code": 905, "error": "blocked"}),
        (
            {"msgid": amo_id, "delivery_status": 2, "error_code": None, "error": None},
            {"code": 2, "error_code": None, "error": None},
        ),
    ):
        answer = await desk.amojo("POST", path, body)
        assert (answer.status, answer.body) == (200, b"")
        assert (await desk.messages(chat_id))[1]["status"] == status
    await desk.switch(empty_success="object")
    assert (await desk.amojo("POST", path, {"status_code": 1})).json == {}


@pytest.mark.parametrize(
    ("switch", "body", "description"),
    [
        ("both", {}, "status_code: required"),
        ("both", {"status_code": 3}, "status_code: "),
        ("both", {"status_code": "1"}, "status_code: "),
        ("both", {"msgid": "m-1", "delivery_status": 1}, "msgid: must be the id in the address"),
        ("both", {"status_code": -1}, "error_code: "),
        ("both", {"status_code": -1, "error_code": 905}, "error: required"),
        ("new", {"msgid": "m-1", "delivery_status": 1}, "status_code: required"),
        ("old", {"status_code": 1}, "status_code: unknown"),
    ],
)
async def test_delivery_status_refuses_wrong_data(
    desk: Desk, switch: str, body: dict[str, Any], description: str
) -> None:
    await desk.connect()
    amo_id = (await desk.sent("m-1"))["msgid"]
    await desk.switch(delivery_body=switch)
    answer = await desk.amojo("POST", f"/{SCOPE}/{amo_id}/delivery_status", body)
    assert bad(answer).startswith(description)


async def test_what_is_about_an_unknown_message_is_not_found(desk: Desk) -> None:
    await desk.connect()
    await desk.send("m-1")
    react = {"conversation_id": "conv-1", "user": {"id": "cust-1"}, "type": "react", "emoji": "👍"}
    edit = {"event_type": "edit_message", "payload": {"message": {"type": "text", "text": "x"}}}
    for path, body in (
        (f"/{SCOPE}/{NOBODY}/delivery_status", {"status_code": 1}),
        (f"/{SCOPE}/react", react | {"msgid": "m-9"}),
        (f"/{SCOPE}/react", react | {"id": NOBODY}),
        (f"/{SCOPE}", edit),
        (f"/{SCOPE}", edit | {"payload": edit["payload"] | {"id": NOBODY}}),
    ):
        refused(await desk.amojo("POST", path, body), 404, "ORIGIN_NOT_REGISTERED")


async def test_typing_is_answered_without_a_body(desk: Desk) -> None:
    await desk.connect()
    await desk.send("m-1")
    body = {"conversation_id": "conv-1", "duration_ms": 3000, "sender": {"id": "cust-1"}}
    answer = await desk.amojo("POST", f"/{SCOPE}/typing", body)
    assert (answer.status, answer.body) == (204, b"")
    for change, description in (
        ({"conversation_id": "conv-9"}, "conversation_id: no such chat"),
        ({"sender": {"id": "cust-9"}}, "sender: user not found"),
        ({"sender": {}}, "sender.id: required"),
    ):
        assert bad(await desk.amojo("POST", f"/{SCOPE}/typing", body | change)) == description


async def test_reactions_of_clients_and_managers(desk: Desk) -> None:
    await desk.connect()
    sent = await desk.sent("m-1")

    async def reactions(**body: Any) -> list[tuple[str, str]]:
        answer = await desk.amojo("POST", f"/{SCOPE}/react", body)
        assert (answer.status, answer.body) == (200, b"")
        message = (await desk.messages(sent["conversation_id"]))[0]
        return [(one["user"], one["emoji"]) for one in message["reactions"]]

    ann, by_ours = sent["sender_id"], {"conversation_id": "conv-1", "msgid": "m-1"}
    by_theirs = {"conversation_ref_id": sent["conversation_id"], "id": sent["msgid"]}
    ours = {"user": {"id": "cust-1"}}
    assert await reactions(type="react", emoji="👍", **by_ours, **ours) == [(ann, "👍")]
    assert await reactions(type="react", emoji="🔥", **by_ours, **ours) == [(ann, "🔥")]
    kate = {"user": {"ref_id": KATE}}
    expected = [(ann, "🔥"), (KATE, "👍")]
    assert await reactions(type="react", emoji="👍", **by_theirs, **kate) == expected
    assert await reactions(type="unreact", **by_theirs, **ours) == [(KATE, "👍")]


@pytest.mark.parametrize(
    ("change", "description"),
    [
        ({"conversation_id": None}, "conversation_ref_id: required"),
        ({"conversation_id": "conv-9"}, "conversation_id: the message is in another chat"),
        ({"msgid": None}, "msgid: required"),
        ({"user": {}}, "user.ref_id: required"),
        ({"user": {"id": "cust-9"}}, "user: user not found"),
        ({"user": {"ref_id": NOBODY}}, "user: user not found"),
        ({"type": "like"}, "type: "),
    ],
)
async def test_a_reaction_refuses_wrong_data(
    desk: Desk, change: dict[str, Any], description: str
) -> None:
    await desk.connect()
    await desk.send("m-1")
    body = {"conversation_id": "conv-1", "msgid": "m-1", "user": {"id": "cust-1"}, "type": "react"}
    assert bad(await desk.amojo("POST", f"/{SCOPE}/react", body | change)).startswith(description)


async def test_history_comes_newest_first_in_pages(desk: Desk) -> None:
    await desk.connect()
    for number in range(3):
        sent = await desk.sent(f"m-{number}", f"text {number}")
    await desk.reply(sent["conversation_id"])
    path = f"/{SCOPE}/chats/{sent['conversation_id']}/history"
    whole = (await desk.amojo("GET", path)).json["messages"]
    assert [one["message"]["text"] for one in whole] == [
        "Yes, two left",
        "text 2",
        "text 1",
        "text 0",
    ]
    assert whole[0]["sender"] == {"id": KATE, "name": "Kate"}
    assert whole[0]["receiver"]["client_id"] == "cust-1"
    assert whole[1]["message"]["client_id"] == "m-2"
    assert "receiver" not in whole[1]
    page = await desk.amojo("GET", path, query="?offset=1&limit=2")
    assert page.json["messages"] == whole[1:3]
    for query in ("?limit=51", "?offset=-1", "?limit=x"):
        assert bad(await desk.amojo("GET", path, query=query))
    for missing, query in ((path, "?offset=4"), (f"/{SCOPE}/chats/{NOBODY}/history", "")):
        answer = await desk.amojo("GET", missing, query=query)
        assert (answer.status, answer.body) == (204, b"")


async def test_a_body_over_five_megabytes_is_refused(desk: Desk) -> None:
    body = b'{"account_id": "' + b"x" * 5 * 2**20 + b'"}'
    path = f"{BASE}/{CHANNEL}/connect"
    headers = signed_headers("POST", path, body)
    answer = await desk.request("POST", path, data=io.BytesIO(body), headers=headers)
    assert refused(answer, 413, "ORIGIN_BAD_REQUEST") == "the body is larger than 5 MB"


async def test_every_request_is_listed_with_what_was_wrong(desk: Desk) -> None:
    await desk.connect()
    await desk.send("m-1", sender={"id": 5, "name": "Ann"})
    rows = (await desk.control("GET", "/requests")).json["requests"]
    assert [(row["method"], row["path"], row["status"], row["error"]) for row in rows] == [
        ("POST", f"{BASE}/{CHANNEL}/connect", 200, None),
        ("POST", f"{BASE}/{SCOPE}", 400, "payload.sender.id: should be a valid string"),
    ]
    assert (rows[0]["n"], rows[1]["n"]) == (1, 2)
    assert rows[1]["scope_id"] == SCOPE
    assert json.loads(rows[1]["body_text"])["payload"]["msgid"] == "m-1"


async def test_dates_of_every_working_client_are_accepted(desk: Desk) -> None:
    now = datetime.now(UTC)
    for date in (
        format_datetime(now, usegmt=True),
        format_datetime(now),
        format_datetime(now.astimezone(timezone(timedelta(hours=3)))),
    ):
        body = json.dumps({"account_id": ACCOUNT}).encode()
        path = f"{BASE}/{CHANNEL}/connect"
        headers = signed_headers("POST", path, body, date=date)
        assert (await desk.request("POST", path, data=body, headers=headers)).status == 200
