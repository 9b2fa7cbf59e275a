"""Callbacks as amoCRM writes them, for messengers that already speak amojo (`webhook_format: amojo_v1 | amojo_v2`).

The body ends with a newline that is not signed, exactly as the live service does it.
"""

from typing import Any

import msgspec
import orjson

from chatbridge.model import AmojoIdentity, Content, Message, Person, Reaction, Typing
from chatbridge.protocol.amojo import signing
from chatbridge.protocol.http import Request

SCOPE_MARKER = ":scope_id"
"""Stands in a hook address for the scope id, as in amoCRM's registration form."""


def build_v2(identity: AmojoIdentity, url: str, message: Message, *, now: int) -> Request:
    """Return a v2 message callback ("Chats webhooks", message)."""
    receiver = message.receiver or Person()
    outer = {
        "receiver": _person(receiver)
        | {"phone": receiver.phone or "", "email": receiver.email or ""},
        "sender": _person(message.sender),
        "conversation": _conversation(message.amojo_conversation_id, message.conversation_id),
        "timestamp": message.sent_at // 1_000_000,
        "msec_timestamp": message.sent_at // 1_000,
        "message": {"id": message.id, "markup": None, "tag": ""}
        | _content(message.content)
        | message.extras,
    }
    if message.source is not None:
        outer["source"] = {"external_id": message.source}
    payload = {"account_id": identity.account_id, "time": now // 1_000_000, "message": outer}
    return _signed(identity, url, payload)


def build_reaction(identity: AmojoIdentity, url: str, reaction: Reaction, *, now: int) -> Request:
    """Return a v2 reaction callback, with the message both as the object of today and as the `msgid` of before."""
    change = {
        "message": _set({"id": reaction.amojo_message_id, "client_id": reaction.message_id}),
        "msgid": reaction.amojo_message_id,
        "user": {"id": reaction.by.amojo_id},
        "conversation": _conversation(reaction.amojo_conversation_id, reaction.conversation_id),
        "type": "unreact" if reaction.removed else "react",
        "emoji": reaction.emoji,
    }
    return _action(identity, url, {"reaction": _set(change)}, now)


def build_typing(identity: AmojoIdentity, url: str, typing: Typing, *, now: int) -> Request:
    """Return a v2 typing callback."""
    change = {
        "user": {"id": typing.by.amojo_id},
        "conversation": _conversation(typing.amojo_conversation_id, typing.conversation_id),
        "expired_at": typing.until // 1_000_000,
    }
    return _action(identity, url, {"typing": change}, now)


def build_v1(identity: AmojoIdentity, url: str, message: Message) -> Request:
    """Return a v1 callback, the flat form of 2017."""
    payload = {
        "receiver": message.receiver.id if message.receiver else None,
        "conversation_id": message.conversation_id,
        "msec_timestamp": message.sent_at // 1_000,
    }
    return _signed(identity, url, payload | _content(message.content))


def _content(said: Content) -> dict[str, Any]:
    wire = {
        "type": said.type,
        "text": said.text or "",
        "media": said.media_url or "",
        "thumbnail": said.thumbnail_url or "",
        "file_name": said.file_name or "",
        "file_size": said.file_size or 0,
    }
    optional = {
        "media_duration": said.duration,
        "sticker_id": said.sticker_id,
        "media_group_id": said.media_group_id,
        "location": said.location,
        "contact": said.contact,
    }
    return wire | _set(optional)


def _person(person: Person) -> dict[str, Any]:
    return _set({"id": person.amojo_id, "client_id": person.id, "name": person.name})


def _conversation(amojo_id: str | None, conversation_id: str | None) -> dict[str, Any]:
    return _set({"id": amojo_id, "client_id": conversation_id})


def _action(identity: AmojoIdentity, url: str, action: dict[str, Any], now: int) -> Request:
    payload = {"account_id": identity.account_id, "time": now // 1_000_000, "action": action}
    return _signed(identity, url, payload)


def _signed(identity: AmojoIdentity, url: str, payload: dict[str, Any]) -> Request:
    body = orjson.dumps(payload, default=msgspec.to_builtins)
    headers = {
        "Content-Type": signing.CONTENT_TYPE,
        "X-Signature": signing.sign_body(identity.secret, body),
    }
    address = url.replace(SCOPE_MARKER, identity.scope_id)
    return Request(method="POST", url=address, headers=headers, body=body + b"\n")


def _set(wire: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in wire.items() if value is not None}
