"""Every error of chatbridge, in one tree.

    ChatbridgeError
    ├── ConfigurationError            the server cannot start like this
    ├── StoreUnavailable              the database did not take it; nothing was acknowledged
    ├── RequestRefused                what a caller of our API did wrong; answered as problem+json
    │   ├── MalformedRequest, MalformedJson, InvalidFields, UnsupportedMediaType, BodyTooLarge, RequestTooSlow
    │   ├── Unauthenticated, CallbackRefused, OriginRefused
    │   ├── TooMany, Full
    │   ├── NotFound, MethodNotAllowed
    │   ├── AlreadyExists, IdReused, ImportClosed, NotEditable, RotationUnderWay
    │   ├── LinkAmbiguous, NotLinked, KindUnavailable
    │   ├── HistoryNotReady
    │   └── FarSideRefused, FarSideUnreachable     amojo said no, or nothing, to a call made for the caller
    ├── ProtocolError                 bytes from the far side that we cannot trust or read
    │   ├── SignatureMismatch
    │   └── UnreadablePayload
    ├── MediaError                    a file could not be copied; `again` says whether another try may do better
    │   ├── MediaForbidden            it is where no request may go; its link is not passed on either
    │   ├── MediaGone                 whoever has it does not give it out
    │   ├── MediaTooLarge             it is beyond the limit
    │   ├── MediaUnreachable          again: no answer, half of one, or too slow
    │   └── MediaNotKept              again: the place where files are kept did not take it
    └── DeliveryError                 one attempt to deliver failed
        ├── NotSent                   RETRY    nothing left this machine
        ├── Throttled                 RETRY    the far side asks to wait
        ├── FarSideDown               RETRY    5xx, or an answer that is not the protocol's
        ├── OutcomeUnknown            UNKNOWN  it left, no answer came: it may have arrived
        ├── Misconfigured             MISUSE   our credentials, addresses or settings are wrong, not this message
        ├── Duplicate                 ARRIVED  the far side has it from an earlier attempt: as good as delivered
        ├── Rejected                  REJECT   this message will never be accepted
        ├── EndpointPaused            REJECT   nothing is sent to this messenger's webhook until it is resumed
        └── InternalFailure           RETRY    a fault of this server; the log has the traceback

Each leaf carries a stable `code`, used in API answers, logs, metrics and the documentation
(docs/reference/errors.md), and a sentence that says what happened and what to do.
"""

from collections.abc import Mapping
from enum import Enum
from typing import ClassVar


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


# --- what a caller did wrong --------------------------------------------------------------------


class RequestRefused(ChatbridgeError):
    """A request of our own API that is not carried out.

    Args:
        detail: a sentence for this occurrence; the class's docstring when left out.
        fields: JSON pointer of each wrong field, with what is wrong about it.
        far: what the far side answered, for calls made on behalf of the caller.

    """

    http_status: ClassVar[int] = 400
    title: ClassVar[str]

    def __init__(
        self,
        detail: str = "",
        *,
        fields: Mapping[str, str] | None = None,
        far: Mapping[str, str | int] | None = None,
    ) -> None:
        """Keep the sentence, the wrong fields and the far side's answer."""
        super().__init__(detail or (self.__doc__ or "").partition("\n")[0])
        self.fields = dict(fields or {})
        self.far = dict(far or {})


class MalformedRequest(RequestRefused):
    """This is not HTTP/1.1. Nothing of it was read; the connection is closed."""

    code, http_status, title = "malformed_request", 400, "The request is not HTTP/1.1"


class MalformedJson(RequestRefused):
    """The body is not JSON. Send UTF-8 JSON with `Content-Type: application/json`."""

    code, http_status, title = "malformed_json", 400, "The body is not JSON"


class InvalidFields(RequestRefused):
    """Some fields are missing or wrong; `errors` names each of them."""

    code, http_status, title = "invalid_fields", 422, "Some fields are missing or wrong"


class UnsupportedMediaType(RequestRefused):
    """Send the body as `application/json`, not compressed."""

    code, http_status, title = "unsupported_media_type", 415, "The body must be plain JSON"


class BodyTooLarge(RequestRefused):
    """The body is larger than this server takes. Send media as links, not inside the message."""

    code, http_status, title = "body_too_large", 413, "The body is too large"


class RequestTooSlow(RequestRefused):
    """The body did not arrive in time. Send it again."""

    code, http_status, title = "request_too_slow", 408, "The body did not arrive in time"


