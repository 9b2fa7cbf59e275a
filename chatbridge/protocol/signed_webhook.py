"""Events for a messenger's backend as Standard Webhooks: JSON, three headers, HMAC-SHA256.

Specification: standard-webhooks, "Signature scheme". `webhook-id` stays the same over all attempts, so it is the
receiver's key against repeats; `webhook-timestamp` is the time of the attempt.
"""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec
import orjson

from chatbridge import errors
from chatbridge.errors import DeliveryError, SignatureMismatch
from chatbridge.model import FailureReason
from chatbridge.protocol.http import Request, Response
from chatbridge.protocol.retry_after import read_retry_after
from chatbridge.protocol.tame import identifier, members, text
from chatbridge.protocol.webhook_events import WebhookEvent

_REASONS: Final = frozenset(FailureReason)
_WORDS: Final = 200
"""Characters of a backend's explanation that are passed on."""

_GONE: Final = 410
"""The webhook itself is gone, unless the answer says what is wrong with this event (Standard Webhooks, "Deliverability")."""

_FINAL: Final = frozenset({400, 410, 413, 422})
"""Answers that say this event will never be taken. 401, 403 and 404 are seen while a backend is being deployed."""


def build(
    event: WebhookEvent, *, url: str, secrets: Sequence[str], webhook_id: str, now: int
) -> Request:
    """Return the request that carries an event, signed with each of these secrets.

    Sign at each attempt: receivers check the age. They accept it if one of the signatures is right.
    """
    body = msgspec.json.encode(event)
    timestamp = str(now // 1_000_000)
    signed = _signed(webhook_id, timestamp, body)
    headers = {
        "Content-Type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join([_sign(secret, signed) for secret in secrets]),
    }
    return Request(method="POST", url=url, headers=headers, body=body)


def is_signed(
    secret: str, signatures: str, *, webhook_id: str, timestamp: str, body: bytes
) -> bool:
    """Return whether one of the signatures, which are separated by spaces, was made with this secret.

    Raises:
        SignatureMismatch: the secret is none.

    """
    try:
        made = _sign(secret, _signed(webhook_id, timestamp, body)).encode()
    except ValueError as error:
        raise SignatureMismatch("A webhook's secret is `whsec_` and base64.") from error
    matches = [hmac.compare_digest(made, one.encode()) for one in signatures.split()]
    return any(matches)


def _signed(webhook_id: str, timestamp: str, body: bytes) -> bytes:
    return f"{webhook_id}.{timestamp}.".encode() + body


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
    kind = _refusal(status)
    reason, words = _explained(response) if kind is errors.Rejected else (None, None)
    if status == _GONE and reason is None:
        kind = errors.EndpointPaused
    said = f": {words}" if words else ""
    raise kind(
        f"the messenger's webhook answered HTTP {status}{said}",
        status=status,
        retry_after=retry_after,
        reason=reason,
        words=words,
    )


def read_conversation(response: Response) -> str | None:
    """Return the id that a messenger gives a conversation in its answer to `conversation.started`, if it does."""
    return identifier(_object(response).get("conversation_id"))


def _explained(response: Response) -> tuple[str | None, str | None]:
    """Return why a backend refuses for good: `reason` and `text` of its answer, both possibly missing."""
    answer = _object(response)
    reason, words = text(answer.get("reason")), text(answer.get("text"))
    if words is not None:
        words = "".join(mark if mark.isprintable() else " " for mark in words[:_WORDS]).strip()
    return reason if reason in _REASONS else None, words or None


def _object(response: Response) -> dict[str, object]:
    try:
        return members(orjson.loads(response.body))
    except orjson.JSONDecodeError:
        return {}


def _refusal(status: int) -> type[DeliveryError]:
    if status in _FINAL:
        return errors.Rejected
    if status in {429, 503}:
        return errors.Throttled
    return (
        errors.FarSideDown if status // 100 == 5 or status in {408, 425} else errors.Misconfigured
    )
