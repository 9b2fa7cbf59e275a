"""Who an account is, and who works in it ("account-info", "users-api")."""

from dataclasses import dataclass
from typing import Any

from chatbridge import errors
from chatbridge.errors import ForeignHost
from chatbridge.protocol.crm.hosts import AccountHost, parse_host
from chatbridge.protocol.crm.replies import read_object
from chatbridge.protocol.http import Request, Response
from chatbridge.protocol.tame import identifier, members, text, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDetails:
    """What an account says of itself."""

    account_id: int
    subdomain: str
    name: str | None
    amojo_id: str | None
    timezone: str | None
    user_id: int | None
    """Who let the integration in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmUser:
    """Somebody who works in an account."""

    user_id: int
    name: str
    amojo_id: str | None
    is_admin: bool
    is_active: bool


def get_account(base: str, token: str) -> Request:
    """Return the call for the account, with its id at amojo and its time zone."""
    return _get(f"{base}/api/v4/account?with=amojo_id%2Cdatetime_settings", token)


def get_account_of_old(base: str, token: str) -> Request:
    """Return the call that was there before v4: where the new one tells no `amojo_id`, this one may."""
    return _get(f"{base}/private/api/v2/json/accounts/current?amojo=Y", token)


def get_users(base: str, token: str, *, page: int = 1) -> Request:
    """Return the call for 250 users. Administrators' tokens alone may do this, and none of an external integration."""
    return _get(f"{base}/api/v4/users?with=amojo_id&limit=250&page={page}", token)


def read_account(response: Response) -> AccountDetails:
    """Return what the account said.

    Raises:
        DeliveryError: it refused, or the answer is not an account.

    """
    answer = read_object(response)
    account_id, subdomain = whole(answer.get("id")), text(answer.get("subdomain"))
    if account_id is None or subdomain is None:
        raise errors.FarSideDown("the account's answer has no id", status=response.status)
    settings = members(answer, "_embedded", "datetime_settings")
    return AccountDetails(
        account_id=account_id,
        subdomain=subdomain,
        name=text(answer.get("name")),
        amojo_id=identifier(answer.get("amojo_id")),
        timezone=identifier(settings.get("timezone")),
        user_id=whole(answer.get("current_user_id")),
    )


def read_account_of_old(response: Response) -> str | None:
    """Return the account's id at amojo.

    Raises:
        DeliveryError: it refused.

    """
    return identifier(members(read_object(response), "response", "account").get("amojo_id"))


def read_users(response: Response) -> tuple[list[CrmUser], bool]:
    """Return a page of users, and whether there is another one.

    Raises:
        DeliveryError: the account refused.

    """
    answer = read_object(response)
    found = members(answer, "_embedded").get("users")
    users = [_user(members(one)) for one in found] if isinstance(found, list) else []
    return [user for user in users if user is not None], bool(members(answer, "_links", "next"))


def moved(host: AccountHost, subdomain: str) -> AccountHost:
    """Return the host of an account that calls itself so now."""
    try:
        return parse_host(f"{subdomain}.{host.zone}")
    except ForeignHost:
        return host


def _user(user: dict[str, Any]) -> CrmUser | None:
    user_id, rights = whole(user.get("id")), members(user.get("rights"))
    if user_id is None:
        return None
    return CrmUser(
        user_id=user_id,
        name=text(user.get("name")) or "",
        amojo_id=identifier(user.get("amojo_id")),
        is_admin=rights.get("is_admin") is True,
        is_active=rights.get("is_active") is not False,
    )


def _get(url: str, token: str) -> Request:
    return Request(method="GET", url=url, headers=bearer(token))


def bearer(token: str) -> dict[str, str]:
    """Return the headers of every call of an account's API."""
    return {"Authorization": f"Bearer {token}", "Accept": "application/json"}
