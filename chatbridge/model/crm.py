"""What is known of accounts in the CRM: the integrations through which they let us in, and how each stands."""

from dataclasses import dataclass, field
from enum import StrEnum


class IntegrationKind(StrEnum):
    """Who can install an integration."""

    PRIVATE = "private"
    """One account, whose own it is."""
    PUBLIC = "public"
    """Every account: it is in amoCRM's marketplace."""
    EXTERNAL = "external"
    """The one account for which it was made, at the moment of consent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """A client of amoCRM's OAuth."""

    client_id: str
    workspace_id: str | None
    """None: the server's."""
    kind: IntegrationKind
    name: str
    secret: str = field(repr=False)
    redirect_uri: str
    """Letter for letter as at amoCRM."""
    zone: str
    """The domain below which consent is asked for."""
    created_at: int
    updated_at: int


class AccountState(StrEnum):
    """Whether an account lets us in."""

    AUTHORIZED = "authorized"
    SIGNED_OUT = "signed_out"


class SignOut(StrEnum):
    """Why an account does not let us in any more, and what ends that."""

    REVOKED = "revoked"
    """The tokens were taken back, or not used for three months: sign in again."""
    INTERRUPTED = "interrupted"
    """New tokens were given, and lost before they were stored: sign in again."""
    EXPIRED = "expired"
    """A token that cannot be renewed has come to its end: give another one."""
    GONE = "gone"
    """The account was closed."""
    KEYS = "keys"
    """The integration's secret or redirect address is wrong: correct it, and the account is let in again."""
    DISCONNECTED = "disconnected"
    """The integration was disabled in the account: enable it there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmAccount:
    """An account as one integration knows it. Its tokens are not in it."""

    id: str
    client_id: str
    workspace_id: str | None
    """None: nobody's yet."""
    account_id: int
    """The CRM's number of it."""
    host: str
    """Its address now, such as `romashka.amocrm.ru`; it may be renamed."""
    api_domain: str | None
    """Knows its address whatever it is called."""
    amojo_id: str | None
    name: str | None
    timezone: str | None
    state: AccountState
    since: int
    """When the state began."""
    why: SignOut | None
    """Of being signed out."""
    long_lived: bool
    """Its token cannot be renewed."""
    expires_at: int
    """Until then its token is valid."""
    generation: int
    """How many pairs of tokens were stored."""
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPair:
    """What opens an account."""

    access: str = field(repr=False)
    refresh: str | None = field(repr=False)
    """None where the other one cannot be renewed."""
    expires_at: int
    """Of the access token, microseconds."""
    api_domain: str | None = None


class GrantState(StrEnum):
    """What became of a code."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
