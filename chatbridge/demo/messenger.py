"""The demo's messenger: sends what the client writes, takes what operators answer, follows each message's way."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final
from urllib.parse import quote

import structlog
from standardwebhooks import Webhook, WebhookVerificationError

from chatbridge.demo.bridge_client import BridgeClient, BridgeRefused
from chatbridge.demo.phone import Phone, Shown

log = structlog.get_logger()

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
_LOOKS: Final = (0.03, 0.05, 0.1, 0.2, 0.5)
"""Seconds between looks at a message under way; the last one repeats."""
_FOLLOWED: Final = 20
_OPERATOR: Final = "operator"
"""Who reacts on the other side; the phone does not tell operators apart."""


class DemoMessenger:
    """A messenger with one client."""

    def __init__(self, *, phone: Phone, new_id: Callable[[], str]) -> None:
        """Show messages on this phone; `join` lets it send and receive."""
        self.phone = phone
        self.scope_id = ""
        self._new_id = new_id
        self._bridge: BridgeClient | None = None
        self._webhook: Webhook | None = None
        self._followers: dict[str, asyncio.Task[None]] = {}

    def join(self, bridge: BridgeClient, *, scope_id: str, webhook_secret: str) -> None:
        """Begin to use the bridge."""
        self._bridge, self.scope_id, self._webhook = bridge, scope_id, Webhook(webhook_secret)

    async def close(self) -> None:
        """Let the watching pages go and stop following messages."""
        self.phone.close()
        followers = list(self._followers.values())
        for follower in followers:
            follower.cancel()
        await asyncio.gather(*followers, return_exceptions=True)
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
        message_id, quoted = self._new_id(), self.phone.find(written.get("reply_to"))
        await self._joined.call(
            "POST",
            "/v1/messages",
            {
                "id": message_id,
                "conversation_id": self.phone.conversation_id,
                "sent_at": at,
                "sender": self.phone.client,
                "message": {"type": written.get("type"), **content},
                **({"reply_to": quoted["id"]} if quoted else {}),
            },
        )
        shown = _shown(
            message_id, "in", {"type": written["type"], **content}, at=at, state="queued"
        )
        shown["author"] = self.phone.client["name"]
        shown["quote"] = quoted and _quote(quoted)
        self.phone.show(shown)
        self.follow(message_id)
        return shown

    async def react(self, message_id: str, emoji: str | None) -> None:
        """Send the client's reaction to a message, None takes it back.

        Raises:
            BridgeRefused: the bridge did not take it.

        """
        body = {"user": self.phone.client, "emoji": emoji, "removed": emoji is None}
        await self._joined.call("POST", f"/v1/messages/{quote(message_id)}/reactions", body)
        self.phone.react(message_id, self.phone.client["name"], emoji)

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
        self.phone.update(message_id, state=status)
        self.phone.tell("timeline", {"id": message_id})

    def take_webhook(self, body: bytes, headers: dict[str, str]) -> bool:
        """Take an event of the bridge; return whether its signature was right. A repeat changes nothing."""
        if self._webhook is None:
            return False
        try:
            event = self._webhook.verify(body, headers)
        except (WebhookVerificationError, ValueError):
            return False
        data = event["data"]
        if event["type"] == "message.created" and not self.phone.knows(data["id"]):
            self._take_message(data)
        elif event["type"] in {"reaction.added", "reaction.removed"}:
            added = event["type"] == "reaction.added"
            emoji = data["emoji"] if added else None
            self.phone.react(data["message_id"], _OPERATOR, emoji)
        elif event["type"] == "typing.started":
            self.phone.tell("typing", {"until": data["until"]})
        return True

    def _take_message(self, data: dict[str, Any]) -> None:
        shown = _shown(data["id"], "out", data["message"], at=data["sent_at"], state="taken")
        shown["author"] = data["sender"].get("name", "")
        quoted = self.phone.find(data.get("reply_to"))
        shown["quote"] = quoted and _quote(quoted)
        self.phone.show(shown)
        self._begin(data["id"], self._arrived(data["id"]))

    async def _arrived(self, message_id: str) -> None:
        """Say that a message is on the phone, then follow it."""
        try:
            await self._report(message_id, "delivered")
        except (BridgeRefused, OSError) as error:
            log.warning("not_reported", message_id=message_id, reason=type(error).__name__)
        await self._follow(message_id)

    async def timeline(self, message_id: str) -> dict[str, Any]:
        """Return a message's way, as the page draws it.

        Raises:
            BridgeRefused: the bridge does not know the message.

        """
        found = await self._joined.call("GET", f"/v1/messages/{message_id}")
        steps = [
            {
                "at": step["at"],
                "step": step["step"],
                "attempt": step["attempt"],
                "detail": step["detail"] if step["code"] is None else None,
                "error": step["code"] and {"code": step["code"], "detail": step["detail"]},
            }
            for step in found["timeline"]
        ]
        direction = "in" if found["direction"] == "to_amojo" else "out"
        return {
            "id": found["id"],
            "direction": direction,
            "state": found["state"],
            "type": found["type"],
            "steps": steps,
        }

    def follow(self, message_id: str) -> None:
        """Tell the page about each step of a message until it has arrived or failed."""
        self._begin(message_id, self._follow(message_id))

    def _begin(self, message_id: str, work: Coroutine[Any, Any, None]) -> None:
        if len(self._followers) >= _FOLLOWED or message_id in self._followers:
            work.close()
            return
        task = asyncio.create_task(work, name=f"follow-{message_id}")
        self._followers[message_id] = task
        task.add_done_callback(lambda _: self._followers.pop(message_id, None))

    async def _follow(self, message_id: str) -> None:
        seen, looks = 0, 0
        while True:
            await asyncio.sleep(_LOOKS[min(looks, len(_LOOKS) - 1)])
            looks += 1
            try:
                found = await self.timeline(message_id)
            except (BridgeRefused, OSError) as error:
                log.warning(
                    "message_not_followed", message_id=message_id, reason=type(error).__name__
                )
                return
            if len(found["steps"]) > seen:
                seen = len(found["steps"])
                self.phone.tell("timeline", {"id": message_id})
                self.phone.update(message_id, state=found["state"])
            if found["state"] != "queued":
                return


def _shown(
    message_id: str, direction: str, content: dict[str, Any], *, at: str, state: str
) -> Shown:
    empty = dict.fromkeys((*_CONTENT, "author", "quote")) | {"reactions": []}
    return empty | content | {"id": message_id, "direction": direction, "at": at, "state": state}


def _quote(message: Shown) -> dict[str, Any]:
    return {name: message[name] for name in ("author", "text", "type")}
