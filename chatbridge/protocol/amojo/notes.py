"""What we tell amojo about messages beside messages ("Chats API reference": delivery status, react, typing), as JSON bytes."""

from typing import Any, Final

import orjson

from chatbridge.model import FailureReason, Mark, Reaction, Status, StatusBody

STATUSES: Final = {Mark.FAILED: -1, Mark.DELIVERED: 1, Mark.READ: 2}

REASONS: Final = {
    FailureReason.CONVERSATION_REMOVED: 901,
    FailureReason.MESSENGER_OFF: 902,
    FailureReason.INTERNAL: 903,
    FailureReason.NO_CONVERSATION: 904,
    FailureReason.OTHER: 905,
}

_NO_WORDS: Final = "The messenger did not deliver it and did not say why."
"""905 demands a text, which the operator reads."""


def delivery_status(status: Status, body: StatusBody) -> bytes:
    """Return the body that tells what became of an operator's message, in either generation of it.

    The older one names the message once more, and the status by another word. What went wrong is said of failures only.
    """
    number = STATUSES[status.mark]
    wire: dict[str, Any] = {"status_code": number}
    if body is StatusBody.OLD:
        wire = {"msgid": status.amojo_message_id, "delivery_status": number}
    if status.mark is Mark.FAILED:
        reason = status.reason or FailureReason.OTHER
        wire["error_code"] = REASONS[reason]
        words = status.text or (_NO_WORDS if reason is FailureReason.OTHER else None)
        if words is not None:
            wire["error"] = words
    return orjson.dumps(wire)


def react(reaction: Reaction) -> bytes:
    """Return the body of a reaction. A message is named by the messenger's id where it has one, else by amoCRM's."""
    user = {"ref_id": reaction.by.amojo_id} if reaction.by.amojo_id else {"id": reaction.by.id}
    wire = {
        "conversation_id": reaction.conversation_id,
        "conversation_ref_id": None if reaction.conversation_id else reaction.amojo_conversation_id,
        "msgid": reaction.message_id,
        "id": None if reaction.message_id else reaction.amojo_message_id,
        "user": user,
        "type": "unreact" if reaction.removed else "react",
        "emoji": reaction.emoji,
    }
    return orjson.dumps({name: value for name, value in wire.items() if value is not None})


def typing(conversation_id: str, client_id: str, *, duration: int) -> bytes:
    """Return the body that says that a client types, for so many milliseconds."""
    return orjson.dumps(
        {
            "conversation_id": conversation_id,
            "sender": {"id": client_id},
            "duration_ms": duration,
        }
    )
