"""Objects of the Bot API as JSON has them ("Available types" of its documentation), written apart from aiogram."""

import hashlib
from typing import Any

Json = dict[str, Any]

UPLOAD_FIELDS = {
    "sendPhoto": "photo",
    "sendDocument": "document",
    "sendVideo": "video",
    "sendAnimation": "animation",
    "sendVoice": "voice",
    "sendAudio": "audio",
    "sendSticker": "sticker",
}
"""The parameter of each method that carries its file."""


def user(user_id: int, first_name: str, *, username: str | None = None, **more: Any) -> Json:
    """Somebody; a bot with `is_bot=True`."""
    found: Json = {"id": user_id, "is_bot": False, "first_name": first_name}
    return found | ({"username": username} if username else {}) | more


def private_chat(somebody: Json) -> Json:
    """The chat of a bot with somebody: it has the id of that user."""
    kept = {
        name: somebody[name] for name in ("first_name", "last_name", "username") if name in somebody
    }
    return {"id": somebody["id"], "type": "private"} | kept


def group_chat(chat_id: int, title: str) -> Json:
    """A group."""
    return {"id": chat_id, "type": "supergroup", "title": title}


def file_ids(seed: str) -> Json:
    """Both ids of a file: one opens it for this bot, the other tells whether two are the same."""
    digest = hashlib.sha256(seed.encode()).hexdigest()
    return {"file_id": f"AgAC{digest[:40]}", "file_unique_id": f"AQAD{digest[40:54]}"}


def photo_sizes(ids: Json, size: int) -> list[Json]:
    """A picture in two sizes, the whole one last, as Telegram orders them."""
    small = file_ids(ids["file_id"])
    return [
        small | {"width": 90, "height": 60, "file_size": 900},
        ids | {"width": 1280, "height": 853, "file_size": size},
    ]


def thumbnail(ids: Json) -> Json:
    """The small picture of a video, a document or a sticker."""
    return file_ids(f"thumbnail {ids['file_id']}") | {"width": 128, "height": 128, "file_size": 700}


def media_member(kind: str, ids: Json, *, size: int, name: str | None, mime: str | None) -> Any:
    """What a message of this kind carries under the name of the kind."""
    if kind == "photo":
        return photo_sizes(ids, size)
    found: Json = ids | {"file_size": size}
    if kind == "sticker":
        found |= {"type": "regular", "width": 512, "height": 512, "emoji": "😀", "set_name": "Cats"}
        return found | {"is_animated": False, "is_video": False}
    if kind == "video_note":
        return found | {"length": 240, "duration": 4, "thumbnail": thumbnail(ids)}
    if kind in {"video", "animation"}:
        found |= {"width": 640, "height": 360, "thumbnail": thumbnail(ids)}
    if kind in {"video", "animation", "voice", "audio"}:
        found |= {"duration": 7}
    if mime is not None:
        found |= {"mime_type": mime}
    return found | ({"file_name": name} if name is not None and kind != "voice" else {})


def message(message_id: int, sender: Json, chat: Json, date: int, **members: Any) -> Json:
    """A message; members that are None are not there."""
    found = {"message_id": message_id, "from": sender, "chat": chat, "date": date}
    return found | {name: value for name, value in members.items() if value is not None}
