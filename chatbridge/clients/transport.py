"""The one door through which requests leave: aiohttp's client, with the address guard in its sockets."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp
from yarl import URL

from chatbridge.clients.addresses import AddressGuard
from chatbridge.errors import Misconfigured, NotSent, OutcomeUnknown
from chatbridge.protocol.http import Request, Response

_KEPT: Final = 64 * 1024
"""Bytes of an answer that are read. No answer of the protocol comes near; a hostile one may be endless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportLimits:
    """Bounds of outgoing requests; times in seconds."""

    connect_timeout: float = 5.0
    total_timeout: float = 15.0
    connections: int = 512
    connections_per_host: int = 256


class ForbiddenAddress(OSError):
    """The guard refused to open a socket to this address."""


class AiohttpTransport:
    """Sends requests over pooled keep-alive connections. It follows no redirect and repeats nothing by itself."""

    def __init__(self, guard: AddressGuard, limits: TransportLimits, *, user_agent: str) -> None:
        """Prepare; `start` opens the pool."""
        self._guard, self._limits, self._user_agent = guard, limits, user_agent

    async def start(self) -> None:
        """Open the connection pools: one for hosts that are allowed by name, one guarded."""
        self._guarded = self._session(self._guarded_socket)
        self._allowed = self._session(None)

    async def close(self) -> None:
        """Close every connection."""
        await self._guarded.close()
        await self._allowed.close()

    async def send(self, request: Request) -> Response:
        """Return the answer, whatever its status; see `protocol.http.Transport`."""
        url = URL(request.url, encoded=True)
        session = self._allowed if self._guard.allows_host(url.host or "") else self._guarded
        with _failures_named(url.host or request.url):
            async with session.request(
                request.method,
                url,
                data=request.body,
                headers=request.headers,
                allow_redirects=False,
            ) as answer:
                body = await _read_start(answer.content)
                headers = {name.lower(): value for name, value in answer.headers.items()}
                return Response(status=answer.status, headers=headers, body=body)

    def _session(self, socket_factory: aiohttp.SocketFactoryType | None) -> aiohttp.ClientSession:
        limits = self._limits
        connector = aiohttp.TCPConnector(
            limit=limits.connections,
            limit_per_host=limits.connections_per_host,
            socket_factory=socket_factory,
        )
        return aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(
                total=limits.total_timeout, connect=limits.connect_timeout
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            # Answers are never unpacked, so that a small one cannot unfold: then nobody may pack them.
            headers={"User-Agent": self._user_agent, "Accept-Encoding": "identity"},
            auto_decompress=False,
            trust_env=False,
        )

    def _guarded_socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        # Called for the very address that is about to be dialled, so no later answer of the DNS can differ.
        family, kind, protocol, _, address = info
        refusal = self._guard.refusal(str(address[0]))
        if refusal is not None:
            raise ForbiddenAddress(refusal)
        return socket.socket(family=family, type=kind, proto=protocol)


async def _read_start(stream: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for chunk in stream.iter_any():
        body += chunk
        if len(body) >= _KEPT:
            break
    return bytes(body[:_KEPT])


@contextmanager
def _failures_named(host: str) -> Iterator[None]:
    """Turn aiohttp's failures into ours, most specific first: what surely did not leave, and what may have."""
    try:
        yield
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
        raise Misconfigured(f"{host} is not an http or https address") from error
    except aiohttp.ClientConnectorCertificateError as error:
        raise NotSent(
            f"{host}: its TLS certificate was refused ({error.certificate_error})"
        ) from error
    except aiohttp.ClientConnectorError as error:
        refused = _forbidden(error)
        if refused is not None:
            raise Misconfigured(str(refused)) from error
        raise NotSent(f"{host} cannot be reached ({error.os_error})") from error
    except aiohttp.ConnectionTimeoutError as error:
        raise NotSent(f"{host} did not take a connection in time") from error
    except TimeoutError as error:
        raise OutcomeUnknown(f"{host} did not answer in time") from error
    except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError) as error:
        raise OutcomeUnknown(f"{host} broke the connection before a whole answer came") from error


def _forbidden(error: BaseException | None) -> ForbiddenAddress | None:
    while error is not None:
        if isinstance(error, ForbiddenAddress):
            return error
        if isinstance(error, BaseExceptionGroup):
            return next((found for inner in error.exceptions if (found := _forbidden(inner))), None)
        error = error.__cause__ or error.__context__
    return None
