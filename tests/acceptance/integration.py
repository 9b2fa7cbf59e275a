"""An integration that was written against amojo. It signs by hand and knows of this server its address alone."""

import hashlib
import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import aiohttp

from tests.acceptance.bridge import Reply, Shop
from tests.plain_amojo import sign_body, sign_lines


@dataclass(frozen=True, kw_only=True)
class Integration:
    """Calls of amojo at some address."""

    url: str
    http: aiohttp.ClientSession
    channel_id: str
    account_id: str
    secret: str = field(repr=False)

    @classmethod
    def of(cls, url: str, http: aiohttp.ClientSession, shop: Shop) -> "Integration":
        """The one that has a messenger's amojo credentials."""
        return cls(url=url, http=http, **shop.messenger["amojo"])

    @property
    def scope_id(self) -> str:
        return f"{self.channel_id}_{self.account_id}"

    async def call(
        self,
        method: str,
        path: str,
        value: Any = None,
        *,
        legacy: bool = False,
        date: str | None = None,
        query: str = "",
        **headers: str,
    ) -> Reply:
        """One signed call, below `/v2/origin/custom/`; headers that are named replace what was signed."""
        path = f"/v2/origin/custom/{path}"
        body = b"" if value is None else json.dumps(value, ensure_ascii=False).encode()
        signed = {"Content-Type": "application/json"}
        if legacy:
            signed["X-Signature"] = sign_body(self.secret, body)
        else:
            date = spelled(datetime.now(UTC)) if date is None else date
            md5 = hashlib.md5(body).hexdigest()
            signature = sign_lines(self.secret, method, md5, date, path)
            signed |= {"Date": date, "Content-MD5": md5, "X-Signature": signature}
        signed |= {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.request(
            method, self.url + path + query, data=io.BytesIO(body), headers=signed
        ) as answer:
            return Reply(status=answer.status, headers=answer.headers, body=await answer.read())

    async def connect(self, **members: Any) -> Reply:
        body = {"account_id": self.account_id, "title": "Shop", "hook_api_version": "v2"}
        return await self.call("POST", f"{self.channel_id}/connect", body | members)

    async def event(self, kind: str, payload: dict[str, Any], **how: Any) -> Reply:
        body = {"event_type": kind, "payload": payload}
        return await self.call("POST", self.scope_id, body, **how)

    async def send(self, msgid: str, message: dict[str, Any] | None = None, **members: Any) -> Any:
        """`new_message` of the answer to a message that must be taken."""
        reply = await self.event("new_message", payload(msgid, message, **members))
        assert reply.status == 200, reply
        return reply.json["new_message"]

    async def below(self, path: str, value: Any, **how: Any) -> Reply:
        """A call below the scope."""
        return await self.call("POST", f"{self.scope_id}/{path}", value, **how)

    async def history(self, chat_id: str, query: str = "") -> Reply:
        return await self.call("GET", f"{self.scope_id}/chats/{chat_id}/history", query=query)


def spelled(moment: datetime, zone: str = "+0000") -> str:
    """A moment as clients known to work spell it: in UTC, in UTC by another name, in a zone of their own."""
    if zone == "GMT":
        return format_datetime(moment, usegmt=True)
    hours = timezone(timedelta(hours=int(zone[:3])))
    return format_datetime(moment.astimezone(hours))


def payload(
    msgid: str, message: dict[str, Any] | None = None, conversation: str = "c-1", **members: Any
) -> dict[str, Any]:
    """A client's message as amoCRM's reference has it."""
    at_ms = 1_790_000_000_123
    whole = {
        "timestamp": at_ms // 1000,
        "msec_timestamp": at_ms,
        "msgid": msgid,
        "conversation_id": conversation,
        "sender": {"id": "u-1", "name": "Anna"},
        "message": message or {"type": "text", "text": f"text of {msgid}"},
    }
    return whole | members


def amojo_error(reply: Reply) -> tuple[int, str, str]:
    """Status, type and words of an error in amojo's own form, checked."""
    assert reply.headers["Content-Type"].startswith("application/json"), reply
    error = reply.json
    assert set(error) == {"status", "error_code", "error_type", "error_description"}
    assert (error["status"], error["error_code"]) == (0, reply.status)
    return reply.status, error["error_type"], error["error_description"]
