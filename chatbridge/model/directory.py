"""What people set up: channels, messengers, links. All frozen; times are microseconds since 1970-01-01 UTC."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from chatbridge.model.workspaces import MAIN


class Signing(StrEnum):
    """How requests to amojo are signed."""

    CURRENT = "current"
    LEGACY = "legacy"


class HookVersion(StrEnum):
    """The shape of amojo's callbacks."""

    V1 = "v1"
    V2 = "v2"


class StatusBody(StrEnum):
    """The shape in which amojo is told how far a message has come."""

    CURRENT = "current"
    OLD = "old"


class WebhookFormat(StrEnum):
    """The shape in which a backend gets operators' messages."""

    STANDARD = "standard"
    AMOJO_V2 = "amojo_v2"
    AMOJO_V1 = "amojo_v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """What amoCRM's support registered."""

    id: str
    """The channel id given by amoCRM, a UUID."""
    code: str
    secret: str = field(repr=False)
    base_url: str
    signing: Signing
    hook_version: HookVersion
    status_body: StatusBody
    bot_id: str | None
    title: str | None
    created_at: int
    updated_at: int
    workspace_id: str | None = None
    """None for a channel that every workspace of the server connects its accounts to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AmojoIdentity:
    """The credentials with which a messenger talks amojo to this server, as if this server were amoCRM."""

    channel_id: str
    secret: str = field(repr=False)
    account_id: str

    @property
    def scope_id(self) -> str:
        """Return `{channel_id}_{account_id}`, as amojo forms it."""
        return f"{self.channel_id}_{self.account_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Messenger:
    """Where clients write."""

    id: str
    name: str
    kind: str
    webhook_url: str | None
    webhook_format: WebhookFormat
    webhook_secret: str = field(repr=False)
    api_key_hash: bytes = field(repr=False)
    amojo: AmojoIdentity
    settings: dict[str, Any]
    created_at: int
    updated_at: int
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    """Settings that are secret, such as a bot's token."""
    old_webhook_secret: str | None = field(default=None, repr=False)
    """Signs beside the one that has replaced it."""
    old_webhook_secret_until: int = 0
    old_api_key_hash: bytes | None = field(default=None, repr=False)
    """Opens what the one does that has replaced it."""
    old_api_key_until: int = 0
    workspace_id: str = MAIN

    def webhook_secrets(self, now: int) -> tuple[str, ...]:
        """Return the secrets that sign webhooks at a time, newest first."""
        if self.old_webhook_secret is None or now >= self.old_webhook_secret_until:
            return (self.webhook_secret,)
        return self.webhook_secret, self.old_webhook_secret


class LinkState(StrEnum):
    """Whether amoCRM's account is connected to the channel."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A channel connected to an account, with the messenger behind it."""

    id: int
    scope_id: str
    channel_id: str
    account_id: str
    messenger_id: str
    title: str | None
    state: LinkState
    hook_version: HookVersion
    created_at: int
    connected_at: int
