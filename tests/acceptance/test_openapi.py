"""openapi.json is a valid document, and a server that is asked at random keeps to it."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from tests.acceptance.bridge import ADMIN_TOKEN, Bridge, faults_in, running_bridge
from tests.postgres import PostgresServer
from tests.processes import Process

EXAMPLES = 8
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


@schemathesis.serializer("application/x-ndjson")
def one_line(_: object, value: object) -> bytes:
    """A body of one line."""
    return value if isinstance(value, bytes) else json.dumps(value).encode()


async def test_the_document_is_valid(bridge: Bridge) -> None:
    document = (await bridge.call("GET", "/openapi.json", key=None)).json
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    operations = [one for path in document["paths"].values() for one in path.values()]
    names = [one["operationId"] for one in operations]
    assert len(names) == len(set(names))


@pytest.fixture
def fuzzed(postgres: PostgresServer, tmp_path: Path) -> Iterator[Process]:
    """A server of its own, as what is made up may release or change anything; on the database that takes offence more easily."""
    with postgres.database() as url, running_bridge(tmp_path, url) as process:
        yield process


def ask(process: Process, method: str, path: str, value: object = None) -> Any:
    """A call of the management API."""
    request = urllib.request.Request(
        process.url + path,
        method=method,
        data=None if value is None else json.dumps(value).encode(),
        headers={"Authorization": f"Bearer {ADMIN_TOKEN}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def test_made_up_requests_get_documented_answers(fuzzed: Process) -> None:
    document = ask(fuzzed, "GET", "/openapi.json")
    messenger = ask(fuzzed, "POST", "/v1/messengers", {"name": "Shop", "kind": "backend"})
    keys = {"manager": ADMIN_TOKEN, "messenger": messenger["api_key"]}
    asked = 0
    for result in schemathesis.openapi.from_dict(document).get_all_operations():
        operation = result.ok()
        if "text/event-stream" in str(operation.definition.raw["responses"]):
            continue  # whoever reads it to its end waits for ever
        (scheme,) = operation.definition.raw.get("security", [{"": []}])[0]
        headers = {"Authorization": f"Bearer {keys[scheme]}"} if scheme else {}
        asked += ask_at_random(fuzzed, operation, GenerationMode.POSITIVE, headers)
        if operation.body or operation.query:
            asked += ask_at_random(fuzzed, operation, GenerationMode.NEGATIVE, headers)
    assert asked > 300
    assert faults_in(fuzzed.log) == []
    assert ask(fuzzed, "GET", "/readyz")["status"] == "ok"


def ask_at_random(
    process: Process,
    operation: schemathesis.APIOperation,
    mode: GenerationMode,
    headers: dict[str, str],
) -> int:
    """Make up requests that keep to the document or break it; return how many."""
    asked = 0

    @hypothesis.settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(mode))
    def the_answer_is_documented(case: Case) -> None:
        nonlocal asked
        asked += 1
        response = case.call(base_url=process.url, headers=headers)
        case.validate_response(response, checks=CHECKS)

    the_answer_is_documented()
    return asked
