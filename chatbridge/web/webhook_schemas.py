"""Bodies of what is done about a messenger's keys and its webhook, in and out: a source of openapi.json."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from chatbridge.web.fields import In, Out


class Overlap(In):
    """How long the key before stays valid."""

    overlap_hours: Annotated[int, Field(ge=0, le=168)] = Field(
        default=24, description="0 ends every old key now"
    )


class _Rotated(Out):
    old_until: datetime = Field(description="Until then the key before is valid too")


class SecretRotated(_Rotated):
    """A new secret of webhooks. It is shown this once."""

    webhook_secret: str


class ApiKeyRotated(_Rotated):
    """A new API key. It is shown this once."""

    api_key: str
