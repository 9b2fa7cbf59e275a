"""Standard Webhooks: https://github.com/standard-webhooks/standard-webhooks, "Signature scheme"."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from msgspec import to_builtins
from standardwebhooks import Webhook, WebhookVerificationError

from chatbridge import errors
from chatbridge.errors import DeliveryError
from chatbridge.model import ContactCard, Content, Location, Message, MessageType, Person
from chatbridge.protocol import signed_webhook
from chatbridge.protocol.http import Request
from chatbridge.protocol.webhook_events import Account, format_time, message_created
from tests.unit.factories import (
    ACCOUNT_ID,
    NOW,
    SCOPE_ID,
    SECOND,
    make_message,
    make_messenger,
    make_response,
)

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


def event_of(message: Message) -> dict[str, Any]:
    """Return the event as its JSON says it."""
    return to_builtins(message_created(message, Account(SCOPE_ID, ACCOUNT_ID)))


def build(
    now: int = NOW, message: Message | None = None, secrets: tuple[str, ...] = (SECRET,)
) -> Request:
    message = message or make_message()
    return signed_webhook.build(
        message_created(message, Account(SCOPE_ID, ACCOUNT_ID)),
        url="https://backend.example.org/hook",
        secrets=secrets,
        webhook_id="msg_1",
        now=now,
    )


# --- the event ----------------------------------------------------------------------------------


def test_an_operators_message_as_an_event() -> None:
    message = make_message(
        id="a-1",
        amojo_conversation_id="chat-1",
        sender=Person(amojo_id="op-1", name="Kate"),
        receiver=Person(id="cust-1", amojo_id="cl-1", name="Ann", phone="+7900", email="a@x.org"),
        content=Content(
            type=MessageType.VIDEO,
            text="look",
            media_url="https://amojo.example/v.mp4",
            thumbnail_url="https://amojo.example/v.jpg",
            file_name="v.mp4",
            file_size=10,
            duration=3,
            media_group_id="album-1",
        ),
        reply_to="m-0",
        source="line-1",
        extras={"markup": {"mode": "inline"}},
    )
    assert event_of(message) == {
        "type": "message.created",
        "timestamp": "2025-01-14T09:30:00.123Z",
        "data": {
            "id": "a-1",
            "scope_id": SCOPE_ID,
            "account_id": ACCOUNT_ID,
            "conversation_id": "conv-1",
            "amojo_conversation_id": "chat-1",
            "sent_at": "2025-01-14T09:30:00.123Z",
            "sender": {"amojo_id": "op-1", "name": "Kate"},
            "receiver": {
                "id": "cust-1",
                "amojo_id": "cl-1",
                "name": "Ann",
                "phone": "+7900",
                "email": "a@x.org",
            },
            "message": {
                "type": "video",
                "text": "look",
                "media_url": "https://amojo.example/v.mp4",
                "thumbnail_url": "https://amojo.example/v.jpg",
                "file_name": "v.mp4",
                "file_size": 10,
                "duration": 3,
                "media_group_id": "album-1",
            },
            "reply_to": "m-0",
            "source": "line-1",
            "extras": {"markup": {"mode": "inline"}},
        },
    }


@pytest.mark.parametrize(
    ("content", "wire"),
    [
        (Content(type=MessageType.TEXT, text="ok"), {"type": "text", "text": "ok"}),
        (
            Content(type=MessageType.LOCATION, location=Location(lat=1.5, lon=2.0)),
            {"type": "location", "location": {"lat": 1.5, "lon": 2.0}},
        ),
        (
            Content(type=MessageType.CONTACT, contact=ContactCard(name="Bob", phone="+7900")),
            {"type": "contact", "contact": {"name": "Bob", "phone": "+7900"}},
        ),
    ],
)
def test_members_without_a_value_are_left_out(content: Content, wire: dict[str, Any]) -> None:
    data = event_of(make_message(content=content, conversation_id=None))["data"]
    assert data["message"] == wire
    assert set(data) == {
        "id",
        "scope_id",
        "account_id",
        "sent_at",
        "sender",
        "receiver",
        "message",
    }


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (NOW + 999_999, "2025-01-14T09:30:00.999Z"),
        (253_402_300_799_999_000, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_times_are_cut_to_milliseconds(at: int, written: str) -> None:
    assert format_time(at) == written


# --- the signature ------------------------------------------------------------------------------


def test_the_signature_is_plain_hmac_over_id_time_and_body() -> None:
    request = build(now=NOW + 999_999)
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = b"msg_1.1736847000." + request.body
    digest = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert (request.method, request.url) == ("POST", "https://backend.example.org/hook")
    assert request.headers == {
        "Content-Type": "application/json",
        "webhook-id": "msg_1",
        "webhook-timestamp": "1736847000",
        "webhook-signature": f"v1,{digest}",
    }


def test_the_librarys_own_check_accepts_it() -> None:
    """It compares with the machine's clock, so this one request is made now."""
    now = int(datetime.now(UTC).timestamp()) * SECOND
    request = build(
        now=now, message=make_message(content=Content(type=MessageType.TEXT, text="Привет 👋"))
    )
    assert Webhook(SECRET).verify(request.body, dict(request.headers)) == orjson.loads(request.body)


