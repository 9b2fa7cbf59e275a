"""Bodies of the control API about accounts, integrations and widgets."""

from typing import Annotated, Literal

from pydantic import Field

from chatbridge.sandbox.control_bodies import ControlBody, Number, Secret, Subdomain, Uuid, Zone
from chatbridge.sandbox.crm.consent import Address
from chatbridge.sandbox.records import Json
from chatbridge.sandbox.wire import Text


class AccountChanges(ControlBody):
    """What becomes different; an account that is renamed is found by its new name only."""

    subdomain: Subdomain | None = None
    zone: Zone | None = None
    name: Text | None = None
    standing: Literal["open", "unpaid", "closed"] | None = None


class NewIntegration(ControlBody):
    """An integration; the same `client_id` again changes what is given. `account` owns a private one."""

    client_id: Uuid | None = None
    client_secret: Secret | None = None
    name: Text | None = None
    kind: Literal["private", "public", "external"] | None = None
    redirect_uri: Address | None = None
    disconnect_uri: Address | Literal[""] | None = None
    scopes: tuple[Text, ...] | None = None
    account: Subdomain | None = None
    channel_id: Uuid | None = None
    multiple_sources: bool | None = None
    code: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,60}$")] | None = None


class InAccount(ControlBody):
    """Where, and by whom: without `user_id` by the account's first administrator."""

    account: Subdomain = "demo"
    user_id: Number | None = None


class LongLived(InAccount):
    """A token without a refresh token: one day to five years."""

    days: Annotated[int, Field(ge=1, le=1826)] = 365


class ByUser(ControlBody):
    """Who does it; `wait`: answer when the integration's server has been told."""

    user_id: Number | None = None
    wait: bool = True


class Settings(ByUser):
    """What the fields of a widget hold."""

    settings: Json = Field(default_factory=dict)


class AddedSource(ControlBody):
    """A widget is chosen as a source of a pipeline."""

    code: Text
    pipeline_id: Number


class WantedToken(ControlBody):
    """A disposable token for a widget of an integration."""

    client_id: Uuid
    user_id: Number | None = None
