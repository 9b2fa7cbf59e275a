"""Files for tests: the real parts over a temporary folder, and files of every kind."""

import asyncio
import gzip
from collections.abc import Mapping
from contextlib import suppress
from math import inf
from pathlib import Path
from typing import ClassVar, Self

from aiohttp import web

from chatbridge.bridge.attaching import Attachments
from chatbridge.bridge.copying import Copier
from chatbridge.bridge.directory import Directory
from chatbridge.bridge.fetching import fetching
from chatbridge.bridge.retention import Retention
from chatbridge.bridge.uploading import Uploads
from chatbridge.clients.addresses import AddressGuard
from chatbridge.clients.downloads import Downloader
from chatbridge.clock import Clock
from chatbridge.connectors.base import Connector
from chatbridge.ids import new_media_id
from chatbridge.media.files import Files
from chatbridge.media.links import MediaLinks
from chatbridge.observability.metrics import Metrics
from chatbridge.parts.media import MediaParts
from chatbridge.store.engine import Store
from chatbridge.store.sealing import Sealer

PUBLIC_URL = "https://bridge.example.com"
PASSPHRASE = "a passphrase of the tests"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\x06\0\0\0" + b"\0" * 40
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1" + b"\0" * 40
PDF = b"%PDF-1.7\n" + b"x" * 40
OGG = b"OggS\0\2" + b"\0" * 22 + b"OpusHead" + b"\0" * 40
MP3 = b"ID3\4\0\0" + b"\0" * 60
MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0" * 40
WEBP = b"RIFF\x24\0\0\0WEBPVP8 " + b"\0" * 40
HTML = b"<!DOCTYPE html><script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def make_media_parts(
    store: Store,
    clock: Clock,
    folder: Path,
    *,
    allow: tuple[str, ...] = (),
    max_bytes: int = 1_000_000,
    days: int = 30,
    connectors: Mapping[str, Connector] | None = None,
) -> MediaParts:
    """Everything that has to do with files, in a folder below this one."""
    files, links = Files(str(folder / "media"), {}), MediaLinks(PUBLIC_URL, ["a passphrase"])
    guard = AddressGuard.allowing(allow)
    downloader = Downloader(guard, connect_timeout=5, user_agent="test")
    return MediaParts(
        files=files,
        links=links,
        downloader=downloader,
        copier=Copier(
            store=store,
            clock=clock,
            metrics=Metrics(),
            files=files,
            downloader=downloader,
            fetch=fetching(Directory(store, Sealer([PASSPHRASE]), clock), connectors or {}),
            links=links,
            max_bytes=max_bytes,
        ),
        uploads=Uploads(
            store=store,
            clock=clock,
            files=files,
            links=links,
            max_bytes=max_bytes,
            new_id=new_media_id,
        ),
        retention=Retention(store=store, clock=clock, files=files, days=days),
    )


def make_attachments(store: Store, parts: MediaParts) -> Attachments:
    """What puts links in place."""
    return Attachments(store=store, copier=parts.copier, links=parts.links)


class FileServer:
    """A server of files on loopback: `/{kind}/{any name}`. It notes what it was asked for."""

    FILES: ClassVar = {
        "png": PNG,
        "jpeg": JPEG,
        "pdf": PDF,
        "ogg": OGG,
        "mp3": MP3,
        "mp4": MP4,
        "webp": WEBP,
        "html": HTML,
        "svg": SVG,
    }

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.url = ""
        self.closed = False
        """The links have died: everything answers 404."""
        self.held: asyncio.Event | None = None
        """Nothing is answered before it is set."""
        self.first_byte = asyncio.Event()
        """Somebody has been asking."""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/redirect/{times}/{rest:.+}", self._redirect)
        app.router.add_get("/to/{rest:.*}", self._to)
        app.router.add_get("/cut/{rest:.*}", self._break_off)
        app.router.add_get("/{kind}/{name:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def link(self, kind: str, name: str = "a") -> str:
        return f"{self.url}/{kind}/{name}"

    async def _redirect(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        left, rest = int(request.match_info["times"]), request.match_info["rest"]
        where = f"/redirect/{left - 1}/{rest}" if left > 1 else f"/{rest}"
        return web.Response(status=302, headers={"Location": where})

    async def _to(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        return web.Response(status=302, headers={"Location": request.match_info["rest"]})

    async def _break_off(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        response = web.StreamResponse()
        response.content_length = 100
        await response.prepare(request)
        await response.write(b"\0" * 50)
        if request.transport is not None:
            request.transport.abort()
        return response

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        self.first_byte.set()
        if self.held is not None:
            await self.held.wait()
        kind = request.match_info["kind"]
        if kind == "huge":  # 5 GiB, and says so
            response = web.StreamResponse()
            response.content_length = 5 * 2**30
            return await self._pour(request, response)
        if kind == "large":  # 100 MB
            response = web.StreamResponse()
            response.content_length = 100_000_000
            return await self._pour(request, response, 100_000_000)
        if kind == "endless":
            return await self._pour(request, web.StreamResponse())
        if self.closed or kind not in self.FILES:
            return web.Response(status=404)
        if request.query.get("packed"):
            packed = gzip.compress(self.FILES[kind])
            return web.Response(body=packed, headers={"Content-Encoding": "gzip"})
        # Its type is a lie, as types may be.
        return web.Response(body=self.FILES[kind], content_type="image/png")

    async def _pour(
        self, request: web.Request, response: web.StreamResponse, size: float = inf
    ) -> web.StreamResponse:
        sent = 0
        with suppress(ConnectionError):
            await response.prepare(request)
            while sent < size:
                await response.write(b"\0" * 100_000)
                sent += 100_000
        return response
