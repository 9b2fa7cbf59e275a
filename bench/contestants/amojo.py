"""What all contestants in Python share, so that they do the same work: bodies and signatures. Settings come from BENCH_…."""

import hashlib
import hmac
import os
import time
from email.utils import formatdate

import orjson
from pydantic import BaseModel

PORT = int(os.environ.get("BENCH_PORT", "8080"))
AUTHORIZATION = f"Bearer {os.environ.get('BENCH_API_KEY', '')}"
SECRET = os.environ.get("BENCH_SECRET", "").encode()
SCOPE = os.environ.get("BENCH_SCOPE", "")
PATH = f"/v2/origin/custom/{SCOPE}"
CRM_URL = os.environ.get("BENCH_FAR_SIDE", "") + PATH


class Sender(BaseModel):
    """The client who writes."""

    id: str
    name: str | None = None
    phone: str | None = None


class Content(BaseModel):
    """What is said."""

    type: str
    text: str


class Message(BaseModel):
    """A client's message as a messenger posts it."""

    id: str
    conversation_id: str
    sender: Sender
    message: Content


def new_message(message: Message) -> bytes:
    """Return the body that publishes it at amojo."""
    now = time.time()
    sender = message.sender
    return orjson.dumps(
        {
            "event_type": "new_message",
            "payload": {
                "timestamp": int(now),
                "msec_timestamp": int(now * 1000),
                "msgid": message.id,
                "conversation_id": message.conversation_id,
                "silent": False,
                "sender": {
                    "id": sender.id,
                    "name": sender.name or sender.id,
                    "profile": {"phone": sender.phone},
                },
                "message": {"type": message.message.type, "text": message.message.text},
            },
        }
    )


def signed_headers(body: bytes) -> dict[str, str]:
    """Return amojo's headers: HMAC-SHA1 over method, MD5, content type, date and path."""
    date = formatdate()
    md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
    text = "\n".join(("POST", md5, "application/json", date, PATH))
    return {
        "Date": date,
        "Content-Type": "application/json",
        "Content-MD5": md5,
        "X-Signature": hmac.new(SECRET, text.encode(), hashlib.sha1).hexdigest(),
    }
