"""The token endpoint, and the look-up of an account that has another name by now."""

from dataclasses import replace

import orjson
from aiohttp import web

from chatbridge.sandbox.crm.problems import Problem, html
from chatbridge.sandbox.crm.records import Grant, Integration, Ticket
from chatbridge.sandbox.crm.state import Crm
from chatbridge.sandbox.faults import AFTER_COMMIT
from chatbridge.sandbox.parts import SANDBOX, Sandbox
from chatbridge.sandbox.records import Account, Json

GRANT_TYPES = frozenset({"authorization_code", "refresh_token"})
ERROR_TYPE = "https://developers.amocrm.ru/v3/errors/OAuthProblemJson"


class OAuthRefusal(Exception):
    """The token endpoint refuses; the hint is what clients have recorded from the real one."""

    def __init__(self, hint: str, status: int = 400) -> None:
        super().__init__(hint)
        self.hint = hint
        self.status = status

    def response(self) -> web.Response:
        """As the problem that the token endpoint answers."""
        body = {
            "hint": self.hint,
            "title": "Bad Request" if self.status == 400 else "Unauthorized",
            "type": ERROR_TYPE,
            "status": self.status,
            "detail": "The request lacks parameters, or they are not valid",
        }
        return web.json_response(body, status=self.status, content_type="application/problem+json")


def routes() -> list[web.RouteDef]:
    """Calls of whoever holds a secret or a refresh token."""
    return [
        web.post("/accounts/{subdomain}/oauth2/access_token", token),
        web.get("/accounts/{subdomain}/oauth2/account/current/subdomain", subdomain),
    ]


async def token(request: web.Request) -> web.Response:
    """Exchange a code or a refresh token for a pair of tokens."""
    sandbox, at = request.app[SANDBOX], request.app[SANDBOX].now()
    text, error = await request.read(), None
    body = _object(text)
    grant_type = str(body.get("grant_type"))
    known = grant_type if grant_type in GRANT_TYPES else "other"
    sandbox.crm.token_calls[f"{known}.received"] += 1
    fault = sandbox.crm_faults.take(lambda: "token")
    try:
        if fault != "none" and fault not in AFTER_COMMIT:
            response, error = html(int(fault)), f"fault: {fault}"
        else:
            answer = _exchange(sandbox, request.match_info["subdomain"], body)
            sandbox.crm.token_calls[f"{known}.done"] += 1
            response = web.json_response(answer)
    except OAuthRefusal as refusal:
        sandbox.crm.token_calls[f"{known}.refused"] += 1
        response, error = refusal.response(), refusal.hint
    except Problem as problem:
        response, error = problem.response(), str(problem)
    sandbox.note_crm(request, at, status=response.status, error=error, body=text)
    return await sandbox.crm_faults.afterwards(fault, request, response)


async def subdomain(request: web.Request) -> web.Response:
    """Tell an account's present name to whoever holds a refresh token of it."""
    sandbox, at = request.app[SANDBOX], request.app[SANDBOX].now()
    given = request.headers.get("X-Refresh-Token", "")
    ticket = sandbox.crm.valid(sandbox.crm.refresh, given)
    if ticket is None:
        response = Problem(401, "The refresh token is not valid").response()
    else:
        account = sandbox.crm.account(ticket.grant)
        response = web.json_response(
            {
                "id": account.id,
                "subdomain": account.subdomain,
                "domain": account.host,
                "top_level_domain": account.zone.rpartition(".")[2],
            }
        )
    sandbox.note_crm(request, at, status=response.status)
    return response


def _exchange(sandbox: Sandbox, name: str, body: Json) -> Json:
    """Do it. Raises OAuthRefusal, and Problem if there is no account of this name."""
    account = sandbox.state.find_account(name)
    if account is None:
        raise Problem(404, "There is no such account")
    if str(body.get("grant_type")) not in GRANT_TYPES:
        raise OAuthRefusal("Check the `grant_type` parameter")
    integration = _client(sandbox.crm, body)
    if account.standing == "closed":
        raise OAuthRefusal("Invalid account")
    if body["grant_type"] == "authorization_code":
        return _by_code(sandbox.crm, account, integration, body)
    strict = sandbox.switches.is_("oauth_rotation", "strict")
    try:
        return _by_refresh(sandbox.crm, account, integration, body, strict=strict)
    except OAuthRefusal as refusal:
        status = int(sandbox.switches.text("oauth_refresh_refusal"))
        raise OAuthRefusal(refusal.hint, status) from None


def _client(crm: Crm, body: Json) -> Integration:
    integration = crm.integrations.get(str(body.get("client_id")))
    if integration is None:
        raise OAuthRefusal("Check the `client_id` parameter")
    if body.get("client_secret") != integration.client_secret:
        raise OAuthRefusal("Check the `client_secret` parameter")
    if body.get("redirect_uri") != integration.redirect_uri:
        raise OAuthRefusal("Redirect URI is not associated with client")
    return integration


def _by_code(crm: Crm, account: Account, integration: Integration, body: Json) -> Json:
    text = str(body.get("code"))
    ticket = crm.codes.get(text)
    if ticket is None or not _theirs(ticket.grant, account, integration):
        raise OAuthRefusal("Cannot decrypt the authorization code")
    if ticket.void:
        raise OAuthRefusal("Authorization code has been revoked")
    if ticket.expires_at <= crm.now():
        raise OAuthRefusal("Authorization code has expired")
    crm.codes[text] = replace(ticket, void=True)
    return crm.new_pair(ticket.grant)


def _by_refresh(
    crm: Crm, account: Account, integration: Integration, body: Json, *, strict: bool
) -> Json:
    text = str(body.get("refresh_token"))
    ticket = crm.refresh.get(text)
    if ticket is None or not _theirs(ticket.grant, account, integration):
        raise OAuthRefusal("Invalid refresh token")
    if ticket.void:
        raise OAuthRefusal("Token has been revoked")
    if ticket.expires_at <= crm.now():
        raise OAuthRefusal("Invalid refresh token")
    _void(crm.refresh, ticket.parent)
    if strict:
        _void(crm.refresh, text)
    return crm.new_pair(ticket.grant, parent=text)


def _theirs(grant: Grant, account: Account, integration: Integration) -> bool:
    return (grant.amojo_id, grant.client_id) == (account.amojo_id, integration.client_id)


def _void(tickets: dict[str, Ticket], text: str) -> None:
    if text in tickets:
        tickets[text] = replace(tickets[text], void=True)


def _object(text: bytes) -> Json:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
