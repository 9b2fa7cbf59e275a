"""The integration and the token of the published vector, and what tests make of them."""

import base64
import hashlib
import hmac
import json
from typing import Any

from chatbridge.model import Integration, IntegrationKind
from chatbridge.protocol.http import Response

SECOND = 1_000_000
SECRET = "k3y-for-docs-only-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ"
CLIENT = "5d0c1b7a-9f42-4f7e-8a55-2c90f3ab77e1"
AUDIENCE = "https://bridge.example.org"
BEGINS, ENDS = 1_760_000_000, 1_760_001_800
CLAIMS: dict[str, Any] = {
    "iss": "https://romashka.amocrm.ru",
    "aud": AUDIENCE,
    "jti": "7b1f0a52-61c2-4c55-a0ab-1de5f0c9a1b3",
    "iat": BEGINS,
    "nbf": BEGINS,
    "exp": ENDS,
    "account_id": 30112233,
    "user_id": 8101112,
    "subdomain": "romashka",
    "client_uuid": CLIENT,
}
TOKEN = (
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9"
    ".eyJpc3MiOiJodHRwczovL3JvbWFzaGthLmFtb2NybS5ydSIsImF1ZCI6Imh0dHBzOi8vYnJpZGdlLmV4YW1wbGUub3JnIiwianRpIjoiN2Ix"
    "ZjBhNTItNjFjMi00YzU1LWEwYWItMWRlNWYwYzlhMWIzIiwiaWF0IjoxNzYwMDAwMDAwLCJuYmYiOjE3NjAwMDAwMDAsImV4cCI6MTc2MDAw"
    "MTgwMCwiYWNjb3VudF9pZCI6MzAxMTIyMzMsInVzZXJfaWQiOjgxMDExMTIsInN1YmRvbWFpbiI6InJvbWFzaGthIiwiY2xpZW50X3V1aWQi"
    "OiI1ZDBjMWI3YS05ZjQyLTRmN2UtOGE1NS0yYzkwZjNhYjc3ZTEifQ"
    ".5vUbweUHrrETsyNiRKMyx4prgXtZcMDa7bcnNoGzAdY"
)

INTEGRATION = Integration(
    client_id=CLIENT,
    workspace_id=None,
    kind=IntegrationKind.PRIVATE,
    name="Bridge",
    secret=SECRET,
    redirect_uri="https://bridge.example.org/oauth/redirect",
    zone="amocrm.ru",
    created_at=0,
    updated_at=0,
)


def part(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def signed(claims: Any, *, secret: str = SECRET, head: Any = None) -> str:
    """A token, by hand."""
    text = f"{part(head or {'typ': 'JWT', 'alg': 'HS256'})}.{part(claims)}"
    mac = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return f"{text}.{part(mac)}"


def answer(
    status: int, body: Any = b"", content_type: str = "application/hal+json", **headers: str
) -> Response:
    """What an account answers."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status=status, headers={"content-type": content_type} | names, body=data)


PAGE = b"<html>\r\n<head><title>403 Forbidden</title></head></html>"
