"""The sandbox as a process, seen through its control API."""

import uuid
from pathlib import Path
from typing import Any

import aiohttp

from tests.plain_amojo import Account
from tests.processes import Process, free_port


def sandbox_process(folder: Path) -> Process:
    """A sandbox that is not started yet."""
    port = free_port()
    return Process("sandbox", folder, {"CHATBRIDGE_SANDBOX__PORT": str(port)}, port)


class SandboxAmojo:
    """The sandbox with the same face as `PlainAmojo`."""

    def __init__(self, process: Process, http: aiohttp.ClientSession) -> None:
        self.process, self.http, self.url = process, http, process.url

    async def control(self, method: str, path: str, value: Any = None) -> Any:
        body = {} if method == "GET" else {"json": {} if value is None else value}
        async with self.http.request(method, f"{self.url}/sandbox{path}", **body) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def switch(self, **switches: Any) -> None:
        await self.control("PATCH", "/switches", switches)

    async def open_account(self, hook_url: str, version: str = "v2") -> Account:
        """Register a channel and an account."""
        account_id = str(uuid.uuid4())
        users = [{"name": "Kate"}]
        await self.control(
            "POST", "/accounts", {"amojo_id": account_id, "name": "S", "users": users}
        )
        channel = await self.control("POST", "/channels", {"hook_url": hook_url})
        return Account(
            channel_id=channel["channel_id"],
            code=channel["code"],
            secret=channel["secret"],
            account_id=account_id,
            hook_url=hook_url,
            version=version,
        )

    async def chats(self, account: Account) -> dict[str, Any]:
        """The account's chats by our conversation id."""
        chats = (await self.control("GET", "/chats"))["chats"]
        return {chat["client_id"]: chat for chat in chats if chat["scope_id"] == account.scope_id}

    async def messages(self, account: Account) -> dict[str, list[dict[str, Any]]]:
        """Incoming messages by conversation, in their order."""
        found = {}
        for conversation, chat in (await self.chats(account)).items():
            rows = (await self.control("GET", f"/chats/{chat['id']}/messages"))["messages"]
            found[conversation] = [row for row in rows if row["direction"] == "in"]
        return found

    async def arrived(self, account: Account) -> dict[str, list[str]]:
        """Ids of the messages that came, by conversation, in their order."""
        return {
            name: [row["client_id"] for row in rows]
            for name, rows in (await self.messages(account)).items()
        }

    async def operator_writes(
        self, account: Account, conversation_id: str, text: str, **message: Any
    ) -> tuple[int, str]:
        """Write in the inbox; return the status of the callback, and the message's id."""
        chat = (await self.chats(account))[conversation_id]
        body = {"message": {"type": "text", "text": text} | message}
        answer = await self.control("POST", f"/chats/{chat['id']}/messages", body)
        return answer["hook"]["status"], answer["message"]["id"]
