"""What browsers load: the scripts, and the page that is nothing but a chat."""

import gzip
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from aiohttp import web

from chatbridge.connectors.website.chats import Chats
from chatbridge.connectors.website.doors import AT
from chatbridge.connectors.website.script import load_scripts

_PAGE: Final = Path(__file__).with_name("static") / "chat.html"
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self'; media-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)


class Statics:
    """All of them, read once."""

    def __init__(self, chats: Chats) -> None:
        """There is a page for each of these chats."""
        self._chats, self._page = chats, _PAGE.read_text(encoding="utf-8")
        scripts = load_scripts()
        self._version = scripts.version
        self._chat, self._panel, self._whole = map(
            _Script, (scripts.chat, scripts.panel, scripts.whole)
        )

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """Return the addresses."""
        return (
            web.get("/chat.js", self.script),
            web.get("/chat/panel/{version}.js", self.panel),
            web.get(AT, self.page),
        )

    async def script(self, request: web.Request) -> web.Response:
        """Return the script that stands in pages."""
        return self._chat.answer(request, "public, max-age=300")

    async def panel(self, request: web.Request) -> web.Response:
        """Return the panel of this version.

        A page that was loaded before an upgrade asks for another one, and gets all that is needed to renew itself.
        """
        if request.match_info["version"] == self._version:
            return self._panel.answer(request, "public, max-age=31536000, immutable")
        return self._whole.answer(request, "no-store")

    async def page(self, request: web.Request) -> web.Response:
        """Return the page of a chat."""
        await self._chats.get(request.match_info["messenger"])
        headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
        return web.Response(text=self._page, content_type="text/html", headers=headers)


class _Script:
    """A script as it is given out to every site: there is nothing in it that is not public."""

    def __init__(self, text: str) -> None:
        """Pack it once."""
        self._plain = text.encode()
        self._packed = gzip.compress(self._plain, mtime=0)
        self._etag = f'"{sha256(self._plain).hexdigest()[:32]}"'

    def answer(self, request: web.Request, kept: str) -> web.Response:
        """Return it, to be kept as long as `Cache-Control` says."""
        headers = {
            "Access-Control-Allow-Origin": "*",  # browsers import a module from elsewhere only so
            "Cache-Control": kept,
            "Cross-Origin-Resource-Policy": "cross-origin",
            "ETag": self._etag,
            "Vary": "Accept-Encoding",
        }
        if self._etag in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        body = self._plain
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            body, headers["Content-Encoding"] = self._packed, "gzip"
        headers["Content-Type"] = "text/javascript; charset=utf-8"
        return web.Response(body=body, headers=headers)
