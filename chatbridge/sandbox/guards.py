"""What holds for every answer: who may change things, how errors look, which headers protect."""

import logging
import re

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from aiohttp.web_protocol import RequestHandler

from chatbridge.sandbox.control_bodies import ControlError
from chatbridge.sandbox.settings import SandboxSettings

UPLOADS = re.compile(r"/sandbox/(media|integrations/[^/]+/widget)")
CHANGING = frozenset({"POST", "PATCH", "PUT", "DELETE"})
# Open connections that have not sent the head of a request yet.
UNHEARD: web.AppKey[set[RequestHandler]] = web.AppKey("unheard", set)
LOG = logging.getLogger(__name__)


def protection(settings: SandboxSettings) -> dict[str, str]:
    """Headers of every answer."""
    ancestors = " ".join(("'self'", *settings.frame_ancestors))
    # Its own address too, which may be spelt differently from the page's.
    media = " ".join(("'self' blob:", settings.public_url, *settings.media_sources))
    policy = (
        f"default-src 'self'; img-src data: {media}; media-src {media}; object-src 'none'; base-uri 'none'; form-action 'self'; "
        f"frame-ancestors {ancestors}"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }


def refuse_strangers(settings: SandboxSettings) -> Middleware:
    """Return a middleware that keeps other sites' pages from changing anything.

    There is no login, so a page of another site must not be able to post here: browsers always
    name the page's origin, and cannot send JSON to a foreign site without asking first.
    """
    own = {settings.public_url.rstrip("/"), *settings.frame_ancestors}
    own |= {f"http://{name}:{settings.port}" for name in ("127.0.0.1", "localhost", "[::1]")}

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/sandbox/") and request.method in CHANGING:
            if request.headers.get("Origin", settings.public_url.rstrip("/")) not in own:
                raise ControlError(403, "foreign_origin", "pages of other sites may not do this")
            expected = (
                "multipart/form-data" if UPLOADS.fullmatch(request.path) else "application/json"
            )
            if request.content_type != expected:
                raise ControlError(
                    415, "unsupported_media_type", f"Content-Type must be {expected}"
                )
        return await handler(request)

    return middleware


@web.middleware
async def note_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Note that this connection has sent the head of a request."""
    request.app[UNHEARD].discard(request.protocol)
    return await handler(request)


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever is raised into an answer of the documented form."""
    try:
        return await handler(request)
    except ControlError as error:
        return error.response()
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return ControlError(error.status, "http_error", error.reason).response()
    except (web.RequestPayloadError, ConnectionResetError):
        return ControlError(400, "incomplete", "the body did not arrive whole").response()
    except TimeoutError:
        return ControlError(408, "too_slow", "the body did not arrive in time").response()
    except Exception:
        LOG.exception("sandbox_request_failed")
        return ControlError(500, "internal", "the sandbox failed; its log says why").response()
