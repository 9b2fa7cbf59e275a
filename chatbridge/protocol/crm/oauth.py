"""OAuth 2 as amoCRM does it ("oauth", "step-by-step"): codes and refresh tokens become pairs of tokens.

A code lives for 20 minutes, an access token for a day, a refresh token for three months and, on amocrm.ru, for one use. All of them
are opaque but for two claims of the access token: where the account can always be asked for its name, and when it ends.
"""

import base64
import binascii
from collections.abc import Generator
from http import HTTPStatus
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import orjson
from msgspec import Struct

from chatbridge import errors
from chatbridge.errors import ForeignHost, GrantFault, GrantRefused
from chatbridge.model import TokenPair
from chatbridge.protocol.crm import replies
from chatbridge.protocol.crm.hosts import AccountHost, Addresses, parse_host
from chatbridge.protocol.http import Request, Response
from chatbridge.protocol.tame import members, text, whole

_SECOND: Final = 1_000_000

_HINTS: Final = {
    "authorization code has expired": GrantFault.CODE_EXPIRED,
    "authorization code has been revoked": GrantFault.CODE_USED,
    "cannot decrypt the authorization code": GrantFault.CODE_FOREIGN,
    "check the `client_id` parameter": GrantFault.KEYS,
    "check the `client_secret` parameter": GrantFault.KEYS,
    "redirect uri is not associated with client": GrantFault.REDIRECT,
    "token has been revoked": GrantFault.REVOKED,
    "invalid refresh token": GrantFault.REVOKED,
    "invalid account": GrantFault.GONE,
}
"""What stands in `hint`; documented nowhere, seen in issues of amoCRM's own library."""


class Keys(Struct, frozen=True, kw_only=True):
    """With what an integration shows who it is."""

    client_id: str
    secret: str
    redirect_uri: str

    def __repr__(self) -> str:
        """Show the id alone."""
        return f"Keys({self.client_id})"


class External(Struct, frozen=True, kw_only=True):
    """An integration that is made when somebody consents ("button")."""

    name: str
    description: str
    redirect_uri: str
    secrets_uri: str
    logo: str
    scopes: tuple[str, ...] = ("crm", "notifications")


class Refreshed(NamedTuple):
    """What a refresh brought."""

    tokens: TokenPair
    host: AccountHost
    """Another one if the account was renamed."""


def consent(page: str, *, client_id: str, state: str, mode: str) -> str:
    """Return the address at which somebody lets an integration in. There is no redirect address in it: amoCRM knows it."""
    return f"{page}?{urlencode({'client_id': client_id, 'state': state, 'mode': mode})}"


def external_consent(page: str, external: External, *, state: str, mode: str, origin: str) -> str:
    """Return the address at which somebody makes an integration and lets it in, as amoCRM's button script writes it."""
    query = [
        ("state", state),
        ("mode", mode),
        ("origin", origin),
        ("name", external.name),
        ("description", external.description),
        ("redirect_uri", external.redirect_uri),
        ("secrets_uri", external.secrets_uri),
        ("logo", external.logo),
        *(("scopes[]", scope) for scope in external.scopes),
    ]
    return f"{page}?{urlencode(query)}"


def exchange(base: str, keys: Keys, code: str) -> Request:
    """Return the call that makes tokens of a code. It works once."""
    return _ask(base, keys, {"grant_type": "authorization_code", "code": code})


def refresh(base: str, keys: Keys, refresh_token: str) -> Request:
    """Return the call that makes new tokens of a refresh token, which may be used up by it."""
    return _ask(base, keys, {"grant_type": "refresh_token", "refresh_token": refresh_token})


def locate(base: str, refresh_token: str) -> Request:
    """Return the call that asks an `api_domain` what the account is called now ("account-subdomain-info")."""
    return Request(
        method="GET",
        url=f"{base}/oauth2/account/current/subdomain",
        headers={"X-Refresh-Token": refresh_token, "Accept": "application/json"},
    )


