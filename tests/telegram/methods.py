"""The methods of the Bot API that bots of ours call, with the refusals that Telegram has for them."""

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from tests.telegram import values
from tests.telegram.bot_state import (
    CLOUD_DOWNLOAD,
    CLOUD_UPLOAD,
    DEFAULT_UPDATES,
    BotState,
    Webhook,
)
from tests.telegram.values import Json

REACTIONS = frozenset(
    [
        "❤",
        "👍",
        "👎",
        "🔥",
        "🥰",
        "👏",
        "😁",
        "🤔",
        "🤯",
        "😱",
        "🤬",
        "😢",
        "🎉",
        "🤩",
        "🤮",
        "💩",
        "🙏",
        "👌",
        "🕊",
        "🤡",
        "🥱",
        "🥴",
        "😍",
        "🐳",
        "❤\u200d🔥",
        "🌚",
        "🌭",
        "💯",
        "🤣",
        "⚡",
        "🍌",
        "🏆",
        "💔",
        "🤨",
        "😐",
        "🍓",
        "🍾",
        "💋",
        "🖕",
        "😈",
        "😴",
        "😭",
        "🤓",
        "👻",
        "👨\u200d💻",
        "👀",
        "🎃",
        "🙈",
        "😇",
        "😨",
        "🤝",
        "✍",
        "🤗",
        "🫡",
        "🎅",
        "🎄",
        "☃",
        "💅",
        "🤪",
        "🗿",
        "🆒",
        "💘",
        "🙉",
        "🦄",
        "😘",
        "💊",
        "🙊",
        "😎",
        "👾",
        "🤷\u200d♂",
        "🤷",
        "🤷\u200d♀",
        "😡",
    ]
)
"""What a bot may react with ("ReactionTypeEmoji")."""


class Refused(Exception):
    """A call that Telegram does not carry out."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters


class Parameters:
    """The parameters of a call, however they were sent, and its files."""

    def __init__(self, texts: dict[str, Any], files: dict[str, tuple[str, bytes]]) -> None:
        self.texts, self.files = texts, files

    def text(self, name: str, default: str = "") -> str:
        return str(self.texts.get(name, default))

    def number(self, name: str, default: int = 0) -> int:
        return int(self.texts.get(name, default))

    def value(self, name: str) -> Any:
        """A parameter that is JSON."""
        found = self.texts.get(name)
        return json.loads(found) if isinstance(found, str) else found

    def file(self, name: str) -> tuple[str, bytes] | None:
        """An uploaded file: under this name, or where `attach://` points to."""
        said = self.text(name)
        return self.files.get(said.removeprefix("attach://") if said else name)


Method = Callable[[BotState, Parameters], Awaitable[Any]]


async def get_me(bot: BotState, _: Parameters) -> Json:
    return bot.me | {
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


async def set_webhook(bot: BotState, asked: Parameters) -> bool:
    url, secret = asked.text("url"), asked.text("secret_token") or None
    if not url:
        return await delete_webhook(bot, asked)
    if urlsplit(url).scheme not in {"http", "https"}:
        raise Refused(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
    if secret is not None and not re.fullmatch("[A-Za-z0-9_-]{1,256}", secret):
        raise Refused(400, "Bad Request: secret token contains unallowed characters")
    _choose(bot, asked)
    if asked.text("drop_pending_updates").lower() == "true":
        await bot.confirm(*(update["update_id"] for update in bot.updates))
    async with bot.changed:
        bot.webhook = Webhook(url=url, secret_token=secret)
        bot.changed.notify_all()
    return True


async def delete_webhook(bot: BotState, asked: Parameters) -> bool:
    if asked.text("drop_pending_updates").lower() == "true":
        await bot.confirm(*(update["update_id"] for update in bot.updates))
    async with bot.changed:
        bot.webhook = None
        bot.changed.notify_all()
    return True


async def get_webhook_info(bot: BotState, _: Parameters) -> Json:
    hook = bot.webhook
    info: Json = {
        "url": hook.url if hook else "",
        "has_custom_certificate": False,
        "pending_update_count": len(bot.updates),
    }
    if hook is None:
        return info
    info |= {"max_connections": hook.max_connections, "ip_address": "127.0.0.1"}
    if hook.last_error_date is not None:
        info |= {
            "last_error_date": hook.last_error_date,
            "last_error_message": hook.last_error_message,
        }
    return info | {"allowed_updates": sorted(bot.allowed_updates)}


def _choose(bot: BotState, asked: Parameters) -> None:
    wanted = asked.value("allowed_updates")
    if wanted is not None:
        bot.allowed_updates = frozenset(wanted) or DEFAULT_UPDATES


async def send_message(bot: BotState, asked: Parameters) -> Json:
    text = asked.text("text").strip()
    if not text:
        raise Refused(400, "Bad Request: message text is empty")
    if _length(text) > 4096:
        raise Refused(400, "Bad Request: message is too long")
    return await _sent(bot, asked, text=text)


def _sender_of(method: str) -> Method:
    kind = values.UPLOAD_FIELDS[method]

    async def send_file(bot: BotState, asked: Parameters) -> Json:
        uploaded, name, mime = asked.file(kind), None, None
        if uploaded is None:
            known = bot.files.get(asked.text(kind))
            if known is None:
                raise Refused(400, "Bad Request: wrong file identifier/HTTP URL specified")
            ids, size = (
                values.file_ids(asked.text(kind)) | {"file_id": asked.text(kind)},
                known.size,
            )
        else:
            name, content = uploaded
            size = len(content)
            if not content:
                raise Refused(400, "Bad Request: file must be non-empty")
            if size > CLOUD_UPLOAD:
                raise Refused(413, "Request Entity Too Large")
            if kind == "photo" and size > 10 * 1024 * 1024:
                raise Refused(400, "Bad Request: PHOTO_SAVE_FILE_INVALID")
            mime = "application/octet-stream"
            ids = bot.keep_file(
                f"up {len(bot.files)}", content, size=size, suffix=name.rpartition(".")[2]
            )
        caption = asked.text("caption") or None
        if caption and _length(caption) > 1024:
            raise Refused(400, "Bad Request: message caption is too long")
        member = values.media_member(kind, ids, size=size, name=name, mime=mime)
        return await _sent(bot, asked, **{kind: member, "caption": caption})

    return send_file


async def send_location(bot: BotState, asked: Parameters) -> Json:
    place = {name: float(asked.text(name)) for name in ("latitude", "longitude")}
    return await _sent(bot, asked, location=place)


async def send_contact(bot: BotState, asked: Parameters) -> Json:
    if not asked.text("phone_number") or not asked.text("first_name"):
        raise Refused(400, 'Bad Request: parameter "phone_number" is required')
    card = {name: asked.text(name) for name in ("phone_number", "first_name")}
    return await _sent(bot, asked, contact=card)


async def _sent(bot: BotState, asked: Parameters, **members: Any) -> Json:
    chat = _chat(bot, asked)
    if asked.text("parse_mode"):
        raise Refused(400, "Bad Request: unsupported parse_mode")
    quoted, markup = asked.value("reply_parameters"), asked.value("reply_markup")
    replied = None
    if quoted is not None:
        replied = bot.messages.get((chat["id"], quoted["message_id"]))
        if replied is None and not quoted.get("allow_sending_without_reply"):
            raise Refused(400, "Bad Request: message to be replied not found")
    if markup is not None:
        _check_keyboard(markup)
    sent = values.message(
        bot.next_message_id(), bot.me, chat, bot.now(), **members,
        reply_to_message=replied and {k: v for k, v in replied.items() if k != "reply_to_message"},
        reply_markup=markup,
    )  # fmt: skip
    bot.messages[chat["id"], sent["message_id"]] = sent
    await bot.note(bot.sent, sent)
    return sent


def _check_keyboard(markup: Json) -> None:
    for button in (button for row in markup["inline_keyboard"] for button in row):
        if not button.get("text"):
            raise Refused(400, "Bad Request: text buttons are unallowed in the inline keyboard")
        data = button.get("callback_data")
        if data is None and "url" not in button:
            raise Refused(
                400, "Bad Request: can't parse inline keyboard button: Text buttons are unallowed"
            )
        if data is not None and not 1 <= len(data.encode()) <= 64:
            raise Refused(400, "Bad Request: BUTTON_DATA_INVALID")


def _chat(bot: BotState, asked: Parameters) -> Json:
    chat = bot.chats.get(asked.number("chat_id"))
    if chat is None:
        raise Refused(400, "Bad Request: chat not found")
    if chat["id"] in bot.blocked:
        raise Refused(403, "Forbidden: bot was blocked by the user")
    return chat


def _length(text: str) -> int:
    """Characters as Telegram's entities count them."""
    return len(text.encode("utf-16-le")) // 2


