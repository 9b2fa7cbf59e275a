"""The other end: the sandbox, in this process, seen through its control API."""

import asyncio
import contextlib
from io import BytesIO
from typing import Any, NamedTuple, Self

import aiohttp

from chatbridge.sandbox.serving import serve
from chatbridge.sandbox.settings import SandboxSettings
from chatbridge.testing.far_side import File
from chatbridge.testing.processes import eventually, free_port

Row = dict[str, Any]
"""A message as the sandbox shows it: docs/reference/sandbox.md."""


class Account(NamedTuple):
    """An account of amoCRM, and the channel that it may be linked by."""

    account_id: str
    channel: dict[str, Any]


class Crm:
    """An amoCRM of one's own."""

    def __init__(self) -> None:
        """Serve on a free port."""
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._settings = SandboxSettings(port=port, public_url=self.url)

    async def __aenter__(self) -> Self:
        """Serve."""
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
        self._serving = asyncio.create_task(serve(self._settings), name="sandbox")
        await eventually(self._answers, lambda: "the sandbox answers")
        # The tests download what they want to see; downloads in the background would outlive them.
        await self._call("PATCH", "/switches", {"media_download": "off"})
        return self

    async def __aexit__(self, *_: object) -> None:
        """End."""
        self._serving.cancel()
        await asyncio.gather(self._serving, return_exceptions=True)
        await self._http.close()

    async def open_account(self, hook_url: str) -> Account:
        """Make an account with a user, and a channel whose callbacks go to this address."""
        draft = {"name": "Shop", "users": [{"name": "Kate"}]}
        account = await self._call("POST", "/accounts", draft)
        return Account(
            account["amojo_id"], await self._call("POST", "/channels", {"hook_url": hook_url})
        )

    async def find_chat(self, scope_id: str, conversation_id: str) -> Row | None:
        """Return a chat by the messenger's id of it."""
        chats: list[Row] = (await self._call("GET", "/chats"))["chats"]
        wanted = (scope_id, conversation_id)
        return next((one for one in chats if (one["scope_id"], one["client_id"]) == wanted), None)

    async def messages(self, chat_id: str) -> list[Row]:
        """Return the messages of a chat, oldest first."""
        rows: list[Row] = (await self._call("GET", f"/chats/{chat_id}/messages"))["messages"]
        return rows

    async def operator_writes(self, chat_id: str, message: Row) -> Row:
        """Write as an operator; return the message once the server has taken the callback."""
        answer = await self._call("POST", f"/chats/{chat_id}/messages", {"message": message})
        return _taken(answer)

    async def operator_begins(self, scope_id: str, phone: str, text: str) -> Row:
        """Write first, to a phone number."""
        message = {"type": "text", "text": text}
        draft = {"scope_id": scope_id, "phone": phone, "message": message}
        return _taken(await self._call("POST", "/chats", draft))

    async def operator_types(self, chat_id: str) -> None:
        """Type."""
        _taken(await self._call("POST", f"/chats/{chat_id}/typing", {}))

    async def operator_reacts(self, message_id: str, emoji: str) -> None:
        """React to a message."""
        reaction = {"type": "react", "emoji": emoji}
        _taken(await self._call("POST", f"/messages/{message_id}/reaction", reaction))

    async def attach(self, file: File) -> str:
        """Return a link to a file that an operator may send."""
        form = aiohttp.FormData()
        form.add_field(
            "file", BytesIO(file.data), filename=file.name, content_type=file.content_type
        )
        async with self._http.post(f"{self.url}/sandbox/media", data=form) as answer:
            answer.raise_for_status()
            return str((await answer.json())["url"])

    async def download(self, link: str) -> bytes:
        """Return what is behind a link."""
        async with self._http.get(link) as answer:
            answer.raise_for_status()
            return await answer.read()

    async def _call(self, method: str, path: str, value: Row | None = None) -> Any:
        address = f"{self.url}/sandbox{path}"
        async with self._http.request(method, address, json=value) as answer:
            if not answer.ok:
                raise AssertionError(f"The sandbox refused {method} {path}: {await answer.text()}")
            return await answer.json()

    async def _answers(self) -> bool:
        if self._serving.done():
            await self._serving
        with contextlib.suppress(aiohttp.ClientError, OSError):
            return bool(await self._call("GET", "/state"))
        return False


def _taken(answer: Row) -> Row:
    hook = answer["hook"]
    assert hook["status"] == 200, f"the server did not take amoCRM's callback: {hook}"
    return dict(answer.get("message", {}))
