"""What we send to amojo, as JSON bytes ("Chats API reference": connect, disconnect, send).

Types are strict on the other side: ids are strings, sizes and times integers. Members without a value are left out.
"""

from typing import Any, Final
from urllib.parse import unquote, urlsplit

import msgspec
import orjson

from chatbridge.model import MEDIA_TYPES, Content, HookVersion, Message, MessageType, Person

_NAMED_FILES: Final = frozenset({MessageType.FILE, MessageType.VIDEO, MessageType.PICTURE})
"""Types for which amojo demands `file_name` and `file_size`."""

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
    message: dict[str, Any]
    reply_to: dict[str, dict[str, str]] | None = None


def new_message(message: Message) -> bytes:
    """Return the body that publishes a client's message."""
    payload = _NewMessage(
        timestamp=message.sent_at // 1_000_000,
        msec_timestamp=message.sent_at // 1_000,
        msgid=message.id,
        conversation_id=message.conversation_id,
        conversation_ref_id=message.amojo_conversation_id,
        silent=message.silent,
        source={"external_id": message.source} if message.source else None,
        sender=participant(message.sender),
        message=content(message.content),
        reply_to={"message": {"msgid": message.reply_to}} if message.reply_to else None,
    )
    return msgspec.json.encode({"event_type": "new_message", "payload": payload})


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
    if said.type is MessageType.TEXT:
        return {"type": "text", "text": said.text or ""}
    wire: dict[str, Any] = {"type": said.type, "text": said.text}
    if said.type in MEDIA_TYPES:
        wire["media"] = said.media_url
        wire |= {"file_name": said.file_name, "file_size": said.file_size}
    if said.type in _NAMED_FILES:
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
    return _set(wire)


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
