"""Files: copied when a message is accepted, given out by links of the server. Real processes, the sandbox in between."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.acceptance.bridge import Bridge, Shop, eventually, running_bridge, without_faults
from tests.acceptance.conftest import OwnBridge
from tests.acceptance.sandbox import SandboxAmojo
from tests.acceptance.webhooks import verified_event
from tests.fakes import FarSide
from tests.media import HTML, JPEG, OGG, PDF, PNG, SVG, FileServer
from tests.plain_amojo import PlainAmojo
from tests.processes import Process


async def arrived(plain: PlainAmojo, count: int) -> list[dict[str, Any]]:
    """What amoCRM was sent, as it was sent."""

    async def there() -> bool:
        return len(plain.taken) >= count

    await eventually(there, f"{count} messages at amoCRM")
    return [taken.payload["message"] for taken in plain.taken]


async def fetch(http: aiohttp.ClientSession, link: str, **headers: str) -> tuple[Any, bytes]:
    async with http.get(link, headers=headers) as answer:
        return answer, await answer.read()


def picture(link: str, **more: Any) -> dict[str, Any]:
    return {"type": "picture", "media_url": link} | more


def steps(passport: dict[str, Any]) -> dict[str, Any]:
    return {line["step"]: line for line in passport["timeline"]}


async def test_a_picture_outlives_its_link(
    bridge: Bridge, own_sandbox: SandboxAmojo, files: FileServer, http: aiohttp.ClientSession
) -> None:
    sandbox = own_sandbox
    shop = await bridge.open_shop(sandbox)
    await sandbox.switch(fault="503", media_download="on")
    await bridge.take(shop, "m-1", message=picture(files.link("png", "a%20b.png"), text="look"))
    await bridge.wait_for_step(shop, "m-1", "copied")
    await bridge.wait_for_step(shop, "m-1", "retry")
    files.closed = True
    await sandbox.switch(fault="none")
    passport = await bridge.wait_for_state(shop, "m-1", "delivered")
    ((message,),) = (await sandbox.messages(shop.account)).values()
    assert steps(passport)["copied"]["detail"] == f"image/png, {len(PNG)} bytes"
    assert (message["type"], message["text"]) == ("picture", "look")
    answer, body = await fetch(http, message["media"])
    assert (answer.status, body) == (200, PNG)
    assert files.asked == ["/png/a b.png"]

    async def downloaded() -> bool:
        log = (await sandbox.control("GET", "/requests"))["requests"]
        return any(
            e["kind"] == "download" and e["path"] == message["media"] and e["status"] == 200
            for e in log
        )

    await eventually(downloaded, "amoCRM has downloaded the picture")


CASES: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("html named .png", {"media_url": "html/x.png"}, {"type": "file", "file_name": "x.png"}, "copied"),
    ("svg", {"media_url": "svg/x.svg"}, {"type": "file", "file_name": "x.svg"}, "copied"),
    ("a name with ../", {"media_url": "png/a", "file_name": "../../etc/pass\u202ewd"}, {"type": "picture", "file_name": "passwd"}, "copied"),
    ("three redirects", {"media_url": "redirect/3/png/a.png"}, {"type": "picture", "file_name": "a.png"}, "copied"),
    ("gone", {"media_url": "nothing/a.png", "text": "see"}, {"type": "text", "text": "see\n📎 a.png {files}/nothing/a.png"}, "media_gone"),
    ("packed", {"media_url": "png/a.png?packed=1"}, {"type": "text", "text": "📎 a.png {files}/png/a.png?packed=1"}, "media_gone"),
    ("5 GiB", {"media_url": "huge/film.mp4"}, {"type": "picture", "media": "{files}/huge/film.mp4"}, "media_too_large"),
    ("endless", {"media_url": "endless/film.mp4"}, {"type": "picture", "media": "{files}/endless/film.mp4"}, "media_too_large"),
    ("metadata by redirect", {"media_url": "to/http://169.254.169.254/latest", "file_name": "k"}, {"type": "text", "text": "📎 k"}, "media_forbidden"),
    ("a file by redirect", {"media_url": "to/file:///etc/passwd", "file_name": "k"}, {"type": "text", "text": "📎 k"}, "media_forbidden"),
    ("not a link by redirect", {"media_url": "to/http://[::1", "file_name": "k"}, {"type": "text", "text": "📎 k"}, "media_forbidden"),
]  # fmt: skip


@pytest.fixture(scope="module")
def small_files_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    folder = tmp_path_factory.mktemp("small_files")
    with running_bridge(folder, MEDIA__MAX_BYTES="1000000") as process:
        yield process


@pytest.fixture
def small_files(small_files_process: Process, http: aiohttp.ClientSession) -> Iterator[Bridge]:
    """A server that keeps a megabyte of a file at most, shared by tests that do not stop it."""
    with without_faults(small_files_process):
        yield Bridge(small_files_process, http)


@pytest.mark.parametrize("case", [case[1:] for case in CASES], ids=[case[0] for case in CASES])
async def test_what_cannot_be_copied_is_harmless_and_says_why(
    small_files: Bridge, plain: PlainAmojo, files: FileServer, case: tuple[Any, Any, str]
) -> None:
    bridge, (said, wire, step) = small_files, case
    shop = await bridge.open_shop(plain)
    said = said | {"type": "picture", "media_url": f"{files.url}/{said['media_url']}"}
    await bridge.take(shop, "m-1", message=said)
    (message,) = await arrived(plain, 1)
    for name, value in wire.items():
        assert message[name] == value.replace("{files}", files.url), message
    timeline = steps(await bridge.wait_for_state(shop, "m-1", "delivered"))
    if step == "copied":
        assert message["media"].startswith(f"{bridge.url}/media/")
        assert "not_copied" not in timeline
    else:
        assert timeline["not_copied"]["code"] == step
        assert step in timeline["accepted"]["detail"]


async def test_a_link_to_a_private_address_is_refused_without_a_call(
    own_bridge: OwnBridge, plain: PlainAmojo, files: FileServer
) -> None:
    bridge = own_bridge(NETWORK__ALLOW="plain.invalid,127.0.0.1")
    shop = await bridge.open_shop(plain)
    address = files.url.replace("127.0.0.1", "127.0.0.2")
    await bridge.take(shop, "m-1", message=picture(f"{address}/png/a.png"))
    (message,) = await arrived(plain, 1)
    assert message == {"type": "text", "text": "📎 a.png"}
    said = steps(await bridge.wait_for_state(shop, "m-1", "delivered"))["not_copied"]
    assert said["code"] == "media_forbidden"
    assert "127.0.0.2" in said["detail"]
    assert "CHATBRIDGE_NETWORK__ALLOW" in said["detail"]
    assert files.asked == []


async def test_what_follows_a_file_waits_for_it(
    bridge: Bridge, plain: PlainAmojo, files: FileServer
) -> None:
    shop = await bridge.open_shop(plain)
    files.held = asyncio.Event()
    for number in range(3):
        await bridge.take(
            shop, f"m-{number}", message=picture(files.link("png"), file_name=f"{number}.png")
        )
    await bridge.take(shop, "m-3")
    await bridge.take(shop, "other", "c-2")
    await arrived(plain, 1)
    files.held.set()
    await arrived(plain, 5)
    assert [taken.payload["msgid"] for taken in plain.taken] == [
        "other",
        "m-0",
        "m-1",
        "m-2",
        "m-3",
    ]


async def test_a_copy_that_a_crash_broke_off_begins_again(
    own_bridge: OwnBridge, plain: PlainAmojo, files: FileServer
) -> None:
    bridge = own_bridge()
    shop = await bridge.open_shop(plain)
    files.held = asyncio.Event()
    await bridge.take(shop, "m-1", message=picture(files.link("png", "a.png")))
    await bridge.take(shop, "m-2")
    await files.first_byte.wait()
    bridge.process.kill()
    files.held.set()
    bridge.process.start("/readyz")
    first, second = await arrived(plain, 2)
    assert first["media"].startswith(f"{bridge.url}/media/")
    assert second["text"] == "text of m-2"


async def test_operators_files_are_copied_too(
    bridge: Bridge,
    plain: PlainAmojo,
    backend: FarSide,
    files: FileServer,
    http: aiohttp.ClientSession,
) -> None:
    shop = await bridge.open_shop(plain, backend)
    said = {"type": "voice", "media": files.link("ogg", "v.ogg"), "file_name": "", "file_size": 0}
    status, amojo_id = await plain.operator_writes(shop.account, "c-1", "", **said)
    assert status == 200
    (received,) = await backend.wait_for_requests(1)
    message = verified_event(received, shop)["data"]["message"]
    assert (message["type"], message["file_size"], message["file_name"]) == (
        "voice",
        len(OGG),
        "v.ogg",
    )
    answer, body = await fetch(http, message["media_url"])
    assert (body, answer.headers["Content-Type"]) == (OGG, "audio/ogg")
    assert "copied" in steps(await bridge.passport(shop, amojo_id))


async def test_an_edit_brings_its_own_file(
    bridge: Bridge, sandbox: SandboxAmojo, files: FileServer, http: aiohttp.ClientSession
) -> None:
    shop = await bridge.open_shop(sandbox)
    await bridge.take(shop, "m-1", message=picture(files.link("png")))
    await bridge.wait_for_state(shop, "m-1", "delivered")
    edit = {"message": picture(files.link("jpeg"))}
    assert (await bridge.call("PATCH", "/v1/messages/m-1", edit, key=shop.key)).status == 202

    async def edited() -> bytes:
        ((row,),) = (await sandbox.messages(shop.account)).values()
        body = (await fetch(http, row["media"]))[1]
        return body if row["edited"] else b""

    assert await eventually(edited, "the edit is at amoCRM") == JPEG


# --- uploads --------------------------------------------------------------------------------------


async def upload(bridge: Bridge, shop: Shop, body: Any, query: str = "", **headers: str) -> Any:
    headers = {"Authorization": f"Bearer {shop.key}"} | headers
    async with bridge.http.post(
        f"{bridge.url}/v1/media{query}", data=body, headers=headers
    ) as answer:
        return answer.status, await answer.json()


async def test_an_upload_is_named_in_messages(
    bridge: Bridge, plain: PlainAmojo, http: aiohttp.ClientSession
) -> None:
    shop = await bridge.open_shop(plain)
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("comment", "ignored")
    form.add_field("file", PDF, filename="Прайс.pdf", content_type="text/html")
    status, first = await upload(bridge, shop, form)
    assert (status, first["content_type"], first["size"]) == (201, "application/pdf", len(PDF))
    status, second = await upload(
        bridge, shop, PNG, "?file_name=p.png", **{"Content-Type": "application/octet-stream"}
    )
    assert (status, second["file_name"]) == (201, "p.png")
    await bridge.take(shop, "m-1", message={"type": "file", "media_id": first["id"]})
    await bridge.take(shop, "m-2", message=picture(second["url"]))
    await bridge.take(shop, "m-3", message=picture(second["url"]))
    one, two, three = await arrived(plain, 3)
    assert (one["media"], one["file_name"], one["file_size"]) == (
        first["url"],
        "Прайс.pdf",
        len(PDF),
    )
    assert (two["media"], two["file_name"]) == (three["media"], "p.png") == (second["url"], "p.png")
    assert (await fetch(http, one["media"]))[1] == PDF


async def test_uploads_are_refused_with_a_reason(own_bridge: OwnBridge, plain: PlainAmojo) -> None:
    bridge = own_bridge(MEDIA__MAX_BYTES="100000")
    shop, other = await bridge.open_shop(plain), await bridge.open_shop(plain)
    status, problem = await upload(bridge, shop, b"x" * 100_001)
    assert (status, problem["code"]) == (413, "body_too_large")
    status, problem = await upload(
        bridge, shop, aiohttp.FormData({"a": "b"}, default_to_multipart=True)
    )
    assert (status, problem["code"]) == (422, "invalid_fields")
    head = b'--a\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n'
    for broken in (b"garbage", head + b"half", head + b"half\r\n--", head + b"half\r\n"):
        kind = {"Content-Type": "multipart/form-data; boundary=a"}
        status, problem = await upload(bridge, shop, broken, **kind)
        assert (status, problem["code"]) == (422, "invalid_fields"), broken
    status, _ = await upload(bridge, shop, head + b"whole\r\n--a--\r\n", **kind)
    assert status == 201
    status, _ = await upload(bridge, shop, PNG, Authorization="Bearer nobody")
    assert status == 401
    _, made = await upload(bridge, shop, PNG)
    for message_id, media_id in (("m-1", made["id"]), ("m-2", "0" * 32)):
        refused = await bridge.send(
            other, message_id, message={"type": "file", "media_id": media_id}
        )
        assert refused.problem()["errors"][0]["pointer"] == "/message/media_id"


def peak_memory(bridge: Bridge) -> int:
    """Bytes that the server has held at most."""
    assert bridge.process.process is not None
    status = Path(f"/proc/{bridge.process.process.pid}/status").read_text(encoding="ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


async def test_large_files_pass_through_little_memory(
    own_bridge: OwnBridge, plain: PlainAmojo, files: FileServer
) -> None:
    bridge = own_bridge()
    shop = await bridge.open_shop(plain)
    await upload(bridge, shop, PNG)
    before, size = peak_memory(bridge), 0

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"\0" * 100_000

    status, made = await upload(bridge, shop, chunks())
    assert (status, made["size"]) == (201, 100_000_000)
    await bridge.take(shop, "m-1", message={"type": "file", "media_url": files.link("large")})
    (message,) = await arrived(plain, 1)
    assert message["file_size"] == 100_000_000
    async with bridge.http.get(message["media"]) as answer:
        async for chunk in answer.content.iter_any():
            size += len(chunk)
    assert size == 100_000_000
    assert peak_memory(bridge) - before < 64 * 2**20


# --- links ----------------------------------------------------------------------------------------


async def test_a_link_gives_the_file_and_nothing_else(bridge: Bridge, plain: PlainAmojo, http: aiohttp.ClientSession) -> None:  # fmt: skip
    shop = await bridge.open_shop(plain)
    _, made = await upload(bridge, shop, PNG, '?file_name=a"ж.png')
    link, size = made["url"], len(PNG)
    answer, body = await fetch(http, link)
    assert (answer.status, body, answer.headers["Content-Type"]) == (200, PNG, "image/png")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"].startswith('inline; filename="')
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    for wanted, got in (
        ("bytes=0-3", PNG[:4]),
        ("bytes=-4", PNG[-4:]),
        ("bytes=5-", PNG[5:]),
        ("bytes=8-99999", PNG[8:]),
    ):
        answer, body = await fetch(http, link, Range=wanted)
        assert (answer.status, body) == (206, got)
        assert answer.headers["Content-Range"].endswith(f"/{size}")
    answer, _ = await fetch(http, link, Range=f"bytes={size}-")
    assert (answer.status, answer.headers["Content-Range"]) == (416, f"bytes */{size}")
    etag = (await fetch(http, link))[0].headers["ETag"]
    assert (await fetch(http, link, **{"If-None-Match": etag}))[0].status == 304
    assert (await fetch(http, link, **{"If-Range": '"x"', "Range": "bytes=0-3"}))[0].status == 200
    async with http.head(link) as head:
        assert (head.status, head.content_length) == (200, size)
    for broken in (
        link[:-8],
        link.replace("/media/", "/media/A"),
        f"{bridge.url}/media/../x",
        f"{bridge.url}/media/%00",
    ):
        assert (await fetch(http, broken))[0].status == 404


@pytest.mark.parametrize(("body", "name"), [(HTML, "x.png"), (SVG, "x.svg"), (PDF, "x.html")])
async def test_what_could_be_a_page_is_given_out_as_bytes(
    bridge: Bridge, plain: PlainAmojo, http: aiohttp.ClientSession, body: bytes, name: str
) -> None:
    shop = await bridge.open_shop(plain)
    _, made = await upload(bridge, shop, body, f"?file_name={name}")
    answer, _ = await fetch(http, made["url"])
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
