"""What the account side remembers, as values."""

from dataclasses import dataclass, field
from typing import Literal

from chatbridge.sandbox.crm.archive import Archive
from chatbridge.sandbox.records import Json

Kind = Literal["private", "public", "external"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """An OAuth client, perhaps with a widget.

    `owner` is the `amojo_id` of the only account that may use a private one. `channel_id` names the chat channel
    whose registration names this integration. `multiple_sources`: it makes its sources itself, by API.
    """

    client_id: str
    client_secret: str
    name: str
    kind: Kind
    redirect_uri: str
    disconnect_uri: str = ""
    scopes: tuple[str, ...] = ("crm", "notifications")
    owner: str | None = None
    channel_id: str | None = None
    multiple_sources: bool = False
    code: str = ""
    archive: Archive | None = None

    @property
    def is_lead_source(self) -> bool:
        """Whether it may be chosen among a pipeline's sources, and use the Sources API."""
        return self.archive is not None and "lead_sources" in self.archive.locations

    def view(self) -> Json:
        """As the control API shows it."""
        return {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "name": self.name,
            "kind": self.kind,
            "redirect_uri": self.redirect_uri,
            "disconnect_uri": self.disconnect_uri,
            "scopes": self.scopes,
            "channel_id": self.channel_id,
            "multiple_sources": self.multiple_sources,
            "code": self.code,
            "widget": self.archive.view() if self.archive is not None else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a user of an account has allowed an integration to do."""

    amojo_id: str
    client_id: str
    user_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A code or a token: what it stands for, until when, and whether it was taken back or used up.

    `parent` is the refresh token that this one was given for.
    """

    grant: Grant
    expires_at: float
    void: bool = False
    parent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A widget in an account. `told`: its server has got the code of this installation."""

    number: int
    active: bool = False
    told: bool = False
    settings: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where leads of an integration come from (page "sources-api")."""

    number: int
    amojo_id: str
    client_id: str
    name: str
    external_id: str
    pipeline_id: int
    is_default: bool
    origin_code: str | None
    services: tuple[Json, ...] = ()
