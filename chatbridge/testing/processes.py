"""This server as a process of its own, and what both ends need: a free port, a clean environment, patience."""

import asyncio
import contextlib
import os
import random
import signal
import socket
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import aiohttp
import orjson

SECONDS: Final = 60.0
"""How long anything may take on a busy machine before a test says that it does not happen."""
ADMIN_TOKEN: Final = "adm-9Xk2mQv7Lr4tWz1p"  # noqa: S105 - of servers that live for a test
SECRET_KEY: Final = "key-5Hn8cYb3Jd6sFg0u"  # noqa: S105

_Found = TypeVar("_Found")


def free_port() -> int:
    """Return a port nobody listens on, below the range from which the system takes ports of outgoing connections."""
    while True:
        port = random.SystemRandom().randrange(15_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process with these settings and no others of ours.

    It trusts no certificate authority: to read the system's takes an eighth of a server's start, and tests speak plain HTTP.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CHATBRIDGE_")}
    # Warnings of libraries' own threads at exit would end up in the log that tests read.
    kept.pop("PYTHONWARNINGS", None)
    return kept | {"PYTHONUNBUFFERED": "1", "SSL_CERT_FILE": os.devnull} | dict(settings)


async def eventually(
    condition: Callable[[], Awaitable[_Found | None]], wanted: Callable[[], str]
) -> _Found:
    """Return the first truth that the condition gives; fail with what was wanted if there is none in time."""
    deadline = time.monotonic() + SECONDS
    while not (found := await condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"Not within {SECONDS:g} s: {wanted()}")
        await asyncio.sleep(0.01)
    return found


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the server."""

    status: int
    body: Any


class Server:
    """`chatbridge serve` on SQLite, in a folder of its own. It can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        """Serve on a free port."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = {
            "CHATBRIDGE_PUBLIC_URL": self.url,
            "CHATBRIDGE_SECRET_KEY": SECRET_KEY,
            "CHATBRIDGE_ADMIN_TOKEN": ADMIN_TOKEN,
            "CHATBRIDGE_HTTP__PORT": str(self.port),
            "CHATBRIDGE_STORE__URL": f"sqlite:///{folder}/chatbridge.db",
            "CHATBRIDGE_MEDIA__URL": f"{folder}/media",
            "CHATBRIDGE_SPOOL__FOLDER": f"{folder}/spool",
            "CHATBRIDGE_NETWORK__ALLOW": "127.0.0.1",
            "CHATBRIDGE_LOG__LEVEL": "debug",
        }
        self._log = folder / "serve.log"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> str:
        """Return all that it wrote."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def _is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it, unless it runs, and return when it takes messages."""
        if not self._is_running:
            with self._log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "chatbridge",
                    "serve",
                    env=environment(self.settings),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
        await eventually(self._is_ready, lambda: f"the server is ready. Its log:\n{self.log}")

    async def kill(self) -> None:
        """End it with SIGKILL: it cannot tidy up."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """End it with SIGTERM and return its exit code."""
        return await self._end(signal.SIGTERM)

    @contextlib.contextmanager
    def database_taken(self) -> Iterator[None]:
        """Let somebody else write into the database, and not come to an end: meanwhile nothing can be stored."""
        path = self.settings["CHATBRIDGE_STORE__URL"].removeprefix("sqlite:///")
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield

    async def call(
        self, method: str, path: str, value: Any = None, *, key: str = ADMIN_TOKEN
    ) -> Reply:
        """Call its API."""
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        body = None if value is None else orjson.dumps(value)
        async with (
            aiohttp.ClientSession() as http,
            http.request(method, self.url + path, data=body, headers=headers) as answer,
        ):
            return Reply(answer.status, orjson.loads(await answer.read() or b"null"))

    async def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        if self._process.returncode is None:
            self._process.send_signal(number)
        return await self._process.wait()

    async def _is_ready(self) -> bool:
        if not self._is_running:
            raise AssertionError(f"The server ended at its start. Its log:\n{self.log}")
        with contextlib.suppress(aiohttp.ClientError, OSError):
            return (await self.call("GET", "/readyz")).status == 200
        return False