class Unauthenticated(RequestRefused):
    """Send `Authorization: Bearer …` with a valid key for this call."""

    code, http_status, title = "unauthenticated", 401, "The key is missing or wrong"


class CallbackRefused(RequestRefused):
    """The address or the signature of this callback is wrong. Check the channel's hook address and secret."""

    code, http_status, title = "callback_refused", 401, "The callback is not known here"


class OriginRefused(RequestRefused):
    """This page is not on one of the chat's sites. Add its origin to `settings.sites` of the messenger."""

    code, http_status, title = "origin_refused", 403, "The chat is not for this site"


class TooMany(RequestRefused):
    """This is too much at once. Try again in a while."""

    code, http_status, title = "too_many", 429, "Too many at once"


class Full(RequestRefused):
    """This server takes no more connections at the moment. Try again."""

    code, http_status, title = "full", 503, "The server is full"


class NotFound(RequestRefused):
    """There is nothing here under this address for this key."""

    code, http_status, title = "not_found", 404, "Not found"


class MethodNotAllowed(RequestRefused):
    """This address does not take this method."""

    code, http_status, title = "method_not_allowed", 405, "Method not allowed"


class AlreadyExists(RequestRefused):
    """There is one of these already. Change it with PATCH."""

    code, http_status, title = "already_exists", 409, "It exists already"


class IdReused(RequestRefused):
    """This message id was used before with another body. Give every message its own id."""

    code, http_status, title = "id_reused", 409, "The id belongs to another message"


class ImportClosed(RequestRefused):
    """The upload of this import is complete, or it was cancelled. Give another id to import more."""

    code, http_status, title = "import_closed", 409, "The import takes no more lines"


class NotEditable(RequestRefused):
    """This message was written by an operator. Clients' messages can be edited, no others."""

    code, http_status, title = "not_editable", 409, "The message cannot be edited"


class RotationUnderWay(RequestRefused):
    """The key before this one is still valid. Wait until it is not, or end it now with `overlap_hours` 0."""

    code, http_status, title = "rotation_under_way", 409, "The key was replaced a moment ago"


class LinkAmbiguous(RequestRefused):
    """This messenger has several links. Say in `scope_id` which of them the message is for."""

    code, http_status, title = "link_ambiguous", 409, "Which account is it for?"


class NotLinked(RequestRefused):
    """This messenger is not linked to an amoCRM account yet. Create the link with POST /v1/links."""

    code, http_status, title = "not_linked", 409, "The messenger is not linked"


class KindUnavailable(RequestRefused):
    """This server has no connector for messengers of this kind."""

    code, http_status, title = "kind_unavailable", 422, "No such kind of messenger here"


class HistoryNotReady(RequestRefused):
    """This server is still going through messages of an older release. Try again in a minute."""

    code, http_status, title = "history_not_ready", 503, "The history is being prepared"


class FarSideRefused(RequestRefused):
    """amoCRM refused the call; `amojo` holds its own code and text."""

    code, http_status, title = "amojo_refused", 502, "amoCRM refused the call"


class FarSideUnreachable(RequestRefused):
    """amoCRM could not be reached or gave no usable answer. Try again; check `base_url` if it stays so."""

    code, http_status, title = "amojo_unreachable", 502, "amoCRM could not be reached"


# --- bytes from the far side --------------------------------------------------------------------


class ProtocolError(ChatbridgeError):
    """Bytes from the far side that cannot be trusted or read."""


class SignatureMismatch(ProtocolError):
    """The signature is missing, malformed, or not made with our secret over these bytes."""

    code = "signature_mismatch"


class UnreadablePayload(ProtocolError):
    """The bytes are signed but are not a shape of the protocol."""

    code = "unreadable_payload"


# --- a file on its way to us --------------------------------------------------------------------


class MediaError(ChatbridgeError):
    """A file could not be copied. The sentence names no more of its address than the host."""

    again: ClassVar[bool] = False


class MediaForbidden(MediaError):
    """The link leads where this server must not call, or is none."""

    code = "media_forbidden"


class MediaGone(MediaError):
    """Whoever has the file does not give it out (any more)."""

    code = "media_gone"


class MediaTooLarge(MediaError):
    """The file is larger than `media.max_bytes`, or than its messenger gives out."""

    code = "media_too_large"


class MediaUnreachable(MediaError):
    """The file did not come, or not whole, or too slowly."""

    code, again = "media_unreachable", True


class MediaNotKept(MediaError):
    """The place where files are kept (`media.url`) did not take it."""

    code, again = "media_not_kept", True


# --- one attempt to deliver ---------------------------------------------------------------------


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
