"""Bodies of imports, out: a source of openapi.json."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from chatbridge.store.imports import ImportState
from chatbridge.web.fields import Identifier, Out
from chatbridge.web.schemas import Page


class ImportQuery(BaseModel):
    """Which import lines are for."""

    model_config = ConfigDict(extra="forbid")

    id: Identifier | None = Field(
        default=None, description="Your id of the import, with which a broken upload goes on"
    )
    scope_id: Identifier | None = Field(
        default=None, description="The link for lines that name none"
    )


class ImportOut(Out):
    """How far an import has come."""

    id: str
    state: ImportState
    lines: int = Field(description="Taken so far, bad ones included; each message counts once")
    bad: int = Field(description="Cannot be imported")
    repeated: int = Field(description="Were accepted before this import: nothing was done")
    imported: int = Field(description="Are in the journal, and delivered like any message")
    delivered: int = Field(description="Of those imported: amoCRM has them")
    failed: int = Field(description="Of those imported: given up, see GET /v1/parked")
    cancelled: int = Field(description="Dropped, as the import was cancelled")
    left: int = Field(description="Still to import")
    started_at: datetime
    uploaded_at: datetime | None = Field(description="When the upload was complete")
    ended_at: datetime | None = Field(description="When everything was delivered or given up")


class BadLineOut(Out):
    """A line that cannot be imported."""

    number: int = Field(description="In the upload with which it came, from 1")
    code: str = Field(description="See docs/reference/errors.md")
    reason: str


class ImportDetails(ImportOut):
    """How far an import has come, and what is wrong with its lines."""

    bad_lines: list[BadLineOut] = Field(description="The first hundred")


class ImportPage(Page):
    """Imports, oldest first."""

    items: list[ImportOut]
