"""Who calls the management API: by `Authorization: Bearer …`, or by the cookie of somebody who is signed in."""

from typing import Final

from aiohttp import web
from yarl import URL

from chatbridge import errors
from chatbridge.model import Principal
from chatbridge.web.services import Services

COOKIE: Final = "chatbridge_session"
_SAFE: Final = frozenset({"GET", "HEAD"})


async def manager_of(request: web.Request, services: Services) -> Principal:
    """Return who calls.

    Raises:
        Unauthenticated: nobody that is known; or a page of another site uses somebody's cookie.
        StoreUnavailable: the database is away, so nobody knows.

    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if not scheme:
        token = _cookie(request, services)
    elif scheme.lower() != "bearer":
        raise errors.Unauthenticated
    principal = await services.sign_in.principal_of(token.strip()) if token.strip() else None
    if principal is None:
        raise errors.Unauthenticated
    return principal


def _cookie(request: web.Request, services: Services) -> str:
    """Return the cookie, unless a page of another site makes the browser send it."""
    token = request.cookies.get(COOKIE, "")
    own = str(URL(services.public_url).origin())
    if token and request.method not in _SAFE and request.headers.get("Origin") != own:
        raise errors.Unauthenticated("Pages of other sites cannot use a session.")
    return token


def session_cookie(token: str, services: Services, *, seconds: int) -> str:
    """Return a `Set-Cookie` that no script reads and no other site sends along."""
    secure = "; Secure" if services.public_url.startswith("https:") else ""
    return f"{COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
