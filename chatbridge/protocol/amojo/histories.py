"""Answers to `calls.history`: what was said in a conversation, read into what operators said ("Chats API reference", history).

An item is told apart by whose ids it has. What came through the integration, from a client or in somebody's name, has its msgid
as `client_id`; what an operator wrote in amoCRM has amoCRM's id alone, and a receiver. An item is otherwise what a v2 callback
says of a message, but for what it leaves out: buttons, templates, quotes and forwards.
"""

from http import HTTPStatus
from typing import Any

from msgspec import Struct

from chatbridge.errors import FarSideDown, OutcomeUnknown, UnreadablePayload
from chatbridge.model import Message
from chatbridge.protocol.amojo.callbacks import read_message
from chatbridge.protocol.amojo.replies import read_object
from chatbridge.protocol.http import Response
from chatbridge.protocol.tame import members


class Page(Struct, frozen=True, kw_only=True, gc=False):
    """A page of a history."""

    replies: tuple[Message, ...]
    """What operators said, newest first."""
    size: int
    """How many items it has."""
    oldest: int | None
    """When the oldest of them was written, as far as they say."""
    unreadable: int
    """Operators' messages among them that are no shape of the protocol."""


def read_history(
    response: Response, *, conversation_id: str | None, amojo_conversation_id: str, now: int
) -> Page:
    """Return a page of the history of a conversation, which is known by these ids.

    Raises:
        DeliveryError: amojo refused, or gave no history.

    """
    if response.status == HTTPStatus.NO_CONTENT:  # amojo's word for a conversation without messages
        return Page(replies=(), size=0, oldest=None, unreadable=0)
    items = _items(response)
    conversation = {"id": amojo_conversation_id, "client_id": conversation_id}
    replies, unreadable, times = [], 0, []
    for item in items:
        try:
            message = read_message(item | {"conversation": conversation}, now)
        except UnreadablePayload:
            unreadable += _is_reply(item)
            continue
        times.append(message.sent_at)
        if _is_reply(item):
            replies.append(message)
    return Page(
        replies=tuple(replies),
        size=len(items),
        oldest=min(times, default=None),
        unreadable=unreadable,
    )


def _items(response: Response) -> list[dict[str, Any]]:
    try:
        items = read_object(response).get("messages")
    except OutcomeUnknown as error:
        raise FarSideDown(str(error), status=response.status) from error
    if not isinstance(items, list):
        raise FarSideDown("amoCRM answered without a history", status=response.status)
    return [members(item) for item in items]


def _is_reply(item: dict[str, Any]) -> bool:
    said, sender = members(item, "message"), members(item, "sender")
    return bool(members(item, "receiver")) and not (
        said.get("client_id") or sender.get("client_id")
    )
