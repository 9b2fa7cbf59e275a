"""The widgets of an account, by API (page "widgets-api")."""

from aiohttp import web

from chatbridge.sandbox.crm import installing
from chatbridge.sandbox.crm.api import collection
from chatbridge.sandbox.crm.door import Caller, endpoint, hal
from chatbridge.sandbox.crm.problems import Problem, Wrong, validation
from chatbridge.sandbox.crm.records import Integration
from chatbridge.sandbox.records import Json


def routes() -> list[web.RouteDef]:
    """All are for administrators."""
    base = "/accounts/{subdomain}/api/v4/widgets"
    return [
        web.get(base, endpoint("widgets", widgets)),
        web.get(f"{base}/{{code}}", endpoint("widgets", widget)),
        web.post(f"{base}/{{code}}", endpoint("widgets", install)),
        web.delete(f"{base}/{{code}}", endpoint("widgets", disable)),
    ]


def widgets(caller: Caller) -> web.Response:
    """List the widgets that the account can see."""
    caller.want_admin()
    found = [one for one in caller.crm.usable(caller.account) if one.archive is not None]
    return collection(caller, "widgets", [_view(caller, one) for one in found])


def widget(caller: Caller) -> web.Response:
    """Show one; its settings only to its own integration."""
    caller.want_admin()
    return hal(_view(caller, _find(caller)))


def install(caller: Caller) -> web.Response:
    """Install a widget with the settings of the body, which is flat."""
    caller.want_admin()
    found, settings = _find(caller), caller.json()
    if not isinstance(settings, dict):
        raise Problem(400, "The body is not an object")
    archive = found.archive
    missing = archive.missing(settings) if archive is not None else []
    if missing:
        detail = "This field is required"
        raise validation(
            Wrong(request_id="0", code="Required", path=name, detail=detail) for name in missing
        )
    installing.save(caller.sandbox, caller.account, found, settings)
    installing.tell(caller.sandbox, caller.account, found, caller.user or caller.account.users[0])
    return hal(_view(caller, found))


def disable(caller: Caller) -> web.Response:
    """Disable a widget."""
    caller.want_admin()
    installing.disable(caller.sandbox, caller.account, _find(caller))
    return web.Response(status=204)


def _find(caller: Caller) -> Integration:
    found = caller.crm.find_widget(caller.path["code"])
    visible = caller.crm.usable(caller.account)
    if found is None or found.archive is None or found not in visible:
        raise Problem(404, "There is no such widget")
    return found


def _view(caller: Caller, one: Integration) -> Json:
    archive, installed = one.archive, caller.crm.installation(caller.account, one)
    fields = archive.fields if archive is not None else {}
    sources = caller.crm.own_sources(caller.account, one.client_id)
    body: Json = {
        "id": installed.number if installed is not None else None,
        "code": one.code,
        "version": archive.version if archive is not None else "",
        "rating": "0,0",
        "settings_template": [
            {
                "key": code,
                "name": field.get("name"),
                "type": field.get("type"),
                "is_required": field.get("required") is True,
            }
            for code, field in fields.items()
        ],
        "is_lead_source": one.is_lead_source,
        "is_work_with_dp": False,
        "is_crm_template": False,
        "client_uuid": one.client_id,
        "is_active_in_account": installed is not None and installed.active,
        "pipeline_id": sources[0].pipeline_id if sources else None,
        "_links": {"self": {"href": f"{caller.base}/widgets/{one.code}"}},
    }
    if installed is not None and one.client_id == caller.integration.client_id:
        body["settings"] = installed.settings
    return body
