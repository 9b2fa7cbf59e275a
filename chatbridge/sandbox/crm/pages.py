"""The pages of an account, the files of its widgets, and amoCRM's proxy for them."""

import asyncio
import mimetypes
from pathlib import Path

import aiohttp
from aiohttp import web

from chatbridge.sandbox.control_bodies import ControlError, read_json
from chatbridge.sandbox.crm import finding
from chatbridge.sandbox.crm.bodies import ProxiedPost
from chatbridge.sandbox.parts import SANDBOX

FOLDER = Path(__file__).parent.parent / "pages"
PROXY_DEADLINE_S = 15.0
PROXY_BYTES = 2**20
# A widget calls its own server, shows pictures from there, and sets styles; scripts come out of its archive.
POLICY = (
    "default-src 'self'; connect-src 'self' http: https:; img-src 'self' data: http: https:; "
    "style-src 'self' 'unsafe-inline'; frame-src http: https:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'self'"
)


def routes() -> list[web.RouteDef]:
    """Addresses that a browser opens."""
    return [
        web.get("/oauth", consent_page),
        web.get("/accounts/{subdomain}/settings/widgets", widgets_page),
        web.get("/widgets/{code}/{path:.+}", widget_file),
        web.post("/sandbox/accounts/{subdomain}/crm-post", crm_post),
    ]


async def consent_page(_: web.Request) -> web.StreamResponse:
    """Ask somebody to allow an integration what it wants."""
    return web.FileResponse(FOLDER / "consent.html")


async def widgets_page(request: web.Request) -> web.StreamResponse:
    """Show the widgets of an account, and run them."""
    finding.account(request)
    headers = {"Content-Security-Policy": POLICY}
    return web.FileResponse(FOLDER / "widgets.html", headers=headers)


async def widget_file(request: web.Request) -> web.Response:
    """Give a file of a widget's archive; modules are asked for with and without `.js`."""
    archive, path = finding.widget(request).archive, request.match_info["path"]
    files = archive.files if archive is not None else {}
    name = path if path in files else f"{path}.js"
    if name not in files:
        raise web.HTTPNotFound
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return web.Response(body=files[name], content_type=kind)


async def crm_post(request: web.Request) -> web.Response:
    """Post a form for a widget, as amoCRM's proxy does: no token is added."""
    finding.account(request)
    body, sandbox = await read_json(request, ProxiedPost), request.app[SANDBOX]
    try:
        async with (
            asyncio.timeout(PROXY_DEADLINE_S),
            sandbox.notices.http.post(body.url, data=body.data) as answer,
        ):
            content = await answer.content.read(PROXY_BYTES)
            return web.json_response(
                {"status": answer.status, "body": content.decode(errors="replace")}
            )
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as problem:
        sentence = f"{body.url} does not answer: {str(problem) or type(problem).__name__}"
        raise ControlError(502, "no_answer", sentence) from None
