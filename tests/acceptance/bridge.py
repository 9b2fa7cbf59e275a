"""The bridge as its users have it: a process, called over HTTP."""

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.fakes import FarSide
from tests.plain_amojo import Account
from tests.processes import SECONDS, Process, free_port, stopped_afterwards

ADMIN_TOKEN = "adm-6OqLxk0q3vWn5sYt"
SECRET_KEY = "key-Zk1p7RrT0uQw9bHd"


def bridge_process(folder: Path, store_url: str = "", **settings: str) -> Process:
    """A server that is not started yet. Its settings may be changed by name, such as `DELIVERY__AT_ONCE`."""
    port = free_port()
    values = {
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SECRET_KEY": SECRET_KEY,
        "ADMIN_TOKEN": ADMIN_TOKEN,
        "HTTP__PORT": str(port),
        "STORE__URL": store_url or f"sqlite:///{folder}/chatbridge.db",
        "NETWORK__ALLOW": "127.0.0.1",
        "LOG__LEVEL": "debug",
    } | settings
    names = {f"CHATBRIDGE_{name}": value for name, value in values.items()}
    return Process("serve", folder, names, port)


@contextlib.contextmanager
def running_bridge(folder: Path, store_url: str = "", **settings: str) -> Iterator[Process]:
    """A server that runs, and is stopped afterwards. A fault in its log is for the caller to find."""
    with stopped_afterwards(bridge_process(folder, store_url, **settings)) as process:
        process.start("/readyz")
        yield process


def faults_in(log: str) -> list[str]:
    """Lines of a log that tell of a fault of the server itself."""
    words = (
        "request_fault",
        "delivery_fault",
        "Traceback",
        "never retrieved",
        "Unclosed",
        '"critical"',
    )
    return [line for line in log.splitlines() if any(word in line for word in words)]


@contextlib.contextmanager
def without_faults(process: Process) -> Iterator[None]:
    """Fail if the log of a server, which others use as well, tells of a fault meanwhile."""
    before = len(process.log)
    yield
    assert faults_in(process.log[before:]) == []


async def eventually(condition: Callable[[], Awaitable[Any]], wanted: str) -> Any:
    """The first truth that the condition gives; it is asked again and again until the deadline."""
    deadline = time.monotonic() + SECONDS
    while not (found := await condition()):
        assert time.monotonic() < deadline, f"not within {SECONDS} s: {wanted}"
        await asyncio.sleep(0.02)
    return found


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer of the bridge, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def problem(self) -> dict[str, Any]:
        """The answer as the documented form of an error, checked."""
        assert self.headers["Content-Type"] == "application/problem+json", self
        problem: dict[str, Any] = self.json
        assert problem["status"] == self.status
        assert problem["type"] == f"urn:chatbridge:problem:{problem['code']}"
        assert problem["title"]
        assert problem["detail"]
        return problem


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A messenger that is linked to an account: what most tests need."""

    account: Account
    messenger: dict[str, Any]
    scope_id: str

    @property
    def key(self) -> str:
        return str(self.messenger["api_key"])


class Bridge:
    """Calls of one server."""

    def __init__(self, process: Process, http: aiohttp.ClientSession) -> None:
        self.process, self.http, self.url = process, http, process.url

    @property
    def hook_url(self) -> str:
        """Where amoCRM sends callbacks."""
        return f"{self.url}/location/:scope_id"

    async def call(
        self,
        method: str,
        path: str,
        value: Any = None,
        *,
        key: str | None = ADMIN_TOKEN,
        **request: Any,
    ) -> Reply:
        """One request; `value` is sent as JSON."""
        headers = request.pop("headers", {})
        if key is not None:
            headers = {"Authorization": f"Bearer {key}"} | headers
        if value is not None:
            request |= {"data": json.dumps(value).encode()}
            headers = {"Content-Type": "application/json"} | headers
        async with self.http.request(method, self.url + path, headers=headers, **request) as answer:
            return Reply(status=answer.status, headers=answer.headers, body=await answer.read())

    async def made(self, path: str, value: Any) -> dict[str, Any]:
        """What a POST made."""
        reply = await self.call("POST", path, value)
        assert reply.status == 201, reply
        made: dict[str, Any] = reply.json
        return made

    async def add_channel(self, account: Account, base_url: str, **values: Any) -> dict[str, Any]:
        draft = {
            "code": account.code,
            "channel_id": account.channel_id,
            "secret": account.secret,
            "base_url": base_url,
            "hook_version": account.version,
        }
        return await self.made("/v1/channels", draft | values)

    async def add_messenger(self, backend: FarSide | None = None, **values: Any) -> dict[str, Any]:
        draft = {"name": "Shop", "kind": "backend"}
        if backend is not None:
            draft["webhook_url"] = f"{backend.url}/hooks"
        return await self.made("/v1/messengers", draft | values)

    async def open_shop(
        self, amojo: Any, backend: FarSide | None = None, *, version: str = "v2", **messenger: Any
    ) -> Shop:
        """An account at this amojo, a messenger with this backend, and the link between them."""
        account = await amojo.open_account(self.hook_url, version)
        await self.add_channel(account, amojo.url)
        made = await self.add_messenger(backend, **messenger)
        draft = {"channel": account.code, "account_id": account.account_id, "messenger": made["id"]}
        link = await self.made("/v1/links", draft)
        return Shop(account=account, messenger=made, scope_id=link["scope_id"])

    async def send(
        self, shop: Shop, message_id: str, conversation: str = "c-1", **values: Any
    ) -> Reply:
        """POST a client's message."""
        return await self.call(
            "POST", "/v1/messages", draft(message_id, conversation, **values), key=shop.key
        )

    async def take(
        self, shop: Shop, message_id: str, conversation: str = "c-1", **values: Any
    ) -> None:
        """POST a client's message that must be taken."""
        reply = await self.send(shop, message_id, conversation, **values)
        assert reply.status == 202, reply

    async def passport(self, shop: Shop, message_id: str) -> dict[str, Any]:
        """GET where a message stands."""
        reply = await self.call("GET", f"/v1/messages/{message_id}", key=shop.key)
        assert reply.status == 200, reply
        found: dict[str, Any] = reply.json
        return found

    async def wait_for_state(self, shop: Shop, message_id: str, state: str) -> dict[str, Any]:
        """The passport, once the message is in this state."""

        async def there() -> dict[str, Any] | None:
            passport = await self.passport(shop, message_id)
            return passport if passport["state"] == state else None

        found: dict[str, Any] = await eventually(there, f"{message_id} is {state}")
        return found

    async def wait_for_step(self, shop: Shop, message_id: str, step: str) -> dict[str, Any]:
        """The passport, once its timeline has this step."""

        async def there() -> dict[str, Any] | None:
            passport = await self.passport(shop, message_id)
            steps = [line["step"] for line in passport["timeline"]]
            return passport if step in steps else None

        found: dict[str, Any] = await eventually(there, f"{message_id} has the step {step}")
        return found


def draft(message_id: str, conversation: str = "c-1", **values: Any) -> dict[str, Any]:
    """A client's message as a messenger posts it."""
    whole = {
        "id": message_id,
        "conversation_id": conversation,
        "sender": {"id": "u-1", "name": "Anna"},
        "message": {"type": "text", "text": f"text of {message_id}"},
    }
    return whole | values
