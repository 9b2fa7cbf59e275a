"""One attempt to deliver."""

from enum import Enum
from typing import ClassVar

from chatbridge.errors.base import ChatbridgeError


class Disposition(Enum):
    """What the failure of one attempt means for the next."""

    RETRY = "nothing arrived: repeat on schedule"
    UNKNOWN = "it may have arrived: repeat on schedule with the same id"
    MISUSE = "settings are wrong: repeat on schedule, somebody has to mend them"
    REJECT = "never repeat: park it with the reason"
    ARRIVED = "it is there already: as good as delivered"


class Trouble(Enum):
    """What came between a request and its answer."""

    FORBIDDEN = "it may not be called from here"
    ADDRESS = "it is no address"
    DNS = "its name is not known"
    REFUSED = "nobody listens there"
    UNREACHABLE = "there is no way to it"
    TLS = "its certificate or its TLS is wrong"
    PROXY = "the proxy did not let it through"
    TIMEOUT = "it did not answer in time"
    BROKEN = "it broke off"


class DeliveryError(ChatbridgeError):
    """One attempt failed.

    Args:
        detail: a sentence without message text, phone numbers or secrets.
        status: HTTP status of the answer, if one came.
        far_code: the far side's own error code, if it gave one.
        retry_after: seconds the far side asks to wait, if it does.
        reason: why it cannot be delivered to the client, if the messenger says so (`model.FailureReason`).
        words: the same in the messenger's words, for the operator's eyes.
        trouble: what came between, if no answer came.

    """

    disposition: ClassVar[Disposition]

    def __init__(
        self,
        detail: str,
        *,
        status: int | None = None,
        far_code: str | None = None,
        retry_after: float | None = None,
        reason: str | None = None,
        words: str | None = None,
        trouble: Trouble | None = None,
    ) -> None:
        """Keep the sentence and what the far side said."""
        super().__init__(detail)
        self.status = status
        self.far_code = far_code
        self.retry_after = retry_after
        self.reason, self.words = reason, words
        self.trouble = trouble


class NotSent(DeliveryError):
    """No connection: nothing left this machine."""

    code, disposition = "not_sent", Disposition.RETRY


class Throttled(DeliveryError):
    """The far side asks to wait."""

    code, disposition = "throttled", Disposition.RETRY


class FarSideDown(DeliveryError):
    """The far side answered that it is broken, or something that is not the protocol's."""

    code, disposition = "far_side_down", Disposition.RETRY


class OutcomeUnknown(DeliveryError):
    """The request left and no whole answer came."""

    code, disposition = "outcome_unknown", Disposition.UNKNOWN


class Misconfigured(DeliveryError):
    """The far side does not know us, or our address or key for it is wrong."""

    code, disposition = "misconfigured", Disposition.MISUSE


class Duplicate(DeliveryError):
    """The far side already has this message, from an earlier attempt whose answer was lost."""

    code, disposition = "duplicate", Disposition.ARRIVED


class Rejected(DeliveryError):
    """The far side will never accept this message."""

    code, disposition = "rejected", Disposition.REJECT


class EndpointPaused(DeliveryError):
    """The messenger's webhook is paused, as it failed for too long, or said that it is gone."""

    code, disposition = "endpoint_paused", Disposition.REJECT


class InternalFailure(DeliveryError):
    """A fault of this server, not of the far side. The log has the traceback."""

    code, disposition = "internal", Disposition.RETRY
