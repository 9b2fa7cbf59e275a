"""The connector for Telegram bots passes what every connector has to pass."""

from collections.abc import Mapping, Sequence
from typing import Any

from chatbridge.model import MEDIA_TYPES, ContactCard, Location, MessageType
from chatbridge.testing.connector import (
    RETRY_AFTER,
    Abilities,
    Client,
    ConnectorContract,
    Failure,
    FarSide,
    Said,
    Seen,
    Sent,
)
from tests.telegram import bot_api, people
from tests.telegram.values import Json

MEMBERS = {
    MessageType.TEXT: "text",
    MessageType.PICTURE: "photo",
    MessageType.FILE: "document",
    MessageType.VIDEO: "video",
    MessageType.VOICE: "voice",
    MessageType.AUDIO: "audio",
    MessageType.STICKER: "sticker",
    MessageType.LOCATION: "location",
    MessageType.CONTACT: "contact",
}
"""The member of a message that has what its type is about."""
NAMED = {MessageType.FILE, MessageType.VIDEO, MessageType.AUDIO}
"""Files of which Telegram tells the name."""
ANSWERS = {
    Failure.REFUSES: bot_api.Failure(
        code=403, description="Forbidden: bot was blocked by the user"
    ),
    Failure.THROTTLES: bot_api.Failure(
        code=429,
        description=f"Too Many Requests: retry after {RETRY_AFTER}",
        retry_after=RETRY_AFTER,
    ),
    Failure.IS_DOWN: bot_api.Failure(code=502, description="Bad Gateway"),
}


class Telegram(FarSide):
    """Telegram with one bot, which calls a webhook, and people who write to it."""

    can = Abilities(
        types=frozenset(MessageType),
        captions=True,
        longest_text=4096,
        edits=True,
        reactions=True,
        replies=True,
        repeats=True,
        keeps=True,
    )

    def __init__(self) -> None:
        super().__init__()
        self._api = bot_api.BotApi(self._failing)
        self._chosen: dict[str, tuple[str, ...]] = {}

    async def start(self) -> None:
        await self._api.__aenter__()
        self._bot = self._api.add_bot()

    async def stop(self) -> None:
        self.let_go()
        await self._api.__aexit__()

    async def go_away(self) -> None:
        self.let_go()
        await self._api.stop()

    async def come_back(self) -> None:
        await self._api.listen()

    def draft(self) -> dict[str, Any]:
        settings = {"token": self._bot.token, "api_base": self._api.url, "mode": "webhook"}
        return {"kind": "telegram", "settings": settings}

    def wrong_drafts(self) -> Mapping[str, dict[str, Any]]:
        draft = self.draft()
        wrong = {"token": f"1{self._bot.token}", "api_base": "http://10.0.0.1", "mode": "pigeon"}
        return {
            f"/settings/{name}": draft | {"settings": draft["settings"] | {name: value}}
            for name, value in wrong.items()
        } | {"/webhook_url": draft | {"webhook_url": f"{self._api.url}/hooks"}}

    def trouble(self) -> str:
        hook = self._bot.webhook
        return (hook and hook.last_error_message) or ""

    async def client_sends(self, client: Client, said: Said) -> Sent:
        person, member = self._person(client), MEMBERS[said.type]
        reply_to = None if said.reply_to is None else self._message(said.reply_to)
        name = said.file.name if said.file is not None and said.type in NAMED else None
        if said.file is not None:
            sent = await person.sends(
                member, content=said.file.data, name=name, caption=said.text, reply_to=reply_to
            )
        else:
            sent = await person.says(reply_to=reply_to, **{member: _told(said)})
        return Sent(
            message_id=_name(sent),
            conversation_id=str(person.id),
            client_id=str(person.id),
            file_name=name,
        )

    async def repeats_last(self) -> None:
        await self._bot.tell_again()

    async def client_edits(self, sent: Sent, text: str) -> None:
        somebody = people.Client(self._bot, int(sent.client_id))
        await somebody.edits(self._message(sent.message_id), text=text)

    async def client_reacts(self, client: Client, message_id: str, emoji: str | None) -> None:
        before = self._chosen.get(message_id, ())
        self._chosen[message_id] = after = () if emoji is None else (emoji,)
        number = self._message(message_id)["message_id"]
        await self._person(client).reacts(number, *after, before=before)

    def received(self, client: Client) -> Sequence[Seen]:
        chat = self._person(client).chat
        return [self._seen(sent) for sent in self._bot.sent if sent["chat"] == chat]

    def reactions(self, client: Client) -> Mapping[str, str]:
        chat = self._person(client).id
        return {
            f"{chat}:{shown['message_id']}": "".join(shown["emojis"])
            for shown in self._bot.reactions
            if (chat, shown["message_id"]) in self._bot.messages
        }

    def _failing(self, method: str) -> bot_api.Failure | None:
        shown = method.startswith("send") and method != "sendChatAction"
        failure = self.due_failure() if shown else None
        if failure is Failure.HANGS:
            return bot_api.Failure(carried_out=True, after=self._let_go)
        return None if failure is None else ANSWERS[failure]

    def _person(self, client: Client) -> people.Client:
        return people.Client(self._bot, 500 + client.number, client.name)

    def _message(self, name: str) -> Json:
        chat, _, number = name.partition(":")
        return self._bot.messages[int(chat), int(number)]

    def _seen(self, sent: Json) -> Seen:
        kind, member = next((kind, name) for kind, name in MEMBERS.items() if name in sent)
        shown, quoted = sent[member], sent.get("reply_to_message")
        file = shown[-1] if kind is MessageType.PICTURE else shown
        rows = sent.get("reply_markup", {}).get("inline_keyboard", [])
        return Seen(
            id=_name(sent),
            type=kind,
            text=sent.get("text", sent.get("caption")),
            file=self._bot.files[file["file_id"]].content if kind in MEDIA_TYPES else None,
            location=Location(lat=shown["latitude"], lon=shown["longitude"])
            if kind is MessageType.LOCATION
            else None,
            contact=ContactCard(name=shown["first_name"], phone=shown["phone_number"])
            if kind is MessageType.CONTACT
            else None,
            reply_to=quoted and _name(quoted),
            buttons=tuple(button["text"] for row in rows for button in row),
        )


def _name(message: Json) -> str:
    """Return under which id a message is known to this server."""
    return f"{message['chat']['id']}:{message['message_id']}"


def _told(said: Said) -> Any:
    """Return what stands in a message without a file."""
    if said.location is not None:
        return {"latitude": said.location.lat, "longitude": said.location.lon}
    if said.contact is not None:
        return {"first_name": said.contact.name, "phone_number": said.contact.phone}
    return said.text


class TestTelegram(ConnectorContract):
    far_side = Telegram
