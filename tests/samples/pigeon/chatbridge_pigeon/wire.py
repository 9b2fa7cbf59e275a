"""What is said to Pigeon Post, and what it says: bytes and values, no I/O."""

import json
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from chatbridge import errors
from chatbridge.model import Content, FailureReason, Message, MessageType, Person
from chatbridge.protocol.http import Request, Response
from chatbridge.protocol.retry_after import read_retry_after

LONGEST = 1000
"""Characters that one pigeon carries."""


def build_letters(message: Message, name: str) -> list[dict[str, Any]]:
    """Return the letters that a message makes: one for its file, one for each thousand characters."""
    content, text = message.content, message.content.text or ""
    said: list[dict[str, Any]] = []
    if content.media_url is not None:
        said.append({"kind": content.type, "link": content.media_url})
    said += [{"text": text[at : at + LONGEST]} for at in range(0, len(text), LONGEST)]
    return [
        {"id": f"{name}.{number}", "loft": message.conversation_id, "about": message.reply_to}
        | letter
        for number, letter in enumerate(said)
    ]


def build_request(method: str, address: str, token: str, body: Any = None) -> Request:
    """Return a request to Pigeon Post's API."""
    said = b"" if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return Request(method=method, url=address, headers=headers, body=said)


def read_letter_id(response: Response) -> str:
    """Return the id of a letter that was taken."""
    status = response.status
    if status == 200:
        return str(json.loads(response.body)["id"])
    said = f"Pigeon Post answered HTTP {status}"
    if status == 410:
        raise errors.Rejected(said, status=status, reason=FailureReason.CONVERSATION_REMOVED)
    if status == 429:
        wait = read_retry_after(response.headers.get("retry-after"))
        raise errors.Throttled(said, status=status, retry_after=wait)
    if status >= 500:
        raise errors.FarSideDown(said, status=status)
    raise errors.Misconfigured(said, status=status)


class Letter(BaseModel):
    """A letter as Pigeon Post brings it."""

    id: str
    loft: str
    author: str
    phone: str | None = None
    kind: Literal["text", "picture", "file"]
    text: str | None = None
    link: str | None = None
    file_name: str | None = None
    about: str | None = None
    written_at: int
    """Seconds."""


def read_letter(body: bytes) -> Message:
    """Return the message that a letter is."""
    try:
        letter = Letter.model_validate_json(body)
    except ValidationError as error:
        raise errors.InvalidFields("This is no letter.") from error
    return Message(
        id=letter.id,
        conversation_id=letter.loft,
        sent_at=letter.written_at * 1_000_000,
        sender=Person(id=letter.loft, name=letter.author, phone=letter.phone),
        content=Content(
            type=MessageType(letter.kind),
            text=letter.text,
            media_url=letter.link,
            file_name=letter.file_name,
        ),
        reply_to=letter.about,
    )
