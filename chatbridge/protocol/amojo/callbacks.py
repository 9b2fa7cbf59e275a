"""What amoCRM sends us, read into events ("Chats webhooks"; both versions, told apart by their shape).

The bytes must have passed `signing.callback_matches` before they come here.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec
import orjson

from chatbridge.errors import UnreadablePayload
from chatbridge.ids import fingerprint
from chatbridge.model import (
    ContactCard,
    Content,
    Location,
    Message,
    MessageType,
    Person,
    Reaction,
    Typing,
)
from chatbridge.protocol.amojo.actions import read_reaction, read_typing
from chatbridge.protocol.amojo.plain_callbacks import read_plain_message
from chatbridge.protocol.tame import identifier, is_shallow, members, number, text, whole

NAMELESS: Final = "v1-"
"""How ids begin that were made for messages which had none."""

_EXTRAS: Final = ("markup", "template", "reply_to", "forwards", "post")
"""Members of a v2 message that are passed on as they are."""

_DEEPEST: Final = 64
"""Levels they may be nested: real ones have under ten, and beyond 254 JSON can be read but not written again."""

_YEAR_10000: Final = 253_402_300_800
"""Seconds; from here on no calendar, ours included, can name the moment."""


class OtherEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A callback that is signed and understood as far as its kind, which this version does not relay."""

    kind: str


Said = Message | Reaction | Typing | OtherEvent


def read_callback(body: bytes, *, fresh_id: Callable[[], str], now: int) -> Said:
    """Return what a callback says.

    Args:
        body: the verified bytes.
        fresh_id: makes the id of a message that has none of its own, as in v1 without a time.
        now: microseconds; stands in where the callback has no time.

    Raises:
        UnreadablePayload: not JSON, or something that lacks what it cannot do without.

    """
    plain = read_plain_message(body)
    if plain is not None:
        return plain
    return read_tolerantly(body, fresh_id=fresh_id, now=now)


def read_tolerantly(body: bytes, *, fresh_id: Callable[[], str], now: int) -> Said:
    """Return what a callback of any form says; see `read_callback`."""
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UnreadablePayload("the callback is not JSON") from error
    if not isinstance(payload, dict):
        raise UnreadablePayload("the callback is not a JSON object")
    if isinstance(payload.get("message"), dict):
        return read_message(payload["message"], now)
    if isinstance(payload.get("action"), dict):
        return _read_action(payload["action"], now)
    if "conversation_id" in payload and "type" in payload:
        return _read_v1(payload, body, fresh_id, now)
    return OtherEvent(kind="unknown")


_ACTIONS: Final[dict[str, Callable[[dict[str, Any], int], Typing | Reaction | None]]] = {
    "typing": read_typing,
    "reaction": read_reaction,
}


def _read_action(action: dict[str, Any], now: int) -> Said:
    for kind, read in _ACTIONS.items():
        if kind in action:
            return read(action, now) or OtherEvent(kind=kind)
    return OtherEvent(kind="unknown")


def read_message(outer: dict[str, Any], now: int) -> Message:
    """Return what the `message` object of a v2 callback says; see `read_callback`."""
    inner, conversation = members(outer, "message"), members(outer, "conversation")
    conversation_id = identifier(conversation.get("client_id"))
    amojo_conversation_id = identifier(conversation.get("id"))
    if conversation_id is None and amojo_conversation_id is None:
        raise UnreadablePayload("message.conversation has neither id nor client_id")
    return Message(
        id=_required(inner.get("id"), identifier, "message.message.id"),
        conversation_id=conversation_id,
        amojo_conversation_id=amojo_conversation_id,
        sent_at=_sent_at(outer, now),
        sender=_read_person(members(outer, "sender")),
        receiver=_read_person(members(outer, "receiver")),
        content=_read_content(inner, where="message.message"),
        reply_to=_quoted_id(members(inner, "reply_to", "message")),
        source=text(members(outer, "source").get("external_id")),
        extras=_read_extras(inner),
    )


def _read_v1(
    payload: dict[str, Any], body: bytes, fresh_id: Callable[[], str], now: int
) -> Message:
    # v1 has no message id. With its time to the millisecond the same bytes are the same message; without it an
    # operator may simply have written "ok" twice, so each callback is a message of its own.
    timed = whole(payload.get("msec_timestamp")) is not None
    return Message(
        id=f"{NAMELESS}{fingerprint(body.rstrip()).hex() if timed else fresh_id()}",
        conversation_id=_required(payload["conversation_id"], identifier, "conversation_id"),
        sent_at=_sent_at(payload, now),
        sender=Person(),
        receiver=Person(id=identifier(payload.get("receiver"))),
        content=_read_content(payload, where="the callback"),
    )


def _read_location(value: object) -> Location | None:
    wire = members(value)
    lat, lon = number(wire.get("lat")), number(wire.get("lon"))
    return None if lat is None or lon is None else Location(lat=lat, lon=lon)


def _read_contact(value: object) -> ContactCard | None:
    wire = members(value)
    name, phone = text(wire.get("name")), text(wire.get("phone"))
    return None if phone is None else ContactCard(name=name or phone, phone=phone)


_CONTENT: Final[dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "text": ("text", text),
    "media": ("media_url", text),
    "thumbnail": ("thumbnail_url", text),
    "file_name": ("file_name", text),
    "file_size": ("file_size", whole),
    "sticker_id": ("sticker_id", text),
    "media_group_id": ("media_group_id", text),
    "location": ("location", _read_location),
    "contact": ("contact", _read_contact),
}
"""Our name for each member of a message, and how it is read. Most are empty in most messages."""


def _read_content(wire: dict[str, Any], *, where: str) -> Content:
    try:
        kind = MessageType(text(wire.get("type")) or "")
    except ValueError as error:
        raise UnreadablePayload(f"{where} has a type this server does not know") from error
    given = {
        ours: value
        for name, (ours, read) in _CONTENT.items()
        if (said := wire.get(name)) and (value := read(said)) is not None
    }
    return Content(type=kind, duration=whole(wire.get("media_duration")), **given)


def _read_extras(wire: dict[str, Any]) -> dict[str, Any]:
    """Return what is passed on; a member nested absurdly is left out, the message goes without it."""
    given = {name: wire[name] for name in _EXTRAS if wire.get(name)}
    return {name: member for name, member in given.items() if is_shallow(member, _DEEPEST)}


def _read_person(wire: dict[str, Any]) -> Person:
    return Person(
        id=identifier(wire.get("client_id")),
        amojo_id=identifier(wire.get("id")),
        name=text(wire.get("name")),
        phone=text(wire.get("phone")),
        email=text(wire.get("email")),
    )


def _quoted_id(quoted: dict[str, Any]) -> str | None:
    """Return our id of a quoted message where amoCRM gives it, else amoCRM's own."""
    return identifier(quoted.get("msgid")) or identifier(quoted.get("id"))


def _sent_at(wire: dict[str, Any], now: int) -> int:
    milliseconds = whole(wire.get("msec_timestamp"), below=_YEAR_10000 * 1_000)
    if milliseconds is not None:
        return milliseconds * 1_000
    seconds = whole(wire.get("timestamp"), below=_YEAR_10000)
    return now if seconds is None else seconds * 1_000_000


def _required(value: object, read: Callable[[object], str | None], where: str) -> str:
    found = read(value)
    if found is None:
        raise UnreadablePayload(f"{where} is missing or not an id")
    return found
