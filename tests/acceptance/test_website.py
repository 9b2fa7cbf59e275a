"""The website chat: real visitors' sockets, a real server, a real sandbox."""

import asyncio
import json
import re
import signal
import uuid
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.acceptance.bridge import Bridge, Shop, eventually, faults_in
from tests.acceptance.conftest import OwnBridge
from tests.acceptance.sandbox import SandboxAmojo
from tests.acceptance.test_workers import begin, crew_process, lines, signalled
from tests.acceptance.visitors import SITE, Connection, Page, message, open_chat
from tests.plain_amojo import PlainAmojo
from tests.postgres import PostgresServer
from tests.processes import SECONDS, Process, stopped_afterwards, until


@pytest.fixture
def shared_process(sqlite_process: Process) -> Process:
    """One database is enough: what differs between them has contract tests, and the test of two workers has PostgreSQL."""
    return sqlite_process


async def rows(sandbox: SandboxAmojo, shop: Shop, visitor: str) -> list[dict[str, Any]]:
    """A visitor's conversation at amoCRM."""
    chat = (await sandbox.chats(shop.account))[visitor]
    found = await sandbox.control("GET", f"/chats/{chat['id']}/messages")
    return list(found["messages"])


async def test_a_conversation_both_ways(bridge: Bridge, sandbox: SandboxAmojo) -> None:
    shop = await open_chat(bridge, sandbox)
    page = Page(bridge, shop)
    page.greeting = {
        "page": {"url": f"{SITE}/boots", "title": "Boots", "utm": {"source": "x"}},
        "profile": {"name": "Anna", "phone": "+79151112233", "email": None},
    }
    async with page.connected() as connection:
        first = await connection.write("Is it in stock?")
        await bridge.wait_for_state(shop, f"{page.visitor}:{first}", "delivered")
        chat = (await sandbox.chats(shop.account))[page.visitor]
        person = chat["person"]
        assert (person["name"], person["phone"]) == ("Anna", "+79151112233")
        assert person["profile_link"] == f"{SITE}/boots"
        _, reply = await sandbox.operator_writes(shop.account, page.visitor, "It is.")
        event = await connection.until(lambda frame: frame.get("id") == reply)
        assert (event["from"], event["text"], event["name"]) == ("operator", "It is.", "Kate")

        async def marked(code: int) -> bool:
            return (await rows(sandbox, shop, page.visitor))[-1]["status"]["code"] == code

        for said, code in (("received", 1), ("read", 2)):
            await connection.say(type=said, position=event["position"])
            await eventually(lambda code=code: marked(code), f"amoCRM shows that it was {said}")
        await connection.say(**message(str(uuid.uuid4()), "Thanks", reply_to=reply))
        await connection.until(lambda frame: frame.get("text") == "Thanks")

        async def quoted() -> Any:
            return (await rows(sandbox, shop, page.visitor))[-1]["reply_to"]

        assert await eventually(quoted, "amoCRM shows what is answered")
    assert page.texts == ["Is it in stock?", "It is.", "Thanks"]


async def test_typing_and_reactions_of_operators(bridge: Bridge, sandbox: SandboxAmojo) -> None:
    shop = await open_chat(bridge, sandbox)
    page = Page(bridge, shop)
    async with page.connected() as connection:
        first = await connection.write("hello")
        await bridge.wait_for_state(shop, f"{page.visitor}:{first}", "delivered")
        chat = (await sandbox.chats(shop.account))[page.visitor]
        await sandbox.control("POST", f"/chats/{chat['id']}/typing", {})
        typing = await connection.until(lambda frame: frame["type"] == "typing")
        assert "position" not in typing
        assert 0 < typing["milliseconds"] <= 5_000
        (row,) = await rows(sandbox, shop, page.visitor)
        await sandbox.control(
            "POST", f"/messages/{row['id']}/reaction", {"type": "react", "emoji": "👍"}
        )
        reaction = await connection.until(lambda frame: frame["type"] == "reaction")
        assert (reaction["message_id"], reaction["emoji"]) == (first, "👍")
        assert (reaction["from"], reaction["removed"]) == ("operator", False)
        await connection.say(type="typing")

        async def shown() -> bool:
            journal = (await sandbox.control("GET", "/requests"))["requests"]
            return any("/typing" in request["path"] for request in journal)

        await eventually(shown, "amoCRM hears that the visitor types")


