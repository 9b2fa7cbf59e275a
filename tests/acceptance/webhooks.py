"""A messenger's side of webhooks, verified by hand."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from tests.acceptance.bridge import Shop
from tests.fakes import Received
from tests.plain_amojo import sign_body


def verified_event(received: Received, shop: Shop) -> dict[str, Any]:
    """The event in a Standard Webhook whose signature and age were checked."""
    webhook_id, sent = received.header("webhook-id"), received.header("webhook-timestamp")
    assert webhook_id
    assert sent
    assert abs(time.time() - int(sent)) < 60
    key = base64.b64decode(shop.messenger["webhook_secret"].removeprefix("whsec_"))
    signed = f"{webhook_id}.{sent}.".encode() + received.body
    digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert received.header("webhook-signature") == f"v1,{digest}"
    assert received.header("Content-Type") == "application/json"
    event: dict[str, Any] = json.loads(received.body)
    return event


def verified_callback(received: Received, shop: Shop) -> dict[str, Any]:
    """The payload of a webhook in amojo's own form: the newline at its end is sent, not signed."""
    assert received.body.endswith(b"}\n")
    assert received.header("Content-Type") == "application/json"
    expected = sign_body(shop.messenger["amojo"]["secret"], received.body[:-1])
    assert received.header("X-Signature") == expected
    payload: dict[str, Any] = json.loads(received.body)
    return payload


def texts(received: list[Received]) -> list[str]:
    """What the operators said, in order of arrival."""
    return [json.loads(one.body)["data"]["message"]["text"] for one in received]
