"""Callbacks that are no messages: somebody types, somebody reacts ("Chats webhooks", typing and reaction)."""

from typing import Any, Final

from chatbridge.model import Person, Reaction, Typing
from chatbridge.protocol.tame import identifier, members, text, whole

_SHOWN: Final = 5_000_000
"""Microseconds for which amoCRM shows that somebody types."""
_YEAR_10000: Final = 253_402_300_800
"""Seconds; from here on no calendar, ours included, can name the moment."""


def read_typing(action: dict[str, Any], now: int) -> Typing | None:
    """Return who types where, None if it does not say where.

    The table of the documentation has `action.user`, its example `action.typing.user`.
    """
    wire = members(action, "typing")
    conversation_id, amojo_id = _conversation(wire)
    if conversation_id is None and amojo_id is None:
        return None
    seconds = whole(wire.get("expired_at"), below=_YEAR_10000)
    user = members(wire, "user") or members(action, "user")
    return Typing(
        conversation_id=conversation_id,
        amojo_conversation_id=amojo_id,
        by=Person(amojo_id=identifier(user.get("id")), name=text(user.get("name"))),
        until=now + _SHOWN if seconds is None else seconds * 1_000_000,
    )


def read_reaction(action: dict[str, Any], now: int) -> Reaction | None:
    """Return who reacts to what, None if it does not say where, to which message, or with what.

    Since September 2023 the message is an object; before, it was `msgid`, amoCRM's id.
    """
    wire = members(action, "reaction")
    conversation_id, amojo_conversation_id = _conversation(wire)
    message = members(wire, "message")
    message_id = identifier(message.get("client_id"))
    amojo_id = identifier(message.get("id")) or identifier(wire.get("msgid"))
    kind, emoji = text(wire.get("type")), text(wire.get("emoji"))
    has_place = conversation_id is not None or amojo_conversation_id is not None
    has_target = message_id is not None or amojo_id is not None
    if not (has_place and has_target and (kind == "unreact" or (kind == "react" and emoji))):
        return None
    return Reaction(
        message_id=message_id,
        amojo_message_id=amojo_id,
        conversation_id=conversation_id,
        amojo_conversation_id=amojo_conversation_id,
        reacted_at=now,
        by=Person(amojo_id=identifier(members(wire, "user").get("id"))),
        emoji=emoji,
        removed=kind == "unreact",
    )


def _conversation(wire: dict[str, Any]) -> tuple[str | None, str | None]:
    conversation = members(wire, "conversation")
    return identifier(conversation.get("client_id")), identifier(conversation.get("id"))
