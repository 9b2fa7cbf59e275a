"""What may leave at all: addresses and headers are checked, to the byte, before a connection is asked for. Pure."""

import re
from base64 import b64encode
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Self

from yarl import URL

from chatbridge.clients.addresses import AddressGuard
from chatbridge.errors import Misconfigured, Trouble
from chatbridge.protocol.http import Request

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A method or the name of a header (RFC 9110, 5.6.2)."""

_VISIBLE: Final = re.compile(r"[!-~]+")

_OWN: Final = frozenset(
    {
        "accept-encoding", "connection", "content-length", "expect", "host", "keep-alive", "proxy-authorization",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "user-agent",
    }
)  # fmt: skip
"""Headers that a transport writes itself, or that change where a request ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """An HTTP proxy through which every request goes."""

    url: URL
    authorization: str | None = field(default=None, repr=False)
    """The value of `Proxy-Authorization`."""

    @classmethod
    def at(cls, address: str) -> Self | None:
        """Return the proxy of the setting `network.proxy`, None if there is none."""
        if not address:
            return None
        url = URL(address)
        if url.user is None and url.password is None:
            return cls(url=url)
        known = b64encode(f"{url.user or ''}:{url.password or ''}".encode()).decode()
        return cls(url=url.with_user(None), authorization=f"Basic {known}")

    @property
    def headers(self) -> dict[str, str]:
        """Return what the proxy alone may read."""
        return {"Proxy-Authorization": self.authorization} if self.authorization else {}


def parse_url(text: str, guard: AddressGuard, proxy: Proxy | None) -> URL:
    """Return the address with its host in ASCII; path and query stay as they are, for they may be signed.

    Behind a proxy it is the proxy that looks names up. So the guard sees the proxy's address only, and what the link
    itself tells about its target is judged here.

    Raises:
        Misconfigured: it is no http or https address, or one that may not be called.

    """
    try:
        url = URL(text, encoded=True)
        if url.scheme not in {"http", "https"} or not url.raw_host or not text.isprintable():
            raise ValueError(text)  # noqa: TRY301 - the same answer to what yarl refuses and what we do
        url = url.with_host(url.raw_host).with_fragment(None)
        if ":" not in (url.raw_host or ""):
            (url.raw_host or "").rstrip(".").encode("idna")  # as the resolver will
    except ValueError as error:
        raise Misconfigured(
            f"{_host(text)} is not an http or https address", trouble=Trouble.ADDRESS
        ) from error
    if "@" in url.raw_authority or not _VISIBLE.fullmatch(f"{url.raw_authority}{url.raw_path_qs}"):
        raise Misconfigured(
            f"{url.host} must be called by an encoded address without a user name",
            trouble=Trouble.ADDRESS,
        )
    refusal = guard.refusal_of_literal(url.raw_host or "") if proxy is not None else None
    if refusal is not None:
        raise Misconfigured(refusal, trouble=Trouble.FORBIDDEN)
    return url


def check_head(request: Request) -> None:
    """Refuse what would be read as something else than one request with these headers.

    Raises:
        Misconfigured: the method or a header cannot be sent.

    """
    values = "".join(request.headers.values())
    if not _is_token(request.method):
        raise Misconfigured(f"{request.method!r} is not a method of HTTP")
    if wrong := _not_free(tuple(request.headers)):
        raise Misconfigured(f"headers of these names cannot be sent: {wrong}")
    if not (values.isascii() and values.isprintable()):
        raise Misconfigured("a header has a value that is not printable ASCII")


@lru_cache(maxsize=64)
def _is_token(word: str) -> bool:
    return _TOKEN.fullmatch(word) is not None


@lru_cache(maxsize=256)
def _not_free(names: tuple[str, ...]) -> list[str]:
    return [name for name in names if not _TOKEN.fullmatch(name) or name.lower() in _OWN]


def _host(text: str) -> str:
    """Return what may be shown of a broken address: what is behind its host may be a secret."""
    return text.partition("://")[2].partition("/")[0].rpartition("@")[2] or repr(text[:40])
