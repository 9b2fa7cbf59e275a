"""The sandbox stays small and alive whatever is sent to it."""

import asyncio
import json
import socket
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatbridge.sandbox import state as states
from chatbridge.sandbox.events import QUEUED_AT_MOST, Events, Subscriber
from chatbridge.sandbox.records import Author, Chat, Content, Message, Person
from chatbridge.sandbox.serving import AddressTakenError, serve
from chatbridge.sandbox.settings import SandboxSettings
from tests.sandbox.integrator import CODE, Integrator
from tests.sandbox.messenger import BASE, CHANNEL, SCOPE, Desk, signed_headers

CALLS = (
    ("POST", f"/{CHANNEL}/connect"),
    ("DELETE", f"/{CHANNEL}/disconnect"),
    ("POST", f"/{SCOPE}/chats"),
    ("POST", f"/{SCOPE}"),
    ("POST", f"/{SCOPE}/m-1/delivery_status"),
    ("POST", f"/{SCOPE}/typing"),
    ("POST", f"/{SCOPE}/react"),
    ("GET", f"/{SCOPE}/chats/c-1/history"),
)
NAMES = st.sampled_from(
    [
        "event_type",
        "payload",
        "message",
        "sender",
        "receiver",
        "id",
        "ref_id",
        "msgid",
        "conversation_id",
        "type",
        "text",
        "emoji",
        "reply_to",
        "forwards",
        "messages",
        "timestamp",
        "user",
        "profile",
        "phone",
        "location",
        "account_id",
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["new_message", "edit_message", "text", "react", "conv-1", "m-1", "cust-1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=20,
)
BODIES = st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode())


HEADERS = st.text(
    st.characters(min_codepoint=33, max_codepoint=255, exclude_categories=["Cc"]), max_size=60
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(call=st.sampled_from(CALLS), body=BODIES, forged=st.none() | HEADERS, query=HEADERS)
async def test_nothing_sent_to_amojo_gives_a_500(
    desk: Desk, call: tuple[str, str], body: bytes, forged: str | None, query: str
) -> None:
    method, path = call
    await desk.connect()
    headers = signed_headers(method, BASE + path, body)
    if forged is not None:
        headers = headers | {"X-Signature": forged, "Date": forged}
    url = f"{BASE}{path}?limit={quote(query)}"
    answer = await desk.request(method, url, data=body, headers=headers)
    assert answer.status in {200, 204, 400, 403, 404}, answer.body


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    path=st.sampled_from(["/channels", "/accounts", "/chats", "/switches", "/chats/c/messages"]),
    body=BODIES,
)
async def test_nothing_sent_to_the_control_api_gives_a_500(
    desk: Desk, path: str, body: bytes
) -> None:
    method = "PATCH" if path == "/switches" else "POST"
    headers = {"Content-Type": "application/json"}
    answer = await desk.request(method, "/sandbox" + path, data=body, headers=headers)
    assert answer.status < 500, answer.body


@pytest.mark.parametrize("path", [f"{BASE}/{CHANNEL}/connect", "/sandbox/accounts"])
async def test_a_body_cut_off_is_nobodys_500(
    desk: Desk, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    address = urlsplit(desk.url)
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    async with asyncio.timeout(10), desk.events() as events:
        _, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(head.encode() + b"Content-Length: 100\r\n\r\nabc")
        await writer.drain()
        writer.transport.abort()
        if path.startswith(BASE):
            row = await events.wait_for("request")
            assert (row["status"], row["error"]) == (400, "the body is not complete")
    await desk.request("GET", "/sandbox/state")
    assert caplog.records == []


def message(number: int, chat_id: str) -> Message:
    return Message(
        id=f"id-{number}",
        client_id=f"m-{number}",
        chat_id=chat_id,
        scope_id=SCOPE,
        direction="in",
        author=Author(id="p-1", name="Ann", kind="client"),
        content=Content(type="text", text="hello"),
        at_ms=number,
    )


def test_old_messages_are_forgotten_first() -> None:
    state = states.State(SandboxSettings(), lambda _name, _data: None)
    state.save_person(Person(id="p-1", scope_id=SCOPE, client_id="cust-1"))
    chat = state.save_chat(Chat(id="c-1", scope_id=SCOPE, client_id="conv-1", person_id="p-1"))
    for number in range(states.MESSAGES_PER_CHAT + 3):
        state.add_message(message(number, chat.id))
    kept = state.chat_messages(chat.id)
    assert (len(kept), kept[0].id) == (states.MESSAGES_PER_CHAT, "id-3")
    assert state.find_message(SCOPE, "m-2") is None
    assert state.find_message(SCOPE, "m-3") is not None
    assert len(state.messages) == states.MESSAGES_PER_CHAT


async def test_at_most_five_hundred_requests_are_listed(desk: Desk) -> None:
    for _ in range(505):
        await desk.request("GET", "/v2/nowhere")
    rows = (await desk.control("GET", "/requests")).json["requests"]
    assert (len(rows), rows[0]["n"], rows[-1]["n"]) == (500, 6, 505)


def test_a_page_that_does_not_read_is_dropped() -> None:
    events, dropped = Events(), []
    slow = Subscriber(lambda: dropped.append("slow"))
    events.add(slow)
    for number in range(QUEUED_AT_MOST + 2):
        events.publish("message", lambda n=number: {"n": n})
    assert dropped == ["slow"]


async def test_a_taken_port_gives_one_clear_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(AddressTakenError, match=f"127.0.0.1:{port}.*CHATBRIDGE_SANDBOX__PORT"):
            await serve(SandboxSettings(port=port))


async def test_a_client_silent_before_its_request_is_hung_up_on() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = asyncio.create_task(serve(SandboxSettings(port=port), head_deadline_s=0.1))
    try:
        async with asyncio.timeout(10):
            reader, writer = await connection(port)
            writer.write(b"GET / HTTP/1.1\r\n")
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def connection(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect as soon as somebody listens."""
    while True:
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.01)


ACCOUNT_CALLS = (
    ("POST", "/accounts/demo/oauth2/access_token"),
    ("POST", "/accounts/demo/api/v4/sources"),
    ("PATCH", "/accounts/demo/api/v4/sources"),
    ("DELETE", "/accounts/demo/api/v4/sources"),
    ("POST", f"/accounts/demo/api/v4/widgets/{CODE}"),
)
ACCOUNT_NAMES = st.sampled_from(
    ["grant_type", "client_id", "code", "id", "name", "external_id", "pipeline_id", "services"]
)
ACCOUNT_BODIES = st.lists(
    st.dictionaries(ACCOUNT_NAMES, VALUES, max_size=5), max_size=3
) | st.dictionaries(ACCOUNT_NAMES, VALUES)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    call=st.sampled_from(ACCOUNT_CALLS),
    body=ACCOUNT_BODIES.map(lambda value: json.dumps(value).encode()) | BODIES,
)
async def test_nothing_sent_to_an_account_gives_a_500(
    desk: Desk, integrator: Integrator, call: tuple[str, str], body: bytes
) -> None:
    if not integrator.token:
        await desk.switch(crm_limit=0)
        await integrator.upload()
        await integrator.authorize()
    method, path = call
    headers = {"Authorization": f"Bearer {integrator.token}"}
    answer = await desk.request(method, path, data=body, headers=headers)
    assert answer.status in {200, 400}, answer.body
