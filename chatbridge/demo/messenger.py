"""The demo's messenger: sends what the client writes, takes what operators answer."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from standardwebhooks import Webhook, WebhookVerificationError

from chatbridge.demo.bridge_client import BridgeClient, BridgeRefused
from chatbridge.demo.following import Follower, way_of
from chatbridge.demo.phone import Phone, Shown

_CONTENT: Final = (
    "text",
    "media_url",
    "file_name",
    "file_size",
    "duration",
    "sticker_id",
    "location",
    "contact",
)


class Answer(NamedTuple):
    """What the bridge hears about an event."""

    status: int
    body: dict[str, str] | None = None


_TAKEN: Final = Answer(204)
_STRANGE: Final = Answer(401)
_BLOCKED: Final = Answer(
    422, {"reason": "no_conversation", "text": "the client has blocked the shop"}
)
_NOBODY: Final = Answer(422, {"reason": "no_conversation", "text": "nobody has this number"})


class DemoMessenger:
    """A messenger with one client."""

    def __init__(self, *, phone: Phone, new_id: Callable[[], str]) -> None:
        """Show messages on this phone; `join` lets it send and receive."""
        self.phone = phone
        self.scope_id = ""
        self._new_id = new_id
        self._bridge: BridgeClient | None = None
        self._webhook: Webhook | None = None
        self._follower = Follower(phone, self.timeline)

    def join(self, bridge: BridgeClient, *, scope_id: str, webhook_secret: str) -> None:
        """Begin to use the bridge."""
        self._bridge, self.scope_id, self._webhook = bridge, scope_id, Webhook(webhook_secret)

    async def close(self) -> None:
        """Let the watching pages go and stop following messages."""
        self.phone.close()
        await self._follower.close()
        if self._bridge is not None:
            await self._bridge.close()

    @property
    def _joined(self) -> BridgeClient:
        if self._bridge is None:
            raise BridgeRefused({"status": 503, "title": "The demo is still starting"})
        return self._bridge

    async def send(self, written: dict[str, Any], *, at: str) -> Shown:
        """Send what the client wrote.

        Raises:
            BridgeRefused: the bridge did not take it.

        """
        content = {name: written[name] for name in _CONTENT if written.get(name) is not None}
        message_id = self._new_id()
        replied, forwarded = (
            self.phone.find(written.get(name)) for name in ("reply_to", "forward")
        )
        await self._joined.call(
            "POST",
            "/v1/messages",
            {
                "id": message_id,
                "conversation_id": self.phone.conversation_id,
                "sent_at": at,
                "sender": self.phone.client,
                "message": {"type": written.get("type"), **content},
                **({"reply_to": replied["id"]} if replied else {}),
                **({"forward": {"id": forwarded["id"]}} if forwarded else {}),
            },
        )
        shown = _shown(
            message_id, "in", {"type": written["type"], **content}, at=at, state="queued"
        )
        shown["author"] = self.phone.client["name"]
        quoted = replied or forwarded
        shown["quote"] = quoted and _quote(quoted, forwarded=quoted is forwarded)
        self.phone.show(shown)
        self._follower.follow(message_id)
        return shown

    async def edit(self, message_id: str, text: object) -> None:
        """Send new words of the client's message.

        Raises:
            BridgeRefused: the bridge did not take them.

        """
        content = {"message": {"type": "text", "text": text}}
        await self._joined.call("PATCH", f"/v1/messages/{quote(message_id)}", content)
        self.phone.change(message_id, text=text, edited=True)

    async def react(self, message_id: str, emoji: str | None) -> None:
        """Send the client's reaction to a message, None takes it back.

        Raises:
            BridgeRefused: the bridge did not take it.

        """
        body = {"user": self.phone.client, "emoji": emoji, "removed": emoji is None}
        await self._joined.call("POST", f"/v1/messages/{quote(message_id)}/reactions", body)
        self.phone.react(message_id, self.phone.client["id"], emoji)

    async def typing(self) -> None:
        """Tell that the client types.

        Raises:
            BridgeRefused: the bridge did not take it.

        """
        path = f"/v1/conversations/{quote(self.phone.conversation_id)}/typing"
        await self._joined.call("POST", path, {"sender": self.phone.client})

    async def seen(self) -> None:
        """Tell that the client has seen everything that the phone shows.

        Raises:
            BridgeRefused: the bridge did not take it.

        """
        for message_id in self.phone.unread():
            await self._report(message_id, "read")

    async def _report(self, message_id: str, status: str) -> None:
        path = f"/v1/messages/{quote(message_id)}/status"
        await self._joined.call("POST", path, {"status": status})
        self.phone.change(message_id, state=status)
        self.phone.tell("timeline", {"id": message_id})

    def take_webhook(self, body: bytes, headers: dict[str, str]) -> Answer:
        """Take an event of the bridge. A repeat changes nothing."""
        if self._webhook is None:
            return _STRANGE
        try:
            event = self._webhook.verify(body, headers)
        except (WebhookVerificationError, ValueError):
            return _STRANGE
        data = event["data"]
        if event["type"] == "message.created":
            return self._take_message(data)
        if event["type"] == "conversation.started":
            return self._begin_conversation(data)
        if not self._is_reached(data):
            return _TAKEN
        if event["type"] in {"reaction.added", "reaction.removed"}:
            emoji = data["emoji"] if event["type"] == "reaction.added" else None
            self.phone.react(data["message_id"], data["by"]["amojo_id"], emoji)
        elif event["type"] == "typing.started":
            self.phone.tell("typing", {"until": data["until"]})
        return _TAKEN

    def _take_message(self, data: dict[str, Any]) -> Answer:
        """Show an operator's message, or refuse it for good: the operator reads why."""
        if self.phone.knows(data["id"]):
            return _TAKEN
        if not self._is_reached(data):
            self.phone.tell("refused", {"id": data["id"]})
            self._follower.follow(data["id"])
            return _BLOCKED if self.phone.blocked else _NOBODY
        shown = _shown(data["id"], "out", data["message"], at=data["sent_at"], state="taken")
        shown["author"] = data["sender"].get("name", "")
        shown["quote"] = self._quoted(data)
        self.phone.show(shown)
        self._follower.follow(data["id"], first=lambda: self._report(data["id"], "delivered"))
        return _TAKEN

    def _is_reached(self, data: dict[str, Any]) -> bool:
        """Return whether this comes to our client, who has not blocked the shop. Others' conversations have no id of ours."""
        return "conversation_id" in data and not self.phone.blocked

    def _quoted(self, data: dict[str, Any]) -> dict[str, Any] | None:
        """Return the message that an operator answers or passes on: as the phone shows it, or as amoCRM told it."""
        extras = data.get("extras", {})
        reply, forwards = extras.get("reply_to"), extras.get("forwards")
        if not reply and not forwards:
            return None
        told = reply["message"] if reply else forwards["messages"][0]
        known = self.phone.find(told.get("msgid")) or self.phone.find(told.get("id"))
        author = told.get("sender", {}).get("name")
        stranger = {"id": None, "author": author, "text": told.get("text"), "type": told["type"]}
        return _quote(known or stranger, forwarded=not reply)

    def _begin_conversation(self, data: dict[str, Any]) -> Answer:
        """Answer with our id of a conversation that an operator begins with our client; it goes on there."""
        if _digits(data["receiver"].get("phone")) != _digits(self.phone.client["phone"]):
            return _TAKEN
        conversation_id = f"demo-{data['amojo_conversation_id']}"
        self.phone.conversation_id = conversation_id
        return Answer(200, {"conversation_id": conversation_id})

    async def timeline(self, message_id: str) -> dict[str, Any]:
        """Return a message's way, as the page draws it.

        Raises:
            BridgeRefused: the bridge does not know the message.

        """
        return way_of(await self._joined.call("GET", f"/v1/messages/{message_id}"))


def _shown(
    message_id: str, direction: str, content: dict[str, Any], *, at: str, state: str
) -> Shown:
    empty = dict.fromkeys((*_CONTENT, "author", "quote")) | {"edited": False, "reactions": []}
    return empty | content | {"id": message_id, "direction": direction, "at": at, "state": state}


def _quote(message: Shown, *, forwarded: bool) -> dict[str, Any]:
    quoted = {name: message[name] for name in ("id", "author", "text", "type")}
    return quoted | {"forwarded": forwarded}


def _digits(phone: str | None) -> str:
    return "".join(filter(str.isdigit, phone or ""))
