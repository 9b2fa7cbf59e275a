"""Clients who write and operators who answer, each conversation in its order, until they are told that it is enough."""

import asyncio
import itertools
import random
import time
import uuid
from dataclasses import dataclass

import aiohttp

from tests.acceptance.bridge import draft
from tests.plain_amojo import Account, PlainAmojo, sign_body
from tests.torture.history import TO_AMOJO, TO_MESSENGER, Broken, History, Sent

_UNREACHED = (aiohttp.ClientError, OSError, TimeoutError)
_AGAIN = 0.25
"""Seconds between two attempts of a client to hand over one message."""
_PATIENCE = 60


@dataclass(frozen=True, kw_only=True)
class Parties:
    """Who talks, and through which servers."""

    urls: tuple[str, ...]
    key: str
    account: Account
    amojo: PlainAmojo


class Load:
    """Everybody who writes. A message is sent when the one before it was answered 2xx."""

    def __init__(
        self, http: aiohttp.ClientSession, history: History, parties: Parties, chance: random.Random
    ) -> None:
        self._http, self._history, self._parties, self._chance = http, history, parties, chance
        self._enough = asyncio.Event()

    async def run(self, *, clients: int, operators: int, pause: float) -> None:
        """Write until `enough`, with up to twice the pause (seconds) between two messages."""
        async with asyncio.TaskGroup() as everybody:
            for number in range(clients):
                everybody.create_task(self._client(f"c{number}", pause))
            for number in range(operators):
                everybody.create_task(self._operator(f"o{number}", pause))

    def enough(self) -> None:
        """Let everybody finish what they are saying."""
        self._enough.set()

    async def _client(self, conversation: str, pause: float) -> None:
        """A client repeats each message under its id until it is taken."""
        for number in itertools.count():
            if self._enough.is_set():
                return
            name = f"{conversation}-{number}"
            if not await self._hand_over(name, conversation):
                return
            await asyncio.sleep(self._chance.random() * 2 * pause)

    async def _operator(self, conversation: str, pause: float) -> None:
        """amoCRM sends each callback once, whatever becomes of it."""
        for number in itertools.count():
            if self._enough.is_set():
                return
            taken = await self._call_back(f"{conversation}:{number}", conversation)
            await asyncio.sleep(self._chance.random() * 2 * pause if taken else _AGAIN)

    async def _hand_over(self, name: str, conversation: str) -> bool:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if await self._post(name, conversation):
                return True
            await asyncio.sleep(_AGAIN)
        words = f"{name} was not taken within {_PATIENCE} s"
        self._history.add(Broken(node=0, words=words, at=self._history.now()))
        return False

    async def _post(self, name: str, conversation: str) -> bool:
        value = draft(name, conversation)
        headers = {"Authorization": f"Bearer {self._parties.key}"}
        sent = {"direction": TO_AMOJO, "id": name, "text": value["message"]["text"]}
        node = self._chance.randrange(len(self._parties.urls))
        url = f"{self._parties.urls[node]}/v1/messages"
        return await self._send(
            url, sent | {"conversation": conversation, "node": node}, json=value, headers=headers
        )

    async def _call_back(self, text: str, conversation: str) -> bool:
        account, message_id = self._parties.account, str(uuid.uuid4())
        body = self._parties.amojo.callback_body(account, conversation, text, amojo_id=message_id)
        signature = sign_body(account.secret, body)
        headers = {"Content-Type": "application/json", "X-Signature": signature}
        sent = {"direction": TO_MESSENGER, "id": message_id, "text": text}
        node = self._chance.randrange(len(self._parties.urls))
        url = f"{self._parties.urls[node]}/location/{account.scope_id}"
        return await self._send(
            url,
            sent | {"conversation": conversation, "node": node},
            data=body + b"\n",
            headers=headers,
        )

    async def _send(self, url: str, sent: dict[str, object], **request: object) -> bool:
        begun, status = self._history.now(), None
        try:
            async with self._http.post(url, **request) as answer:
                await answer.read()
                status = answer.status
        except _UNREACHED:
            pass
        event = Sent(**sent, begun=begun, ended=self._history.now(), status=status)
        self._history.add(event)
        return event.accepted
