"""The sources of an integration (page "sources-api")."""

from dataclasses import replace
from typing import Any

from aiohttp import web

from chatbridge.sandbox.crm import source_checks
from chatbridge.sandbox.crm.api import collection, number
from chatbridge.sandbox.crm.door import Caller, endpoint, hal
from chatbridge.sandbox.crm.problems import Problem, Wrong, validation
from chatbridge.sandbox.crm.records import Source
from chatbridge.sandbox.crm.source_checks import Item
from chatbridge.sandbox.crm.state import PIPELINES
from chatbridge.sandbox.records import Json

AT_ONCE = 50
IN_ALL = 100


def routes() -> list[web.RouteDef]:
    """All are for administrators, and for integrations that are among lead sources."""
    base = "/accounts/{subdomain}/api/v4/sources"
    return [
        web.get(base, endpoint("sources", listed)),
        web.post(base, endpoint("sources", add)),
        web.patch(base, endpoint("sources", change)),
        web.delete(base, endpoint("sources", remove)),
        web.get(f"{base}/{{id}}", endpoint("sources", one)),
        web.patch(f"{base}/{{id}}", endpoint("sources", change_one)),
        web.delete(f"{base}/{{id}}", endpoint("sources", remove_one)),
    ]


def listed(caller: Caller) -> web.Response:
    """List the integration's own sources."""
    _allow(caller)
    return collection(caller, "sources", [_view(caller, source) for source in _own(caller)])


def one(caller: Caller) -> web.Response:
    """Show one."""
    _allow(caller)
    return hal(_view(caller, _named(caller)))


def add(caller: Caller) -> web.Response:
    """Add up to 50 at once."""
    _allow(caller)
    items = [
        Item(request_id=request_id, given=given, source=_merged(_fresh(caller, given), given))
        for request_id, given in _batch(caller)
    ]
    taken = {source.external_id for source in _own(caller)}
    return _store(caller, items, list(source_checks.new_wrongs(items, taken)))


def change(caller: Caller) -> web.Response:
    """Change up to 50 at once, named by `id`."""
    _allow(caller)
    return _change(caller, _batch(caller))


def change_one(caller: Caller) -> web.Response:
    """Change the one of the path."""
    _allow(caller)
    source, given = _named(caller), caller.json()
    if not isinstance(given, dict):
        raise Problem(400, "The body is not an object")
    _change(caller, [("0", given | {"id": source.number})])
    return hal(_view(caller, caller.crm.sources[source.number]))


def remove(caller: Caller) -> web.Response:
    """Remove those of the body, or none; unlike elsewhere, `errors` names what is wrong."""
    _allow(caller)
    own = {source.number for source in _own(caller)}
    numbers = [given.get("id") for _, given in _batch(caller)]
    unknown = [
        index for index, wanted in enumerate(numbers) if not source_checks.known(wanted, own)
    ]
    if unknown:
        errors = [
            {
                "request_id": str(index),
                "errors": {"code": "EntityNotFound", "path": "id", "detail": "Entity not found"},
            }
            for index in unknown
        ]
        raise Problem(400, "Invalid request items", errors=errors)
    for wanted in numbers:
        caller.crm.sources.pop(int(wanted or 0), None)
    return web.Response(status=204)


def remove_one(caller: Caller) -> web.Response:
    """Remove the one of the path. No other becomes the default one."""
    _allow(caller)
    del caller.crm.sources[_named(caller).number]
    return web.Response(status=204)


def _allow(caller: Caller) -> None:
    caller.want_admin()
    if not caller.integration.is_lead_source:
        raise Problem(403, "The integration is not authorised: it has no widget in lead_sources")


def _own(caller: Caller) -> list[Source]:
    return caller.crm.own_sources(caller.account, caller.integration.client_id)


def _named(caller: Caller) -> Source:
    wanted = number(caller.path["id"])
    found = next((source for source in _own(caller) if source.number == wanted), None)
    if found is None:
        raise Problem(404, "There is no such source")
    return found


def _batch(caller: Caller) -> list[tuple[str, Json]]:
    items = caller.json()
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Problem(400, "The body is not an array of objects")
    if not 0 < len(items) <= AT_ONCE:
        raise Problem(400, f"Between 1 and {AT_ONCE} sources are taken at once")
    return [(str(item.get("request_id", index)), item) for index, item in enumerate(items)]


def _change(caller: Caller, batch: list[tuple[str, Json]]) -> web.Response:
    own = {source.number: source for source in _own(caller)}
    unknown = [
        Wrong(request_id=name, code="EntityNotFound", path="id", detail="Entity not found")
        for name, given in batch
        if not source_checks.known(given.get("id"), own)
    ]
    if unknown:
        raise validation(unknown)
    items = [
        Item(request_id=name, given=given, source=_merged(own[given["id"]], given))
        for name, given in batch
    ]
    fixed = [
        source_checks.unsupported(item, "external_id", "external_id cannot be changed")
        for item in items
        if item.given.get("external_id", item.source.external_id) != item.source.external_id
    ]
    return _store(caller, items, fixed)


def _store(caller: Caller, items: list[Item], wrongs: list[Wrong]) -> web.Response:
    wrongs += [wrong for item in items for wrong in source_checks.wrongs(caller, item)]
    wrongs += source_checks.second_default(caller, items, _own(caller))
    if wrongs:
        raise validation(wrongs)
    sources = caller.crm.sources
    fresh = sum(item.source.number not in sources for item in items)
    if len(_own(caller)) + fresh > IN_ALL:
        raise Problem(400, f"An integration may have {IN_ALL} sources")
    for item in items:
        if item.source.is_default:
            _unmark(caller)
        sources[item.source.number] = item.source
    views = [
        _view(caller, sources[item.source.number]) | {"request_id": item.request_id}
        for item in items
    ]
    return hal({"_total_items": len(views), "_embedded": {"sources": views}})


def _fresh(caller: Caller, given: Json) -> Source:
    return Source(
        number=caller.crm.next_number(),
        amojo_id=caller.account.amojo_id,
        client_id=caller.integration.client_id,
        name="",
        external_id=str(given.get("external_id", "")),
        pipeline_id=min(PIPELINES),
        is_default=False,
        origin_code=source_checks.origin_code(caller),
    )


def _merged(source: Source, given: Json) -> Source:
    """What is given replaces what is known; whether it may is another question."""
    members: dict[str, Any] = {"name": "name", "pipeline_id": "pipeline_id"}
    members |= {"is_default": "default", "origin_code": "origin_code", "services": "services"}
    new = {ours: given[theirs] for ours, theirs in members.items() if theirs in given}
    return replace(source, **new)


def _unmark(caller: Caller) -> None:
    for source in _own(caller):
        caller.crm.sources[source.number] = replace(source, is_default=False)


def _view(caller: Caller, source: Source) -> Json:
    return {
        "id": source.number,
        "name": source.name,
        "pipeline_id": source.pipeline_id,
        "external_id": source.external_id,
        "default": source.is_default,
        "origin_code": source.origin_code,
        "services": source.services,
        "_links": {"self": {"href": f"{caller.base}/sources/{source.number}"}},
    }
