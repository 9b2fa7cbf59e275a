"""Events for a messenger's backend as Standard Webhooks: JSON, three headers, HMAC-SHA256.

Specification: standard-webhooks, "Signature scheme". `webhook-id` stays the same over all attempts, so it is the
receiver's key against repeats; `webhook-timestamp` is the time of the attempt.
"""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import orjson
from standardwebhooks import Webhook

from chatbridge import errors
from chatbridge.errors import DeliveryError
from chatbridge.model import Message, Person
from chatbridge.protocol.http import Request, Response
from chatbridge.protocol.retry_after import read_retry_after

_FINAL: Final = frozenset({400, 410, 413, 422})
"""Answers that say this event will never be taken. 401, 403 and 404 are seen while a backend is being deployed."""


def format_time(at: int) -> str:
    """Return microseconds as `2026-11-20T12:00:00.123Z`."""
    seconds, rest = divmod(at, 1_000_000)
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def message_created(message: Message, *, scope_id: str, account_id: str) -> dict[str, Any]:
    """Return the event `message.created`: an operator wrote."""
    said = message.content
    data = {
        "id": message.id,
        "scope_id": scope_id,
        "account_id": account_id,
        "conversation_id": message.conversation_id,
        "amojo_conversation_id": message.amojo_conversation_id,
        "sent_at": format_time(message.sent_at),
        "sender": _person(message.sender),
        "receiver": _person(message.receiver or Person()),
        "message": msgspec.to_builtins(said),
        "reply_to": message.reply_to,
        "source": message.source,
        "extras": message.extras or None,
    }
    return {
        "type": "message.created",
        "timestamp": format_time(message.sent_at),
        "data": {name: value for name, value in data.items() if value is not None},
    }


def build(event: dict[str, Any], *, url: str, secret: str, webhook_id: str, now: int) -> Request:
    """Return the signed request that carries an event; sign at each attempt, receivers check the age."""
    body = orjson.dumps(event).decode()
    at = datetime.fromtimestamp(now // 1_000_000, UTC)
    headers = {
        "Content-Type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(now // 1_000_000),
        "webhook-signature": Webhook(secret).sign(webhook_id, at, body),
    }
    return Request(method="POST", url=url, headers=headers, body=body.encode())


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


def _person(person: Person) -> dict[str, str]:
    names = ("id", "amojo_id", "name", "phone", "email")
    return {name: value for name in names if (value := getattr(person, name)) is not None}
