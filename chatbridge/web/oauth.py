"""`/oauth/redirect` and `/oauth/disconnect`: what amoCRM and people's browsers call.

What comes is on disk before it is answered. amoCRM's server gets 200 at once; a browser waits for a few seconds, to be told how it ended.
"""

from html import escape
from pathlib import Path
from string import Template
from typing import Final

from aiohttp import web

from chatbridge.errors import AuthorizationFault, AuthorizationRefused, CallbackRefused, TooMany
from chatbridge.limits import Limit
from chatbridge.model import GrantState
from chatbridge.protocol.crm import redirect
from chatbridge.protocol.forwarded import address_of
from chatbridge.store.authorizations import Outcome
from chatbridge.web.languages import language_of
from chatbridge.web.oauth_words import WORDS, page_of
from chatbridge.web.services import SERVICES, Services

_PAGE: Final = Template(
    (Path(__file__).with_name("static") / "oauth.html").read_text(encoding="utf-8")
)
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
_PATIENCE: Final = 10.0
"""Seconds that a browser is kept waiting."""
_LONGEST: Final = 8192
"""Characters of a query; a real one has about 1,000."""
_TONES: Final = {"connected": "good", "waiting": "wait", "idle": "wait"}


class Redirects:
    """The redirect address. It has limits of its own, as everybody can call it."""

    def __init__(self) -> None:
        """Let an address bring sixty codes a minute."""
        self._limit = Limit(60)

    async def take(self, request: web.Request) -> web.Response:
        """Take a code, or what came instead of it."""
        services, query = request.app[SERVICES], request.url.raw_query_string
        if not query:
            return _page(request, "idle", None, None)
        address = address_of(request.remote, request.headers.get("X-Forwarded-For"))
        if self._limit.wait(address, services.clock.now()) or len(query) > _LONGEST:
            raise TooMany
        if redirect.state_of(query) is None:
            return await self._from_server(request, services, query)
        return await self._from_browser(request, services, query)

    async def _from_server(
        self, request: web.Request, services: Services, query: str
    ) -> web.Response:
        try:
            await services.authorizing.from_server(query)
        except AuthorizationRefused as error:
            await _note(services, None, error.fault)
            return _refused(request, error.fault, None)
        return _page(request, "connected", None, None)

    async def _from_browser(
        self, request: web.Request, services: Services, query: str
    ) -> web.Response:
        begun = await services.consenting.find(redirect.state_of(query))
        origin = begun.origin if begun is not None and begun.mode == "post_message" else None
        try:
            number, _ = await services.authorizing.from_browser(query)
        except AuthorizationRefused as error:
            await _note(services, None if begun is None else begun.workspace_id, error.fault)
            return _refused(request, error.fault, origin)
        outcome = await services.authorizing.settled(number, within=_PATIENCE)
        return _page(request, _page_of(outcome), outcome.why, origin)


async def disconnect(request: web.Request) -> web.Response:
    """Take note that an account has disabled an integration."""
    services = request.app[SERVICES]
    try:
        await services.accounts.disconnected(request.query)
    except CallbackRefused as error:
        await services.audit.note(None, "amocrm", "disconnect_account", outcome=error.code)
        raise
    return web.Response()


async def _note(services: Services, workspace_id: str | None, fault: AuthorizationFault) -> None:
    await services.audit.note(
        workspace_id, "browser", "authorize_account", outcome=fault.name.lower(), detail=fault.value
    )


def _page_of(outcome: Outcome) -> str:
    if outcome.state is GrantState.DONE:
        return "connected"
    return "waiting" if outcome.state is GrantState.WAITING else page_of(outcome.why)


def _refused(request: web.Request, fault: AuthorizationFault, origin: str | None) -> web.Response:
    why = fault.name.lower()
    return _page(request, page_of(why), why, origin, status=AuthorizationRefused.http_status)


def _page(
    request: web.Request, name: str, why: str | None, origin: str | None, *, status: int = 200
) -> web.Response:
    """Return the page that tells how it ended; with an origin, it tells its opener there and closes."""
    language = language_of(request.headers.get("Accept-Language", ""))
    words = WORDS[language][name]
    values = {
        "language": language,
        "title": words.title,
        "text": words.text,
        "tone": _TONES.get(name, "bad"),
        "outcome": name,
        "why": why or "",
        "origin": origin or "",
    }
    text = _PAGE.substitute({key: escape(value) for key, value in values.items()})
    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"}
    return web.Response(text=text, content_type="text/html", headers=headers, status=status)
