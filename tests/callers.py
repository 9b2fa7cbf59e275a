"""Clients that keep their connection and repeat nothing: every broken request shows."""

import asyncio
from dataclasses import dataclass
from typing import Self

from tests.fakes import SECONDS


@dataclass
class Said:
    status: int
    head: str
    body: bytes

    @property
    def is_last(self) -> bool:
        return "\r\nConnection: close" in self.head


@dataclass
class Caller:
    """A client that keeps its connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def arriving(cls, port: int) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def hear(self) -> Said:
        async with asyncio.timeout(SECONDS):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            length = head.lower().partition("content-length:")[2].partition("\r")[0]
            body = await self.reader.readexactly(int(length))
        return Said(int(head.split()[1]), head, body)

    async def ask(self, data: bytes) -> Said:
        self.send(data)
        return await self.hear()

    async def is_let_go(self) -> bool:
        """Wait for the end of the connection; whether it was an orderly one."""
        async with asyncio.timeout(SECONDS):
            return await self.reader.read() == b""