async def test_files_both_ways(bridge: Bridge, sandbox: SandboxAmojo) -> None:
    shop = await open_chat(bridge, sandbox)
    page = Page(bridge, shop)
    async with page.connected() as connection:
        reply = await page.upload(PNG, name="boots.png")
        assert reply.status == 201, reply
        assert reply.headers["Access-Control-Allow-Origin"] == SITE
        upload = reply.json
        assert (upload["content_type"], upload["size"]) == ("image/png", len(PNG))
        first = str(uuid.uuid4())
        await connection.say(**message(first, None, media_id=upload["media_id"]))
        event = await connection.until(lambda frame: frame["type"] == "message")
        assert (event["kind"], event["file"]["name"]) == ("picture", "boots.png")
        async with bridge.http.get(event["file"]["url"]) as answer:
            assert await answer.read() == PNG
        await bridge.wait_for_state(shop, f"{page.visitor}:{first}", "delivered")
        (row,) = await rows(sandbox, shop, page.visitor)
        assert (row["type"], row["file_name"]) == ("picture", "boots.png")
        media = {
            "type": "file",
            "media": event["file"]["url"],
            "file_name": "a.png",
            "file_size": 1,
        }
        await sandbox.operator_writes(shop.account, page.visitor, "look", **media)
        event = await connection.until(lambda frame: frame.get("from") == "operator")
        assert event["kind"] == "file"
        assert event["file"]["url"].startswith(f"{bridge.url}/media/")


PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100


async def test_a_visitor_returns_to_what_was_said(bridge: Bridge, plain: PlainAmojo) -> None:
    shop = await open_chat(bridge, plain)
    page = Page(bridge, shop)
    async with page.connected() as connection:
        await connection.write("one")
        other = Page(bridge, shop)
        other.session = page.session
        async with other.connected() as second:
            assert other.texts == ["one"]
            await second.write("two")
            await connection.until(lambda frame: frame.get("text") == "two")
    for number in range(60):
        await plain.operator_writes(shop.account, page.visitor, f"reply {number}")

    async def all_there() -> bool:
        again = Page(bridge, shop)
        again.session = page.session
        async with again.connected():
            return again.texts[-1] == "reply 59"

    await eventually(all_there, "all replies are in the feed")
    async with page.connected() as connection:
        assert page.texts == [f"reply {number}" for number in range(10, 60)], "it began anew"
        await connection.say(type="history", before=page.events[0]["position"])
        older = await connection.until(lambda frame: frame["type"] == "history")
        texts = [event["text"] for event in older["events"]]
        assert texts == ["one", "two"] + [f"reply {number}" for number in range(10)]
        assert not older["more"]


# --- nothing lost, nothing twice, in order ---


async def talk(page: Page, texts: list[str], outbox: dict[str, str], over: asyncio.Event) -> None:
    """A page as our script is: one message at a time, each until it is accepted, over as many connections as it takes."""
    for text in texts:
        outbox[str(uuid.uuid4())] = text
    while not over.is_set():
        try:
            async with page.connected() as connection:
                for message_id, text in outbox.items():
                    if message_id not in page.accepted:
                        await connection.say(**message(message_id, text))
                        await connection.until(lambda _, name=message_id: name in page.accepted)
                while not over.is_set():
                    await connection.hear()
        except (aiohttp.ClientError, ConnectionError, TypeError, AssertionError):
            await asyncio.sleep(0.02)


async def say_all(plain: PlainAmojo, shop: Shop, visitor: str, texts: list[str]) -> None:
    """What the operator says, each again under its id until the server takes it."""
    for number, text in enumerate(texts):
        body = plain.callback_body(shop.account, visitor, text, amojo_id=f"a-{number}")

        async def taken(body: bytes = body) -> bool:
            try:
                return await plain.send_callback(shop.account, body) == 200
            except aiohttp.ClientError:
                return False

        await eventually(taken, f"the callback of {text!r} is taken")


