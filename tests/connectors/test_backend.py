"""A messenger's backend passes what every connector has to pass."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote

from aiohttp import web
from standardwebhooks import Webhook

from chatbridge.model import ContactCard, Location, MessageType
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

LIMIT = 2_000_000
ANSWERS = {
    Failure.REFUSES: (422, {}, {"reason": "no_conversation", "text": "blocked"}),
    Failure.THROTTLES: (429, {"Retry-After": str(RETRY_AFTER)}, {}),
    Failure.IS_DOWN: (500, {}, {}),
}


class Backend(HttpFarSide):
    """A backend as a messenger's developer writes it: it posts what clients do, and takes signed webhooks."""

    can = Abilities(
        types=frozenset(MessageType),
        captions=True,
        longest_text=20_000,
        edits=True,
        reactions=True,
        replies=True,
        reads=True,
        begun_by_operators=True,
        repeats=True,
        keeps=True,
        knows_repeats=True,
        file_limit=LIMIT,
    )

    def __init__(self) -> None:
        super().__init__()
        self._messenger: Mapping[str, Any] = {}
        self._files: dict[str, bytes] = {}
        self._known: set[str | None] = set()
        self._seen: defaultdict[str, list[Seen]] = defaultdict(list)
        self._reactions: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._clients: dict[str, Client] = {}
        self._count = 0

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return (web.post("/hooks", self._take), web.get("/files/{name}", self._give))

    def draft(self) -> dict[str, Any]:
        return {
            "kind": "backend",
            "webhook_url": f"{self.url}/hooks",
            "settings": {"capabilities": {"max_bytes": LIMIT}},
        }

    def wrong_drafts(self) -> Mapping[str, dict[str, Any]]:
        wrong = {"/settings/capabilities/max_bytes": {"capabilities": {"max_bytes": 0}}}
        return {
            member: self.draft() | {"settings": settings} for member, settings in wrong.items()
        } | {"/webhook_url": self.draft() | {"webhook_url": "http://10.0.0.1/hooks"}}

    async def join(self, url: str, messenger: Mapping[str, Any]) -> None:
        await super().join(url, messenger)
        self._messenger = messenger

    def received(self, client: Client) -> Sequence[Seen]:
        return self._seen[_conversation(client)]

    def reactions(self, client: Client) -> Mapping[str, str]:
        return self._reactions[_conversation(client)]

    async def client_sends(self, client: Client, said: Said) -> Sent:
        self._count += 1
        message_id = f"m-{self._count}"
        message: dict[str, Any] = {"type": said.type, "text": said.text}
        if said.file is not None:
            self._files[said.file.name] = said.file.data
            link = f"{self.url}/files/{quote(said.file.name)}"
            message |= {"media_url": link, "file_name": said.file.name}
        if said.location is not None:
            message["location"] = {"lat": said.location.lat, "lon": said.location.lon}
        if said.contact is not None:
            message["contact"] = {"name": said.contact.name, "phone": said.contact.phone}
        person = {"id": f"u-{client.number}", "name": client.name, "phone": client.phone}
        conversation = _conversation(client)
        self._post("POST", "/v1/messages", {
            "id": message_id, "conversation_id": conversation, "sender": person,
            "message": message, "reply_to": said.reply_to,
        })  # fmt: skip
        self._clients[client.phone] = client
        return Sent(
            message_id=message_id,
            conversation_id=conversation,
            client_id=person["id"],
            file_name=said.file and said.file.name,
        )

    async def client_edits(self, sent: Sent, text: str) -> None:
        edit = {"message": {"type": "text", "text": text}}
        self._post("PATCH", f"/v1/messages/{sent.message_id}", edit)

    async def client_reacts(self, client: Client, message_id: str, emoji: str | None) -> None:
        user = {"id": f"u-{client.number}"}
        body = {"user": user, "removed": True} if emoji is None else {"user": user, "emoji": emoji}
        self._post("POST", f"/v1/messages/{message_id}/reactions", body)

    async def client_reads(self, client: Client, seen: Seen) -> None:  # noqa: ARG002
        self._post("POST", f"/v1/messages/{seen.id}/status", {"status": "read"})

    def _post(self, method: str, path: str, body: dict[str, Any]) -> None:
        key = f"Bearer {self._messenger['api_key']}"
        headers = {"Authorization": key, "Content-Type": "application/json"}
        said = {name: value for name, value in body.items() if value is not None}
        self.push(Update(method=method, path=path, body=json.dumps(said).encode(), headers=headers))

    async def _give(self, request: web.Request) -> web.Response:
        return web.Response(body=self._files[unquote(request.match_info["name"])])

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        event = Webhook(self._messenger["webhook_secret"]).verify(body, dict(request.headers))
        kind, data = event["type"], event["data"]
        if kind == "typing.started":
            return web.Response()
        failure = self.due_failure()
        if failure in ANSWERS:
            status, headers, answer = ANSWERS[failure]
            return web.json_response(answer, status=status, headers=headers)
        webhook_id = request.headers.get("webhook-id")
        known = webhook_id in self._known
        self._known.add(webhook_id)
        if kind == "conversation.started":
            return web.json_response({"conversation_id": self._begun(data["receiver"]["phone"])})
        if kind.startswith("reaction.") and not known:
            self._reactions[data["conversation_id"]][data["message_id"]] = data["emoji"]
        if kind == "message.created" and not known:
            self._seen[data["conversation_id"]].append(await self._shown(data))
        if failure is Failure.HANGS:
            return await self.break_off(request)
        return web.Response()

    async def _shown(self, data: dict[str, Any]) -> Seen:
        said = data["message"]
        file = None
        if "media_url" in said:
            async with self.http.get(said["media_url"]) as answer:
                file = await answer.read()
        rows = data.get("extras", {}).get("markup", {}).get("buttons", [])
        return Seen(
            id=data["id"],
            type=said["type"],
            text=said.get("text"),
            file=file,
            location=Location(**said["location"]) if "location" in said else None,
            contact=ContactCard(**said["contact"]) if "contact" in said else None,
            reply_to=data.get("reply_to"),
            buttons=tuple(button["text"] for row in rows for button in row),
        )

    def _begun(self, phone: str) -> str:
        digits = "".join(filter(str.isdigit, phone))
        return f"c-{int(digits[-1])}"


def _conversation(client: Client) -> str:
    return f"c-{client.number}"


class TestBackend(ConnectorContract):
    far_side = Backend
