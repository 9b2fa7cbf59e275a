"""Proves that a channel is set up right: its id and secret, the clock, the hook address. Nothing is changed anywhere.

amoCRM is asked twice for the history of a conversation that cannot exist: signed with the channel's secret, and with another one. It looks
for the channel first, then at the signature, and for the conversation last, so the two answers tell which of these is wrong. The server is
sent a callback of nobody at its public address: whoever refuses it as this server does is this server.
"""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

from chatbridge.clock import Clock
from chatbridge.errors import CallbackRefused, DeliveryError
from chatbridge.model import Channel
from chatbridge.protocol.amojo import calls
from chatbridge.protocol.http import Request, Response, Transport

_SKEW: Final = 60
"""Seconds between the clocks that are not worth a word; amoCRM takes fifteen minutes."""
_NOBODY: Final = str(uuid.UUID(int=0))
_REFUSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    name: str
    good: bool
    detail: str
    """What was found, and what to do if it is not good."""


async def check_channel(
    channel: Channel, *, hook_url: str, transport: Transport, clock: Clock
) -> AsyncIterator[Finding]:
    """Yield what is found, one thing after another. `hook_url` has `:scope_id` in its path."""
    try:
        signed = await _ask(channel, transport, clock)
        unsigned = await _ask(replace(channel, secret=_other(channel.secret)), transport, clock)
    except DeliveryError as error:
        yield Finding(name="amoCRM", good=False, detail=f"{channel.base_url}: {error}.")
    else:
        yield Finding(name="amoCRM", good=True, detail=f"{channel.base_url} answers.")
        yield _clock_finding(signed, clock.wall())
        yield _channel_finding(signed.status, unsigned.status)
    yield await _hook_finding(hook_url.replace(":scope_id", f"{channel.id}_{_NOBODY}"), transport)


async def _ask(channel: Channel, transport: Transport, clock: Clock) -> Response:
    scope_id = f"{channel.id}_{_NOBODY}"
    return await transport.send(
        calls.history(channel, scope_id, _NOBODY, offset=0, limit=1, now=clock.wall())
    )


def _other(secret: str) -> str:
    return secret[::-1] + "0"


def _clock_finding(response: Response, now: int) -> Finding:
    try:
        theirs = parsedate_to_datetime(response.headers.get("date") or "").timestamp()
    except (TypeError, ValueError):
        return Finding(name="clock", good=True, detail="amoCRM did not tell its time.")
    skew = round(now / 1_000_000 - theirs)
    if abs(skew) <= _SKEW:
        return Finding(name="clock", good=True, detail=f"It is {abs(skew)} s from amoCRM's.")
    way = "ahead of" if skew > 0 else "behind"
    words = f"It is {abs(skew)} s {way} amoCRM's, which takes 900 s. Set it by NTP."
    return Finding(name="clock", good=False, detail=words)


def _channel_finding(signed: int, unsigned: int) -> Finding:
    """Tell from the statuses of the right and of the wrong signature what amoCRM knows. Pure."""
    words = {
        (False, True): "amoCRM knows the channel and takes its signature.",
        (
            True,
            True,
        ): "The secret is wrong, or the signing generation: amoCRM knows the channel and refuses its signature.",
        (
            False,
            False,
        ): f"The id is not known at this base_url: amoCRM answered HTTP {signed} before it looked at the signature.",
    }
    found = signed in _REFUSED, unsigned in _REFUSED
    strange = (
        f"amoCRM answered HTTP {signed} to the right signature and HTTP {unsigned} to a wrong one."
    )
    return Finding(
        name="id and secret",
        good=found == (False, True),
        detail=words.get(found, strange),
    )


async def _hook_finding(url: str, transport: Transport) -> Finding:
    headers = {"Content-Type": "application/json", "X-Signature": "0" * 40}
    request = Request(method="POST", url=url, headers=headers, body=b"{}")
    try:
        response = await transport.send(request)
    except DeliveryError as error:
        words = f"{error}. amoCRM has to reach it from the internet."
        return Finding(name="hook address", good=False, detail=words)
    code = f'"{CallbackRefused.code}"'.encode()
    if response.status == CallbackRefused.http_status and code in response.body:
        words = "A chatbridge answers there, as far as this machine sees: only amoCRM sees it from the internet."
        return Finding(name="hook address", good=True, detail=words)
    words = f"HTTP {response.status} from somebody who is not chatbridge: look at what stands before it."
    return Finding(name="hook address", good=False, detail=words)
