"""How a request gets into an account's API: account, token, limits, faults, and what is logged."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from chatbridge.sandbox.crm.problems import Problem, html
from chatbridge.sandbox.crm.records import Integration
from chatbridge.sandbox.crm.state import Crm
from chatbridge.sandbox.faults import AFTER_COMMIT
from chatbridge.sandbox.parts import SANDBOX, Sandbox
from chatbridge.sandbox.records import Account, User


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A request with a valid token, and in whose name it comes."""

    sandbox: Sandbox
    account: Account
    integration: Integration
    user: User | None  # None: whoever granted the token is gone, an administrator's rights stay
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes

    @property
    def crm(self) -> Crm:
        """The account side."""
        return self.sandbox.crm

    @property
    def base(self) -> str:
        """The address of the API, as links in answers begin."""
        return f"https://{self.account.host}/api/v4"

    def want_admin(self) -> None:
        """Raise Problem 403 if the user is no administrator."""
        if self.user is not None and not self.user.is_admin:
            raise Problem(403, "Only an administrator may do this")

    def json(self) -> Any:
        """Parse the body. Raises Problem 400."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            raise Problem(400, "The body is not JSON") from None


Answer = Callable[[Caller], web.Response]


def endpoint(name: str, answer: Answer) -> Callable[[web.Request], Any]:
    """Return the handler of a call; `name` is what the switch `crm_fault_call` calls it."""

    async def handler(request: web.Request) -> web.Response:
        sandbox = request.app[SANDBOX]
        at, body, error = sandbox.now(), await request.read(), None
        fault = "none"
        try:
            caller = _caller(sandbox, request, body)
            limited = _limited(caller)
            if limited is not None:
                response, error = html(limited), "too many requests"
            else:
                fault = sandbox.crm_faults.take(lambda: name)
                response, error = _answered(fault, caller, answer)
        except Problem as problem:
            response, error = problem.response(), str(problem)
        response.headers["X-Request-Id"] = sandbox.new_id()
        sandbox.note_crm(request, at, status=response.status, error=error, body=body)
        return await sandbox.crm_faults.afterwards(fault, request, response)

    return handler


def hal(value: object, status: int = 200) -> web.Response:
    """Answer with hal+json."""
    return web.json_response(value, status=status, content_type="application/hal+json")


def _answered(fault: str, caller: Caller, answer: Answer) -> tuple[web.Response, str | None]:
    if fault == "none":
        return answer(caller), None
    response = answer(caller) if fault in AFTER_COMMIT else html(int(fault))
    return response, f"fault: {fault}"


def _limited(caller: Caller) -> int | None:
    return caller.sandbox.limits.refusal((caller.account.amojo_id, caller.integration.client_id))


def _caller(sandbox: Sandbox, request: web.Request, body: bytes) -> Caller:
    account = sandbox.state.find_account(request.match_info["subdomain"])
    if account is None:
        raise Problem(404, "There is no such account")
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    ticket = sandbox.crm.valid(sandbox.crm.access, token) if scheme == "Bearer" else None
    if ticket is None or ticket.grant.amojo_id != account.amojo_id or account.standing == "closed":
        raise Problem(401, "The access token is missing, expired, revoked or of another account")
    if account.standing == "unpaid":
        raise Problem(402, "The account is not paid")
    return Caller(
        sandbox=sandbox,
        account=account,
        integration=sandbox.crm.integrations[ticket.grant.client_id],
        user=_user(account, request, ticket.grant.user_id),
        path=request.match_info,
        query=request.query,
        body=body,
    )


def _user(account: Account, request: web.Request, granted_by: int) -> User | None:
    wanted = request.headers.get("X-Context-User-ID")
    if wanted is None:
        return account.user(granted_by)
    user = account.user(int(wanted)) if wanted.isascii() and wanted.isdigit() else None
    if user is None:
        raise Problem(401, "X-Context-User-ID names no user of the account")
    return user
