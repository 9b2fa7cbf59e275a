"""What an operator does, as calls of the Bot API. Pure.

Source of the facts and limits: "Bot API", "Available methods".
"""

import mimetypes
import re
from collections.abc import Iterator
from typing import Any, Final

from aiogram.methods import (
    SendAnimation,
    SendAudio,
    SendChatAction,
    SendContact,
    SendDocument,
    SendLocation,
    SendMessage,
    SendPhoto,
    SendSticker,
    SendVideo,
    SendVoice,
    SetMessageReaction,
    TelegramMethod,
)
from aiogram.types import InputFile, ReactionTypeEmoji, ReplyParameters

from chatbridge.connectors.telegram.keyboards import build_keyboard, list_text
from chatbridge.connectors.telegram.names import parse_place
from chatbridge.errors import Rejected
from chatbridge.model import MEDIA_TYPES, Content, FailureReason, Message, MessageType, Reaction

_TEXT_LIMIT: Final = 4096
_CAPTION_LIMIT: Final = 1024
"""Characters, counted as UTF-16 does: never fewer than Telegram counts."""
_PHOTO_LIMIT: Final = 10 * 1024 * 1024

_DOCUMENT: Final[tuple[type[Any], str]] = (SendDocument, "document")
_METHODS: Final[dict[MessageType, tuple[tuple[str, type[Any], str], ...]]] = {
    MessageType.PICTURE: (
        (r"image/(jpeg|png|webp)", SendPhoto, "photo"),
        (r"image/gif", SendAnimation, "animation"),
    ),
    MessageType.VIDEO: ((r"video/mp4", SendVideo, "video"),),
    MessageType.VOICE: (
        (r"(audio|application)/ogg|audio/opus", SendVoice, "voice"),
        (r"audio/(mpeg|mp4|m4a|x-m4a|aac)", SendAudio, "audio"),
    ),
    MessageType.AUDIO: ((r"audio/(mpeg|mp4|m4a|x-m4a|aac)", SendAudio, "audio"),),
    MessageType.STICKER: (
        (r"image/webp", SendSticker, "sticker"),
        (r"image/(jpeg|png)", SendPhoto, "photo"),
    ),
}
"""How a file of a type is shown, by its MIME type; what is not here goes as a document, which takes everything."""


def chat_id_of(conversation_id: str | None) -> int:
    """Return the chat of a conversation.

    Raises:
        Rejected: there is none; a bot cannot write first.

    """
    if conversation_id is None or not conversation_id.removeprefix("-").isdecimal():
        raise Rejected(
            "A Telegram bot cannot write first: the client has to press Start.",
            reason=FailureReason.NO_CONVERSATION,
        )
    return int(conversation_id)


def build_message(
    message: Message, file: InputFile | None, *, as_document: bool = False
) -> list[TelegramMethod[Any]]:
    """Return the calls that show a message, in their order.

    Args:
        message: what an operator wrote.
        file: its file, if it has one.
        as_document: show the file as any file is shown, as Telegram did not take it otherwise.

    Raises:
        Rejected: there is no chat for it, or nothing in it.

    """
    content = message.content
    chat_id = chat_id_of(message.conversation_id)
    text = "\n".join(filter(None, (content.text, list_text(message.extras))))
    calls: list[TelegramMethod[Any]] = []
    if file is not None:
        method, name = _DOCUMENT if as_document else method_for(content)
        if method is SendSticker or length(text) > _CAPTION_LIMIT:
            calls.append(method(chat_id=chat_id, **{name: file}))
        else:
            calls.append(method(chat_id=chat_id, caption=text or None, **{name: file}))
            text = ""
    elif content.location is not None:
        place = content.location
        calls.append(SendLocation(chat_id=chat_id, latitude=place.lat, longitude=place.lon))
    elif content.contact is not None:
        card = content.contact
        calls.append(SendContact(chat_id=chat_id, phone_number=card.phone, first_name=card.name))
    calls += [SendMessage(chat_id=chat_id, text=part) for part in split(text, _TEXT_LIMIT)]
    if not calls:
        raise Rejected("There is nothing in this message that Telegram can show.")
    return _dressed(calls, message, chat_id)


def _dressed(
    calls: list[TelegramMethod[Any]], message: Message, chat_id: int
) -> list[TelegramMethod[Any]]:
    """Return the calls with what is answered at the first and the buttons at the last."""
    keyboard, quoted = build_keyboard(message.extras), parse_place(message.reply_to)
    if quoted is not None and quoted.chat_id == chat_id:
        # The client may have deleted it meanwhile: better without it than not at all.
        reply = ReplyParameters(message_id=quoted.message_id, allow_sending_without_reply=True)
        calls[0] = calls[0].model_copy(update={"reply_parameters": reply})
    if keyboard is not None:
        calls[-1] = calls[-1].model_copy(update={"reply_markup": keyboard})
    return calls


def method_for(content: Content) -> tuple[type[Any], str]:
    """Return the method that shows a file best, and the name of its parameter."""
    guessed, _ = mimetypes.guess_type(content.file_name or "")
    mime = content.content_type or guessed
    for pattern, method, name in _METHODS.get(content.type, ()):
        if mime is None or re.fullmatch(pattern, mime):
            too_large = method is SendPhoto and (content.file_size or 0) > _PHOTO_LIMIT
            return _DOCUMENT if too_large else (method, name)
    return _DOCUMENT


def has_file(content: Content) -> bool:
    """Return whether there is a file to be sent."""
    return content.type in MEDIA_TYPES and content.media_url is not None


def build_reaction(reaction: Reaction) -> SetMessageReaction | None:
    """Return the call that shows a reaction; None where Telegram's id of the message is not known."""
    place = parse_place(reaction.message_id)
    if place is None:
        return None
    emoji = (reaction.emoji or "").removesuffix("\ufe0f")  # Telegram lists hearts without it
    shown: list[Any] = [] if reaction.removed else [ReactionTypeEmoji(emoji=emoji)]
    return SetMessageReaction(chat_id=place.chat_id, message_id=place.message_id, reaction=shown)


def build_typing(conversation_id: str | None) -> SendChatAction:
    """Return the call that shows for five seconds that somebody types."""
    return SendChatAction(chat_id=chat_id_of(conversation_id), action="typing")


def length(text: str) -> int:
    """Return the length of a text as Telegram counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split(text: str, limit: int) -> Iterator[str]:
    """Yield a long text in parts of at most `limit` UTF-16 units; cut at the end of a line or a word where there is one."""
    rest = text.strip()
    while length(rest) > limit:
        most = rest.encode("utf-16-le", "surrogatepass")[: limit * 2]
        part = most.decode("utf-16-le", "ignore")
        cut = max(part.rfind("\n"), part.rfind(" ") if "\n" not in part[limit // 2 :] else -1)
        part = part[:cut] if cut > 0 else part
        yield part.rstrip()
        rest = rest[len(part) :].strip()
    if rest:
        yield rest
