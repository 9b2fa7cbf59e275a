"""The account, its users and its pipelines."""

from typing import Any

from aiohttp import web

from chatbridge.sandbox.crm.door import Caller, endpoint, hal
from chatbridge.sandbox.crm.problems import Problem
from chatbridge.sandbox.crm.state import PIPELINES
from chatbridge.sandbox.records import Json, User

PAGE = 250


def routes() -> list[web.RouteDef]:
    """Calls that only tell."""
    base = "/accounts/{subdomain}"
    return [
        web.get(f"{base}/api/v4/account", endpoint("account", account)),
        web.get(f"{base}/api/v4/users", endpoint("users", users)),
        web.get(f"{base}/api/v4/users/{{id}}", endpoint("users", user)),
        web.get(f"{base}/api/v4/leads/pipelines", endpoint("pipelines", pipelines)),
        web.get(f"{base}/api/v4/leads/pipelines/{{id}}", endpoint("pipelines", pipeline)),
        web.get(f"{base}/private/api/v2/json/accounts/current", endpoint("account", old_account)),
    ]


def account(caller: Caller) -> web.Response:
    """Show the account (page "account-info"); `with` adds members."""
    one, wanted = caller.account, _with(caller)
    body: Json = {
        "id": one.id,
        "name": one.name,
        "subdomain": one.subdomain,
        "created_at": 1_700_000_000,
        "created_by": 0,
        "updated_at": 1_700_000_000,
        "updated_by": 0,
        "current_user_id": caller.user.user_id if caller.user is not None else 0,
        "country": "RU",
        "customers_mode": "disabled",
        "is_unsorted_on": True,
        "is_loss_reason_enabled": True,
        "is_helpbot_enabled": False,
        "is_technical_account": False,
        "contact_name_display_order": 1,
        "_links": {"self": {"href": f"{caller.base}/account"}},
    }
    body |= {name: value for name, value in _more(caller).items() if name in wanted}
    embedded = {name: value for name, value in _embedded().items() if name in wanted}
    return hal(body | ({"_embedded": embedded} if embedded else {}))


def users(caller: Caller) -> web.Response:
    """List users: administrators only, and not for external integrations (page "users-api")."""
    _want_users(caller)
    return collection(caller, "users", [_user(caller, one) for one in caller.account.users])


def user(caller: Caller) -> web.Response:
    """Show one user."""
    _want_users(caller)
    found = caller.account.user(number(caller.path["id"]))
    if found is None:
        raise Problem(404, "There is no such user")
    return hal(_user(caller, found))


def pipelines(caller: Caller) -> web.Response:
    """List pipelines (page "leads_pipelines")."""
    listed = [_pipeline(caller, number) for number in PIPELINES]
    return hal({"_total_items": len(listed), "_embedded": {"pipelines": listed}})


def pipeline(caller: Caller) -> web.Response:
    """Show one pipeline."""
    wanted = number(caller.path["id"])
    if wanted not in PIPELINES:
        raise Problem(404, "There is no such pipeline")
    return hal(_pipeline(caller, wanted))


def old_account(caller: Caller) -> web.Response:
    """Show the account as the API of 2017 did; `amojo=Y` adds its id in the chat service."""
    one = caller.account
    body: Json = {"id": one.id, "name": one.name, "subdomain": one.subdomain}
    if caller.query.get("amojo") == "Y":
        body["amojo_id"] = one.amojo_id
    answer = {"account": body, "server_time": int(caller.crm.now())}
    return web.json_response({"response": answer})


