"""An account of amoCRM of the tests' own: a token endpoint with both kinds of rotation, under as many names as it likes."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.fakes import Answer, FarSide, Received

ACCOUNT = 30112233
CLIENT = "5d0c1b7a-9f42-4f7e-8a55-2c90f3ab77e1"
KEY = "k3y-for-tests-only-0123456789abcdefghijklmnop"


def access_token(number: int) -> str:
    """A token that names where the account can always be asked for its name."""
    claims = json.dumps({"api_domain": "api-a.amocrm.ru", "n": number}).encode()
    return f"e30.{base64.urlsafe_b64encode(claims).rstrip(b'=').decode()}.{number}"


@dataclass
class PlainCrm:
    """What amoCRM knows of one account and one integration."""

    far_side: FarSide = field(init=False)
    lenient: bool = False
    name: str = "romashka"
    secret: str = KEY
    codes: set[str] = field(default_factory=lambda: {"code-1"})
    refresh: set[str] = field(default_factory=lambda: {"refresh-0"})
    """Those that are good."""
    access: str = "access-0"
    """The one that is good."""
    number: int = 0
    hint: str = ""
    """Why no tokens are given, whatever is asked for."""
    scripted: list[Answer] = field(default_factory=list)
    """Said instead of what was done, first to last."""
    amojo_id: str | None = "0f6f2a0e-3c0b-4b39-9d7c-6a1f7d5f8b10"

    def __post_init__(self) -> None:
        self.far_side = FarSide(self.answer)

    @property
    def address(self) -> str:
        """The setting `crm.address`."""
        return self.far_side.url + "/{subdomain}"

    def asked(self, grant_type: str) -> int:
        """How often tokens were asked for in this way."""
        bodies = [
            each.body for each in self.far_side.received if each.path.endswith("/access_token")
        ]
        return sum(json.loads(body)["grant_type"] == grant_type for body in bodies)

    def answer(self, received: Received) -> Answer:
        _, name, path = urlsplit(received.path).path.split("/", 2)
        done = self._answer(received, name, path)
        if path == "oauth2/access_token" and self.scripted:
            return self.scripted.pop(0)
        return done

    def _answer(self, received: Received, name: str, path: str) -> Answer:
        if path == "oauth2/account/current/subdomain":
            known = received.header("X-Refresh-Token") in self.refresh and name == "api-a"
            found = {"id": ACCOUNT, "subdomain": self.name, "domain": f"{self.name}.amocrm.ru"}
            return said(found) if known else said({"detail": "no"}, 401)
        if name != self.name:
            return said({"detail": "There is no such account"}, 404)
        if path == "oauth2/access_token":
            return self._tokens(json.loads(received.body))
        if received.header("Authorization") != f"Bearer {self.access}":
            return said({"detail": "Unauthorized"}, 401)
        return self._called(path)

    def _called(self, path: str) -> Answer:
        if path == "private/api/v2/json/accounts/current":
            return said({"response": {"account": {"amojo_id": "of-old"}}})
        found: dict[str, Any] = {"id": ACCOUNT, "subdomain": self.name, "name": "Romashka"}
        return said(found | ({"amojo_id": self.amojo_id} if self.amojo_id else {}))

    def _tokens(self, body: dict[str, str]) -> Answer:
        if self.hint or body["client_secret"] != self.secret:
            return refused(self.hint or "Check the `client_secret` parameter")
        if body["grant_type"] == "authorization_code":
            if body["code"] not in self.codes:
                return refused("Authorization code has been revoked")
            self.codes.remove(body["code"])
            return self._pair()
        if body["refresh_token"] not in self.refresh:
            return refused("Token has been revoked")
        # The lenient kind lets the one before live until the new one is used.
        self.refresh = {body["refresh_token"]} if self.lenient else set()
        return self._pair()

    def _pair(self) -> Answer:
        self.number += 1
        self.access = access_token(self.number)
        self.refresh.add(f"refresh-{self.number}")
        pair = {"access_token": self.access, "refresh_token": f"refresh-{self.number}"}
        return said(pair | {"expires_in": 86_400, "token_type": "Bearer"})


def said(value: Any, status: int = 200) -> Answer:
    headers = {"Content-Type": "application/json"}
    return Answer(status=status, body=json.dumps(value).encode(), headers=headers)


def refused(hint: str) -> Answer:
    return said({"hint": hint, "status": 400}, 400)
