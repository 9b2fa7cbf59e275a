"""Events for a messenger's backend as Standard Webhooks: JSON, three headers, HMAC-SHA256.

Specification: standard-webhooks, "Signature scheme". `webhook-id` stays the same over all attempts, so it is the
receiver's key against repeats; `webhook-timestamp` is the time of the attempt.
"""

import hmac
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

import msgspec

from chatbridge import errors
from chatbridge.errors import DeliveryError
from chatbridge.model import Content, Message, Person
from chatbridge.protocol.http import Request, Response
from chatbridge.protocol.retry_after import read_retry_after

_FINAL: Final = frozenset({400, 410, 413, 422})
"""Answers that say this event will never be taken. 401, 403 and 404 are seen while a backend is being deployed."""


class _Person(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    id: str | None = None
    amojo_id: str | None = None
    name: str | None = None
    phone: str | None = None
    email: str | None = None


class _Written(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    id: str
    scope_id: str
    account_id: str
    conversation_id: str | None = None
    amojo_conversation_id: str | None = None
    sent_at: str
    sender: _Person
    receiver: _Person
    message: Content
    reply_to: str | None = None
    source: str | None = None
    extras: dict[str, Any] | None = None


class Event(msgspec.Struct, kw_only=True, gc=False):
    """An event as a backend reads it. Members without a value are left out of its JSON."""

    type: str
    timestamp: str
    data: _Written


def format_time(at: int) -> str:
    """Return microseconds as `2026-11-20T12:00:00.123Z`."""
    seconds, rest = divmod(at, 1_000_000)
    return f"{_second(seconds)}.{rest // 1_000:03d}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def message_created(message: Message, *, scope_id: str, account_id: str) -> Event:
    """Return the event `message.created`: an operator wrote."""
    sent_at = format_time(message.sent_at)
    data = _Written(
        id=message.id,
        scope_id=scope_id,
        account_id=account_id,
        conversation_id=message.conversation_id,
        amojo_conversation_id=message.amojo_conversation_id,
        sent_at=sent_at,
        sender=_person(message.sender),
        receiver=_Person() if message.receiver is None else _person(message.receiver),
        message=message.content,
        reply_to=message.reply_to,
        source=message.source,
        extras=message.extras or None,
    )
    return Event(type="message.created", timestamp=sent_at, data=data)


def build(event: Event, *, url: str, secret: str, webhook_id: str, now: int) -> Request:
    """Return the signed request that carries an event; sign at each attempt, receivers check the age."""
    body = msgspec.json.encode(event)
    timestamp = str(now // 1_000_000)
    headers = {
        "Content-Type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": _sign(secret, f"{webhook_id}.{timestamp}.".encode() + body),
    }
    return Request(method="POST", url=url, headers=headers, body=body)


def _sign(secret: str, text: bytes) -> str:
    signature = _keyed(secret).copy()
    signature.update(text)
    return f"v1,{b64encode(signature.digest()).decode()}"


@lru_cache(maxsize=1024)
def _keyed(secret: str) -> hmac.HMAC:
    """Return an HMAC that knows its key and nothing yet: the base64 behind `whsec_`, where padding may be missing."""
    return hmac.new(b64decode(secret.removeprefix("whsec_") + "=="), digestmod="sha256")


def read_taken(response: Response) -> None:
    """Return if the backend took the event: any 2xx.

    Raises:
        DeliveryError: it did not. A redirect is a failure: a signed event goes to the address it was made for.

    """
    status = response.status
    if status // 100 == 2:
        return
    retry_after = read_retry_after(response.headers.get("retry-after"))
    raise _refusal(status)(
        f"the messenger's webhook answered HTTP {status}", status=status, retry_after=retry_after
    )


def _refusal(status: int) -> type[DeliveryError]:
    if status in _FINAL:
        return errors.Rejected
    if status in {429, 503}:
        return errors.Throttled
    return (
        errors.FarSideDown if status // 100 == 5 or status in {408, 425} else errors.Misconfigured
    )


def _person(person: Person) -> _Person:
    return _Person(
        id=person.id,
        amojo_id=person.amojo_id,
        name=person.name,
        phone=person.phone,
        email=person.email,
    )
