import orjson
import pytest
from openapi_spec_validator import validate

from chatbridge import errors
from chatbridge.web.endpoint import Access, Endpoint
from chatbridge.web.openapi import build_openapi
from chatbridge.web.routes import ENDPOINTS

DOCUMENT = build_openapi(ENDPOINTS)
ROWS = pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda row: f"{row.method} {row.path}")


def operation_of(endpoint: Endpoint) -> dict:
    return DOCUMENT["paths"][endpoint.path][endpoint.method.lower()]


def test_the_document_is_openapi() -> None:
    # Patterns are ECMAScript's, which knows Unicode classes; the validator tries them with Python's re.
    validate(orjson.loads(orjson.dumps(DOCUMENT).replace(rb"\\P{C}", b".")))


def test_nothing_is_described_twice_or_left_out() -> None:
    described = {
        (method.upper(), path) for path, row in DOCUMENT["paths"].items() for method in row
    }
    assert described == {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}
    assert len(described) == len(ENDPOINTS)
    names = [operation_of(endpoint)["operationId"] for endpoint in ENDPOINTS]
    assert len(set(names)) == len(names)


@ROWS
def test_every_status_an_endpoint_can_answer_is_described(endpoint: Endpoint) -> None:
    refusals: list = [errors.MalformedRequest, *endpoint.refusals]
    if endpoint.access is not Access.PUBLIC:
        refusals += [errors.Unauthenticated, errors.StoreUnavailable]
    if endpoint.access is Access.MANAGER:
        refusals += [errors.Forbidden]
    if endpoint.body or endpoint.lines or endpoint.query:
        refusals += [errors.InvalidFields]
    if endpoint.body or endpoint.lines:
        refusals += [errors.MalformedJson, errors.UnsupportedMediaType, errors.RequestTooSlow]
    if endpoint.body:
        refusals += [errors.BodyTooLarge]
    responses = operation_of(endpoint)["responses"]
    assert set(responses) == {str(endpoint.status)} | {str(kind.http_status) for kind in refusals}
    for kind in refusals:
        assert kind.code in responses[str(kind.http_status)]["description"]


@ROWS
def test_parts_of_the_path_are_parameters_and_may_be_unknown(endpoint: Endpoint) -> None:
    parameters = operation_of(endpoint).get("parameters", [])
    in_path = [row["name"] for row in parameters if row["in"] == "path"]
    assert [f"{{{name}}}" in endpoint.path for name in in_path] == [True] * endpoint.path.count("{")
    if in_path:
        assert errors.NotFound in endpoint.refusals


@ROWS
def test_who_may_call_is_described(endpoint: Endpoint) -> None:
    keys = {
        Access.MANAGER: [{"manager": []}, {"session": []}],
        Access.MESSENGER: [{"messenger": []}],
    }
    assert operation_of(endpoint).get("security") == keys.get(endpoint.access)
