"""Bodies of conversations, out: a source of openapi.json."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from chatbridge.model import MessageType
from chatbridge.web.fields import Identifier, Out
from chatbridge.web.schemas import Page


class HistoryQuery(BaseModel):
    """Which messages of a conversation."""

    model_config = ConfigDict(extra="forbid")

    after: int | None = Field(default=None, ge=1, lt=2**63)
    limit: int = Field(default=50, ge=1, le=200)
    scope_id: Identifier | None = Field(
        default=None, description="Which link; needed only if several have this conversation"
    )


class PersonOut(Out):
    """A client, who has an id of yours, or an operator, who has amoCRM's."""

    id: str | None
    amojo_id: str | None
    name: str | None


class LocationOut(Out):
    """A place, in degrees."""

    lat: float
    lon: float


class ContactOut(Out):
    """Somebody's name and number."""

    name: str
    phone: str


class ContentOut(Out):
    """What is said."""

    type: MessageType
    text: str | None
    media_url: str | None
    file_name: str | None
    file_size: int | None
    duration: int | None
    sticker_id: str | None
    location: LocationOut | None
    contact: ContactOut | None


class ReactionOut(Out):
    """A reaction that was not taken back."""

    emoji: str | None
    user: PersonOut
    reacted_at: datetime


class HistoryItem(Out):
    """A message as it stands now."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)

    id: str
    direction: Literal["to_amojo", "to_messenger"]
    author: Literal["client", "operator"] = Field(serialization_alias="from")
    sent_at: datetime
    sender: PersonOut
    message: ContentOut
    reply_to: str | None
    state: Literal["queued", "delivered", "read", "failed"]
    amojo_id: str | None = Field(description="amoCRM's id of the message, once it is known")
    edited_at: datetime | None = Field(description="`message` is what it was changed to then")
    reactions: list[ReactionOut]


class HistoryPage(Page):
    """Messages of a conversation, newest first."""

    items: list[HistoryItem]
