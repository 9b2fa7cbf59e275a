"""Bodies of the management API, of errors and of health, in and out: a source of openapi.json."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from chatbridge.connectors.capabilities import Capabilities
from chatbridge.model import (
    HookVersion,
    Kind,
    LinkState,
    Signing,
    StatusBody,
    WebhookFormat,
)
from chatbridge.store.recoveries import Reason, State
from chatbridge.web.fields import AmojoId, FreeForm, Identifier, In, Moment, Out, Short, Url
from chatbridge.web.people_schemas import WorkspaceId
from chatbridge.web.webhook_schemas import WebhookOut


class FieldFault(Out):
    """One wrong field."""

    pointer: str = Field(description="JSON pointer of the field, such as `/message/type`")
    detail: str


class Problem(Out):
    """What went wrong and what to do (RFC 9457)."""

    type: str = Field(description="`urn:chatbridge:problem:` and the code")
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable; see docs/reference/errors.md")
    errors: list[FieldFault] | None = None
    amojo: dict[str, str | int] | None = Field(
        default=None, description="amoCRM's own status, code and text"
    )


class ChannelDraft(In):
    """A channel as amoCRM's support registered it."""

    code: Identifier = Field(examples=["amo.ext.shop"])
    channel_id: AmojoId = Field(examples=["a4490ccc-5d7f-11e7-907b-a6006ad3dba0"])
    secret: Annotated[str, Field(min_length=8, max_length=255)]
    base_url: Url | None = None
    signing: Signing = Signing.CURRENT
    hook_version: HookVersion = HookVersion.V2
    status_body: StatusBody = Field(
        default=StatusBody.CURRENT,
        description="How amojo is told what became of a message: `old` is the shape of before 2025",
    )
    bot_id: AmojoId | None = None
    title: Short | None = None
    workspace: WorkspaceId | None = Field(
        default=None,
        description="For the server's operator: without it, every workspace may connect to it",
    )


class ChannelChange(In):
    """What may change of a channel; members left out stay."""

    code: Identifier | None = None
    secret: Annotated[str, Field(min_length=8, max_length=255)] | None = None
    base_url: Url | None = None
    signing: Signing | None = None
    hook_version: HookVersion | None = None
    status_body: StatusBody | None = None
    bot_id: AmojoId | None = None
    title: Short | None = None


class ChannelOut(Out):
    """A channel; its secret is never shown."""

    channel_id: str
    workspace: str | None = Field(description="Absent: every workspace may connect to it")
    code: str
    base_url: str
    signing: Signing
    hook_version: HookVersion
    status_body: StatusBody
    bot_id: str | None
    title: str | None
    callback_url: str = Field(
        description="What amoCRM's support must register as the channel's webhook"
    )
    created_at: datetime
    updated_at: datetime


class ConnectorOut(Out):
    """A kind of messengers that this server knows."""

    kind: str
    settings_schema: dict[str, Any] = Field(
        description="JSON schema of the `settings` of a messenger of this kind"
    )


class ConnectorList(Out):
    """Every kind."""

    items: list[ConnectorOut]


class MessengerDraft(In):
    """A messenger to make."""

    name: Annotated[Short, Field(min_length=1)]
    kind: Identifier = Field(examples=["backend"])
    webhook_url: Url | None = None
    webhook_format: WebhookFormat = WebhookFormat.STANDARD
    settings: FreeForm = Field(default_factory=dict)
    workspace: WorkspaceId | None = Field(
        default=None, description="For the server's operator, who means `main` if not saying so"
    )


class MessengerChange(In):
    """What may change of a messenger; members left out stay."""

    name: Annotated[Short, Field(min_length=1)] | None = None
    webhook_url: Url | None = None
    webhook_format: WebhookFormat | None = None
    settings: FreeForm | None = None


class MessengerOut(Out):
    """A messenger, without its secrets."""

    id: str
    workspace: str
    name: str
    kind: str
    webhook_url: str | None
    webhook_format: WebhookFormat
    webhook: WebhookOut | None = Field(description="How it is; absent without a webhook_url")
    settings: dict[str, Any]
    capabilities: Capabilities
    created_at: datetime
    updated_at: datetime


