"""Somebody with Telegram on the phone, who writes to a bot."""

from typing import Any

from tests.telegram import values
from tests.telegram.bot_state import BotState
from tests.telegram.values import Json

CONTENTS = {
    "photo": b"\xff\xd8\xff\xe0\0\x10JFIF\0\1" + b"\0" * 40,
    "document": b"%PDF-1.7\n" + b"x" * 40,
    "video": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0" * 40,
    "animation": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0" * 48,
    "video_note": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0" * 56,
    "voice": b"OggS\0\2" + b"\0" * 22 + b"OpusHead" + b"\0" * 40,
    "audio": b"ID3\4\0\0" + b"\0" * 60,
    "sticker": b"RIFF\x24\0\0\0WEBPVP8 " + b"\0" * 40,
}
_SUFFIXES = {
    "photo": "jpg", "document": "pdf", "video": "mp4", "animation": "mp4", "video_note": "mp4", "voice": "oga",
    "audio": "mp3", "sticker": "webp",
}  # fmt: skip
_MIME = {
    "document": "application/pdf",
    "video": "video/mp4",
    "animation": "video/mp4",
    "voice": "audio/ogg",
    "audio": "audio/mpeg",
}
THUMBNAIL = b"RIFF\x24\0\0\0WEBPVP8 " + b"\1" * 40


class Client:
    """One person in the private chat with one bot. Every method returns the message, or what else the update carries."""

    def __init__(
        self, bot: BotState, user_id: int, name: str = "Anna", username: str = "anna"
    ) -> None:
        self.bot, self.user = bot, values.user(user_id, name, username=username, language_code="ru")
        self.chat = values.private_chat(self.user)

    @property
    def id(self) -> int:
        return int(self.user["id"])

    async def start(self, payload: str = "") -> Json:
        """Press "Start", perhaps by a link with a payload."""
        text = f"/start {payload}".strip()
        command = {"type": "bot_command", "offset": 0, "length": 6}
        return await self.says(text=text, entities=[command])

    async def writes(self, text: str, **members: Any) -> Json:
        return await self.says(text=text, **members)

    async def sends(
        self,
        kind: str,
        *,
        content: bytes | None = None,
        size: int | None = None,
        name: str | None = None,
        changes: Json | None = None,
        **members: Any,
    ) -> Json:
        """Send a file; one with a `size` alone is only claimed to be there. `changes` are made to what describes it."""
        if content is None and size is None:
            content = CONTENTS[kind]
        length = len(content or b"") if size is None else size
        seed = f"{kind} {self.id} {len(self.bot.files)}"
        ids = self.bot.keep_file(seed, content, size=length, suffix=_SUFFIXES[kind])
        member = values.media_member(kind, ids, size=length, name=name, mime=_MIME.get(kind))
        if kind != "photo":
            self._keep_thumbnail(member | (changes or {}))
            member |= changes or {}
        return await self.says(**{kind: member}, **members)

    async def moving_sticker(self, *, video: bool = False) -> Json:
        """Send a sticker that moves: `.tgs`, or `.webm`. It has a picture that stands still."""
        ids = self.bot.keep_file(f"moving {video}", b"\x1f\x8b" + b"\0" * 40, size=42)
        member = values.media_member("sticker", ids, size=42, name=None, mime=None)
        member |= {"is_video": video, "is_animated": not video, "thumbnail": values.thumbnail(ids)}
        self._keep_thumbnail(member)
        return await self.says(sticker=member)

    def _keep_thumbnail(self, member: Json) -> None:
        if "thumbnail" in member:
            small = self.bot.keep_file(f"t {member['file_id']}", THUMBNAIL, size=len(THUMBNAIL))
            member["thumbnail"] |= small

    async def album(self, *captions: str | None) -> list[Json]:
        """Send pictures together."""
        group = str(13_000_000_000 + len(self.bot.messages))
        return [await self.sends("photo", caption=each, media_group_id=group) for each in captions]

    async def says(
        self, *, reply_to: Json | None = None, chat: Json | None = None, **members: Any
    ) -> Json:
        """Send a message with these members."""
        where = chat or self.chat
        self.bot.chats[where["id"]] = where
        quoted = reply_to and {k: v for k, v in reply_to.items() if k != "reply_to_message"}
        sent = values.message(
            self.bot.next_message_id(),
            self.user,
            where,
            self.bot.now(),
            reply_to_message=quoted,
            **members,
        )
        self.bot.messages[where["id"], sent["message_id"]] = sent
        await self.bot.add_update("message", sent)
        return sent

    async def edits(self, sent: Json, **members: Any) -> Json:
        """Change a message."""
        edited = sent | {"edit_date": self.bot.now()} | members
        self.bot.messages[self.id, sent["message_id"]] = edited
        await self.bot.add_update("edited_message", edited)
        return edited

    async def reacts(self, message_id: int, *emojis: str, before: tuple[str, ...] = ()) -> Json:
        """Change one's reactions to a message."""
        told: Json = {
            "chat": self.chat,
            "message_id": message_id,
            "user": self.user,
            "date": self.bot.now(),
            "old_reaction": [{"type": "emoji", "emoji": each} for each in before],
            "new_reaction": [{"type": "emoji", "emoji": each} for each in emojis],
        }
        await self.bot.add_update("message_reaction", told)
        return told

    async def presses(self, message: Json, row: int, column: int) -> Json:
        """Press a button below a bot's message."""
        button = message["reply_markup"]["inline_keyboard"][row][column]
        query: Json = {
            "id": f"{self.id}{message['message_id']}{row}{column}{len(self.bot.delivered)}",
            "from": self.user,
            "message": message,
            "chat_instance": "4242",
            "data": button["callback_data"],
        }
        await self.bot.add_update("callback_query", query)
        return query

    async def blocks(self) -> Json:
        """Stop the bot."""
        self.bot.blocked.add(self.id)
        return await self._membership("member", "kicked")

    async def unblocks(self) -> Json:
        self.bot.blocked.discard(self.id)
        return await self._membership("kicked", "member")

    async def _membership(self, before: str, after: str) -> Json:
        def standing(status: str) -> Json:
            until = {"until_date": 0} if status == "kicked" else {}
            return {"user": self.bot.me, "status": status} | until

        told: Json = {
            "chat": self.chat,
            "from": self.user,
            "date": self.bot.now(),
            "old_chat_member": standing(before),
            "new_chat_member": standing(after),
        }
        await self.bot.add_update("my_chat_member", told)
        return told