def test_the_librarys_own_check_refuses_another_body() -> None:
    request = build(now=int(datetime.now(UTC).timestamp()) * SECOND)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(request.body + b" ", dict(request.headers))


def test_several_secrets_make_several_signatures_and_each_of_them_counts() -> None:
    old = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    now = int(datetime.now(UTC).timestamp()) * SECOND
    request = build(now=now, secrets=(SECRET, old))
    said = request.headers["webhook-signature"]
    assert len(said.split(" ")) == 2
    for secret in (SECRET, old):
        assert Webhook(secret).verify(request.body, dict(request.headers))
        assert is_signed(request, secret, said)
    assert not is_signed(request, "whsec_bm90IHRoaXMgb25l", said)
    for nonsense in ("", "v1", "v1,", "v2,x é", said.replace(" ", "")):
        assert not is_signed(request, SECRET, nonsense)


def test_what_is_no_secret_is_named() -> None:
    with pytest.raises(errors.SignatureMismatch, match="whsec_"):
        is_signed(build(), "whsec_a", "v1,x")


def is_signed(request: Request, secret: str, signatures: str) -> bool:
    return signed_webhook.is_signed(
        secret,
        signatures,
        webhook_id=request.headers["webhook-id"],
        timestamp=request.headers["webhook-timestamp"],
        body=request.body,
    )


@pytest.mark.parametrize(("seconds", "count"), [(0, 2), (3599, 2), (3600, 1), (7200, 1)], ids=str)
def test_an_old_secret_signs_until_its_time_is_over(seconds: int, count: int) -> None:
    messenger = make_messenger(
        old_webhook_secret="whsec_b2xk", old_webhook_secret_until=NOW + 3600 * SECOND
    )
    secrets = messenger.webhook_secrets(NOW + seconds * SECOND)
    assert secrets == (messenger.webhook_secret, "whsec_b2xk")[:count]


# --- the answer ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_means_taken(status: int) -> None:
    signed_webhook.read_taken(make_response(status, b"whatever"))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.Rejected),
        (410, errors.EndpointPaused),
        (413, errors.Rejected),
        (422, errors.Rejected),
        (401, errors.Misconfigured),
        (403, errors.Misconfigured),
        (404, errors.Misconfigured),
        (405, errors.Misconfigured),
        (301, errors.Misconfigured),
        (307, errors.Misconfigured),
        (429, errors.Throttled),
        (503, errors.Throttled),
        (500, errors.FarSideDown),
        (502, errors.FarSideDown),
        (504, errors.FarSideDown),
    ],
)
def test_what_any_other_answer_means(status: int, kind: type[DeliveryError]) -> None:
    with pytest.raises(DeliveryError) as caught:
        signed_webhook.read_taken(make_response(status, b"secret words", retry_after="30"))
    error = caught.value
    assert (type(error), error.status, error.retry_after) == (kind, status, 30)
    assert "secret words" not in str(error)
