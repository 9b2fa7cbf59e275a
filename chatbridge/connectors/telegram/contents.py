"""What a message of Telegram says, in our words. Pure.

amoCRM's operator sees everything that a client sends: what has no type of its own there is told as text. Only signs are used,
no sentences: nobody knows which language the operator reads.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from aiogram.enums import ContentType
from aiogram.types import (
    Contact,
    Dice,
    Message,
    MessageOriginChannel,
    MessageOriginChat,
    MessageOriginHiddenUser,
    MessageOriginUser,
    PhotoSize,
    Poll,
    Sticker,
    User,
    Venue,
)
from aiogram.types import Location as TelegramLocation
from msgspec.structs import replace

from chatbridge.model import ContactCard, Content, Location, MessageType

SERVICE: Final = frozenset(
    {
        ContentType.BOOST_ADDED, ContentType.CHANNEL_CHAT_CREATED, ContentType.CHAT_BACKGROUND_SET,
        ContentType.CHAT_OWNER_CHANGED, ContentType.CHAT_OWNER_LEFT, ContentType.CONNECTED_WEBSITE,
        ContentType.DELETE_CHAT_PHOTO, ContentType.DIRECT_MESSAGE_PRICE_CHANGED, ContentType.FORUM_TOPIC_CLOSED,
        ContentType.FORUM_TOPIC_CREATED, ContentType.FORUM_TOPIC_EDITED, ContentType.FORUM_TOPIC_REOPENED,
        ContentType.GENERAL_FORUM_TOPIC_HIDDEN, ContentType.GENERAL_FORUM_TOPIC_UNHIDDEN, ContentType.GROUP_CHAT_CREATED,
        ContentType.LEFT_CHAT_MEMBER, ContentType.MESSAGE_AUTO_DELETE_TIMER_CHANGED, ContentType.MIGRATE_FROM_CHAT_ID,
        ContentType.MIGRATE_TO_CHAT_ID, ContentType.NEW_CHAT_MEMBERS, ContentType.NEW_CHAT_PHOTO,
        ContentType.NEW_CHAT_TITLE, ContentType.PAID_MESSAGE_PRICE_CHANGED, ContentType.PINNED_MESSAGE,
        ContentType.PROXIMITY_ALERT_TRIGGERED, ContentType.SUPERGROUP_CHAT_CREATED, ContentType.VIDEO_CHAT_ENDED,
        ContentType.VIDEO_CHAT_PARTICIPANTS_INVITED, ContentType.VIDEO_CHAT_SCHEDULED, ContentType.VIDEO_CHAT_STARTED,
        ContentType.WRITE_ACCESS_ALLOWED,
    }
)  # fmt: skip
"""Kinds of messages that nobody wrote: Telegram tells of the chat itself."""


def read_content(message: Message, *, max_bytes: int) -> Content:
    """Return what a message says.

    Args:
        message: as Telegram tells it.
        max_bytes: a file beyond this cannot be fetched; the text says so in its place.

    """
    kind = ContentType(message.content_type).value
    read = _READERS.get(kind)
    content = _unknown(kind, message) if read is None else read(getattr(message, kind), message)
    if content.media_ref is not None and (content.file_size or 0) > max_bytes:
        content = _too_large(content, max_bytes)
    above = tuple(_above(message))
    if not above:
        return content
    return replace(content, text="\n".join((*above, *filter(None, (content.text,)))))


def _text(text: str, _: Message) -> Content:
    return Content(type=MessageType.TEXT, text=text)


def _photo(sizes: Sequence[PhotoSize], message: Message) -> Content:
    return _media(MessageType.PICTURE)(sizes[-1], message)  # they are ordered by size


def _sticker(sticker: Sticker, message: Message) -> Content:
    """One that moves is shown by its picture: amoCRM plays neither `.tgs` nor `.webm`."""
    shown = sticker.thumbnail if sticker.is_animated or sticker.is_video else sticker
    if shown is None:
        return Content(type=MessageType.TEXT, text=sticker.emoji or "[sticker]")
    return _media(MessageType.STICKER)(shown, message)


def _media(kind: MessageType) -> Callable[[Any, Message], Content]:
    def read(file: Any, message: Message) -> Content:
        return Content(
            type=kind,
            text=message.caption,
            media_ref=file.file_id,
            file_name=getattr(file, "file_name", None),
            file_size=file.file_size,
            duration=getattr(file, "duration", None),
            media_group_id=message.media_group_id,
        )

    return read


def _too_large(content: Content, max_bytes: int) -> Content:
    size, limit = (f"{value / 1_048_576:.0f} MB" for value in (content.file_size or 0, max_bytes))
    file = f"📎 {content.file_name or content.type} ({size} > {limit})"
    text = "\n".join(filter(None, (content.text, file)))
    return Content(type=MessageType.TEXT, text=text, media_group_id=content.media_group_id)


def _location(place: TelegramLocation, _: Message) -> Content:
    where = Location(lat=place.latitude, lon=place.longitude)
    return Content(type=MessageType.LOCATION, location=where)


def _venue(venue: Venue, message: Message) -> Content:
    return replace(_location(venue.location, message), text=f"{venue.title}, {venue.address}")


def _contact(card: Contact, _: Message) -> Content:
    name = " ".join(filter(None, (card.first_name, card.last_name)))
    return Content(
        type=MessageType.CONTACT, contact=ContactCard(name=name, phone=card.phone_number)
    )


def _poll(poll: Poll, _: Message) -> Content:
    options = (f"▫ {option.text}" for option in poll.options)
    return Content(type=MessageType.TEXT, text="\n".join((f"[poll] {poll.question}", *options)))


def _dice(dice: Dice, _: Message) -> Content:
    return Content(type=MessageType.TEXT, text=f"{dice.emoji} {dice.value}")


def _unknown(kind: str, message: Message) -> Content:
    """Return what it is, and what is written beside it. Of a kind that aiogram does not know it keeps the member."""
    if kind == ContentType.UNKNOWN:
        kind = next(iter(message.model_extra or ()), kind)
    text = "\n".join(filter(None, (f"[{kind}]", message.caption)))
    return Content(type=MessageType.TEXT, text=text)


_READERS: Final[dict[str, Callable[[Any, Message], Content]]] = {
    ContentType.TEXT: _text,
    ContentType.PHOTO: _photo,
    ContentType.DOCUMENT: _media(MessageType.FILE),
    ContentType.VIDEO: _media(MessageType.VIDEO),
    ContentType.ANIMATION: _media(MessageType.VIDEO),
    ContentType.VIDEO_NOTE: _media(MessageType.VIDEO),
    ContentType.LIVE_PHOTO: _media(MessageType.VIDEO),
    ContentType.VOICE: _media(MessageType.VOICE),
    ContentType.AUDIO: _media(MessageType.AUDIO),
    ContentType.STICKER: _sticker,
    ContentType.LOCATION: _location,
    ContentType.VENUE: _venue,
    ContentType.CONTACT: _contact,
    ContentType.POLL: _poll,
    ContentType.DICE: _dice,
}
"""By kind, which is also the name of the message's member that has it."""


def _above(message: Message) -> Iterator[str]:
    """Return what stands above the text: what is passed on, and what is answered that was said elsewhere."""
    if message.forward_origin is not None:
        yield f"↪ {_author(message.forward_origin)}"
    if message.external_reply is not None:
        quoted = message.quote.text if message.quote is not None else "…"
        yield f"> {_author(message.external_reply.origin)}: {quoted}"
    elif message.quote is not None and message.quote.is_manual:
        yield f"> {message.quote.text}"
    elif message.reply_to_story is not None:
        yield "> [story]"


def _author(origin: object) -> str:
    match origin:
        case MessageOriginUser():
            return name_of(origin.sender_user)
        case MessageOriginHiddenUser():
            return origin.sender_user_name
        case MessageOriginChat():
            return origin.sender_chat.title or "…"
        case MessageOriginChannel():
            return origin.chat.title or "…"
    return "…"


def name_of(user: User) -> str:
    """Return somebody's whole name."""
    return " ".join(filter(None, (user.first_name, user.last_name)))
