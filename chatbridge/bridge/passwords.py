"""Passwords: Argon2id, away from the event loop."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_AT_ONCE: Final = 2
"""Hashes made at the same time: each takes 19 MiB and some ten milliseconds of a processor."""


class Passwords:
    """Makes and checks hashes, with the least that OWASP's "Password Storage Cheat Sheet" asks of Argon2id."""

    def __init__(self) -> None:
        """Begin with no thread."""
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="passwords")
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        """Return what is stored of a password."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._hasher.hash, password)

    async def matches(self, known: str | None, password: str) -> bool:
        """Return whether a password has this hash; None, for somebody who does not exist, takes as long and is False."""
        if known is None:
            if self._nobodys is None:
                self._nobodys = await self.hash("nobody's")
            await self._matches(self._nobodys, password)
            return False
        return await self._matches(known, password)

    def is_dated(self, known: str) -> bool:
        """Return whether a hash was made with less than is asked today."""
        return self._hasher.check_needs_rehash(known)

    async def _matches(self, known: str, password: str) -> bool:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._verify, known, password)

    def _verify(self, known: str, password: str) -> bool:
        try:
            return self._hasher.verify(known, password)
        except (VerificationError, InvalidHashError):
            return False
