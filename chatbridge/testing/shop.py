"""A messenger that is linked to an account: what every test of a connector works with."""

from collections.abc import Callable
from typing import Any

from chatbridge.connectors.capabilities import Capabilities
from chatbridge.model import MessageType
from chatbridge.testing.crm import Crm, Row
from chatbridge.testing.far_side import Client, FarSide, Said, Seen, Sent
from chatbridge.testing.processes import Server, eventually

ANNA = Client(1, "Anna Petrova", "+79150000001")
BORIS = Client(2, "Boris Sidorov", "+79150000002")
CLARA = Client(3, "Clara Orlova", "+79150000003")


class Shop:
    """Clients behind a stand-in on the one side, an operator in the sandbox on the other, the server between them."""

    def __init__(self, server: Server, crm: Crm, far_side: FarSide) -> None:
        """`open` makes what is missing."""
        self.server, self.crm, self.far_side = server, crm, far_side
        self.messenger: dict[str, Any] = {}
        self.scope_id = ""
        self._chats: dict[str, str] = {}

    async def open(self) -> None:
        """Make a messenger at the stand-in, and link it to an account of its own."""
        self.messenger = await self._made(
            "/v1/messengers", {"name": "Shop"} | self.far_side.draft()
        )
        account = await self.crm.open_account(f"{self.server.url}/location/:scope_id")
        members = ("code", "channel_id", "secret")
        channel = {name: account.channel[name] for name in members} | {"base_url": self.crm.url}
        await self._made("/v1/channels", channel)
        link = {
            "channel": channel["channel_id"],
            "account_id": account.account_id,
            "messenger": self.messenger["id"],
        }
        self.scope_id = (await self._made("/v1/links", link))["scope_id"]
        await self.far_side.join(self.server.url, self.messenger)

    @property
    def capabilities(self) -> Capabilities:
        """Return what the connector says that this messenger can take."""
        return Capabilities.model_validate(self.messenger["capabilities"])

    # --- towards amoCRM ---------------------------------------------------------------------------

    async def client_says(self, client: Client, text: str, **said: Any) -> Sent:
        """Let a client write a text."""
        return await self.far_side.client_sends(client, Said(text=text, **said))

    async def greeted_by(self, client: Client) -> Sent:
        """Let a client write for the first time: from then on operators can answer. It has arrived."""
        sent = await self.client_says(client, f"Good day from {client.name}")
        await self.arrived(sent)
        return sent

    async def rows(self, conversation_id: str) -> list[Row]:
        """Return what amoCRM knows of a conversation, oldest first."""
        if conversation_id not in self._chats:
            chat = await self.crm.find_chat(self.scope_id, conversation_id)
            if chat is None:
                return []
            self._chats[conversation_id] = chat["id"]
        return await self.crm.messages(self._chats[conversation_id])

    async def arrived(self, sent: Sent) -> Row:
        """Return a client's message as amoCRM has it, once it is there."""

        async def there() -> Row | None:
            rows = await self.rows(sent.conversation_id)
            return next((row for row in rows if row["client_id"] == sent.message_id), None)

        return await eventually(
            there,
            lambda: (
                f"amoCRM has the client's message {sent.message_id} in the conversation"
                f" {sent.conversation_id}. Does the connector hand it to `inbound.message` under these ids?"
                f"{self._clues()}"
            ),
        )

    async def shows(self, conversation_id: str, message_id: str, **wanted: Any) -> Row:
        """Return a message by either side's id, once its members are as wanted."""
        rows: list[Row] = []

        async def there() -> Row | None:
            rows[:] = [
                row
                for row in await self.rows(conversation_id)
                if message_id in {row["client_id"], row["id"]}
            ]
            return next(
                (row for row in rows if all(row[name] == wanted[name] for name in wanted)), None
            )

        return await eventually(
            there, lambda: f"amoCRM shows {wanted} of {message_id}; it shows {rows}{self._clues()}"
        )

    async def reacted(self, to: Sent, message_id: str, emoji: list[str]) -> None:
        """Return once a message in the conversation of `to` has these reactions."""
        found: list[str] = []

        async def there() -> bool:
            row = await self.shows(to.conversation_id, message_id)
            found[:] = [one["emoji"] for one in row["reactions"]]
            return found == emoji

        await eventually(
            there,
            lambda: (
                f"amoCRM shows the reactions {emoji} to {message_id}; it shows {found}{self._clues()}"
            ),
        )

    async def marked(self, to: Sent, message_id: str, code: int) -> None:
        """Return once amoCRM shows this mark of an operator's message: 1 delivered, 2 read."""
        rows = await self.rows(to.conversation_id)
        await self._mark(rows[0]["chat_id"], message_id, code)

    async def failed(self, chat_id: str, message_id: str) -> None:
        """Return once amoCRM shows that an operator's message has failed, and why."""
        status = await self._mark(chat_id, message_id, -1)
        assert status["error_code"], f"a failure has a reason: {status}"

    async def stepped(self, message_id: str, step: str) -> None:
        """Return once the timeline of an operator's message has this step: `retry` if it was tried in vain, `accepted`."""
        path, key = f"/v1/messages/{message_id}", self.messenger["api_key"]
        steps: list[str] = []

        async def there() -> bool:
            passport = (await self.server.call("GET", path, key=key)).body
            steps[:] = [line["step"] for line in passport["timeline"]]
            return step in steps

        await eventually(
            there, lambda: f"the timeline of {message_id} has {step}; it has {steps}{self._clues()}"
        )

    async def _mark(self, chat_id: str, message_id: str, code: int) -> Row:
        status: Row = {}

        async def there() -> bool:
            rows = await self.crm.messages(chat_id)
            status.update(next(row["status"] for row in rows if row["id"] == message_id))
            return bool(status["code"] == code)

        await eventually(
            there,
            lambda: (
                f"amoCRM marks the operator's message with {code} (1 delivered, 2 read, -1 failed); its status is"
                f" {status}{self._clues()}"
            ),
        )
        return status

    async def said_by_clients(self, sent: Sent) -> list[str]:
        """Return the texts that clients wrote in the conversation of `sent`, as amoCRM has them."""
        return [
            row["text"] for row in await self.rows(sent.conversation_id) if row["direction"] == "in"
        ]

    # --- towards clients --------------------------------------------------------------------------

    async def operator_says(self, to: Sent, text: str, **message: Any) -> Row:
        """Write as an operator in the conversation of `to`."""
        whole = {"type": MessageType.TEXT, "text": text} | message
        return await self.crm.operator_writes(self._chats[to.conversation_id], whole)

    async def operator_types(self, to: Sent) -> None:
        """Type as an operator."""
        await self.crm.operator_types(self._chats[to.conversation_id])

    async def seen(self, client: Client, count: int) -> list[Seen]:
        """Return what the client sees, as soon as there are so many messages."""

        async def there() -> bool:
            return len(self.far_side.received(client)) >= count

        await eventually(
            there,
            lambda: (
                f"{count} messages have reached {client.name}; the stand-in has"
                f" {self.far_side.received(client)}.{self._clues()}"
            ),
        )
        return list(self.far_side.received(client))

    async def reached(self, client: Client, text: str) -> Seen:
        """Return the message with this text, once the client sees it."""
        return await self._seen(client, text, lambda said: said == text)

    async def reads_of(self, client: Client, words: str) -> Seen:
        """Return the message that has these words, once the client sees it."""
        return await self._seen(client, words, lambda said: words in (said or ""))

    async def _seen(self, client: Client, text: str, matches: Callable[[str | None], bool]) -> Seen:
        async def there() -> Seen | None:
            seen = self.far_side.received(client)
            return next((one for one in seen if matches(one.text)), None)

        return await eventually(
            there,
            lambda: (
                f"{client.name} sees {text!r}; the stand-in has {self.far_side.received(client)}."
                f"{self._clues()}"
            ),
        )

    async def reaction_seen(self, client: Client, to: Sent, emoji: str) -> None:
        """Return once the client sees an operator's reaction to a message."""

        async def there() -> bool:
            return self.far_side.reactions(client).get(to.message_id) == emoji

        await eventually(
            there,
            lambda: (
                f"{client.name} sees the reaction {emoji} to {to.message_id}; the stand-in has"
                f" {self.far_side.reactions(client)}{self._clues()}"
            ),
        )

    def texts(self, client: Client) -> list[str | None]:
        """Return the texts that the client sees, oldest first."""
        return [seen.text for seen in self.far_side.received(client)]

    async def _made(self, path: str, draft: dict[str, Any]) -> dict[str, Any]:
        reply = await self.server.call("POST", path, draft)
        assert reply.status == 201, f"POST {path} was answered {reply.status}: {reply.body}"
        made: dict[str, Any] = reply.body
        return made

    def _clues(self) -> str:
        trouble = self.far_side.trouble()
        said = f"\nThe stand-in says: {trouble}" if trouble else ""
        lines = self.server.log.splitlines()[-15:]
        return f"{said}\nThe end of the server's log:\n" + "\n".join(lines)
