"""The disposable token with which a widget's page calls us: `X-Auth-Token` ("disposable-tokens").

It is a JWT, signed with HS256 over the bytes of the integration's secret, and lives for half an hour. It is called one-time, but the
same call may be repeated with it, and amoCRM keeps nobody from using it twice; whoever cares keeps its `id` until `expires_at`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import jwt

from chatbridge.errors import ForeignHost, TokenFault, TokenRefused
from chatbridge.model import Integration
from chatbridge.protocol.crm.hosts import AccountHost, parse_issuer
from chatbridge.protocol.tame import text, whole

HEADER: Final = "X-Auth-Token"

_SECOND: Final = 1_000_000
_LEEWAY: Final = 60
"""Seconds by which amoCRM's clock and ours may differ."""
_LONGEST: Final = 4096
"""Characters; real ones have about 600."""

# PyJWT checks the algorithm and the signature. The times are checked here, by a clock that is passed in.
_PARSER: Final = jwt.PyJWT(options={"enforce_minimum_key_length": False})
_UNVERIFIED: Final[Any] = {"verify_signature": False}
_SIGNATURE_ONLY: Final[Any] = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DisposableToken:
    """A token that was verified: who calls from which account."""

    id: str
    client_id: str
    host: AccountHost
    account_id: int
    user_id: int
    is_admin: bool
    """As it says; not documented, so a missing one proves nothing."""
    expires_at: int
    """Microseconds."""


def client_of(given: Sequence[str]) -> str:
    """Return which integration a token says it is of, unverified: for choosing the secret and nothing else.

    Args:
        given: the values of the header `X-Auth-Token`.

    Raises:
        TokenRefused: there is none, or it is no token, or one with another algorithm, or says nothing.

    """
    token = _single(given)
    try:
        if jwt.get_unverified_header(token).get("alg") != "HS256":
            raise TokenRefused(TokenFault.ALGORITHM)
        claims = _PARSER.decode(token, options=_UNVERIFIED)
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise TokenRefused(TokenFault.MALFORMED) from error
    client_id = text(claims.get("client_uuid"))
    if client_id is None:
        raise TokenRefused(TokenFault.CLIENT)
    return client_id


def verify(
    given: Sequence[str], integration: Integration, *, audience: str, now: int
) -> DisposableToken:
    """Return what a token proves.

    Args:
        given: the values of the header `X-Auth-Token`.
        integration: the one with the id that `client_of` returned.
        audience: our own origin, such as `https://bridge.example.org`.
        now: the machine's time, microseconds.

    Raises:
        TokenRefused: `fault` says what is wrong; the first thing in the order in which they are checked.

    """
    if client_of(given) != integration.client_id:
        raise TokenRefused(TokenFault.CLIENT)
    claims = _verified(_single(given), integration.secret)
    _check_audience(claims.get("aud"), audience)
    expires_at = _check_times(claims, now // _SECOND)
    return _read(claims, integration.client_id, expires_at)


def _single(given: Sequence[str]) -> str:
    if len(given) != 1 or not given[0]:
        raise TokenRefused(TokenFault.MISSING)
    if len(given[0]) > _LONGEST:
        raise TokenRefused(TokenFault.MALFORMED)
    return given[0]


def _verified(token: str, secret: str) -> dict[str, Any]:
    try:
        return _PARSER.decode(token, secret, algorithms=["HS256"], options=_SIGNATURE_ONLY)
    except (jwt.PyJWTError, ValueError) as error:
        raise TokenRefused(TokenFault.SIGNATURE) from error


def _check_audience(given: object, audience: str) -> None:
    # amoCRM leaves the port out of it ("disposable-tokens"; its own library compares scheme and host).
    named = given if isinstance(given, list) else [given]
    if not {audience, _without_port(audience)} & {one for one in named if isinstance(one, str)}:
        raise TokenRefused(TokenFault.AUDIENCE)


def _without_port(origin: str) -> str:
    head, colon, port = origin.rpartition(":")
    return head if colon and port.isdigit() else origin


def _check_times(claims: dict[str, Any], now: int) -> int:
    """Return when a token ends, microseconds."""
    begins, ends = whole(claims.get("nbf")), whole(claims.get("exp"))
    if begins is None or ends is None:
        raise TokenRefused(TokenFault.CLAIMS)
    if begins > now + _LEEWAY:
        raise TokenRefused(TokenFault.NOT_YET)
    if ends <= now - _LEEWAY:
        raise TokenRefused(TokenFault.EXPIRED)
    return ends * _SECOND


def _read(claims: dict[str, Any], client_id: str, expires_at: int) -> DisposableToken:
    try:
        host = parse_issuer(text(claims.get("iss")) or "")
    except ForeignHost as error:
        raise TokenRefused(TokenFault.ISSUER) from error
    if text(claims.get("subdomain")) not in {None, host.subdomain}:
        raise TokenRefused(TokenFault.ISSUER)
    account_id, user_id = whole(claims.get("account_id")), whole(claims.get("user_id"))
    token_id = text(claims.get("jti"))
    if account_id is None or user_id is None or token_id is None:
        raise TokenRefused(TokenFault.CLAIMS)
    return DisposableToken(
        id=token_id,
        client_id=client_id,
        host=host,
        account_id=account_id,
        user_id=user_id,
        is_admin=claims.get("is_admin") is True,
        expires_at=expires_at,
    )
