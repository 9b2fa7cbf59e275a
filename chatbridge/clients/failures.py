"""aiohttp's failures in our words: what surely did not leave, and what may have arrived."""

from collections.abc import Callable
from typing import Any, Final

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from chatbridge.errors import DeliveryError, Misconfigured, NotSent, OutcomeUnknown

FAILURES: Final = (
    aiohttp.ClientError,
    OSError,
    HttpProcessingError,
    aiohttp.EofStream,
    UnicodeError,
)
"""Everything that goes wrong on a network or in an answer. Time-outs are `OSError`; a name that cannot be one is
`UnicodeError` to the resolver."""


class ForbiddenAddress(OSError):
    """The guard refused to open a socket to this address."""


def delivery_error(error: Exception, host: str, *, left: bool) -> DeliveryError:
    """Return what a failure means. `left`: the first byte may have been written."""
    if left and isinstance(error, TimeoutError):
        return OutcomeUnknown(f"{host} did not answer in time")
    if left:
        return OutcomeUnknown(f"{host} broke the connection before a whole answer came")
    refused = _forbidden(error)
    if refused is not None:
        return Misconfigured(str(refused))
    if isinstance(error, aiohttp.InvalidURL):
        return Misconfigured(f"{host} is not an http or https address")
    reason = next(say(error) for kind, say in _REASONS if isinstance(error, kind))
    return NotSent(f"{host} {reason}")


_REASONS: Final[tuple[tuple[type[Exception], Callable[[Any], str]], ...]] = (
    (
        aiohttp.ClientConnectorCertificateError,
        lambda error: (
            f"cannot be trusted: its TLS certificate was refused ({error.certificate_error})"
        ),
    ),
    (
        aiohttp.ClientHttpProxyError,
        lambda error: f"cannot be reached: the proxy answered HTTP {error.status}",
    ),
    # Its own words would show the whole address, which may hold a secret.
    (
        aiohttp.ClientResponseError,
        lambda _: "cannot be reached: what the proxy answered is not HTTP",
    ),
    (
        aiohttp.ClientProxyConnectionError,
        lambda error: f"cannot be reached: nor can the proxy ({error.os_error})",
    ),
    (aiohttp.ClientConnectorError, lambda error: f"cannot be reached ({error.os_error})"),
    (TimeoutError, lambda _: "did not take a connection in time"),
    (Exception, lambda error: f"cannot be reached ({error or type(error).__name__})"),
)
"""Most specific first."""


def _forbidden(error: BaseException | None) -> ForbiddenAddress | None:
    while error is not None:
        if isinstance(error, ForbiddenAddress):
            return error
        if isinstance(error, BaseExceptionGroup):
            return next((found for inner in error.exceptions if (found := _forbidden(inner))), None)
        error = error.__cause__ or error.__context__
    return None
