"""What we send to amojo, as JSON bytes ("Chats API reference": connect, disconnect, send).

Types are strict on the other side: ids are strings, sizes and times integers. Members without a value are left out.
"""

from typing import Any, Final
from urllib.parse import unquote, urlsplit

import msgspec
import orjson

from chatbridge.model import (
    MEDIA_TYPES,
    Content,
    Edit,
    HookVersion,
    Message,
    MessageType,
    Person,
    Post,
    Quote,
)

_NAMED_FILES: Final = frozenset({MessageType.FILE, MessageType.VIDEO, MessageType.PICTURE})
"""Types for which amojo demands `file_name` and `file_size`."""

_EMBEDDED: Final = frozenset(
    {"type", "text", "file_name", "file_size", "media_duration", "location", "contact"}
)
"""Members that a quoted or forwarded message may have ("Chats API reference", embedded message)."""

_PLAYED: Final = frozenset({MessageType.VOICE, MessageType.AUDIO, MessageType.VIDEO})
"""Types that last some seconds."""


def connect(account_id: str, *, title: str | None, hook_version: HookVersion) -> bytes:
    """Return the body of a connect call. Kommo requires the title; amoCRM takes the channel's name without one."""
    return _dump({"account_id": account_id, "title": title, "hook_api_version": hook_version})


def legacy_connect(account_id: str) -> bytes:
    """Return the body of a connect call as the legacy generation knows it; callbacks will be v1."""
    return _dump({"account_id": account_id})


def disconnect(account_id: str) -> bytes:
    """Return the body of a disconnect call (a DELETE that has one)."""
    return _dump({"account_id": account_id})


class Participant(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """A person as `sender` or `receiver`."""

    id: str | None = None
    ref_id: str | None = None
    name: str | None = None
    avatar: str | None = None
    profile: dict[str, str] | None = None
    profile_link: str | None = None


class _NewMessage(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    timestamp: int
    msec_timestamp: int
    msgid: str
    conversation_id: str | None = None
    conversation_ref_id: str | None = None
    silent: bool
    source: dict[str, str] | None = None
    sender: Participant
    receiver: Participant | None = None
    message: dict[str, Any]
    reply_to: dict[str, Any] | None = None
    forwards: dict[str, Any] | None = None


def new_message(message: Message) -> bytes:
    """Return the body that publishes a client's message, or one that an operator wrote in the messenger itself."""
    said = content(message.content)
    if message.post is not None:
        said["post"] = _post(message.post)
    payload = _NewMessage(
        timestamp=message.sent_at // 1_000_000,
        msec_timestamp=message.sent_at // 1_000,
        msgid=message.id,
        conversation_id=message.conversation_id,
        conversation_ref_id=message.amojo_conversation_id,
        silent=message.silent,
        source={"external_id": message.source} if message.source else None,
        sender=participant(message.sender),
        receiver=None if message.receiver is None else participant(message.receiver),
        message=said,
        reply_to=_reply_to(message),
        forwards=None if message.forward is None else {"messages": [embedded(message.forward)]},
    )
    return msgspec.json.encode({"event_type": "new_message", "payload": payload})


class _EditMessage(msgspec.Struct, kw_only=True, gc=False):
    timestamp: int
    msec_timestamp: int
    msgid: str
    conversation_id: str
    message: dict[str, Any]


def edit_message(edit: Edit) -> bytes:
    """Return the body that gives a message new content."""
    payload = _EditMessage(
        timestamp=edit.edited_at // 1_000_000,
        msec_timestamp=edit.edited_at // 1_000,
        msgid=edit.message_id,
        conversation_id=edit.conversation_id,
        message=content(edit.content),
    )
    return msgspec.json.encode({"event_type": "edit_message", "payload": payload})


def embedded(quote: Quote) -> dict[str, Any]:
    """Return a message inside another one. With an id amojo needs nothing else, and shows its own copy."""
    wire: dict[str, Any] = {"id": quote.amojo_id, "msgid": quote.id}
    if quote.content is not None:
        said = content(quote.content)
        wire |= {name: said[name] for name in _EMBEDDED & said.keys()}
    if quote.sent_at is not None:
        wire["timestamp"] = quote.sent_at // 1_000_000
        wire["msec_timestamp"] = quote.sent_at // 1_000
    if quote.sender is not None:
        person = quote.sender
        wire["sender"] = _set({"id": person.id, "ref_id": person.amojo_id, "name": person.name})
    return _set(wire)


def _reply_to(message: Message) -> dict[str, Any] | None:
    if message.quote is not None:
        return {"message": embedded(message.quote)}
    return {"message": {"msgid": message.reply_to}} if message.reply_to else None


def _post(post: Post) -> dict[str, Any]:
    members = ("id", "url", "preview_url", "preview_permalink", "username", "caption")
    return _set({name: getattr(post, name) for name in members})


def _shared_post(post: Post) -> dict[str, Any]:
    return _set(
        {
            "type": "post",
            "url": post.url,
            "preview_link": post.preview_url,
            "preview_permalink": post.preview_permalink,
            "site_name": post.caption,
        }
    )


def participant(person: Person) -> Participant:
    """Return a person as `sender` or `receiver`. amojo requires a name, so one is found."""
    profile = {}
    if person.phone is not None:
        profile["phone"] = person.phone
    if person.email is not None:
        profile["email"] = person.email
    return Participant(
        id=person.id,
        ref_id=person.amojo_id,
        name=person.name or person.phone or person.email or person.id,
        avatar=person.avatar_url,
        profile=profile or None,
        profile_link=person.profile_url,
    )


def content(said: Content) -> dict[str, Any]:
    """Return the `message` object of a message. What does not belong to its type is left out."""
    if said.type is MessageType.TEXT and said.callback_data is None and said.shared_post is None:
        return {"type": "text", "text": said.text or ""}
    wire: dict[str, Any] = {"type": said.type, "text": said.text}
    if said.type in MEDIA_TYPES:
        wire["media"] = said.media_url
        wire |= {"file_name": said.file_name, "file_size": said.file_size}
    if said.type in _NAMED_FILES and said.media_url is not None:
        wire["file_name"] = said.file_name or file_name_of(said.media_url)
        wire["file_size"] = said.file_size or 0
    if said.type in _PLAYED:
        wire["media_duration"] = said.duration
    if said.type is MessageType.STICKER:
        wire["sticker_id"] = said.sticker_id
    if said.type is MessageType.LOCATION and said.location is not None:
        wire["location"] = {"lon": said.location.lon, "lat": said.location.lat}
    if said.type is MessageType.CONTACT and said.contact is not None:
        wire["contact"] = {"name": said.contact.name, "phone": said.contact.phone}
    return _set(wire | _beside(said))


def _beside(said: Content) -> dict[str, Any]:
    """Return what may stand beside content of any type."""
    shared = None if said.shared_post is None else _shared_post(said.shared_post)
    return {"callback_data": said.callback_data, "shared_post": shared}


def file_name_of(url: str | None) -> str:
    """Return the last part of a link's path, or `file` where there is none."""
    try:
        return unquote(urlsplit(url or "").path).rpartition("/")[2] or "file"
    except ValueError:
        return "file"


def _set(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _dump(members: dict[str, Any]) -> bytes:
    return orjson.dumps(_set(members))
