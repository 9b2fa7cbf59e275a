"""Bodies about accounts of the CRM and how they let us in: a source of openapi.json."""

from datetime import datetime
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from chatbridge.errors import ForeignHost
from chatbridge.model import AccountState, IntegrationKind, SignOut
from chatbridge.protocol.crm.hosts import parse_host
from chatbridge.web.fields import AmojoId, Identifier, In, Out, Short, Url
from chatbridge.web.people_schemas import WorkspaceId
from chatbridge.web.schemas import Page


def _account_host(value: str) -> str:
    try:
        return str(parse_host(value))
    except ForeignHost as error:
        raise ValueError(
            "must be the host of an account, such as romashka.amocrm.ru or romashka.kommo.com"
        ) from error


def _web_origin(value: str) -> str:
    parts = urlsplit(value)
    if value != f"{parts.scheme}://{parts.netloc}":
        raise ValueError("must be an origin, such as https://example.com")
    return value


Zone = Literal["amocrm.ru", "amocrm.com", "kommo.com"]
ClientId = Annotated[
    AmojoId,
    Field(examples=["5d0c1b7a-9f42-4f7e-8a55-2c90f3ab77e1"], description="amoCRM's id of it"),
]
ClientSecret = Annotated[str, Field(min_length=32, max_length=255, pattern=r"^[!-~]+$")]
AccountHost = Annotated[
    str, Field(max_length=80, examples=["romashka.amocrm.ru"]), AfterValidator(_account_host)
]
Origin = Annotated[Url, AfterValidator(_web_origin)]
Opaque = Annotated[str, Field(min_length=1, max_length=8192, pattern=r"^[!-~]+$")]
Kind = Literal["private", "public", "external"]


class IntegrationDraft(In):
    """An integration as it is at amoCRM."""

    client_id: ClientId
    secret: ClientSecret
    kind: Kind = "private"
    name: Short = ""
    zone: Zone = "amocrm.ru"
    redirect_uri: Url | None = Field(
        default=None,
        description="Letter for letter as at amoCRM; this server's own, if it is left out",
    )
    workspace: WorkspaceId | None = Field(
        default=None,
        description="For the server's operator: without it, every workspace may use it",
    )


class IntegrationChange(In):
    """What may change of an integration; members left out stay."""

    secret: ClientSecret | None = None
    name: Short | None = None
    zone: Zone | None = None
    redirect_uri: Url | None = None


class IntegrationOut(Out):
    """An integration; its secret is never shown."""

    client_id: str
    workspace: str | None = Field(description="Absent: every workspace may use it")
    kind: IntegrationKind
    name: str
    zone: str
    redirect_uri: str
    created_at: datetime
    updated_at: datetime


class IntegrationPage(Page):
    """Integrations, oldest first."""

    items: list[IntegrationOut]


class AccountDraft(In):
    """An account that is connected by hand: with a code, or with a long-lived token."""

    client_id: ClientId
    host: AccountHost
    code: Opaque | None = None
    token: Opaque | None = None
    workspace: WorkspaceId | None = Field(
        default=None, description="For the server's operator: whose the account is"
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.code is None) == (self.token is None):
            raise ValueError("give either `code` or `token`")
        return self


class CrmAccountOut(Out):
    """An account as one integration knows it; its tokens are never shown."""

    id: str
    workspace: str | None = Field(description="Absent: nobody's yet")
    client_id: str
    account_id: int = Field(description="amoCRM's number of it")
    host: str
    amojo_id: str | None
    name: str | None
    timezone: str | None
    state: AccountState
    since: datetime
    why: SignOut | None = Field(description="Of being signed out")
    advice: str | None = Field(description="What to do about it")
    long_lived: bool = Field(description="Its token cannot be renewed")
    expires_at: datetime = Field(
        description="Of its token; it is renewed before, unless it is long-lived"
    )
    created_at: datetime
    updated_at: datetime


class CrmAccountPage(Page):
    """Accounts, oldest first."""

    items: list[CrmAccountOut]


class ExternalDraft(In):
    """An integration that amoCRM makes when somebody consents."""

    name: Annotated[Short, Field(min_length=1)]
    description: Annotated[Short, Field(min_length=1)]
    logo: Url = Field(description="A picture of 400 by 272 pixels")
    zone: Zone = "amocrm.ru"


class AuthorizationDraft(In):
    """Somebody who is to let an integration into an account."""

    client_id: ClientId | None = None
    external: ExternalDraft | None = None
    mode: Literal["popup", "post_message"] = Field(
        default="popup",
        description="`post_message`: the window with the consent page tells `origin` how it ended, and closes",
    )
    origin: Origin | None = Field(default=None, description="Of the page that opens the window")
    workspace: WorkspaceId | None = Field(
        default=None, description="For the server's operator: whose the account will be"
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.client_id is None) == (self.external is None):
            raise ValueError("give either `client_id` or `external`")
        return self


class AuthorizationOut(Out):
    """Where to send somebody. It can be used once."""

    url: str
    expires_at: datetime


class SecretsDraft(In):
    """The keys of an external integration, as amoCRM tells them."""

    model_config = ConfigDict(extra="ignore", strict=True)

    client_id: ClientId
    client_secret: ClientSecret
    state: Identifier
