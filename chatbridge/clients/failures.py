"""aiohttp's failures in our words: what surely did not leave, and what may have arrived."""

from collections.abc import Callable
from typing import Any, Final

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from chatbridge.errors import DeliveryError, Misconfigured, NotSent, OutcomeUnknown, Trouble

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
        return OutcomeUnknown(f"{host} did not answer in time", trouble=Trouble.TIMEOUT)
    if left:
        return OutcomeUnknown(
            f"{host} broke the connection before a whole answer came", trouble=Trouble.BROKEN
        )
    refused = _forbidden(error)
    if refused is not None:
        return Misconfigured(str(refused), trouble=Trouble.FORBIDDEN)
    if isinstance(error, aiohttp.InvalidURL):
        return Misconfigured(f"{host} is not an http or https address", trouble=Trouble.ADDRESS)
    trouble, say = next((why, say) for kind, why, say in _REASONS if isinstance(error, kind))
    if isinstance(getattr(error, "os_error", None), ConnectionRefusedError):
        trouble = Trouble.REFUSED
    return NotSent(f"{host} {say(error)}", trouble=trouble)


_REASONS: Final[tuple[tuple[type[Exception], Trouble, Callable[[Any], str]], ...]] = (
    (
        aiohttp.ClientConnectorCertificateError,
        Trouble.TLS,
        lambda error: (
            f"cannot be trusted: its TLS certificate was refused ({error.certificate_error})"
        ),
    ),
    (
        aiohttp.ClientHttpProxyError,
        Trouble.PROXY,
        lambda error: f"cannot be reached: the proxy answered HTTP {error.status}",
    ),
    # Its own words would show the whole address, which may hold a secret.
    (
        aiohttp.ClientResponseError,
        Trouble.PROXY,
        lambda _: "cannot be reached: what the proxy answered is not HTTP",
    ),
    (
        aiohttp.ClientProxyConnectionError,
        Trouble.PROXY,
        lambda error: f"cannot be reached: nor can the proxy ({error.os_error})",
    ),
    (
        aiohttp.ClientConnectorSSLError,
        Trouble.TLS,
        lambda error: f"cannot be reached ({error.os_error})",
    ),
    (
        aiohttp.ClientConnectorDNSError,
        Trouble.DNS,
        lambda error: f"cannot be reached ({error.os_error})",
    ),
    (
        aiohttp.ClientConnectorError,
        Trouble.UNREACHABLE,
        lambda error: f"cannot be reached ({error.os_error})",
    ),
    (TimeoutError, Trouble.TIMEOUT, lambda _: "did not take a connection in time"),
    (
        Exception,
        Trouble.UNREACHABLE,
        lambda error: f"cannot be reached ({error or type(error).__name__})",
    ),
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
