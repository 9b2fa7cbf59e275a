"""Finding what a call of the control API names."""

from aiohttp import web

from chatbridge.sandbox.control_bodies import ControlError
from chatbridge.sandbox.crm.records import Integration
from chatbridge.sandbox.parts import SANDBOX, Sandbox
from chatbridge.sandbox.records import Account, User


def integration(sandbox: Sandbox, client_id: str) -> Integration:
    """Find an integration. Raises ControlError 404."""
    found = sandbox.crm.integrations.get(client_id)
    if found is None:
        raise ControlError(404, "not_found", "there is no such integration")
    return found


def widget(request: web.Request) -> Integration:
    """Find the integration whose widget the path names. Raises ControlError 404."""
    found = request.app[SANDBOX].crm.find_widget(request.match_info["code"])
    if found is None or found.archive is None:
        raise ControlError(404, "not_found", "there is no such widget")
    return found


def widget_of(request: web.Request, account: Account) -> Integration:
    """Find the widget that the path names, for an account that may use it. Raises ControlError 400 and 404."""
    found = widget(request)
    want_usable(found, account)
    return found


def want_usable(integration: Integration, account: Account) -> None:
    """Raise ControlError 400 if this is a private integration of another account."""
    if integration.owner not in {None, account.amojo_id}:
        raise ControlError(400, "bad_request", "a private integration is for its own account")


def account(request: web.Request) -> Account:
    """Find the account that the path names. Raises ControlError 404."""
    return named(request.app[SANDBOX], request.match_info["subdomain"])


def named(sandbox: Sandbox, subdomain: str) -> Account:
    """Find an account by its subdomain. Raises ControlError 404."""
    found = sandbox.state.find_account(subdomain)
    if found is None:
        raise ControlError(404, "not_found", f"there is no account {subdomain}")
    return found


def user(account: Account, user_id: int | None) -> User:
    """Find a user; without an id, the first administrator, or else the first user. Raises ControlError 400."""
    wanted = [one for one in account.users if user_id in {None, one.user_id}]
    if not wanted:
        raise ControlError(400, "bad_request", "user_id: the account has no such user")
    return next((one for one in wanted if one.is_admin), wanted[0])


def admin(account: Account, user_id: int | None) -> User:
    """Find a user who is an administrator. Raises ControlError 400 and 403."""
    found = user(account, user_id)
    if not found.is_admin:
        raise ControlError(403, "not_admin", "only an administrator of the account may do this")
    return found
