"""The demo's website: a page of a shop with the chat on it, linked to the same amoCRM account over a channel of its own."""

from pathlib import Path
from typing import Any, Final

from aiohttp import ClientSession, web

from chatbridge.demo.bridge_client import BridgeClient, BridgeRefused

WEBSITE: Final = web.AppKey("WEBSITE", dict[str, str])
"""`messenger`: its id, once there is one."""

_CHANNEL: Final = {
    "code": "amo.ext.demo.website",
    "channel_id": "2f1c2b9e-6a2f-4b0e-9a55-77a1f0c5e0d4",
    "secret": "9b7a3c1d5e2f4a6b8c0d1e3f5a7b9c2d4e6f8a1b",
}
_PAGE: Final = Path(__file__).with_name("pages") / "shop.html"
_POLICY: Final = (
    "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; object-src 'none'; base-uri 'none';"
    " frame-ancestors 'none'"
)


async def open_website(
    session: ClientSession,
    admin: BridgeClient,
    *,
    bridge: str,
    crm: str,
    account_id: str,
    messenger_id: str | None,
    sites: list[str],
) -> str:
    """Set up channel, messenger and link, as `compose` does for the phone; return the messenger's id.

    Raises:
        BridgeRefused: the bridge did not take one of them.

    """
    hook = {"hook_url": f"{bridge}/location/:scope_id", "title": "Website"}
    async with session.post(f"{crm}/sandbox/channels", json=_CHANNEL | hook) as answer:
        answer.raise_for_status()
    channel = _CHANNEL | {"base_url": crm}
    try:
        changes = {name: channel[name] for name in ("code", "secret", "base_url")}
        await admin.call("PATCH", f"/v1/channels/{channel['channel_id']}", changes)
    except BridgeRefused:
        await admin.call("POST", "/v1/channels", channel)
    messenger_id = await _ensure_messenger(admin, messenger_id, sites)
    link = {"channel": channel["channel_id"], "account_id": account_id, "messenger": messenger_id}
    await admin.call("POST", "/v1/links", link | {"title": "Website chat"})
    return messenger_id


async def _ensure_messenger(admin: BridgeClient, messenger_id: str | None, sites: list[str]) -> str:
    settings: dict[str, Any] = {
        "sites": sites,
        "form": {"name": "optional", "phone": "off", "email": "off"},
    }
    try:
        path = f"/v1/messengers/{messenger_id}"
        made = await admin.call("PATCH", path, {"settings": settings})
    except BridgeRefused:
        draft = {"name": "Demo website", "kind": "website", "settings": settings}
        made = await admin.call("POST", "/v1/messengers", draft)
    return str(made["id"])


async def show_shop(request: web.Request) -> web.Response:
    """Show the shop."""
    page = _PAGE.read_text(encoding="utf-8")
    page = page.replace("{messenger}", request.app[WEBSITE].get("messenger", ""))
    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
    return web.Response(text=page, content_type="text/html", headers=headers)
