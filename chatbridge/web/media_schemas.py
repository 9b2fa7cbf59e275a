"""What uploads are asked with and answered with: a source of openapi.json."""

from typing import Annotated

from pydantic import Field

from chatbridge.web.fields import In, Out


class UploadQuery(In):
    """How the file is called."""

    file_name: Annotated[str, Field(min_length=1, max_length=255)] | None = None


class UploadOut(Out):
    """A file that is kept."""

    id: str = Field(description="To be named as `media_id` in messages")
    url: str = Field(description="Whoever has this link may read the file, as long as it is kept")
    content_type: str = Field(description="By its content")
    size: int = Field(description="Bytes")
    file_name: str | None = None
