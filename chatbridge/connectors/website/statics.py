"""What browsers load: the script, and the page that is nothing but a chat."""

import gzip
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from aiohttp import web

from chatbridge.connectors.website.chats import Chats
from chatbridge.connectors.website.doors import AT
from chatbridge.connectors.website.script import load_script

_PAGE: Final = Path(__file__).with_name("static") / "chat.html"
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self'; media-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)


class Statics:
    """Both of them, read once."""

    def __init__(self, chats: Chats) -> None:
        """There is a page for each of these chats."""
        self._chats, self._page = chats, _PAGE.read_text(encoding="utf-8")
        self._script = load_script().encode()
        self._packed = gzip.compress(self._script, mtime=0)
        self._etag = f'"{sha256(self._script).hexdigest()[:32]}"'

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """Return the addresses."""
        return web.get("/chat.js", self.script), web.get(AT, self.page)

    async def script(self, request: web.Request) -> web.Response:
        """Return the script."""
        headers = {
            "Cache-Control": "public, max-age=300",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "ETag": self._etag,
            "Vary": "Accept-Encoding",
        }
        if self._etag in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        body = self._script
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            body, headers["Content-Encoding"] = self._packed, "gzip"
        headers["Content-Type"] = "text/javascript; charset=utf-8"
        return web.Response(body=body, headers=headers)

    async def page(self, request: web.Request) -> web.Response:
        """Return the page of a chat."""
        await self._chats.get(request.match_info["messenger"])
        headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
        return web.Response(text=self._page, content_type="text/html", headers=headers)
