"""What comes to the redirect address ("step-by-step", "auth-public-integrations"): a browser, or amoCRM's own server.

`code, referer, client_id, platform` with the `state` that a browser was sent with, or with `from_widget=1` and no state; or
`error=access_denied` if somebody said no.
"""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

from chatbridge.errors import AuthorizationFault, AuthorizationRefused, ForeignHost
from chatbridge.protocol.crm.hosts import AccountHost, parse_host

_FIELDS: Final = 50
_LONGEST_ID: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """A code, and whose it is said to be."""

    code: str = field(repr=False)
    host: AccountHost
    client_id: str | None
    """Told since 2025, and not by every page."""
    state: str | None = field(repr=False)
    from_widget: bool
    """It comes from amoCRM's server."""


def parse(query: str) -> Redirect:
    """Return what the query of an address says.

    Raises:
        AuthorizationRefused: somebody said no, or it has no code, or is about a host that is none of amoCRM's.

    """
    given = _members(query)
    if given.get("error"):
        raise AuthorizationRefused(AuthorizationFault.DENIED)
    code, client_id = given.get("code"), given.get("client_id")
    if not code or len(client_id or "") > _LONGEST_ID:
        raise AuthorizationRefused(AuthorizationFault.INCOMPLETE)
    try:
        host = parse_host(given.get("referer", ""))
    except ForeignHost as error:
        raise AuthorizationRefused(AuthorizationFault.HOST) from error
    return Redirect(
        code=code,
        host=host,
        client_id=client_id,
        state=given.get("state"),
        from_widget=given.get("from_widget") == "1",
    )


def state_of(query: str) -> str | None:
    """Return the state of a query, whatever else it says."""
    return _members(query).get("state")


def _members(query: str) -> dict[str, str]:
    """Return the parameters that say something, each once: one that is there twice says nothing."""
    try:
        pairs = parse_qsl(query, max_num_fields=_FIELDS)
    except ValueError:
        return {}
    names = [name for name, _ in pairs]
    return {
        name: value
        for name, value in pairs
        if names.count(name) == 1 and value.isprintable() and value
    }
