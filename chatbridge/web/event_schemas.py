"""The parameters of the event stream: a source of openapi.json."""

from typing import Final

from pydantic import BaseModel, ConfigDict, Field

CURSOR: Final = "[0-9]{1,18}"
"""A position."""
LATEST: Final = "latest"


class EventsQuery(BaseModel):
    """Where to begin."""

    model_config = ConfigDict(extra="forbid")

    after: str | None = Field(
        default=None,
        pattern=rf"^({CURSOR}|{LATEST})$",
        description="The `id` of the last event that you have, or `latest` for new ones only; the header `Last-Event-ID` goes"
        " before it. Without either: from the oldest that is kept",
    )
