"""What a messenger can take, and what becomes of the rest. Pure.

What a messenger cannot show is turned into what it can: nothing is dropped silently. How it was turned stands in the timeline.
"""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, field_serializer

from chatbridge.model import MessageType


class Capabilities(BaseModel):
    """What a messenger can take from operators, and what it says by itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    types: frozenset[MessageType] = Field(
        default=frozenset(MessageType),
        description="Types of messages; others come as the nearest of these",
    )
    max_bytes: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="Size of a file at most; a larger one comes as a link"
    )
    mime: frozenset[str] | None = Field(
        default=None,
        description="MIME types of files, such as `application/pdf` or `image/*`; others come as a link",
        examples=[["image/*", "application/pdf"]],
    )
    quotes: bool = Field(default=True, description="Shows which message is answered")
    forwards: bool = Field(default=True, description="Shows messages that are passed on")
    buttons: bool = Field(default=True, description="Draws buttons and lists")
    reactions: bool = Field(
        default=True, description="Shows reactions; otherwise they come as text"
    )
    typing: bool = Field(default=True, description="Shows that an operator types")
    reports: bool = Field(
        default=True,
        description="Reports with POST /v1/messages/{id}/status what became of a reply. If not, a reply that was"
        " taken is marked as delivered at once, not after fifteen minutes",
    )

    def takes_file(self, content_type: str | None) -> bool:
        """Return whether files of this type are taken; of a file that nobody looked into, nothing is known."""
        if self.mime is None or content_type is None:
            return True
        return not self.mime.isdisjoint(
            (content_type, f"{content_type.partition('/')[0]}/*", "*/*")
        )

    @field_serializer("types")
    def _in_order(self, types: frozenset[MessageType]) -> list[MessageType]:
        return [each for each in MessageType if each in types]


EVERYTHING: Final = Capabilities()