async def test_killed_servers_lose_nothing_and_tell_nothing_twice(
    own_bridge: OwnBridge, plain: PlainAmojo
) -> None:
    bridge = own_bridge()
    shop = await open_chat(bridge, plain, messages_per_minute=1000)
    page = Page(bridge, shop)
    async with page.connected() as connection:
        await connection.write("begin")
    said = [f"visitor {number}" for number in range(30)]
    replies = [f"operator {number}" for number in range(40)]
    over, outbox = asyncio.Event(), dict[str, str]()
    talking = asyncio.create_task(talk(page, said, outbox, over))
    replying = asyncio.create_task(say_all(plain, shop, page.visitor, replies))
    for part in (15, 35):
        await eventually(lambda part=part: shown(page, part), f"{part} messages are shown")
        bridge.process.kill()
        await asyncio.to_thread(bridge.process.start, "/readyz")
    await replying
    await eventually(lambda: shown(page, 71), "everything is shown")
    over.set()
    await plain.operator_writes(shop.account, page.visitor, "end")
    await talking
    positions = [event["position"] for event in page.events]
    assert positions == sorted(set(positions))
    assert [text for text in page.texts if text.startswith("visitor")] == said
    assert [text for text in page.texts if text.startswith("operator")] == replies

    async def arrived() -> bool:
        return len((await plain.arrived(shop.account))[page.visitor]) == 31

    await eventually(arrived, "amoCRM has what the visitor wrote")
    wanted = [f"{page.visitor}:{name}" for name in outbox]
    assert (await plain.arrived(shop.account))[page.visitor][1:] == wanted


async def shown(page: Page, count: int) -> bool:
    return len(page.events) >= count


async def test_a_server_that_stops_sends_its_visitors_to_the_next(
    own_bridge: OwnBridge, plain: PlainAmojo
) -> None:
    bridge = own_bridge(HTTP__SHUTDOWN_GRACE="1000")
    shop = await open_chat(bridge, plain)
    async with AsyncExitStack() as stack:
        pages = [Page(bridge, shop) for _ in range(5)]
        connections = [await stack.enter_async_context(page.connected()) for page in pages]
        ending = asyncio.create_task(asyncio.to_thread(bridge.process.terminate))
        await asyncio.to_thread(until, lambda: lines(bridge.process, "stopping"), "it stops")
        chatting = [asyncio.create_task(chat_on(connection)) for connection in connections]
        closed = await asyncio.gather(*(connection.closed() for connection in connections))
        assert closed == [1012] * 5
        assert await ending == 0
        await asyncio.gather(*chatting)


async def chat_on(connection: Connection) -> None:
    """Say as much as a visitor may: what is on its way must not take the server's farewell with it."""
    with suppress(ConnectionError):
        for _ in range(190):
            await connection.say(type="typing")
            await asyncio.sleep(0)


async def test_a_visitor_on_one_worker_hears_of_a_callback_on_the_other(
    tmp_path: Path, postgres: PostgresServer, plain: PlainAmojo, http: aiohttp.ClientSession
) -> None:
    with postgres.database() as url, stopped_afterwards(crew_process(tmp_path, url)) as process:
        bridge = Bridge(process, http)
        await asyncio.to_thread(begin, process)
        shop = await open_chat(bridge, plain)
        async with AsyncExitStack() as stack:
            page, visitors = Page(bridge, shop), dict[object, Any]()
            async with page.connected() as connection:
                await connection.write("begin")
            while len(visitors) < 2:
                other = Page(bridge, shop)
                other.session = page.session
                connection = await stack.enter_async_context(other.connected())
                worker = lines(process, "visitor_entered")[-1]["worker"]
                if visitors.setdefault(worker, connection) is not connection:
                    await connection.socket.close()
            wanted = [f"reply {number}" for number in range(20)]
            for text in wanted:
                await plain.operator_writes(shop.account, page.visitor, text)
            for connection in visitors.values():
                await connection.until(lambda frame: frame.get("text") == "reply 19")
                assert connection.page.texts == ["begin", *wanted]
            before = len(lines(process, "replaced"))
            signalled(process, signal.SIGHUP)
            assert await asyncio.gather(*(each.closed() for each in visitors.values())) == [
                1012,
                1012,
            ]
            until(lambda: len(lines(process, "replaced")) > before, "both are replaced")
            async with page.connected():
                assert page.texts == ["begin", *wanted]
        assert faults_in(process.log) == []


