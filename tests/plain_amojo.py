"""A small amojo of the tests, written from the published signature vectors and the pages of the protocol alone.

It shares nothing with the bridge or the sandbox. It takes the current signature scheme only and is strict about it.
"""

import hashlib
import hmac
import json
import re
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp

from tests.fakes import Answer, FarSide, Received

_BASE = "/v2/origin/custom/"
_DATE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000")
_REQUIRED = {
    "text": ("text",),
    "picture": ("media", "file_name", "file_size"),
    "file": ("media", "file_name", "file_size"),
    "video": ("media", "file_name", "file_size"),
    "voice": ("media",),
    "audio": ("media",),
    "sticker": ("media",),
    "location": ("location",),
    "contact": ("contact",),
}


@dataclass(frozen=True, kw_only=True)
class Account:
    """One account with the channel that is connected to it."""

    channel_id: str
    code: str
    secret: str
    account_id: str
    hook_url: str
    version: str

    @property
    def scope_id(self) -> str:
        return f"{self.channel_id}_{self.account_id}"

    @property
    def callback_url(self) -> str:
        return self.hook_url.replace(":scope_id", self.scope_id)


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A message that was taken, with its amojo id."""

    scope_id: str
    amojo_id: str
    payload: dict[str, Any]


class RefusedError(Exception):
    """A call that is answered with an error."""

    def __init__(self, status: int, kind: str, words: str) -> None:
        super().__init__(words)
        self.answer = Answer(
            status=status,
            body=json.dumps(
                {"status": 0, "error_code": status, "error_type": kind, "error_description": words}
            ).encode(),
            headers={"Content-Type": "application/json"},
        )


def sign_lines(secret: str, method: str, md5: str, date: str, path: str) -> str:
    """The five signed lines of a request: HMAC-SHA1 with the secret's text, hex."""
    lines = f"{method}\n{md5}\napplication/json\n{date}\n{path}"
    return sign_body(secret, lines.encode())


def sign_body(secret: str, body: bytes) -> str:
    """What a callback is signed with."""
    return hmac.new(secret.encode("ascii"), body, hashlib.sha1).hexdigest()


