"""What a backend may be told about itself, in `settings` of its messenger."""

from typing import Final

from pydantic import Field, ValidationError

from chatbridge.connectors.base import MessengerSettings, Notice
from chatbridge.connectors.capabilities import EVERYTHING, Capabilities
from chatbridge.model import Messenger, WebhookFormat

_FIRST_GENERATION: Final = EVERYTHING.model_copy(
    update={
        "quotes": False,
        "forwards": False,
        "buttons": False,
        "reactions": False,
        "typing": False,
    }
)
"""What callbacks of amojo's first generation can say."""


class BackendSettings(MessengerSettings):
    """The settings of a messenger of kind `backend`."""

    capabilities: Capabilities = Field(
        default=EVERYTHING, description="What it can take from operators"
    )
    events: tuple[Notice, ...] = Field(
        default=(), description="What its webhook is told beside what operators do"
    )


def settings_of(messenger: Messenger) -> BackendSettings:
    """Return what a messenger's settings say; the defaults where they say nothing."""
    said = messenger.settings
    if messenger.webhook_format is WebhookFormat.AMOJO_V1:
        can = _FIRST_GENERATION.model_dump() | said.get("capabilities", {})
        said = said | {"capabilities": can}
    try:
        read = BackendSettings.model_validate(said)
    except ValidationError:
        return BackendSettings()  # from before they were checked
    # Whoever adapts messages has nothing to do for this one.
    everything = read.capabilities == EVERYTHING
    return read.model_copy(update={"capabilities": EVERYTHING}) if everything else read