# --- refusals ---


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None, "https://shop.example."])
async def test_a_page_of_another_site_is_refused(
    bridge: Bridge, plain: PlainAmojo, origin: str | None
) -> None:
    shop = await open_chat(bridge, plain)
    page = Page(bridge, shop, origin=origin)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with page.dialled():
            pass
    assert refused.value.status == 403
    headers = {} if origin is None else {"Origin": origin}
    for method, path in (("POST", "files?name=a"), ("OPTIONS", "files")):
        reply = await bridge.call(method, f"{page.path}/{path}", key=None, headers=headers)
        assert reply.problem()["code"] == "origin_refused"
        assert "Access-Control-Allow-Origin" not in reply.headers
    reply = await bridge.call("GET", f"{page.path}/settings", key=None, headers=headers)
    assert reply.status == (200 if origin is None else 403)
    assert "Access-Control-Allow-Origin" not in reply.headers


async def test_what_is_no_chat_is_not_there(bridge: Bridge, plain: PlainAmojo) -> None:
    other = await bridge.open_shop(plain)
    for messenger in ("nobody", other.messenger["id"]):
        for path in ("", "/settings", "/socket"):
            headers = {"Origin": SITE}
            reply = await bridge.call("GET", f"/chat/{messenger}{path}", key=None, headers=headers)
            assert reply.problem()["code"] == "not_found"
    shop = await open_chat(bridge, plain)
    reply = await bridge.call(
        "GET", f"/chat/{shop.messenger['id']}/socket", key=None, headers={"Origin": SITE}
    )
    assert reply.status == 400, "a call that is no handshake"


