"""The demo's messenger: sends what the client writes, takes what operators answer, follows each message's way."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

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
        message_id = self._new_id()
        await self._joined.call(
            "POST",
            "/v1/messages",
            {
                "id": message_id,
                "conversation_id": self.phone.conversation_id,
                "sent_at": at,
                "sender": self.phone.client,
                "message": {"type": written.get("type"), **content},
            },
        )
        shown = _shown(
            message_id, "in", {"type": written["type"], **content}, at=at, state="queued"
        )
        shown["author"] = self.phone.client["name"]
        self.phone.show(shown)
        self.follow(message_id)
        return shown

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
            shown = _shown(
                data["id"], "out", data["message"], at=data["sent_at"], state="delivered"
            )
            shown["author"] = data["sender"].get("name", "")
            self.phone.show(shown)
            self.follow(data["id"])
        return True

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
        if len(self._followers) >= _FOLLOWED or message_id in self._followers:
            return
        task = asyncio.create_task(self._follow(message_id), name=f"follow-{message_id}")
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
    empty = dict.fromkeys((*_CONTENT, "author"))
    return empty | content | {"id": message_id, "direction": direction, "at": at, "state": state}
