"""What the sandbox remembers, as values, and how the control API shows them."""

from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A channel's bot or an account's user."""

    id: str
    name: str

    def view(self) -> Json:
        """As the control API shows it."""
        return {"id": self.id, "name": self.name}


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Named):
    """Somebody who works in an account: `id` as the chat service knows them, `user_id` as the CRM does."""

    user_id: int
    is_admin: bool = False

    def view(self) -> Json:
        """As the control API shows it."""
        return {
            "id": self.id,
            "name": self.name,
            "user_id": self.user_id,
            "is_admin": self.is_admin,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """What amoCRM's support registers. `allowed_accounts` None: a public channel."""

    code: str
    channel_id: str
    secret: str
    title: str
    bot: Named
    hook_urls: dict[str, str]  # hook version -> address with the marker :scope_id
    allowed_accounts: tuple[str, ...] | None = None

    def view(self) -> Json:
        """As the control API shows it."""
        return {
            "code": self.code,
            "channel_id": self.channel_id,
            "secret": self.secret,
            "title": self.title,
            "bot": self.bot.view(),
            "hook_url_v1": self.hook_urls.get("v1"),
            "hook_url_v2": self.hook_urls.get("v2"),
            "allowed_accounts": self.allowed_accounts,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One amoCRM customer: `amojo_id` in the chat service, `id` in the CRM.

    `standing` "unpaid": its API answers 402; "closed": whatever was granted is void.
    """

    amojo_id: str
    id: int
    name: str
    subdomain: str
    users: tuple[User, ...]
    zone: str = "amocrm.ru"
    standing: Literal["open", "unpaid", "closed"] = "open"

    @property
    def host(self) -> str:
        """The name that the account has everywhere: `demo.amocrm.ru`."""
        return f"{self.subdomain}.{self.zone}"

    def user(self, user_id: int) -> User | None:
        """Find a user by the CRM's id."""
        return next((user for user in self.users if user.user_id == user_id), None)

    def view(self) -> Json:
        """As the control API shows it."""
        users = [user.view() for user in self.users]
        return {
            "amojo_id": self.amojo_id,
            "id": self.id,
            "name": self.name,
            "subdomain": self.subdomain,
            "zone": self.zone,
            "standing": self.standing,
            "users": users,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A channel connected to an account."""

    channel: Channel
    account: Account
    title: str
    hook_api_version: str

    @property
    def scope_id(self) -> str:
        """Channel id, underscore, account id."""
        return f"{self.channel.channel_id}_{self.account.amojo_id}"

    def view(self) -> Json:
        """As the control API shows it."""
        return {
            "scope_id": self.scope_id,
            "channel_id": self.channel.channel_id,
            "account_id": self.account.amojo_id,
            "title": self.title,
            "hook_api_version": self.hook_api_version,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A client. `client_id` is the other side's id, None until a write-first chat is bound."""

    id: str
    scope_id: str
    client_id: str | None
    name: str = ""
    avatar: str = ""
    phone: str = ""
    email: str = ""
    profile_link: str = ""

    def view(self) -> Json:
        """As the control API shows it."""
        return {
            "id": self.id,
            "client_id": self.client_id,
            "name": self.name,
            "avatar": self.avatar,
            "phone": self.phone,
            "email": self.email,
            "profile_link": self.profile_link,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """A conversation with one client. `client_id` is the other side's conversation_id."""

    id: str
    scope_id: str
    client_id: str | None
    person_id: str
    source: str | None = None
    unread: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who wrote a message; `client_id` only of clients."""

    id: str
    name: str
    kind: Literal["client", "user", "bot"]
    client_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Delivery: code None sent, 1 delivered, 2 read, -1 failed (page "chat-api-reference")."""

    code: int | None = None
    error_code: int | None = None
    error: str | None = None

    def view(self) -> Json:
        """As the control API shows it."""
        return {"code": self.code, "error_code": self.error_code, "error": self.error}


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a message says. Empty text, 0 and None mean: not given."""

    type: str
    text: str = ""
    media: str = ""
    thumbnail: str = ""
    file_name: str = ""
    file_size: int = 0
    media_duration: int | None = None
    sticker_id: str | None = None
    location: Json | None = None
    contact: Json | None = None
    media_group_id: str | None = None

    def view(self) -> Json:
        """As the control API shows it."""
        return {
            "type": self.type,
            "text": self.text,
            "media": self.media,
            "thumbnail": self.thumbnail,
            "file_name": self.file_name,
            "file_size": self.file_size,
            "media_duration": self.media_duration,
            "sticker_id": self.sticker_id,
            "location": self.location,
            "contact": self.contact,
            "media_group_id": self.media_group_id,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message. `client_id` is the other side's msgid; "in" came from the client."""

    id: str
    client_id: str | None
    chat_id: str
    scope_id: str
    direction: Literal["in", "out"]
    author: Author
    content: Content
    at_ms: int
    reply_to: Json | None = None
    forwards: Json | None = None
    edited: bool = False
    silent: bool = False
    status: Status = field(default_factory=Status)
    reactions: tuple[tuple[str, str], ...] = ()  # (user id, emoji)

    def view(self) -> Json:
        """As the control API shows it."""
        author = {"id": self.author.id, "name": self.author.name, "kind": self.author.kind}
        return {
            "id": self.id,
            "client_id": self.client_id,
            "chat_id": self.chat_id,
            "direction": self.direction,
            "author": author,
            **self.content.view(),
            "reply_to": self.reply_to,
            "forwards": self.forwards,
            "at_ms": self.at_ms,
            "edited": self.edited,
            "silent": self.silent,
            "status": self.status.view(),
            "reactions": [{"user": user, "emoji": emoji} for user, emoji in self.reactions],
        }
