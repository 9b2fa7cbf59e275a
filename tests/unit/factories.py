"""Values with defaults, and the published vectors."""

import json
from pathlib import Path
from typing import Any

import orjson

from chatbridge.model import (
    AmojoIdentity,
    Channel,
    Content,
    Direction,
    HookVersion,
    Link,
    LinkState,
    Message,
    MessageType,
    Messenger,
    Person,
    Signing,
    StatusBody,
    WebhookFormat,
)
from chatbridge.protocol.http import Response
from chatbridge.store.entries import Entry, lane_of

VECTORS = json.loads((Path(__file__).parent.parent / "vectors/amojo-signatures.json").read_text())

SECRET = "00112233445566778899aabbccddeeff01234567"
CHANNEL_ID = "11111111-2222-4333-8444-555555555555"
ACCOUNT_ID = "66666666-7777-4888-9999-aaaaaaaaaaaa"
SCOPE_ID = f"{CHANNEL_ID}_{ACCOUNT_ID}"

SECOND = 1_000_000
NOW = 1_736_847_000 * SECOND
"""Tue, 14 Jan 2025 09:30:00 +0000, in microseconds: the moment of the computed vectors."""


def make_channel(**changes: Any) -> Channel:
    values: dict[str, Any] = {
        "id": CHANNEL_ID,
        "code": "amo.ext.shop",
        "secret": SECRET,
        "base_url": "https://amojo.amocrm.ru",
        "signing": Signing.CURRENT,
        "hook_version": HookVersion.V2,
        "status_body": StatusBody.CURRENT,
        "bot_id": None,
        "title": None,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Channel(**values | changes)


def make_messenger(**changes: Any) -> Messenger:
    values: dict[str, Any] = {
        "id": "msgr_1",
        "name": "Shop",
        "kind": "backend",
        "webhook_url": "https://backend.example.org/hook",
        "webhook_format": WebhookFormat.STANDARD,
        "webhook_secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        "api_key_hash": b"k" * 32,
        "amojo": AmojoIdentity(channel_id=CHANNEL_ID, secret=SECRET, account_id=ACCOUNT_ID),
        "settings": {},
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Messenger(**values | changes)


def make_link(**changes: Any) -> Link:
    values: dict[str, Any] = {
        "id": 1,
        "scope_id": SCOPE_ID,
        "channel_id": CHANNEL_ID,
        "account_id": ACCOUNT_ID,
        "messenger_id": "msgr_1",
        "title": None,
        "state": LinkState.CONNECTED,
        "hook_version": HookVersion.V2,
        "created_at": NOW,
        "connected_at": NOW,
    }
    return Link(**values | changes)


def make_message(**changes: Any) -> Message:
    """Return a client's message."""
    values: dict[str, Any] = {
        "id": "m-1",
        "conversation_id": "conv-1",
        "sent_at": NOW + 123_000,
        "sender": Person(id="cust-1", name="Ann"),
        "content": Content(type=MessageType.TEXT, text="Is it in stock?"),
    }
    return Message(**values | changes)


def make_entry(entry_id: int, conversation: int = 1, **changes: Any) -> Entry:
    values: dict[str, Any] = {
        "id": entry_id,
        "conversation_id": conversation,
        "external_id": f"conv-{conversation}",
        "amojo_id": None,
        "client_ref_id": None,
        "link_id": 1,
        "direction": Direction.TO_AMOJO,
        "kind": "message",
        "key": entry_id.to_bytes(16, "big"),
        "message_id": f"m-{entry_id}",
        "body": b"{}",
        "received_at": 0,
        "attempts": 0,
        "since": 0,
        "due_at": 0,
    }
    values |= changes
    return Entry(lane=lane_of(values["conversation_id"], values["direction"]), **values)


def make_response(status: int, body: bytes | dict[str, Any] = b"", **headers: str) -> Response:
    """Return an answer; `retry_after="5"` sets the header `retry-after`."""
    return Response(
        status=status,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        body=body if isinstance(body, bytes) else orjson.dumps(body),
    )
