"""The connector passes what every connector has to pass. Pigeon Post is this loft, on loopback."""

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiohttp import web

from chatbridge.model import MessageType
from chatbridge.testing.connector import (
    RETRY_AFTER,
    Abilities,
    Client,
    ConnectorContract,
    Failure,
    HttpFarSide,
    Said,
    Seen,
    Sent,
    Update,
)

TOKEN, HOOK_TOKEN = "coo-7261", "roo-9410"
ANSWERS = {
    Failure.REFUSES: (410, {}),
    Failure.THROTTLES: (429, {"Retry-After": str(RETRY_AFTER)}),
    Failure.IS_DOWN: (502, {}),
}


class PigeonLoft(HttpFarSide):
    """Pigeon Post's server: what it answers, and what its clients see."""

    can = Abilities(
        types=frozenset({MessageType.TEXT, MessageType.PICTURE, MessageType.FILE}),
        captions=True,
        longest_text=1000,
        replies=True,
        repeats=True,
        keeps=True,
        knows_repeats=True,
        file_limit=1_000_000,
    )

    def __init__(self) -> None:
        super().__init__()
        self._hook = ""
        self._count = 0
        self._files: dict[str, bytes] = {}
        self._letters: defaultdict[str, dict[str, Seen]] = defaultdict(dict)

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return [
            web.get("/loft", self._loft),
            web.post("/letters", self._letter),
            web.get("/files/{number}", self._file),
        ]

    def draft(self) -> dict[str, Any]:
        settings = {"api": self.url, "token": TOKEN, "hook_token": HOOK_TOKEN}
        return {"kind": "pigeon", "settings": settings}

    def wrong_drafts(self) -> Mapping[str, dict[str, Any]]:
        draft = self.draft()
        return {"/settings/token": draft | {"settings": draft["settings"] | {"token": "wrong"}}}

    async def join(self, url: str, messenger: Mapping[str, Any]) -> None:
        await super().join(url, messenger)
        self._hook = f"/connectors/pigeon/{messenger['id']}"

    async def client_sends(self, client: Client, said: Said) -> Sent:
        self._count += 1
        letter = {
            "id": f"in-{self._count}",
            "loft": f"loft-{client.number}",
            "author": client.name,
            "phone": client.phone,
            "kind": said.type,
            "text": said.text,
            "about": said.reply_to,
            "written_at": int(time.time()),
        }
        if said.file is not None:
            self._files[str(self._count)] = said.file.data
            letter |= {"link": f"{self.url}/files/{self._count}", "file_name": said.file.name}
        body = json.dumps(letter).encode()
        headers = {"Authorization": f"Bearer {HOOK_TOKEN}"}
        self.push(Update(path=self._hook, body=body, headers=headers))
        return Sent(
            message_id=letter["id"],
            conversation_id=letter["loft"],
            client_id=letter["loft"],
            file_name=letter.get("file_name"),
        )

    def received(self, client: Client) -> Sequence[Seen]:
        return list(self._letters[f"loft-{client.number}"].values())

    async def _loft(self, request: web.Request) -> web.Response:
        known = request.headers.get("Authorization") == f"Bearer {TOKEN}"
        return web.json_response({}, status=200 if known else 401)

    async def _file(self, request: web.Request) -> web.Response:
        return web.Response(body=self._files[request.match_info["number"]])

    async def _letter(self, request: web.Request) -> web.Response:
        letter = await request.json()
        failure = self.due_failure()
        if failure in ANSWERS:
            status, headers = ANSWERS[failure]
            return web.Response(status=status, headers=headers)
        letters = self._letters[letter["loft"]]
        if letter["id"] not in letters:
            letters[letter["id"]] = await self._shown(letter, f"out-{letter['id']}")
        if failure is Failure.HANGS:
            return await self.break_off(request)
        return web.json_response({"id": letters[letter["id"]].id})

    async def _shown(self, letter: dict[str, Any], letter_id: str) -> Seen:
        file = None
        if "link" in letter:
            async with self.http.get(letter["link"]) as answer:
                file = await answer.read()
        return Seen(
            id=letter_id,
            type=MessageType(letter.get("kind", "text")),
            text=letter.get("text"),
            file=file,
            reply_to=letter.get("about"),
        )


class TestPigeon(ConnectorContract):
    far_side = PigeonLoft