async def test_what_pages_load(bridge: Bridge, plain: PlainAmojo) -> None:
    shop = await open_chat(bridge, plain, title="Ask us", form={"email": "required"})
    path = f"/chat/{shop.messenger['id']}"
    reply = await bridge.call("GET", f"{path}/settings", key=None, headers={"Origin": SITE})
    assert reply.json == {
        "title": "Ask us", "greeting": "", "colour": "#2a66d9", "position": "right", "language": None,
        "form": {"name": "off", "phone": "off", "email": "required"}, "consent_url": None,
        "max_bytes": 20 << 20, "max_text": 4000,
    }  # fmt: skip
    assert reply.headers["Access-Control-Allow-Origin"] == SITE
    assert reply.headers["Vary"] == "Origin"
    plainly = {"Accept-Encoding": "identity"}
    script = await bridge.call("GET", "/chat.js", key=None, headers=plainly)
    assert script.status == 200
    assert script.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert script.headers["X-Content-Type-Options"] == "nosniff"
    packed = await bridge.call("GET", "/chat.js", key=None, headers={"Accept-Encoding": "br, gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.body) < len(script.body)
    known = {"If-None-Match": script.headers["ETag"]}
    assert (await bridge.call("GET", "/chat.js", key=None, headers=known)).status == 304
    (version,) = re.findall(rb"const version = `(\w+)`", script.body)
    panel, whole = [
        await bridge.call("GET", f"/chat/panel/{name}.js", key=None, headers=plainly)
        for name in (version.decode(), "another")
    ]
    for module, kept in ((panel, "public, max-age=31536000, immutable"), (whole, "no-store")):
        assert module.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert module.headers["Access-Control-Allow-Origin"] == "*"
        assert module.headers["Cache-Control"] == kept
    assert b"export default createPanel;" in panel.body
    assert b"export default renew;" in whole.body
    shown = await bridge.call("GET", path, key=None)
    assert shown.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")  # fmt: skip
    assert b"/chat.js" in shown.body
    announced = {"Origin": SITE, "Access-Control-Request-Method": "POST"}
    allowed = await bridge.call("OPTIONS", f"{path}/files", key=None, headers=announced)
    assert allowed.status == 204
    assert allowed.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type"


async def test_a_chat_without_an_account_stays_polite(bridge: Bridge, plain: PlainAmojo) -> None:
    made = await bridge.add_messenger(kind="website", settings={"sites": [SITE]})
    account = await plain.open_account(bridge.hook_url)
    page = Page(bridge, Shop(account=account, messenger=made, scope_id=""))
    async with page.connected() as connection:
        message_id = str(uuid.uuid4())
        await connection.say(**message(message_id, "Anybody?"))
        refused = await connection.until(lambda frame: frame["type"] == "refused")
        assert (refused["id"], refused["code"]) == (message_id, "not_linked")
        assert refused["retry_after"] == 30


async def test_a_visitor_who_writes_too_much_is_slowed_down(
    bridge: Bridge, plain: PlainAmojo
) -> None:
    shop = await open_chat(bridge, plain, messages_per_minute=2)
    page = Page(bridge, shop)
    async with page.connected() as connection:
        await connection.write("one")
        await connection.write("two")
        await connection.say(**message(str(uuid.uuid4()), "three"))
        refused = await connection.until(lambda frame: frame["type"] == "refused")
        assert refused["code"] == "too_many"
        assert 0 < refused["retry_after"] <= 30


@pytest.mark.parametrize(
    "said",
    [
        "",
        "no json",
        '{"type":"hello"}',
        '{"type":"ping"}',
        '{"type":"message"}',
        b"\x00",
        "x" * 70_000,
    ],
)
async def test_who_does_not_speak_the_protocol_is_hung_up_on(
    bridge: Bridge, plain: PlainAmojo, said: str | bytes
) -> None:
    shop = await open_chat(bridge, plain)
    async with Page(bridge, shop).dialled() as connection:
        if isinstance(said, bytes):
            await connection.socket.send_bytes(said)
        else:
            await connection.socket.send_str(said)
        assert await connection.closed() == (1009 if len(said) > 65_536 else 4400)


async def test_a_flood_of_frames_and_of_pages_ends(bridge: Bridge, plain: PlainAmojo) -> None:
    shop = await open_chat(bridge, plain)
    page = Page(bridge, shop)
    async with page.connected() as connection:
        for _ in range(300):
            await connection.say(type="typing")
        assert await connection.closed() == 4429
    async with AsyncExitStack() as stack:
        other = Page(bridge, shop)
        for _ in range(8):
            await stack.enter_async_context(other.connected())
        async with other.dialled() as connection:
            await connection.say(type="hello", session=other.session, after=None)
            assert await connection.closed() == 4429


@pytest.mark.parametrize(
    ("settings", "pointer"),
    [
        ({}, "/settings/sites"),
        ({"sites": []}, "/settings/sites"),
        ({"sites": ["shop.example"]}, "/settings/sites/0"),
        ({"sites": [SITE], "colour": "blue"}, "/settings/colour"),
        ({"sites": [SITE], "form": {"name": "maybe"}}, "/settings/form/name"),
        ({"sites": [SITE], "consent_url": "javascript:alert(1)"}, "/settings/consent_url"),
        ({"sites": [SITE], "max_bytes": 2**40}, "/settings/max_bytes"),
        ({"sites": [SITE], "messages_per_minute": 0}, "/settings/messages_per_minute"),
        ({"sites": [SITE], "language": "de"}, "/settings/language"),
    ],
)
async def test_settings_that_cannot_work_are_refused(
    bridge: Bridge, settings: dict[str, Any], pointer: str
) -> None:
    draft = {"name": "Site", "kind": "website", "settings": settings}
    problem = (await bridge.call("POST", "/v1/messengers", draft)).problem()
    assert problem["code"] == "invalid_fields"
    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]


async def test_an_operator_cannot_write_to_a_visitor_who_never_wrote(
    bridge: Bridge, sandbox: SandboxAmojo
) -> None:
    shop = await open_chat(bridge, sandbox)
    body = {
        "scope_id": shop.scope_id,
        "phone": "+79151112233",
        "message": {"type": "text", "text": "hello"},
    }
    chat = (await sandbox.control("POST", "/chats", body))["chat"]

    async def status() -> Any:
        found = await sandbox.control("GET", f"/chats/{chat['id']}/messages")
        return found["messages"][0]["status"]["error_code"]

    assert await eventually(status, "amoCRM is told that it failed") == 904


# --- visitors cannot read each other's conversations ---


async def test_nobody_reads_another_visitors_conversation(
    bridge: Bridge, plain: PlainAmojo
) -> None:
    shop, neighbour = await open_chat(bridge, plain), await open_chat(bridge, plain)
    victim, thief = Page(bridge, shop), Page(bridge, shop)
    async with victim.connected() as theirs, thief.connected() as mine:
        secret = await theirs.write("secret")
        await plain.operator_writes(shop.account, victim.visitor, "secret too")
        told = await theirs.until(lambda frame: frame.get("from") == "operator")
        upload = (await victim.upload(b"secret", name="secret.txt")).json
        last = told["position"]

        # Positions are the messenger's: theirs as a cursor, as a mark, as a place in history.
        for frame in ({"type": "read"}, {"type": "received"}):
            await mine.say(**frame, position=last)
        await mine.say(type="history", before=last + 1)
        assert (await mine.until(lambda frame: frame["type"] == "history"))["events"] == []

        # Their message's id, their file, their message as a quote.
        await mine.write("mine", id=secret)
        await mine.say(**message(str(uuid.uuid4()), None, media_id=upload["media_id"]))
        refused = await mine.until(lambda frame: frame["type"] == "refused")
        assert refused["code"] == "invalid_fields"
        for quoted in (secret, told["id"], f"{victim.visitor}:{secret}"):
            await mine.write("quote", reply_to=quoted)
        assert {event["text"] for event in thief.events} == {"mine", "quote"}
        assert not any(event["reply_to"] for event in thief.events if event["text"] == "mine")
    for after in (0, 1, last):
        thief.after = after
        async with thief.connected():
            assert "secret" not in json.dumps(thief.events)
    forged = f"{victim.session.partition('.')[0]}.{(thief.session or '').partition('.')[2]}" if victim.session else ""  # fmt: skip
    for session, place in ((forged, shop), (victim.session, neighbour), (upload["media_id"], shop)):
        stranger = Page(bridge, place)
        stranger.session = session
        async with stranger.connected() as connection:
            assert connection.heard[0]["reset"]
            assert stranger.visitor != victim.visitor
            assert stranger.events == []
    passport = await bridge.passport(shop, told["id"])
    assert "marked_read" not in [line["step"] for line in passport["timeline"]]

    async def all_arrived() -> bool:
        return len((await plain.arrived(shop.account)).get(thief.visitor, [])) == 4

    await eventually(all_arrived, "what the thief wrote is in a conversation of their own")
    for taken in plain.taken:
        if taken.payload["conversation_id"] == thief.visitor:
            assert "secret" not in json.dumps(taken.payload)
            assert told["id"] not in json.dumps(taken.payload)


async def test_files_are_for_visitors_and_of_a_decent_size(
    bridge: Bridge, plain: PlainAmojo
) -> None:
    shop = await open_chat(bridge, plain, max_bytes=1000)
    page = Page(bridge, shop)
    async with page.connected():
        pass
    for session in ("", "Bearer x", f"Basic {page.session}"):
        reply = await page.upload(b"x", Authorization=session)
        assert reply.problem()["code"] == "unauthenticated"
        assert reply.headers["Access-Control-Allow-Origin"] == SITE
    assert (await page.upload(b"x" * 1000)).status == 201
    assert (await page.upload(b"x" * 1001)).problem()["code"] == "body_too_large"

    async def chunks() -> Any:
        for _ in range(11):
            yield b"x" * 100

    assert (await page.upload(chunks())).problem()["code"] == "body_too_large"
    while (reply := await page.upload(b"x")).status == 201:
        pass
    assert reply.problem()["code"] == "too_many"


async def test_text_stays_text(bridge: Bridge, plain: PlainAmojo) -> None:
    shop = await open_chat(bridge, plain)
    page = Page(bridge, shop)
    strange = '<img src=x onerror="alert(1)"></script>\u2028\u0000😀 "\\'
    async with page.connected() as connection:
        await connection.write(strange)
        await plain.operator_writes(shop.account, page.visitor, strange)
        event = await connection.until(lambda frame: frame.get("from") == "operator")
        assert event["text"] == strange
    assert page.texts == [strange, strange]


async def test_a_page_that_takes_nothing_holds_nobody_up(
    own_bridge: OwnBridge, plain: PlainAmojo
) -> None:
    bridge = own_bridge(HTTP__SHUTDOWN_GRACE="1000")
    shop = await open_chat(bridge, plain)
    slow = Page(bridge, shop)
    async with slow.connected() as stalled:
        await stalled.write("begin")
        quick = Page(bridge, shop)
        quick.session = slow.session
        async with quick.connected() as connection:
            transport = stalled.socket._response.connection.transport  # type: ignore[union-attr]  # noqa: SLF001
            transport.pause_reading()
            text = "x" * 60_000
            for number in range(60):
                await plain.operator_writes(shop.account, slow.visitor, f"{number} {text}")
            await connection.until(lambda frame: (frame.get("text") or "").startswith("59 "))
        async with asyncio.timeout(SECONDS):
            assert await asyncio.to_thread(bridge.process.terminate) == 0
