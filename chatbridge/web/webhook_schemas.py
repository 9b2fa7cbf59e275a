"""Bodies of what is done about a messenger's keys and its webhook, in and out: a source of openapi.json."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from chatbridge.web.fields import In, Moment, Out


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


class WebhookOut(Out):
    """How a webhook is."""

    state: Literal["ok", "failing", "paused"]
    failing_since: datetime | None = Field(
        description="When it failed for the first time after a success"
    )
    last_error_code: str | None = Field(description="See docs/reference/errors.md")


class RecoverDraft(In):
    """From when on, and until when, replies were given up."""

    since: Moment
    until: Moment | None = Field(default=None, description="Now, if left out")


class TestedOut(Out):
    """What came of a test event."""

    ok: bool
    status: int | None = Field(description="Of HTTP, if there was an answer")
    ms: int = Field(description="How long it took, milliseconds")
    code: str | None = Field(description="See docs/reference/errors.md")
    detail: str = Field(description="What happened")
    fix: str | None = Field(description="What to do about it")