async def set_message_reaction(bot: BotState, asked: Parameters) -> bool:
    chat = _chat(bot, asked)
    if (chat["id"], asked.number("message_id")) not in bot.messages:
        raise Refused(400, "Bad Request: message to react not found")
    wanted = asked.value("reaction") or []
    if len(wanted) > 1 or any(each["emoji"] not in REACTIONS for each in wanted):
        raise Refused(400, "Bad Request: REACTION_INVALID")
    shown = [each["emoji"] for each in wanted]
    await bot.note(bot.reactions, {"message_id": asked.number("message_id"), "emojis": shown})
    return True


async def send_chat_action(bot: BotState, asked: Parameters) -> bool:
    await bot.note(
        bot.actions, {"chat_id": _chat(bot, asked)["id"], "action": asked.text("action")}
    )
    return True


async def answer_callback_query(bot: BotState, asked: Parameters) -> bool:
    await bot.note(bot.answered, asked.text("callback_query_id"))
    return True


async def get_file(bot: BotState, asked: Parameters) -> Json:
    found = bot.files.get(asked.text("file_id"))
    if found is None:
        raise Refused(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
    if found.size > CLOUD_DOWNLOAD:
        raise Refused(400, "Bad Request: file is too big")
    unique = found.path.partition("/")[2].partition(".")[0]
    ids = {"file_id": asked.text("file_id"), "file_unique_id": unique}
    return ids | {"file_size": found.size, "file_path": found.path}


METHODS: dict[str, Method] = {
    "getMe": get_me,
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": get_webhook_info,
    "sendMessage": send_message,
    "sendLocation": send_location,
    "sendContact": send_contact,
    "setMessageReaction": set_message_reaction,
    "sendChatAction": send_chat_action,
    "answerCallbackQuery": answer_callback_query,
    "getFile": get_file,
} | {method: _sender_of(method) for method in values.UPLOAD_FIELDS}
"""All but getUpdates, which waits."""
