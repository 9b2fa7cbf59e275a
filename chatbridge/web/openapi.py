"""openapi.json (3.1), made from the route table and the models that the server itself uses."""

import re
from collections.abc import Iterable
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from chatbridge import __version__, errors
from chatbridge.web.bodies import LINES
from chatbridge.web.endpoint import Access, Endpoint
from chatbridge.web.managers import COOKIE
from chatbridge.web.problems import PROBLEM_TYPE
from chatbridge.web.schemas import Problem

_REFS: Final = "#/components/schemas/{model}"
_BODY_REFUSALS: Final = (
    errors.MalformedJson,
    errors.UnsupportedMediaType,
    errors.BodyTooLarge,
    errors.RequestTooSlow,
    errors.InvalidFields,
)
_LINES_REFUSALS: Final = (
    errors.MalformedJson,
    errors.UnsupportedMediaType,
    errors.RequestTooSlow,
    errors.InvalidFields,
)
_SCHEMES: Final = {
    "manager": {
        "type": "http",
        "scheme": "bearer",
        "description": "`CHATBRIDGE_ADMIN_TOKEN`, or a workspace's key",
    },
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "Signed in"},
    "messenger": {"type": "http", "scheme": "bearer", "description": "A messenger's `api_key`"},
}

_OPENS: Final = {Access.MANAGER: ("manager", "session"), Access.MESSENGER: ("messenger",)}


def build_openapi(endpoints: Iterable[Endpoint[Any]]) -> dict[str, Any]:
    """Return the description of these endpoints."""
    endpoints = list(endpoints)
    schemas = _schemas(endpoints)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "chatbridge",
            "version": __version__,
            "description": "The management API and the messenger API of a bridge between messengers and amoCRM.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": _SCHEMES},
    }


def _schemas(endpoints: list[Endpoint[Any]]) -> dict[str, Any]:
    bodies = (endpoint.body or endpoint.lines for endpoint in endpoints)
    taken = {(body, "validation") for body in bodies if body}
    given = {(endpoint.answer, "serialization") for endpoint in endpoints if endpoint.answer}
    models = sorted(taken | given | {(Problem, "serialization")}, key=lambda pair: pair[0].__name__)
    _, document = models_json_schema(models, ref_template=_REFS)  # type: ignore[arg-type]  # Literal modes
    definitions: dict[str, Any] = document["$defs"]
    return definitions


def _operation(endpoint: Endpoint[Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.run.__name__,
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "responses": _responses(endpoint),
    }
    parameters = [*_path_parameters(endpoint.path), *_query_parameters(endpoint.query)]
    if parameters:
        operation["parameters"] = parameters
    if endpoint.body is not None:
        operation["requestBody"] = {"required": True, "content": _content(endpoint.body)}
    if endpoint.stream:
        operation["requestBody"] = {"required": True, "content": {t: {} for t in endpoint.stream}}
    if endpoint.lines is not None:
        # OpenAPI 3.1 has no word for a sequence: the schema is that of one line.
        operation["requestBody"] = {
            "required": True,
            "description": "One object in each line, as the schema says",
            "content": {LINES[0]: {"schema": _ref(endpoint.lines)}},
        }
    if endpoint.access is not Access.PUBLIC:
        operation["security"] = [{scheme: []} for scheme in _OPENS[endpoint.access]]
    return operation


def _responses(endpoint: Endpoint[Any]) -> dict[str, Any]:
    done: dict[str, Any] = {"description": endpoint.summary}
    if endpoint.answer is not None:
        done["content"] = _content(endpoint.answer)
    if endpoint.endless is not None:
        done["content"] = {endpoint.endless: {"schema": {"type": "string"}}}
    responses = {str(endpoint.status): done}
    for status, kinds in sorted(_refusals(endpoint).items()):
        words = "; ".join(f"`{kind.code}`: {kind.title}" for kind in kinds)
        responses[str(status)] = {
            "description": words,
            "content": {PROBLEM_TYPE: {"schema": _ref(Problem)}},
        }
    return responses


def _refusals(endpoint: Endpoint[Any]) -> dict[int, list[Any]]:
    kinds: list[type[Any]] = [errors.MalformedRequest, *endpoint.refusals]
    if endpoint.access is not Access.PUBLIC:
        kinds += [errors.Unauthenticated, errors.StoreUnavailable]
    if endpoint.access is Access.MANAGER:
        kinds.append(errors.Forbidden)
    if endpoint.body is not None:
        kinds += _BODY_REFUSALS
    elif endpoint.lines is not None:
        kinds += _LINES_REFUSALS
    elif endpoint.query is not None:
        kinds.append(errors.InvalidFields)
    by_status: dict[int, list[Any]] = {}
    for kind in dict.fromkeys(kinds):
        by_status.setdefault(kind.http_status, []).append(kind)
    return by_status


def _path_parameters(path: str) -> list[dict[str, Any]]:
    schema = {"type": "string", "minLength": 1, "maxLength": 255}
    return [
        {"name": name, "in": "path", "required": True, "schema": schema}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _query_parameters(model: type[BaseModel] | None) -> list[dict[str, Any]]:
    if model is None:
        return []
    properties = model.model_json_schema()["properties"]
    return [
        {"name": name, "in": "query", "schema": _without_null(schema)}
        for name, schema in properties.items()
    ]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter that may be left out; an address cannot say null."""
    kinds: list[dict[str, Any]] = [
        kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}
    ]
    if len(kinds) != 1:
        return schema
    rest = {name: value for name, value in schema.items() if name not in {"anyOf", "default"}}
    return rest | kinds[0]


def _content(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": _ref(model)}}


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REFS.format(model=model.__name__)}
