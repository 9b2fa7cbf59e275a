"""What a messenger cannot show, as the nearest thing that it can. Pure.

Only signs and the operator's own words are used, no sentences: nobody knows which language the client reads.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from chatbridge.connectors.capabilities import EVERYTHING, Capabilities
from chatbridge.model import MEDIA_TYPES, Content, Message, MessageType, Person, Reaction
from chatbridge.protocol.tame import members, number, text

_NEAREST: Final[dict[MessageType, tuple[MessageType, ...]]] = {
    MessageType.STICKER: (MessageType.PICTURE, MessageType.FILE),
    MessageType.VOICE: (MessageType.AUDIO, MessageType.FILE),
    MessageType.AUDIO: (MessageType.VOICE, MessageType.FILE),
    MessageType.PICTURE: (MessageType.FILE,),
    MessageType.VIDEO: (MessageType.FILE,),
}
"""What a type is sent as, the first that the messenger takes; text if none of them."""

_MAP: Final = "https://www.openstreetmap.org/?mlat={lat}&mlon={lon}"
_QUOTED: Final = 200
"""Characters of a quoted message."""


class Adapted(NamedTuple):
    """A message as far as a messenger's capabilities go."""

    message: Message
    changes: tuple[str, ...]
    """What was turned into what, for the timeline."""


def adapt(message: Message, can: Capabilities) -> Adapted:
    """Return a message that the messenger can show."""
    if can is EVERYTHING:
        return Adapted(message, ())
    changes: list[str] = []
    content = _typed(message.content, can, changes)
    before = list(_before(message, can, changes))
    after = list(_after(message, can, changes))
    if before or after:
        parts = (*before, content.text, *after)
        content = replace(content, text="\n".join(part for part in parts if part))
    return Adapted(replace(message, content=content), tuple(changes))


def as_text(reaction: Reaction, message_id: str) -> Message:
    """Return a reaction as a message, for a messenger that shows no reactions."""
    said = f"↩ {reaction.emoji or '👍'}" if reaction.removed else reaction.emoji
    return Message(
        id=message_id,
        conversation_id=reaction.conversation_id,
        amojo_conversation_id=reaction.amojo_conversation_id,
        sent_at=reaction.reacted_at,
        sender=reaction.by,
        receiver=Person(),
        content=Content(type=MessageType.TEXT, text=said),
        reply_to=reaction.message_id or reaction.amojo_message_id,
    )


def _typed(content: Content, can: Capabilities, changes: list[str]) -> Content:
    kind, fault = content.type, _fault(content, can)
    if kind in can.types and not fault:
        return content
    nearest = next((other for other in _NEAREST.get(kind, ()) if other in can.types), None)
    if nearest is not None and not fault:
        changes.append(f"{kind} sent as {nearest}")
        return replace(content, type=nearest)
    changes.append(f"{kind} {fault}sent as text")
    return Content(type=MessageType.TEXT, text="\n".join(_spelt_out(content)))


def _fault(content: Content, can: Capabilities) -> str:
    """Return what keeps a file from being taken whatever it is sent as; empty if nothing does."""
    if can.max_bytes is not None and (content.file_size or 0) > can.max_bytes:
        return "is too large, "
    return "" if can.takes_file(content.content_type) else f"is {content.content_type}, "


def _spelt_out(content: Content) -> Iterator[str]:
    if content.text:
        yield content.text
    if content.type in MEDIA_TYPES:
        yield " ".join(filter(None, ("📎", content.file_name, content.media_url)))
    if content.location is not None:
        yield f"📍 {_MAP.format(lat=content.location.lat, lon=content.location.lon)}"
    if content.contact is not None:
        yield f"👤 {content.contact.name}, {content.contact.phone}"


def _before(message: Message, can: Capabilities, changes: list[str]) -> Iterator[str]:
    """Return what stands above the text: what is answered, what is passed on."""
    quoted = members(message.extras, "reply_to", "message")
    if quoted and not can.quotes:
        changes.append("quote sent as text")
        yield f"> {_said(quoted)}"
    forwarded = members(message.extras, "forwards").get("messages")
    if isinstance(forwarded, list) and not can.forwards:
        changes.append("forwarded message sent as text")
        for each in forwarded:
            wire = members(each)
            author = text(members(wire, "sender").get("name"))
            yield " ".join(filter(None, ("↪", author and f"{author}:", _said(wire))))


def _said(wire: dict[str, Any]) -> str:
    """Return an embedded message in a line."""
    said = text(wire.get("text")) or text(wire.get("file_name")) or text(wire.get("media"))
    place = members(wire, "location")
    if said is None and number(place.get("lat")) is not None:
        said = "📍"
    return (said or "…").replace("\n", " ")[:_QUOTED]


def _after(message: Message, can: Capabilities, changes: list[str]) -> Iterator[str]:
    """Return what stands below the text: buttons and lists."""
    markup = members(message.extras, "markup")
    if not markup or can.buttons:
        return
    changes.append("buttons sent as text")
    rows = markup.get("buttons")
    for row in rows if isinstance(rows, list) else ():
        for button in row if isinstance(row, list) else ():
            wire = members(button)
            yield " ".join(filter(None, ("▫", text(wire.get("text")), text(wire.get("url")))))
    shown = members(markup, "list_message")
    for name in ("header", "body", "footer"):
        yield text(shown.get(name)) or ""
    sections = shown.get("sections")
    for section in sections if isinstance(sections, list) else ():
        yield text(members(section).get("title")) or ""
        choices = members(section).get("rows")
        for choice in choices if isinstance(choices, list) else ():
            wire = members(choice)
            yield " ".join(
                filter(None, ("▫", text(wire.get("title")), text(wire.get("description"))))
            )