def read_tokens(response: Response, *, asked_at: int) -> TokenPair:
    """Return the tokens that were given.

    Args:
        response: to `exchange` or `refresh`.
        asked_at: the moment before the call, microseconds: the access token lives at least as long after it as amoCRM says.

    Raises:
        GrantRefused: they were not, and will not be.
        DeliveryError: amoCRM did not get to it, or nobody knows.

    """
    if response.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED}:
        _, words = replies.far_words(response)
        fault = _HINTS.get(words.lower().rstrip("."), GrantFault.OTHER)
        raise GrantRefused(
            fault, f"amoCRM gave no tokens: {words or 'no explanation'}", status=response.status
        )
    answer = replies.read_object(response)
    access, refresh_token = text(answer.get("access_token")), text(answer.get("refresh_token"))
    seconds = whole(answer.get("expires_in"), below=10**9)
    if access is None or refresh_token is None or seconds is None:
        raise errors.OutcomeUnknown("amoCRM's answer has no pair of tokens", status=response.status)
    return TokenPair(
        access=access,
        refresh=refresh_token,
        expires_at=asked_at + seconds * _SECOND,
        api_domain=_api_domain(access),
    )


def long_lived(access: str, *, otherwise: int) -> TokenPair:
    """Return a token that somebody copied from amoCRM, which cannot be renewed.

    Args:
        access: the token.
        otherwise: until when it is taken to be valid if it does not say, microseconds.

    """
    ends = whole(_claims(access).get("exp"), below=10**11)
    return TokenPair(
        access=access,
        refresh=None,
        expires_at=otherwise if ends is None else ends * _SECOND,
        api_domain=_api_domain(access),
    )


def read_host(response: Response, host: AccountHost) -> AccountHost:
    """Return what an account is called now: what it was called, if that is not told to the bearer of this token.

    Raises:
        DeliveryError: it may be told later.

    """
    try:
        return parse_host(text(replies.read_object(response).get("domain")) or "")
    except (errors.Misconfigured, errors.Rejected, ForeignHost):
        return host


def refreshing(
    addresses: Addresses, keys: Keys, tokens: TokenPair, host: AccountHost, *, asked_at: int
) -> Generator[Request, Response, Refreshed]:
    """Give the calls that renew tokens, one after the other, and take their answers; return what they brought.

    An account that was renamed answers 401 or 404 under its old name. Then it is looked up, and asked under the new one: the
    refresh token was not used by that.

    Raises:
        GrantRefused, DeliveryError: as `read_tokens`.

    """
    refresh_token = tokens.refresh
    if refresh_token is None:
        raise GrantRefused(GrantFault.REVOKED, "this token cannot be renewed")
    response = yield refresh(addresses.base(host), keys, refresh_token)
    if response.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND} and tokens.api_domain:
        at = addresses.base(parse_host(tokens.api_domain))
        found = read_host((yield locate(at, refresh_token)), host)
        if found != host:
            host = found
            response = yield refresh(addresses.base(host), keys, refresh_token)
    return Refreshed(read_tokens(response, asked_at=asked_at), host)


def _ask(base: str, keys: Keys, members_: dict[str, str]) -> Request:
    body = {
        "client_id": keys.client_id,
        "client_secret": keys.secret,
        **members_,
        "redirect_uri": keys.redirect_uri,
    }
    return Request(
        method="POST",
        url=f"{base}/oauth2/access_token",
        headers={"Content-Type": "application/json", "Accept": "application/json"},
        body=orjson.dumps(body),
    )


def _api_domain(access: str) -> str | None:
    """Return the claim, if it is a host of amoCRM's (since August 2024; "account-subdomain-info")."""
    try:
        return str(parse_host(text(_claims(access).get("api_domain")) or ""))
    except ForeignHost:
        return None


def _claims(token: str) -> dict[str, Any]:
    """Return what a token says, unverified: it is amoCRM's to verify."""
    part = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        return members(orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))
    except (binascii.Error, ValueError):
        return {}
