"""What may be set up about a website chat."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from chatbridge.connectors.base import MessengerSettings
from chatbridge.connectors.website.sites import canonical
from chatbridge.connectors.website.visitor import MAX_TEXT

Asked = Literal["required", "optional", "off"]


class FormSettings(MessengerSettings):
    """What visitors are asked before they write. Without any of it there is no form."""

    name: Asked = "off"
    phone: Asked = "off"
    email: Asked = "off"


def _web_address(value: str) -> str:
    if not value.startswith(("https://", "http://")) or not value.isprintable() or " " in value:
        raise ValueError("must be an http or https address")
    return value


class WebsiteSettings(MessengerSettings):
    """What may be set up about a messenger of kind `website`."""

    sites: Annotated[list[Annotated[str, AfterValidator(canonical)]], Field(min_length=1)] = Field(
        description="Origins of the sites that the chat stands on; `https://*.example.com` for all below it, `*` for all there are",
        examples=[["https://shop.example"]],
    )
    title: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, description="null: “Chat” in the visitor's language"
    )
    greeting: Annotated[str, Field(max_length=1000)] = ""
    colour: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] = "#2a66d9"
    position: Literal["right", "left"] = "right"
    language: Literal["ru", "en"] | None = Field(
        default=None, description="null: that of the page, or else of the browser"
    )
    form: FormSettings = FormSettings()
    consent_url: Annotated[str, Field(max_length=2048), AfterValidator(_web_address)] | None = None
    max_bytes: Annotated[int, Field(ge=1)] = Field(
        default=20 << 20, description="Bytes of a visitor's file at most"
    )
    messages_per_minute: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=20, description="Messages of one visitor at most"
    )

    def look(self, max_bytes: int) -> dict[str, object]:
        """Return what every page may know, where files have at most so many bytes."""
        shown = self.model_dump(exclude={"sites", "messages_per_minute"})
        return shown | {"max_bytes": min(self.max_bytes, max_bytes), "max_text": MAX_TEXT}
