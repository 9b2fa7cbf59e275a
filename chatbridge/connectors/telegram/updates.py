"""What Telegram tells of clients, in our words: bytes to an update of aiogram's, and that to neutral values. Pure.

Source of the facts: "Bot API", "Getting updates" and "Available types".
"""

import re
from datetime import datetime
from typing import Final, NamedTuple

from aiogram.enums import ChatType, ContentType
from aiogram.types import (
    CallbackQuery,
    MessageReactionUpdated,
    Update,
    User,
)
from aiogram.types import (
    Message as TelegramMessage,
)
from msgspec.structs import replace
from pydantic import ValidationError

from chatbridge.connectors.telegram.contents import SERVICE, name_of, read_content
from chatbridge.connectors.telegram.keyboards import read_press
from chatbridge.connectors.telegram.names import Place
from chatbridge.errors import UnreadablePayload
from chatbridge.model import Content, Message, Person

WANTED: Final = ("message", "edited_message", "message_reaction", "callback_query")
"""Kinds of updates that are asked for; a bot gets reactions only if it asks."""

_START: Final = re.compile(r"/start(?:@\w+)? ([A-Za-z0-9_-]{1,36})")
"""What a link with a payload makes the client send ("Deep linking"), as far as amoCRM takes it for the name of a source."""


class Edited(NamedTuple):
    """A client's message has new content."""

    message_id: str
    content: Content
    name: str
    at: int


class Reacted(NamedTuple):
    """A client reacted, or took that back."""

    message_id: str
    client: Person
    emoji: str
    removed: bool
    name: str
    at: int


class Pressed(NamedTuple):
    """A client pressed a button; Telegram shows that it works until it is answered."""

    message: Message
    query_id: str


class Ignored(NamedTuple):
    """Nothing that an operator should see."""

    why: str


Told = Message | Edited | Reacted | Pressed | Ignored


def parse_update(body: bytes) -> Update:
    """Return the update that Telegram sent.

    Raises:
        UnreadablePayload: it is none, or one of a shape that is not known here.

    """
    try:
        return Update.model_validate_json(body)
    except ValidationError as error:
        where = error.errors(include_url=False, include_input=False)[0]["loc"]
        raise UnreadablePayload(
            f"This is no update of Telegram's at {'.'.join(str(part) for part in where)}"
        ) from None


def chat_of(update: Update) -> int:
    """Return the chat that an update belongs to; 0 if to none. Order counts within a chat."""
    query = update.callback_query
    told = update.message or update.edited_message or update.message_reaction
    if told is None and query is not None and query.message is not None:
        return query.message.chat.id
    return 0 if told is None else told.chat.id


def read_update(update: Update, *, now: int, max_bytes: int) -> tuple[Told, ...]:
    """Return what an update tells.

    Args:
        update: as Telegram sent it.
        now: microseconds; the time of what Telegram gives no time for.
        max_bytes: the largest file that can be fetched.

    """
    if (message := update.message or update.edited_message) is not None:
        why = _not_for_us(message)
        if why is not None:
            return (Ignored(why),)
        content = read_content(message, max_bytes=max_bytes)
        if update.message is not None:
            return (_message(message, content),)
        return (_edited(message, content, update.update_id),)
    if update.message_reaction is not None:
        return _reactions(update.message_reaction, update.update_id)
    if update.callback_query is not None:
        return (_pressed(update.callback_query, now),)
    return (Ignored(update.event_type),)


def _not_for_us(message: TelegramMessage) -> str | None:
    if message.chat.type != ChatType.PRIVATE:
        return f"{message.chat.type} chat"
    kind = ContentType(message.content_type)
    return kind.value if kind in SERVICE else None


def _message(message: TelegramMessage, content: Content) -> Message:
    chat = message.chat.id
    start = _START.fullmatch(message.text or "")
    quoted = message.reply_to_message
    return Message(
        id=str(Place(chat, message.message_id)),
        conversation_id=str(chat),
        sent_at=microseconds(message.date),
        sender=_sender(message),
        content=content,
        reply_to=None if quoted is None else str(Place(chat, quoted.message_id)),
        source=None if start is None else start[1],
    )


def _sender(message: TelegramMessage) -> Person:
    assert message.from_user is not None  # noqa: S101 - in a private chat somebody writes
    client, card = person(message.from_user), message.contact
    if card is None or card.user_id != message.from_user.id:
        return client
    return replace(client, phone=card.phone_number)


def person(user: User) -> Person:
    """Return a client."""
    link = None if user.username is None else f"https://t.me/{user.username}"
    return Person(id=str(user.id), name=name_of(user), profile_url=link)


def _edited(message: TelegramMessage, content: Content, update_id: int) -> Edited | Ignored:
    if message.location is not None and message.location.live_period is not None:
        return Ignored("live location")  # told every few seconds; the first place is what was said
    at = message.edit_date or 0
    return Edited(
        message_id=str(Place(message.chat.id, message.message_id)),
        content=content,
        name=f"{at}:{update_id}",
        at=at * 1_000_000,
    )


def _reactions(told: MessageReactionUpdated, update_id: int) -> tuple[Told, ...]:
    if told.chat.type != ChatType.PRIVATE or told.user is None:
        return (Ignored(f"{told.chat.type} chat"),)
    client, at = person(told.user), microseconds(told.date)
    before, after = (
        [_emoji(each) for each in side] for side in (told.old_reaction, told.new_reaction)
    )
    changes = [(emoji, True) for emoji in before if emoji not in after]
    changes += [(emoji, False) for emoji in after if emoji not in before]
    return tuple(
        Reacted(
            message_id=str(Place(told.chat.id, told.message_id)),
            client=client,
            emoji=emoji,
            removed=removed,
            name=f"{at}:{update_id}:{number}",
            at=at,
        )
        for number, (emoji, removed) in enumerate(changes)
    )


def _emoji(reaction: object) -> str:
    """Return the emoji; a star for a picture of Telegram's own, which has none."""
    return getattr(reaction, "emoji", "⭐")


def _pressed(query: CallbackQuery, now: int) -> Pressed | Ignored:
    shown = query.message
    if shown is None or shown.chat.type != ChatType.PRIVATE:
        return Ignored("callback without a private chat")
    message = Message(
        id=f"{shown.chat.id}:press-{query.id}",
        conversation_id=str(shown.chat.id),
        sent_at=now,
        sender=person(query.from_user),
        content=read_press(query),
        reply_to=str(Place(shown.chat.id, shown.message_id)),
    )
    return Pressed(message, query.id)


def microseconds(moment: datetime) -> int:
    """Return a time of Telegram's, which counts whole seconds."""
    return int(moment.timestamp()) * 1_000_000
