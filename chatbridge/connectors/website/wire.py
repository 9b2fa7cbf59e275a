"""Frames of the website chat, as docs/reference/website-chat.md says: bytes to values to bytes. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from chatbridge.errors import UnreadablePayload

MAX_FRAME: Final = 64 * 1024
"""Bytes of a frame at most."""

Position = Annotated[int, Meta(ge=0, lt=2**53)]
Identifier = Annotated[str, Meta(max_length=255)]
Uuid = Annotated[
    str, Meta(pattern="^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\\Z")
]
Moment = Annotated[datetime, Meta(tz=True)]


class _In(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """What a page says. Unknown members are an error."""


class Page(_In, frozen=True):
    """A page of the site."""

    url: str | None = None
    title: str | None = None
    referrer: str | None = None
    utm: dict[str, str] | None = None


class Profile(_In, frozen=True):
    """Who the visitor says to be."""

    name: str | None = None
    phone: str | None = None
    email: str | None = None


class Hello(_In, frozen=True, kw_only=True, tag_field="type", tag="hello"):
    """The first frame."""

    session: str | None
    after: Position | None
    language: str | None = None
    page: Page | None = None
    profile: Profile | None = None
    now: Moment | None = None


class Say(_In, frozen=True, kw_only=True, tag_field="type", tag="message"):
    """A message."""

    id: Uuid
    at: Moment
    text: str | None = None
    media_id: str | None = None
    file_name: str | None = None
    reply_to: Identifier | None = None
    button: Identifier | None = None


class Received(_In, frozen=True, tag_field="type", tag="received"):
    """Every event up to there has reached the page."""

    position: Position


class Read(_In, frozen=True, tag_field="type", tag="read"):
    """Every event up to there has been in front of the visitor's eyes."""

    position: Position


class Types(_In, frozen=True, tag_field="type", tag="typing"):
    """The visitor is typing."""


class Introduce(Profile, frozen=True, tag_field="type", tag="profile"):
    """The visitor has said who they are."""


class Moved(_In, frozen=True, tag_field="type", tag="page"):
    """The visitor has gone to another page."""

    url: str | None = None
    title: str | None = None


class Recall(_In, frozen=True, tag_field="type", tag="history"):
    """The page wants to know what was before."""

    before: Position


class Ping(_In, frozen=True, tag_field="type", tag="ping"):
    """The page wants to know whether somebody is there."""


Frame = Hello | Say | Received | Read | Types | Introduce | Moved | Recall | Ping

_FRAME: Final[msgspec.json.Decoder[Frame]] = msgspec.json.Decoder(Frame)


def read_frame(data: str) -> Frame:
    """Return a frame of a page.

    Raises:
        UnreadablePayload: it is none.

    """
    try:
        return _FRAME.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise UnreadablePayload(f"This is no frame: {error}.") from error


READY: Final = b'{"type":"ready"}'
PONG: Final = b'{"type":"pong"}'


def welcome(session: str, position: int, *, reset: bool) -> bytes:
    """Return the answer to a hello; the page then has everything up to this position."""
    return _encode({"type": "welcome", "session": session, "position": position, "reset": reset})


def accepted(message_id: str, position: int) -> bytes:
    """Return that a message is on disk."""
    return _encode({"type": "accepted", "id": message_id, "position": position})


def refused(message_id: str, code: str, detail: str, retry_after: float | None) -> bytes:
    """Return that a message is not taken: try again after so many seconds, or never."""
    said = {"type": "refused", "id": message_id, "code": code, "detail": detail}
    return _encode(said | {"retry_after": retry_after})


def history(events: Iterable[bytes], *, more: bool) -> bytes:
    """Return older events."""
    listed = [msgspec.Raw(event) for event in events]
    return _encode({"type": "history", "events": listed, "more": more})


def placed(body: bytes, position: int) -> bytes:
    """Return an event of a feed with its position."""
    return b'{"position":%d,%b' % (position, body[1:])


_encode: Final = msgspec.json.encode
