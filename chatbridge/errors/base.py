"""The root of all errors, and those that belong to no family."""

from typing import ClassVar


class ChatbridgeError(Exception):
    """The root. `code` is stable; `str()` is a sentence for people."""

    code: ClassVar[str]


class ConfigurationError(ChatbridgeError):
    """The server cannot start like this; the sentence names the setting."""

    code = "configuration"


class StoreUnavailable(ChatbridgeError):
    """The database did not take it. Nothing was acknowledged, so the sender will repeat."""

    code = "store_unavailable"
    http_status: ClassVar[int] = 503
    title: ClassVar[str] = "The database is not available"


class ProtocolError(ChatbridgeError):
    """Bytes from the far side that cannot be trusted or read."""


class SignatureMismatch(ProtocolError):
    """The signature is missing, malformed, or not made with our secret over these bytes."""

    code = "signature_mismatch"


class UnreadablePayload(ProtocolError):
    """The bytes are signed but are not a shape of the protocol."""

    code = "unreadable_payload"
