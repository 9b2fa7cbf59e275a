"""The bridge's public API, as a messenger's developer would call it."""

import json
from typing import Any

import aiohttp


class BridgeRefused(Exception):
    """The bridge answered with a problem; `problem` is its body."""

    def __init__(self, problem: dict[str, Any]) -> None:
        """Keep the problem."""
        super().__init__(problem.get("detail", "the bridge refused"))
        self.problem = problem


class BridgeClient:
    """Calls of the management and messenger API."""

    def __init__(self, session: aiohttp.ClientSession, address: str, key: str) -> None:
        """Call the bridge at this address with this key."""
        self._session, self._address, self._key = session, address, key

    async def close(self) -> None:
        """Close the session this client was given."""
        await self._session.close()

    async def call(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the bridge's answer.

        Raises:
            BridgeRefused: it answered 4xx or 5xx.

        """
        headers = {"Authorization": f"Bearer {self._key}"}
        async with self._session.request(
            method, self._address + path, json=body, headers=headers
        ) as answer:
            said = await answer.read()
            content: dict[str, Any] = json.loads(said) if said else {}
            if answer.status >= 400:
                raise BridgeRefused(content)
            return content
