"""Bodies of hooks, version 1 and 2 (page "chat-webhooks"). Pure."""

from dataclasses import dataclass

from chatbridge.sandbox.records import Chat, Connection, Json, Message, Person
from chatbridge.sandbox.switches import Switches

TYPING_LASTS_S = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where a hook comes from, and how hooks are to look."""

    connection: Connection
    chat: Chat
    person: Person
    switches: Switches


def message_v1(setting: Setting, message: Message) -> Json:
    """Return the flat form: it has neither a message id nor an account id."""
    content = message.content
    return {
        "receiver": setting.person.client_id,
        "conversation_id": setting.chat.client_id,
        "msec_timestamp": message.at_ms,
        "type": content.type,
        "text": content.text,
        "media": content.media,
        "thumbnail": content.thumbnail,
        "file_name": content.file_name,
        "file_size": content.file_size,
    }


def message_v2(setting: Setting, message: Message, extra: Json) -> Json:
    """Return the form with ids. `extra` holds members given by whoever tests, such as `markup`."""
    sender = {"id": message.author.id}
    if setting.switches.is_("hook_sender_name", "present"):
        sender["name"] = message.author.name
    body: Json = {
        "receiver": _receiver(setting.person, setting.switches),
        "sender": sender,
        "conversation": conversation(setting.chat),
        "timestamp": message.at_ms // 1000,
        "msec_timestamp": message.at_ms,
        "message": _content(message, extra, setting.switches),
    }
    if setting.chat.source is not None and setting.switches.is_("hook_source", "present"):
        body["source"] = {"external_id": setting.chat.source}
    return _envelope(setting.connection, message.at_ms // 1000, {"message": body})


def typing(setting: Setting, user_id: str, time: int) -> Json:
    """An operator types; version 2 only."""
    user = {"user": {"id": user_id}}
    nested = setting.switches.is_("typing_user", "nested")
    action = {
        **(user if nested else {}),
        "conversation": conversation(setting.chat),
        "expired_at": time + TYPING_LASTS_S,
    }
    return _envelope(
        setting.connection, time, {"action": {"typing": action, **({} if nested else user)}}
    )


def reaction(setting: Setting, message: Message, change: Json, time: int) -> Json:
    """An operator reacts; version 2 only. `change` holds `user`, `type` and perhaps `emoji`."""
    action: Json = {
        "user": change["user"],
        "conversation": conversation(setting.chat),
        "type": change["type"],
    }
    if change["type"] == "react":
        action["emoji"] = change["emoji"]
    if not setting.switches.is_("reaction_hook", "msgid"):
        action["message"] = _reacted(message)
    if not setting.switches.is_("reaction_hook", "message"):
        action["msgid"] = message.id
    return _envelope(setting.connection, time, {"action": {"reaction": action}})


def conversation(chat: Chat) -> Json:
    """Both ids of a chat; a write-first chat has no `client_id` until it is bound."""
    return {"id": chat.id} | ({} if chat.client_id is None else {"client_id": chat.client_id})


def embedded(message: Message) -> Json:
    """A quoted message."""
    content = message.content
    body: Json = {
        "id": message.id,
        "type": content.type,
        "text": content.text,
        "media": content.media,
        "file_name": content.file_name,
        "file_size": content.file_size,
        "timestamp": message.at_ms // 1000,
        "msec_timestamp": message.at_ms,
        "sender": _author(message),
    }
    return body | ({} if message.client_id is None else {"msgid": message.client_id})


def _envelope(connection: Connection, time: int, inner: Json) -> Json:
    return {"account_id": connection.account.amojo_id, "time": time, **inner}


def _receiver(person: Person, switches: Switches) -> Json:
    receiver = {"id": person.id, "name": person.name}
    if person.client_id is not None:
        receiver["client_id"] = person.client_id
    reachable = {"phone": person.phone, "email": person.email}
    if switches.is_("hook_phone_email", "absent"):
        reachable = {member: value for member, value in reachable.items() if value}
    return receiver | reachable


def _content(message: Message, extra: Json, switches: Switches) -> Json:
    content = message.content
    body: Json = {"id": message.id, "type": content.type, "text": content.text}
    if switches.is_("hook_markup", "null"):
        body["markup"] = None
    body |= {
        "tag": "",
        "media": content.media,
        "thumbnail": content.thumbnail,
        "file_name": content.file_name,
        "file_size": content.file_size,
    }
    optional = {
        "media_duration": content.media_duration,
        "sticker_id": content.sticker_id,
        "location": content.location,
        "contact": content.contact,
        "media_group_id": content.media_group_id,
        "reply_to": message.reply_to,
        "forwards": message.forwards,
    }
    return body | {name: value for name, value in optional.items() if value is not None} | extra


def _reacted(message: Message) -> Json:
    body: Json = {
        "id": message.id,
        "sender": {"id": message.author.id},
        "timestamp": message.at_ms // 1000,
        "msec_timestamp": message.at_ms,
    }
    return body | ({} if message.client_id is None else {"client_id": message.client_id})


def _author(message: Message) -> Json:
    author = {"id": message.author.id, "name": message.author.name}
    if message.author.client_id is not None:
        author["client_id"] = message.author.client_id
    return author
