"""What amoCRM's account side refuses, and what we refuse of what is said in its name."""

from enum import StrEnum

from chatbridge.errors.base import ProtocolError
from chatbridge.errors.delivery import DeliveryError, Disposition
from chatbridge.errors.refusals import RequestRefused


class GrantFault(StrEnum):
    """Why amoCRM gives no tokens."""

    CODE_EXPIRED = "the code is older than 20 minutes"
    CODE_USED = "the code was used before"
    CODE_FOREIGN = "the code is not of this account, or mangled"
    KEYS = "the integration's id or secret is wrong"
    REDIRECT = "the redirect address is not the one that the integration has at amoCRM"
    REVOKED = "the refresh token was used before or taken back"
    GONE = "amoCRM has no such account any more"
    OTHER = "amoCRM gives no reason that is known"


class TokenFault(StrEnum):
    """What is wrong with a disposable token."""

    MISSING = "there is no token, or more than one"
    MALFORMED = "it is no token of three parts"
    ALGORITHM = "it is not signed with HS256"
    CLIENT = "it names no integration that is known here"
    SIGNATURE = "its signature is not made with the integration's secret"
    AUDIENCE = "it is meant for another server"
    NOT_YET = "it is not valid yet"
    EXPIRED = "it has expired"
    ISSUER = "it does not come from an account of amoCRM, or from another one than it names"
    CLAIMS = "it does not say who uses which account"


class AuthorizationFault(StrEnum):
    """Why an authorization goes no further."""

    UNKNOWN = "it was not begun here"
    EXPIRED = "it was begun more than 20 minutes ago"
    USED = "it was finished before"
    FOREIGN = "it was begun for another integration"
    HOST = "the address that it came from is not one of amoCRM"
    DENIED = "somebody said no"
    INCOMPLETE = "there is no code"


class ForeignHost(ProtocolError):
    """A host that belongs to no account of amoCRM or Kommo. Nothing is sent there."""

    code = "foreign_host"


class TokenRefused(RequestRefused):
    """The disposable token of this call is not valid here. Reload the page of amoCRM."""

    code, http_status, title = "token_refused", 401, "The token is not valid here"

    def __init__(self, fault: TokenFault = TokenFault.MISSING, detail: str = "") -> None:
        """Keep what is wrong."""
        super().__init__(detail)
        self.fault = fault


class AuthorizationRefused(RequestRefused):
    """This authorization is not known here, or not any more. Begin again."""

    code, http_status, title = "authorization_refused", 403, "The authorization is refused"

    def __init__(
        self, fault: AuthorizationFault = AuthorizationFault.UNKNOWN, detail: str = ""
    ) -> None:
        """Keep why."""
        super().__init__(detail)
        self.fault = fault


class AccountTaken(RequestRefused):
    """This account belongs to another workspace. It has to be removed there first."""

    code, http_status, title = "account_taken", 409, "The account belongs to another workspace"


class IntegrationInUse(RequestRefused):
    """Accounts are connected through this integration. Remove them first with DELETE /v1/accounts/{id}."""

    code, http_status, title = "integration_in_use", 409, "The integration is in use"


class CrmRefused(RequestRefused):
    """amoCRM's account refused the call; `amojo` holds its own status, code and text."""

    code, http_status, title = "crm_refused", 502, "The account refused the call"


class CrmUnreachable(RequestRefused):
    """amoCRM's account could not be reached or gave no usable answer. Try again."""

    code, http_status, title = "crm_unreachable", 502, "The account could not be reached"


class GrantRefused(DeliveryError):
    """amoCRM gives no tokens for this code or refresh token, and asking again would not help."""

    code, disposition = "grant_refused", Disposition.REJECT

    def __init__(self, fault: GrantFault, detail: str, *, status: int | None = None) -> None:
        """Keep what it means, and amoCRM's words."""
        super().__init__(detail, status=status)
        self.fault = fault


class SignedOut(DeliveryError):
    """There is no valid token for the account. An administrator of it has to sign in again."""

    code, disposition = "signed_out", Disposition.MISUSE