@dataclass
class PlainAmojo:
    """The chat service: accounts, what it was told, and callbacks that it sends."""

    far_side: FarSide
    accounts: dict[str, Account] = field(default_factory=dict)
    taken: list[Taken] = field(default_factory=list)
    repeats: Counter[str] = field(default_factory=Counter)
    refusals: list[str] = field(default_factory=list)
    spoil: Callable[[Received, Answer], Answer] | None = None
    """May turn an answer into another, a slow one, or none; the message is stored all the same."""
    instead: Callable[[Received], Answer | None] | None = None
    """May answer instead of doing the call."""

    def __post_init__(self) -> None:
        self.far_side.otherwise = self._answer

    @property
    def url(self) -> str:
        return self.far_side.url

    async def open_account(self, hook_url: str, version: str = "v2") -> Account:
        """Register a channel for an account."""
        fresh = uuid.uuid4().hex
        account = Account(
            channel_id=str(uuid.uuid4()),
            code=f"amo.ext.{fresh[:12]}",
            secret=(fresh + uuid.uuid4().hex)[:40],
            account_id=str(uuid.uuid4()),
            hook_url=hook_url,
            version=version,
        )
        self.accounts[account.channel_id] = account
        return account

    async def arrived(self, account: Account) -> dict[str, list[str]]:
        """Ids of the messages that came, by conversation, in their order."""
        found: dict[str, list[str]] = {}
        for taken in self.taken:
            if taken.scope_id == account.scope_id:
                payload = taken.payload
                found.setdefault(payload["conversation_id"], []).append(payload["msgid"])
        return found

    async def operator_writes(
        self, account: Account, conversation_id: str, text: str, **message: Any
    ) -> tuple[int, str]:
        """Send a callback; return the status it was answered with, and the message's id."""
        amojo_id = str(uuid.uuid4())
        body = self.callback_body(account, conversation_id, text, amojo_id=amojo_id, **message)
        return await self.send_callback(account, body), amojo_id

    async def send_callback(
        self, account: Account, body: bytes, signature: str | None = None
    ) -> int:
        """Send these bytes with a newline behind them that is not signed, as the live service does."""
        headers = {
            "Content-Type": "application/json",
            "X-Signature": sign_body(account.secret, body) if signature is None else signature,
        }
        async with (
            aiohttp.ClientSession() as http,
            http.post(account.callback_url, data=body + b"\n", headers=headers) as answer,
        ):
            await answer.read()
            return answer.status

    def callback_body(
        self,
        account: Account,
        conversation_id: str | None,
        text: str,
        *,
        amojo_id: str,
        **message: Any,
    ) -> bytes:
        """A message callback of the account's version."""
        at_ms = int(datetime.now(UTC).timestamp() * 1000)
        content = {"type": "text", "text": text, "media": "", "thumbnail": ""}
        content |= {"file_name": "", "file_size": 0} | message
        if account.version == "v1":
            outer = {"receiver": "u-1", "conversation_id": conversation_id}
            return json.dumps(outer | {"msec_timestamp": at_ms} | content).encode()
        conversation = {"id": str(uuid.uuid5(uuid.NAMESPACE_URL, str(conversation_id)))}
        if conversation_id is not None:
            conversation["client_id"] = conversation_id
        outer = {
            "receiver": {"id": "r-1", "client_id": "u-1", "name": "Anna", "phone": "", "email": ""},
            "sender": {"id": "o-1", "name": "Kate"},
            "conversation": conversation,
            "timestamp": at_ms // 1000,
            "msec_timestamp": at_ms,
            "message": {"id": amojo_id, "markup": None, "tag": ""} | content,
        }
        whole = {"account_id": account.account_id, "time": at_ms // 1000, "message": outer}
        return json.dumps(whole, ensure_ascii=False).encode()

    # --- what the bridge calls ---

    def _answer(self, received: Received) -> Answer:
        other = self.instead(received) if self.instead is not None else None
        if other is not None:
            return other
        try:
            answer = self._do(received)
        except RefusedError as refused:
            self.refusals.append(f"{received.path}: {refused}")
            answer = refused.answer
        return answer if self.spoil is None else self.spoil(received, answer)

    def _do(self, received: Received) -> Answer:
        name, _, call = received.path.removeprefix(_BASE).partition("/")
        account = self.accounts.get(name.partition("_")[0])
        if not received.path.startswith(_BASE) or account is None:
            raise RefusedError(404, "ORIGIN_NOT_REGISTERED", "channel is not registered")
        self._check(account, received)
        body = json.loads(received.body or b"{}")
        if call == "connect":
            return self._json(body | {"scope_id": f"{account.channel_id}_{body['account_id']}"})
        if call == "disconnect" and received.method == "DELETE":
            return Answer()
        if call == "" and name == account.scope_id and received.method == "POST":
            return self._take(account, body)
        raise RefusedError(404, "NOT_FOUND", "no such call")

    def _check(self, account: Account, received: Received) -> None:
        md5, date = received.header("Content-MD5") or "", received.header("Date") or ""
        if received.header("Content-Type") != "application/json":
            raise RefusedError(403, "ORIGIN_INVALID_SIGNATURE", "content type")
        if md5 != hashlib.md5(received.body).hexdigest():
            raise RefusedError(403, "ORIGIN_INVALID_SIGNATURE", "invalid md5")
        if not _DATE.fullmatch(date):
            raise RefusedError(403, "ORIGIN_INVALID_SIGNATURE", "invalid date")
        if abs((datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds()) > 900:
            raise RefusedError(403, "ORIGIN_INVALID_SIGNATURE", "stale date")
        expected = sign_lines(account.secret, received.method, md5, date, received.path)
        if not hmac.compare_digest(expected, received.header("X-Signature") or ""):
            raise RefusedError(403, "ORIGIN_INVALID_SIGNATURE", "invalid signature")

    def _take(self, account: Account, body: dict[str, Any]) -> Answer:
        payload = body["payload"]
        _check_shape(body)
        key = (account.scope_id, payload["msgid"])
        if any((one.scope_id, one.payload["msgid"]) == key for one in self.taken):
            self.repeats[payload["msgid"]] += 1
            raise RefusedError(400, "BAD_REQUEST", "msgid already exists")
        taken = Taken(scope_id=account.scope_id, amojo_id=str(uuid.uuid4()), payload=payload)
        self.taken.append(taken)
        conversation = str(uuid.uuid5(uuid.NAMESPACE_URL, payload["conversation_id"]))
        answer = {"conversation_id": conversation, "sender_id": "s-1", "receiver_id": None}
        answer |= {"msgid": taken.amojo_id, "ref_id": payload["msgid"]}
        return self._json({"new_message": answer})

    def _json(self, value: object) -> Answer:
        return Answer(body=json.dumps(value).encode(), headers={"Content-Type": "application/json"})


def _check_shape(body: dict[str, Any]) -> None:
    payload = body["payload"]
    message = payload["message"]
    if set(body) != {"event_type", "payload"} or body["event_type"] != "new_message":
        raise RefusedError(400, "BAD_REQUEST", "event_type")
    missing = [name for name in _REQUIRED[message["type"]] if name not in message]
    whole = [payload["timestamp"], payload["msec_timestamp"], message.get("file_size", 0)]
    texts = [
        payload["msgid"],
        payload["conversation_id"],
        payload["sender"]["id"],
        payload["sender"]["name"],
    ]
    wrong = [v for v in whole if type(v) is not int] + [v for v in texts if type(v) is not str]
    if missing or wrong or None in payload.values() or None in message.values():
        raise RefusedError(400, "BAD_REQUEST", f"missing {missing}, wrong {wrong}, or null")


def cut(answer: Answer) -> Answer:
    """The same with the connection cut instead."""
    return replace(answer, cut=True)
