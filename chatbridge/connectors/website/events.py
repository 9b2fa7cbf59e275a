"""What a visitor's pages are shown, as it stands in the feed: each event once, its position is added when it is sent. Pure."""

from collections.abc import Iterator
from typing import Any, Final, Literal

import msgspec

from chatbridge.model import MEDIA_TYPES, Message, MessageType, Reaction, Typing
from chatbridge.protocol.tame import members, text
from chatbridge.protocol.webhook_events import format_time

_ID: Final = ":"


class File(msgspec.Struct, frozen=True, gc=False):
    """A file of a message."""

    url: str | None
    name: str | None
    size: int | None
    content_type: str | None


class Button(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A link, or without a `url` an answer to choose."""

    text: str
    url: str | None
    data: str | None = None
    """What amoCRM wants to hear with the answer."""


class Written(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="message", gc=False):
    """Somebody wrote."""

    id: str
    from_: Literal["operator", "visitor"] = msgspec.field(name="from")
    at: str
    name: str | None = None
    avatar_url: str | None = None
    kind: MessageType
    text: str | None
    file: File | None = None
    location: dict[str, float] | None = None
    contact: dict[str, str] | None = None
    reply_to: str | None = None
    buttons: list[list[Button]] = []


class Reacted(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="reaction", gc=False
):
    """An operator reacted to a message, or took that back."""

    message_id: str
    from_: Literal["operator"] = msgspec.field(name="from", default="operator")
    emoji: str | None
    removed: bool


Shown = Written | Reacted

_SHOWN: Final[msgspec.json.Decoder[Shown]] = msgspec.json.Decoder(Shown)


def encode(event: Shown) -> bytes:
    """Return an event for the feed."""
    return msgspec.json.encode(event)


def decode(body: bytes) -> Shown:
    """Return what `encode` wrote."""
    return _SHOWN.decode(body)


def full_id(visitor: str, page_id: str) -> str:
    """Return the messenger's id of a visitor's message. It begins with the visitor, so nobody else can take it, or name it."""
    return f"{visitor}{_ID}{page_id}"


def page_id(visitor: str, message_id: str | None) -> str | None:
    """Return the id under which a visitor's pages know a message: without the visitor, if it is theirs."""
    return None if message_id is None else message_id.removeprefix(f"{visitor}{_ID}")


def written(message: Message, visitor: str, *, by_operator: bool) -> Written:
    """Return a message as pages show it."""
    content, sender = message.content, message.sender
    buttons = list(_buttons(message)) if by_operator else []
    has_file = content.type in MEDIA_TYPES
    return Written(
        id=page_id(visitor, message.id) or "",
        from_="operator" if by_operator else "visitor",
        at=format_time(message.sent_at),
        name=sender.name if by_operator else None,
        avatar_url=sender.avatar_url if by_operator else None,
        kind=content.type,
        text="\n".join(_texts(message)) or None,
        file=File(content.media_url, content.file_name, content.file_size, content.content_type)
        if has_file
        else None,
        location=None
        if content.location is None
        else {"lat": content.location.lat, "lon": content.location.lon},
        contact=None
        if content.contact is None
        else {"name": content.contact.name, "phone": content.contact.phone},
        reply_to=page_id(visitor, message.reply_to),
        buttons=buttons,
    )


def reacted(reaction: Reaction, visitor: str) -> Reacted:
    """Return an operator's reaction as pages show it."""
    message_id = page_id(visitor, reaction.message_id) or reaction.amojo_message_id
    return Reacted(message_id=message_id or "", emoji=reaction.emoji, removed=reaction.removed)


def types(typing: Typing, *, now: int) -> bytes:
    """Return the frame that says that an operator types. It is never kept."""
    milliseconds = max(0, typing.until - now) // 1000
    return msgspec.json.encode(
        {"type": "typing", "name": typing.by.name, "milliseconds": milliseconds}
    )


def _texts(message: Message) -> Iterator[str]:
    """Return the text, and the words of a list whose rows are shown as buttons."""
    if message.content.text:
        yield message.content.text
    shown = members(message.extras, "markup", "list_message")
    yield from filter(None, (text(shown.get(name)) for name in ("header", "body", "footer")))


def _buttons(message: Message) -> Iterator[list[Button]]:
    markup = members(message.extras, "markup")
    for row in _list(markup.get("buttons")):
        wires = [members(button) for button in _list(row)]
        named = [Button(text(one.get("text")) or "", text(one.get("url"))) for one in wires]
        if any(button.text for button in named):
            yield [button for button in named if button.text]
    for section in _list(members(markup, "list_message").get("sections")):
        for row in _list(members(section).get("rows")):
            wire = members(row)
            if title := text(wire.get("title")):
                yield [Button(title, None, text(wire.get("callback_data")))]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
