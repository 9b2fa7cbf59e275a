"""Everything the emulated amoCRM knows, in memory."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from chatbridge.sandbox.records import (
    Account,
    Channel,
    Chat,
    Connection,
    Json,
    Message,
    Named,
    Person,
    Status,
    User,
)
from chatbridge.sandbox.settings import SandboxSettings

MESSAGES_PER_CHAT = 5_000
MESSAGES_IN_ALL = 200_000

Publish = Callable[[str, Callable[[], Any]], None]


def seeded_channel(settings: SandboxSettings) -> Channel:
    """Return the channel every sandbox starts with."""
    return Channel(
        code="amo.ext.sandbox",
        channel_id="5a0db0c4-0000-4000-8000-000000000001",
        secret="5a0db0c40000400080000000000000015a0db0c4",  # noqa: S106 - public, as documented
        title="Sandbox",
        bot=Named(id="5a0db0c4-0000-4000-8000-0000000000b0", name="Sandbox bot"),
        hook_urls={"v1": settings.hook_url, "v2": settings.hook_url},
    )


def seeded_account() -> Account:
    """Return the account every sandbox starts with."""
    users = (
        User(
            id="5a0db0c4-0000-4000-8000-0000000000e1", name="Kate", user_id=8101112, is_admin=True
        ),
        User(id="5a0db0c4-0000-4000-8000-0000000000e2", name="Oleg", user_id=8101113),
    )
    return Account(
        amojo_id="5a0db0c4-0000-4000-8000-0000000000a1",
        id=30112233,
        name="Demo shop",
        subdomain="demo",
        users=users,
    )


class State:
    """Values by id, and the few indexes needed to find them by the other side's ids.

    Every change of something a page shows is published.
    """

    def __init__(self, settings: SandboxSettings, publish: Publish) -> None:
        self._settings = settings
        self._publish = publish
        self.reset()

    def reset(self) -> None:
        """Forget everything but the seed."""
        channel, account = seeded_channel(self._settings), seeded_account()
        self.channels: dict[str, Channel] = {channel.channel_id: channel}
        self.accounts: dict[str, Account] = {account.amojo_id: account}
        self._last_number = 30112233  # ids of accounts and users
        self.persons: dict[str, Person] = {}
        self.chats: dict[str, Chat] = {}  # the chat with the newest message comes last
        self.messages: dict[str, Message] = {}  # in order of arrival
        self._connections: dict[str, tuple[str, str, str, str]] = {}
        self._message_ids: dict[str, deque[str]] = {}  # by chat, in order of arrival
        self._persons_by_client: dict[tuple[str, str], str] = {}
        self._chats_by_client: dict[tuple[str, str], str] = {}
        self._messages_by_client: dict[tuple[str, str], str] = {}

    def next_number(self) -> int:
        """Return a number that no account and no user has."""
        self._last_number += 1
        return self._last_number

    def find_account(self, subdomain: str) -> Account | None:
        """Find an account by the address that it has now."""
        return next((one for one in self.accounts.values() if one.subdomain == subdomain), None)

    def connect(self, channel_id: str, account_id: str, title: str, version: str) -> Connection:
        """Connect a registered channel to a known account, or change its title and hooks."""
        scope_id = f"{channel_id}_{account_id}"
        self._connections[scope_id] = (channel_id, account_id, title, version)
        return self._connection(scope_id)

    def disconnect(self, channel_id: str, account_id: str) -> None:
        """Forget a connection; its chats stay."""
        self._connections.pop(f"{channel_id}_{account_id}", None)

    def find_connection(self, scope_id: str) -> Connection | None:
        """Return the connection with the channel and the account as they are now."""
        return self._connection(scope_id) if scope_id in self._connections else None

    def connections(self) -> list[Connection]:
        """Return all connections."""
        return [self._connection(scope_id) for scope_id in self._connections]

    def find_person(self, scope_id: str, client_id: str) -> Person | None:
        """Find a client by the other side's id."""
        return self.persons.get(self._persons_by_client.get((scope_id, client_id), ""))

    def save_person(self, person: Person) -> Person:
        """Add or change a client."""
        self.persons[person.id] = person
        if person.client_id is not None:
            self._persons_by_client.setdefault((person.scope_id, person.client_id), person.id)
        return person

    def find_chat(self, scope_id: str, client_id: str) -> Chat | None:
        """Find a chat by the other side's conversation_id."""
        return self.chats.get(self._chats_by_client.get((scope_id, client_id), ""))

    def save_chat(self, chat: Chat) -> Chat:
        """Add or change a chat."""
        self.chats[chat.id] = chat
        self._message_ids.setdefault(chat.id, deque())
        if chat.client_id is not None:
            self._chats_by_client.setdefault((chat.scope_id, chat.client_id), chat.id)
        self._publish("chat", lambda: self.chat_view(chat))
        return chat

    def bind_chat(self, chat: Chat, client_id: str) -> Chat:
        """Give a chat begun by an operator the other side's id, which from now on means this chat."""
        self._chats_by_client[chat.scope_id, client_id] = chat.id
        return self.save_chat(replace(chat, client_id=client_id))

    def find_message(self, scope_id: str, client_id: str) -> Message | None:
        """Find a message by the other side's msgid."""
        return self.messages.get(self._messages_by_client.get((scope_id, client_id), ""))

    def add_message(self, message: Message) -> Message:
        """Add a message to its chat, which becomes the newest one."""
        self._make_room(message.chat_id)
        self.messages[message.id] = message
        self._message_ids[message.chat_id].append(message.id)
        self._index(message)
        self._publish("message", message.view)
        chat = self.chats.pop(message.chat_id)
        unread = chat.unread + 1 if message.direction == "in" else chat.unread
        self.save_chat(replace(chat, unread=unread))
        return message

    def change_message(self, message: Message, *, event: str = "message") -> Message:
        """Replace a message that exists."""
        before = self.messages[message.id]
        if before.client_id is not None and before.client_id != message.client_id:
            self._messages_by_client.pop((before.scope_id, before.client_id), None)
        self.messages[message.id] = message
        self._index(message)
        self._publish(event, message.view)
        return message

    def set_status(self, message: Message, status: Status) -> None:
        """Note what the other side says about the delivery. Any transition is accepted."""
        self.messages[message.id] = replace(message, status=status)
        view: Json = {"message_id": message.id, "status": status.view()}
        self._publish("status", lambda: view)

    def chat_messages(self, chat_id: str) -> list[Message]:
        """Messages of a chat, oldest first."""
        return [self.messages[message_id] for message_id in self._message_ids.get(chat_id, ())]

    def newest_first(self) -> Iterator[Chat]:
        """Chats, the one with the newest message first."""
        return reversed(self.chats.values())

    def chat_view(self, chat: Chat) -> Json:
        """Return a chat as the control API shows it."""
        message_ids = self._message_ids[chat.id]
        return {
            "id": chat.id,
            "scope_id": chat.scope_id,
            "account_id": chat.scope_id.partition("_")[2],
            "client_id": chat.client_id,
            "person": self.persons[chat.person_id].view(),
            "source": chat.source,
            "last_message": self.messages[message_ids[-1]].view() if message_ids else None,
            "unread": chat.unread,
        }

    def _connection(self, scope_id: str) -> Connection:
        channel_id, account_id, title, version = self._connections[scope_id]
        return Connection(
            channel=self.channels[channel_id],
            account=self.accounts[account_id],
            title=title,
            hook_api_version=version,
        )

    def _index(self, message: Message) -> None:
        if message.client_id is not None:
            self._messages_by_client[message.scope_id, message.client_id] = message.id

    def _make_room(self, chat_id: str) -> None:
        if len(self._message_ids[chat_id]) >= MESSAGES_PER_CHAT:
            self._forget(self.messages[self._message_ids[chat_id][0]])
        elif len(self.messages) >= MESSAGES_IN_ALL:
            self._forget(next(iter(self.messages.values())))

    def _forget(self, message: Message) -> None:
        del self.messages[message.id]
        self._message_ids[message.chat_id].popleft()
        if message.client_id is not None:
            self._messages_by_client.pop((message.scope_id, message.client_id), None)
