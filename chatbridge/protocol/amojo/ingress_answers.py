"""What this server answers to integrations that take it for amojo ("Chats API reference"), as JSON bytes.

Published are the bodies of a 403 and of a 404. That of a 400 is described only by "details in the body", so its `error_type` and
those behind it are ours.
"""

from enum import StrEnum

import msgspec
import orjson

from chatbridge.protocol.amojo import ingress_wire as wire


class ErrorType(StrEnum):
    """Word by which an integration tells errors apart."""

    INVALID_SIGNATURE = "ORIGIN_INVALID_SIGNATURE"
    NOT_REGISTERED = "ORIGIN_NOT_REGISTERED"
    BAD_REQUEST = "ORIGIN_BAD_REQUEST"
    THROTTLED = "ORIGIN_THROTTLED"
    UNAVAILABLE = "ORIGIN_UNAVAILABLE"


class Sent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is said of a message that was taken."""

    message_id: str
    """The integration's id."""
    answered_id: str
    """By this it may name the message from now on, as if it were amoCRM's id."""
    conversation_id: str
    """amoCRM's id of the conversation, or one in its place."""
    sender_id: str | None = None
    """The same for whoever wrote it; an edit tells nobody."""
    receiver_id: str | None = None
    """The same for whom it is for; absent for a client's message."""


def refused(status: int, kind: str, words: str) -> bytes:
    """Return the body of an error."""
    return orjson.dumps(
        {"status": 0, "error_code": status, "error_type": kind, "error_description": words}
    )


def connected(asked: wire.Connect, scope_id: str, *, title: str) -> bytes:
    """Return what was sent, with the scope; live answers have every member, whether it was sent or not."""
    return orjson.dumps(
        {
            "account_id": asked.account_id,
            "scope_id": scope_id,
            "title": asked.title or title,
            "hook_api_version": asked.hook_api_version or "v1",
            "is_time_window_disabled": bool(asked.is_time_window_disabled),
        }
    )


def sent(taken: Sent) -> bytes:
    """Return the answer to a message, or to new content of one."""
    answer: dict[str, str | None] = {
        "conversation_id": taken.conversation_id,
        "msgid": taken.answered_id,
        "ref_id": taken.message_id,
    }
    if taken.sender_id is not None:
        answer |= {"sender_id": taken.sender_id, "receiver_id": taken.receiver_id}
    return orjson.dumps({"new_message": answer})