class AmojoCredentials(Out):
    """With these an amojo client can talk to this server as if it were amoCRM."""

    channel_id: str
    secret: str
    account_id: str


class MessengerCreated(MessengerOut):
    """A new messenger with its secrets. They are shown this once."""

    api_key: str
    webhook_secret: str
    amojo: AmojoCredentials


class LinkDraft(In):
    """An account to connect to a channel."""

    channel: Identifier = Field(description="The channel's code or channel_id")
    account_id: AmojoId = Field(description="The account's amojo_id")
    messenger: Identifier = Field(description="The messenger's id")
    title: Short | None = Field(
        default=None, description="Shown in the account; default: the channel's"
    )


class LinkChange(In):
    """What may change of a link; members left out stay."""

    messenger: Identifier | None = None
    title: Short | None = None


class LinkOut(Out):
    """A link."""

    scope_id: str
    channel_id: str
    account_id: str
    messenger: str
    title: str | None
    state: LinkState
    hook_version: HookVersion
    callback_url: str
    created_at: datetime
    connected_at: datetime


class ParkedOut(Out):
    """A message that could not be delivered."""

    id: int
    scope_id: str
    conversation_id: str | None
    message_id: str
    direction: Literal["to_amojo", "to_messenger"]
    kind: Kind
    code: str
    detail: str
    attempts: int
    received_at: datetime
    parked_at: datetime


class ReleaseDraft(In):
    """Which parked messages to release: those that fit all members given; `{}` means all."""

    scope_id: Identifier | None = None
    code: Identifier | None = None
    ids: (
        Annotated[list[Annotated[int, Field(ge=1, lt=2**63)]], Field(min_length=1, max_length=500)]
        | None
    ) = None


class Released(Out):
    """How many messages are on their way again."""

    released: int


class RecoveryDraft(In):
    """A stretch of time to look into: the last day, if nothing else is said."""

    from_: Moment | None = Field(default=None, alias="from")
    to: Moment | None = None
    scope_id: Identifier | None = Field(default=None, description="One link only")


class RecoveryOut(Out):
    """A stretch of time in which callbacks may have been lost, and what was found of them."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)

    id: int
    from_: datetime = Field(serialization_alias="from")
    to: datetime
    reason: Reason
    state: State
    scope_id: str | None
    conversations: int = Field(description="Whose history was read")
    failed: int = Field(description="Whose history amoCRM did not give")
    recovered: int = Field(description="Replies that were missing")
    created_at: datetime
    ended_at: datetime | None


class RecoveryPage(Out):
    """Recoveries, newest first. Pass `next` as `before` to get the following page; it is null on the last."""

    items: list[RecoveryOut]
    next: int | None


class RecoveryQuery(BaseModel):
    """Which recoveries."""

    model_config = ConfigDict(extra="forbid")

    before: int | None = Field(default=None, ge=1, lt=2**63)
    limit: int = Field(default=50, ge=1, le=200)


class Page(Out):
    """A page of a list. Pass `next` as `after` to get the following one; it is null on the last."""

    next: str | None


class ChannelPage(Page):
    """Channels, oldest first."""

    items: list[ChannelOut]


class MessengerPage(Page):
    """Messengers, oldest first."""

    items: list[MessengerOut]


class LinkPage(Page):
    """Links, oldest first."""

    items: list[LinkOut]


class ParkedPage(Page):
    """Parked messages, oldest first."""

    items: list[ParkedOut]


class PageQuery(BaseModel):
    """Which page of a list."""

    model_config = ConfigDict(extra="forbid")

    after: str | None = Field(default=None, max_length=255)
    limit: int = Field(default=50, ge=1, le=200)


class ParkedQuery(BaseModel):
    """Which parked messages."""

    model_config = ConfigDict(extra="forbid")

    after: int = Field(default=0, ge=0, lt=2**63)
    limit: int = Field(default=50, ge=1, le=200)
    scope_id: Identifier | None = None
    code: Identifier | None = None


class Health(Out):
    """Whether the server is well."""

    status: Literal["ok"]


class Readiness(Out):
    """Whether the server can take messages, and what keeps it from it."""

    status: Literal["ok", "unavailable", "stopping"]
    checks: dict[str, str]
