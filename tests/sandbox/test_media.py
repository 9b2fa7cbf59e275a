"""Files operators attach, and the downloads of what clients send."""

import asyncio
import io
from collections.abc import AsyncIterator

import pytest
from aiohttp import FormData, web

from tests.sandbox.messenger import SCOPE, Answer, Desk


async def upload(desk: Desk, data: bytes, name: str, field: str = "file") -> Answer:
    form = FormData(quote_fields=False)
    form.add_field(field, io.BytesIO(data), filename=name)
    return await desk.request("POST", "/sandbox/media", data=form)


@pytest.mark.parametrize(
    ("name", "content_type", "shown"),
    [
        ("photo of ann.JPG", "image/jpeg", True),
        ("voice.ogg", "audio/ogg", True),
        ("page.html", "application/octet-stream", False),
        ("drawing.svg", "application/octet-stream", False),
        ("счёт.pdf", "application/octet-stream", False),
        ("no-suffix", "application/octet-stream", False),
    ],
)
async def test_an_upload_is_served_safely(
    desk: Desk, name: str, content_type: str, *, shown: bool
) -> None:
    stored = await upload(desk, b"bytes", name)
    assert stored.status == 201
    assert (stored.json["file_name"], stored.json["file_size"]) == (name, 5)
    path = stored.json["url"].removeprefix(desk.url)
    assert path.startswith("/attachments/")
    answer = await desk.request("GET", path)
    assert (answer.status, answer.body) == (200, b"bytes")
    assert answer.headers["Content-Type"] == content_type
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers.get("Content-Disposition") == (None if shown else "attachment")


async def test_names_cannot_leave_the_folder(desk: Desk) -> None:
    stored = await upload(desk, b"x", "../../etc/passwd")
    assert stored.json["file_name"] == "passwd"
    for path in ("/attachments/x/passwd", stored.json["url"].removeprefix(desk.url) + "x"):
        assert (await desk.request("GET", path)).status == 404


async def test_a_form_without_a_file_is_refused(desk: Desk) -> None:
    assert (await upload(desk, b"x", "a.txt", field="other")).status == 400
    headers = {"Content-Type": "multipart/form-data"}
    answer = await desk.request("POST", "/sandbox/media", data=b"x", headers=headers)
    assert answer.status == 400
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    for body in (b"", b"x", b"--b\r\n\r\n", b"--b--\r\n"):
        answer = await desk.request("POST", "/sandbox/media", data=body, headers=headers)
        assert answer.status == 400, body


async def test_six_megabytes_are_fine_fifty_one_are_not(desk: Desk) -> None:
    assert (await upload(desk, bytes(6 * 2**20), "six.mp4")).status == 201
    answer = await upload(desk, bytes(50 * 2**20 + 1), "big.mp4")
    assert (answer.status, answer.json["error"]["code"]) == (413, "too_large")


@pytest.fixture
async def files() -> AsyncIterator[str]:
    """A messenger's file server: /p.jpg is there, all else is not."""
    app = web.Application()

    async def picture(_: web.Request) -> web.Response:
        return web.Response(body=b"picture")

    app.router.add_get("/p.jpg", picture)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_media_and_avatars_are_fetched_and_the_result_is_listed(
    desk: Desk, files: str
) -> None:
    await desk.connect()
    picture = {"type": "picture", "file_name": "p.jpg", "file_size": 7}
    async with asyncio.timeout(10), desk.events() as events:
        for url, status, error in (
            (f"{files}/p.jpg", 200, None),
            (f"{files}/gone.jpg", 404, "answered 404"),
            ("http://127.0.0.1:1/p.jpg", None, "not downloaded: "),
            ("no address", None, "not downloaded: "),
        ):
            message = picture | {"media": url}
            sender = {"id": f"cust-{url}", "name": "Ann", "avatar": url}
            await desk.sent(f"m-{url}", message=message, sender=sender)
            rows = []
            while len(rows) < 2:
                row = await events.wait_for("request")
                rows += [row] if row["kind"] == "download" else []
            for row in rows:
                assert (row["path"], row["status"], row["scope_id"]) == (url, status, SCOPE)
                assert row["error"] == error or row["error"].startswith(error)


async def test_downloads_can_be_switched_off(desk: Desk, files: str) -> None:
    await desk.connect()
    await desk.switch(media_download="off")
    message = {"type": "picture", "media": f"{files}/p.jpg", "file_name": "p", "file_size": 7}
    await desk.sent("m-1", message=message)
    await desk.sent("m-2")
    rows = (await desk.control("GET", "/requests")).json["requests"]
    assert {row["kind"] for row in rows} == {"call"}
