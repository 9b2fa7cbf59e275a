"""An integration's side of an account, written by hand for these tests: OAuth, the API, widgets."""

import base64
import hashlib
import hmac
import io
import json
import zipfile
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import FormData

from tests.sandbox.messenger import Answer, Desk

CLIENT = "5a0db0c4-0000-4000-8000-0000000000c1"
CLIENT_SECRET = "5a0db0c4000040008000000000000000000000000000000000000000000000c1"
CODE = "sandbox_widget"
KATE_NUMBER, OLEG_NUMBER = 8101112, 8101113
FIELDS = {"bridge_state": {"name": "settings.state", "type": "custom", "required": False}}
MANIFEST = {
    "widget": {
        "name": "widget.name",
        "description": "widget.description",
        "short_description": "widget.short_description",
        "version": "1.0.0",
        "interface_version": 2,
        "locale": ["ru", "en"],
        "installation": True,
    },
    "locations": ["settings", "lead_sources", "advanced_settings"],
    "settings": FIELDS,
    "advanced": {"title": "advanced.title"},
}
WORDS = {
    "widget": {"name": "Bridge", "description": "Chats", "short_description": "Chats"},
    "settings": {"state": "State"},
    "advanced": {"title": "Rules"},
}
SCRIPT = "define(['jquery'], function ($) { return function () { this.callbacks = {}; return this; }; });"


def widget_zip(manifest: Any = MANIFEST, files: dict[str, str | bytes] | None = None) -> bytes:
    """A small widget; `files` are added or replaced."""
    words = json.dumps(WORDS)
    members: dict[str, str | bytes] = {
        "manifest.json": manifest if isinstance(manifest, str | bytes) else json.dumps(manifest),
        "script.js": SCRIPT,
        "i18n/ru.json": words,
        "i18n/en.json": words,
    }
    return zipped(members | (files or {}))


def zipped(members: dict[str, str | bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def claims(token: str) -> dict[str, Any]:
    """The claims of a token, unverified."""
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def signed_with(token: str, key: str) -> bool:
    head, _, mac = token.rpartition(".")
    made = hmac.new(key.encode(), head.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode() == mac


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


class Integrator:
    """One integration in one account."""

    def __init__(self, desk: Desk, redirect_uri: str, *, client_id: str = CLIENT) -> None:
        self.desk = desk
        self.redirect_uri = redirect_uri
        self.client_id = client_id
        self.secret = CLIENT_SECRET
        self.account = "demo"
        self.token = ""
        self.headers: dict[str, str] = {}

    async def code(self, **body: Any) -> str:
        path = f"/integrations/{self.client_id}/codes"
        answer = await self.desk.control("POST", path, {"account": self.account} | body)
        assert answer.status == 200, answer.body
        return answer.json["code"]

    async def exchange(self, grant_type: str, **body: Any) -> Answer:
        whole = {
            "client_id": self.client_id,
            "client_secret": self.secret,
            "grant_type": grant_type,
            "redirect_uri": self.redirect_uri,
        }
        path = f"/accounts/{self.account}/oauth2/access_token"
        return await self.desk.request("POST", path, json=whole | body)

    async def by_code(self, code: str, **body: Any) -> Answer:
        return await self.exchange("authorization_code", code=code, **body)

    async def by_refresh(self, token: str, **body: Any) -> Answer:
        return await self.exchange("refresh_token", refresh_token=token, **body)

    async def authorize(self, **body: Any) -> dict[str, Any]:
        """Get a pair of tokens and use it from now on."""
        answer = await self.by_code(await self.code(**body))
        assert answer.status == 200, answer.body
        self.token = answer.json["access_token"]
        return answer.json

    async def api(self, method: str, path: str, body: Any = None) -> Answer:
        arguments: dict[str, Any] = {} if body is None else {"json": body}
        headers = {"Authorization": f"Bearer {self.token}"} | self.headers
        url = f"/accounts/{self.account}{path}"
        return await self.desk.request(method, url, headers=headers, **arguments)

    async def upload(self, content: bytes | None = None) -> Answer:
        form = FormData()
        form.add_field("file", content or widget_zip(), filename="widget.zip")
        path = f"/sandbox/integrations/{self.client_id}/widget"
        return await self.desk.request("POST", path, data=form)

    async def widget(self, action: str, **body: Any) -> Answer:
        path = f"/accounts/{self.account}/widgets/{CODE}/{action}"
        return await self.desk.control("POST", path, body)

    async def notices(self) -> list[dict[str, Any]]:
        return (await self.desk.control("GET", "/notices")).json["notices"]
