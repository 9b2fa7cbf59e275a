"""`/openapi.json`, `/docs` and the files they need."""

from pathlib import Path
from typing import Final

import orjson
from aiohttp import web

from chatbridge.web.services import OPENAPI

_STATIC: Final = Path(__file__).with_name("static")
_LOOK: Final = Path(__file__).parent.with_name("look")

# The viewer writes style elements into its shadow root, hence 'unsafe-inline' for styles; scripts are files of ours.
_DOCS_POLICY: Final = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none';"
    " frame-ancestors 'none'"
)


async def get_openapi(request: web.Request) -> web.Response:
    """Return the description of the API."""
    return web.Response(body=orjson.dumps(request.app[OPENAPI]), content_type="application/json")


async def get_docs(request: web.Request) -> web.Response:
    """Return the page that shows the description and tries calls out."""
    del request
    page = (_STATIC / "docs.html").read_text(encoding="utf-8")
    return web.Response(
        text=page, content_type="text/html", headers={"Content-Security-Policy": _DOCS_POLICY}
    )


def static_files() -> list[web.StaticDef]:
    """Return the routes of the viewer and of what all pages share."""
    return [web.static("/static", _STATIC), web.static("/look", _LOOK)]
