"""Every error of chatbridge, in one tree.

    ChatbridgeError
    ├── ConfigurationError            the server cannot start like this
    ├── StoreUnavailable              the database did not take it; nothing was acknowledged
    ├── RequestRefused                what a caller of our API did wrong; answered as problem+json
    │   ├── MalformedRequest, MalformedJson, InvalidFields, UnsupportedMediaType, BodyTooLarge, RequestTooSlow
    │   ├── TokenRefused, AuthorizationRefused, AccountTaken, IntegrationInUse
    │   ├── Unauthenticated, LoginWrong, CallbackRefused, OriginRefused
    │   ├── Forbidden, AccountNotProven, LastOwner
    │   ├── TooMany, Full
    │   ├── NotFound, MethodNotAllowed
    │   ├── AlreadyExists, IdReused, ImportClosed, NotEditable, RotationUnderWay
    │   ├── LinkAmbiguous, NotLinked, KindUnavailable
    │   ├── HistoryNotReady
    │   ├── CrmRefused, CrmUnreachable             the account said no, or nothing, to a call made for the caller
    │   └── FarSideRefused, FarSideUnreachable     amojo said no, or nothing, to a call made for the caller
    ├── ProtocolError                 bytes from the far side that we cannot trust or read
    │   ├── SignatureMismatch
    │   ├── ForeignHost
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
        ├── GrantRefused              REJECT   amoCRM gives no tokens for this code or refresh token
        ├── SignedOut                 MISUSE   an administrator of the account has to sign in again
        └── InternalFailure           RETRY    a fault of this server; the log has the traceback

Each leaf carries a stable `code`, used in API answers, logs, metrics and the documentation
(docs/reference/errors.md), and a sentence that says what happened and what to do.
"""

from chatbridge.errors.base import (
    ChatbridgeError,
    ConfigurationError,
    ProtocolError,
    SignatureMismatch,
    StoreUnavailable,
    UnreadablePayload,
)
from chatbridge.errors.crm import (
    AccountTaken,
    AuthorizationFault,
    AuthorizationRefused,
    CrmRefused,
    CrmUnreachable,
    ForeignHost,
    GrantFault,
    GrantRefused,
    IntegrationInUse,
    SignedOut,
    TokenFault,
    TokenRefused,
)
from chatbridge.errors.delivery import (
    DeliveryError,
    Disposition,
    Duplicate,
    EndpointPaused,
    FarSideDown,
    InternalFailure,
    Misconfigured,
    NotSent,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Trouble,
)
from chatbridge.errors.files import (
    MediaError,
    MediaForbidden,
    MediaGone,
    MediaNotKept,
    MediaTooLarge,
    MediaUnreachable,
)
from chatbridge.errors.refusals import (
    AccountNotProven,
    AlreadyExists,
    BodyTooLarge,
    CallbackRefused,
    FarSideRefused,
    FarSideUnreachable,
    Forbidden,
    Full,
    HistoryNotReady,
    IdReused,
    ImportClosed,
    InvalidFields,
    KindUnavailable,
    LastOwner,
    LinkAmbiguous,
    LoginWrong,
    MalformedJson,
    MalformedRequest,
    MethodNotAllowed,
    NotEditable,
    NotFound,
    NotLinked,
    OriginRefused,
    RequestRefused,
    RequestTooSlow,
    RotationUnderWay,
    TooMany,
    Unauthenticated,
    UnsupportedMediaType,
)

__all__ = [
    "AccountNotProven",
    "AccountTaken",
    "AlreadyExists",
    "AuthorizationFault",
    "AuthorizationRefused",
    "BodyTooLarge",
    "CallbackRefused",
    "ChatbridgeError",
    "ConfigurationError",
    "CrmRefused",
    "CrmUnreachable",
    "DeliveryError",
    "Disposition",
    "Duplicate",
    "EndpointPaused",
    "FarSideDown",
    "FarSideRefused",
    "FarSideUnreachable",
    "Forbidden",
    "ForeignHost",
    "Full",
    "GrantFault",
    "GrantRefused",
    "HistoryNotReady",
    "IdReused",
    "ImportClosed",
    "IntegrationInUse",
    "InternalFailure",
    "InvalidFields",
    "KindUnavailable",
    "LastOwner",
    "LinkAmbiguous",
    "LoginWrong",
    "MalformedJson",
    "MalformedRequest",
    "MediaError",
    "MediaForbidden",
    "MediaGone",
    "MediaNotKept",
    "MediaTooLarge",
    "MediaUnreachable",
    "MethodNotAllowed",
    "Misconfigured",
    "NotEditable",
    "NotFound",
    "NotLinked",
    "NotSent",
    "OriginRefused",
    "OutcomeUnknown",
    "ProtocolError",
    "Rejected",
    "RequestRefused",
    "RequestTooSlow",
    "RotationUnderWay",
    "SignatureMismatch",
    "SignedOut",
    "StoreUnavailable",
    "Throttled",
    "TokenFault",
    "TokenRefused",
    "TooMany",
    "Trouble",
    "Unauthenticated",
    "UnreadablePayload",
    "UnsupportedMediaType",
]
