"""Tokens and signatures of the account side. Everything here is pure."""

import base64
import hashlib
import hmac
from urllib.parse import urlsplit

import orjson

from chatbridge.sandbox.records import Account, Json

DISPOSABLE_S = 1800
ACCESS_S = 86_400
REFRESH_S = 90 * 86_400
CODE_S = 20 * 60
API_DOMAIN = "api-a"  # of the zone; it answers for every account, whatever its name is now


def jwt(claims: Json, key: str) -> str:
    """Sign claims with HS256; the key is the text as it stands."""
    head = _part({"typ": "JWT", "alg": "HS256"})
    signed = f"{head}.{_part(claims)}"
    mac = hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_text(mac)}"


def disposable_claims(
    account: Account, user_id: int, client_id: str, *, audience: str, token_id: str, now: int
) -> Json:
    """Claims of a disposable token (page "disposable-tokens")."""
    return {
        "iss": f"https://{account.host}",
        "aud": audience,
        "jti": token_id,
        "iat": now,
        "nbf": now,
        "exp": now + DISPOSABLE_S,
        "account_id": account.id,
        "user_id": user_id,
        "subdomain": account.subdomain,
        "client_uuid": client_id,
    }


def audience(redirect_uri: str, *, with_port: bool) -> str:
    """Return the address that a disposable token is for: scheme and host of the redirect URI, as the vendor's SDK compares."""
    address = urlsplit(redirect_uri)
    host = address.netloc if with_port else address.netloc.rpartition(f":{address.port}")[0]
    return f"{address.scheme}://{host or address.netloc}"


def access_claims(
    account: Account,
    user_id: int,
    client_id: str,
    *,
    scopes: tuple[str, ...],
    token_id: str,
    issued_at: int,
    expires_at: int,
) -> Json:
    """Claims of an access token; `api_domain` is there since August 2024."""
    return {
        "aud": client_id,
        "jti": token_id,
        "iat": issued_at,
        "nbf": issued_at,
        "exp": expires_at,
        "sub": str(user_id),
        "grant_type": "",
        "account_id": account.id,
        "base_domain": account.zone,
        "version": 2,
        "scopes": scopes,
        "api_domain": f"{API_DOMAIN}.{account.zone}",
    }


def disconnect_signature(client_secret: str, client_id: str, account_id: int) -> str:
    """Sign the disconnect hook, in the form in force since January 2024."""
    message = f"{client_id}|{account_id}".encode()
    return hmac.new(client_secret.encode(), message, hashlib.sha256).hexdigest()


def _part(value: Json) -> str:
    return _text(orjson.dumps(value))


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