def number(text: str) -> int:
    """Read an id of a path; 0, which nothing has, if it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0


def collection(caller: Caller, name: str, items: list[Json]) -> web.Response:
    """Answer a page of items; an empty one is 204 without a body."""
    page = max(number(caller.query.get("page", "1")), 1)
    limit = min(number(caller.query.get("limit", "50")) or 50, PAGE)
    shown = items[(page - 1) * limit : page * limit]
    if not shown:
        return web.Response(status=204)
    href = f"{caller.base}/{name}?limit={limit}&page="
    links: Json = {"self": {"href": f"{href}{page}"}}
    if len(items) > page * limit:
        links["next"] = {"href": f"{href}{page + 1}"}
    return hal({"_page": page, "_links": links, "_embedded": {name: shown}})


def _with(caller: Caller) -> set[str]:
    return set(caller.query.get("with", "").split(","))


def _more(caller: Caller) -> dict[str, Any]:
    one = caller.account
    return {
        "amojo_id": one.amojo_id,
        "uuid": one.amojo_id,
        "version": 12,
        "drive_url": f"https://drive-a.{one.zone}",
        "is_api_filter_enabled": False,
        "entity_names": {"leads": {"ru": {}, "en": {}}},
        "invoices_settings": {"lang": "ru", "currency": "RUB"},
    }


def _embedded() -> dict[str, Any]:
    return {
        "amojo_rights": {"can_direct": True, "can_create_groups": True},
        "users_groups": [{"id": 0, "name": "Sales", "uuid": None}],
        "task_types": [
            {"id": 1, "name": "Follow-up", "color": None, "icon_id": None, "code": "FOLLOW_UP"},
            {"id": 2, "name": "Meeting", "color": None, "icon_id": None, "code": "MEETING"},
        ],
        "datetime_settings": {
            "date_pattern": "d.m.Y H:i",
            "short_date_pattern": "d.m.Y",
            "date_format": "d.m.Y",
            "time_format": "H:i:s",
            "timezone": "Europe/Moscow",
            "timezone_offset": "+03:00",
        },
    }


def _want_users(caller: Caller) -> None:
    if caller.integration.kind == "external":
        raise Problem(403, "External integrations may not see users")
    caller.want_admin()


def _user(caller: Caller, one: User) -> Json:
    every = dict.fromkeys(("view", "edit", "add", "delete", "export"), "A")
    body: Json = {
        "id": one.user_id,
        "name": one.name,
        "email": f"user{one.user_id}@example.com",
        "lang": "ru",
        "rights": {
            "leads": every,
            "contacts": every,
            "companies": every,
            "tasks": {"edit": "A", "delete": "A"},
            "mail_access": False,
            "catalog_access": False,
            "status_rights": [],
            "is_admin": one.is_admin,
            "is_free": False,
            "is_active": True,
            "group_id": None,
            "role_id": None,
        },
        "_links": {"self": {"href": f"{caller.base}/users/{one.user_id}"}},
    }
    more = {"uuid": one.id, "amojo_id": one.id, "user_rank": None, "phone_number": None}
    body |= {name: value for name, value in more.items() if name in _with(caller)}
    parts: Json = {"role": {"roles": []}, "group": {"groups": []}}
    embedded = {key: value for name in _with(caller) for key, value in parts.get(name, {}).items()}
    return body | ({"_embedded": embedded} if embedded else {})


def _pipeline(caller: Caller, pipeline_id: int) -> Json:
    stages = (
        (pipeline_id * 100 + 1, "Incoming leads", 10, 1),
        (pipeline_id * 100 + 2, "First contact", 20, 0),
        (142, "Closed - won", 10_000, 0),
        (143, "Closed - lost", 11_000, 0),
    )
    return {
        "id": pipeline_id,
        "name": PIPELINES[pipeline_id],
        "sort": pipeline_id,
        "is_main": pipeline_id == min(PIPELINES),
        "is_unsorted_on": True,
        "is_archive": False,
        "account_id": caller.account.id,
        "_links": {"self": {"href": f"{caller.base}/leads/pipelines/{pipeline_id}"}},
        "_embedded": {
            "statuses": [
                {
                    "id": number,
                    "name": name,
                    "sort": sort,
                    "is_editable": number not in {142, 143},
                    "pipeline_id": pipeline_id,
                    "color": "#99ccff",
                    "type": kind,
                    "account_id": caller.account.id,
                }
                for number, name, sort, kind in stages
            ]
        },
    }
