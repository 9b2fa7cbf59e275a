"""The test button: what came of a test event, and what to do, for each way in which a webhook can fail."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.acceptance.bridge import Bridge
from tests.acceptance.conftest import OwnBridge
from tests.contract.authority import Authority
from tests.contract.transports import always, raw_server
from tests.fakes import Answer, FarSide
from tests.processes import free_port


async def tried(bridge: Bridge, url: str | None, **values: Any) -> dict[str, Any]:
    made = await bridge.add_messenger(webhook_url=url, **values)
    answers = [
        await bridge.call("POST", f"/v1/messengers/{made['id']}/test"),
        await bridge.call("POST", "/v1/webhook/test", key=made["api_key"]),
    ]
    assert [answer.status for answer in answers] == [200, 200]
    first, second = (answer.json for answer in answers)
    assert first.pop("ms") >= 0
    assert second.pop("ms") >= 0
    assert first == second, "whoever asks"
    found: dict[str, Any] = first
    return found


async def test_a_webhook_that_works(bridge: Bridge, backend: FarSide) -> None:
    made = await bridge.add_messenger(backend)
    for _ in range(2):
        answer = await bridge.call("POST", "/v1/webhook/test", key=made["api_key"])
        took = {"ok": True, "status": 200, "code": None, "fix": None}
        assert answer.json.items() >= took.items()
    first, second = backend.received
    headers = {key.decode().lower(): value.decode() for key, value in first.headers}
    event = Webhook(made["webhook_secret"]).verify(first.body, headers)
    assert event["type"] == "test"
    assert event["data"]["messenger_id"] == made["id"]
    assert first.header("webhook-id") != second.header("webhook-id")


@pytest.mark.parametrize(
    ("answer", "code", "fix"),
    [
        (Answer(status=400), "rejected", "types that it does not know"),
        (Answer(status=401), "misconfigured", "without a login"),
        (Answer(status=403), "misconfigured", "without a login"),
        (Answer(status=404), "misconfigured", "the path in webhook_url"),
        (Answer(status=405), "misconfigured", "POST"),
        (Answer(status=410), "endpoint_paused", "a new webhook_url"),
        (Answer(status=418), "misconfigured", "the backend's log"),
        (Answer(status=429), "throttled", "asks to wait"),
        (Answer(status=500), "far_side_down", "is broken"),
        (
            Answer(status=301, headers={"Location": "http://127.0.0.1/"}),
            "misconfigured",
            "Redirects",
        ),
        (Answer(cut=True), "outcome_unknown", "broke off"),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Answer) else "",
)
async def test_a_webhook_that_answers_something_else(
    bridge: Bridge, backend: FarSide, answer: Answer, code: str, fix: str
) -> None:
    backend.otherwise = answer
    found = await tried(bridge, backend.url)
    status = None if answer.cut else answer.status
    assert (found["ok"], found["status"], found["code"]) == (False, status, code)
    assert fix in found["fix"]
    assert found["detail"]


async def test_a_webhook_that_does_not_answer(own_bridge: OwnBridge, backend: FarSide) -> None:
    backend.otherwise = Answer(after=asyncio.Event())
    found = await tried(own_bridge(NETWORK__TOTAL_TIMEOUT="0.3"), backend.url)
    assert (found["code"], found["status"]) == ("outcome_unknown", None)
    assert "Answer first and work afterwards" in found["fix"]


@pytest.mark.parametrize(
    ("url", "code", "fix"),
    [
        ("http://127.0.0.1:{free}/", "not_sent", "Start the backend"),
        ("http://there-is-none.invalid/", "not_sent", "the public DNS"),
        ("https://127.0.0.1:{plain}/", "not_sent", "certificate"),
        (None, None, "set webhook_url"),
    ],
    ids=["refused", "dns", "no tls", "none"],
)
async def test_a_webhook_that_cannot_be_reached(
    bridge: Bridge, backend: FarSide, url: str | None, code: str | None, fix: str
) -> None:
    places = {"free": free_port(), "plain": backend.url.rpartition(":")[2]}
    found = await tried(bridge, url and url.format(**places))
    assert (found["ok"], found["status"], found["code"]) == (False, None, code)
    assert fix in found["fix"]


async def test_a_name_that_leads_to_a_private_address(
    own_bridge: OwnBridge, backend: FarSide
) -> None:
    found = await tried(
        own_bridge(NETWORK__ALLOW=""), f"http://localhost:{backend.url.rpartition(':')[2]}/"
    )
    assert (found["code"], found["status"]) == ("misconfigured", None)
    assert "CHATBRIDGE_NETWORK__ALLOW" in found["fix"]
    assert backend.received == []


async def test_a_certificate_that_nobody_trusts(bridge: Bridge, tmp_path: Path) -> None:
    tls = Authority.new(tmp_path).server("127.0.0.1")
    async with raw_server(always(b""), tls=tls) as server:
        found = await tried(bridge, f"https://127.0.0.1:{server.port}/")
    assert (found["code"], found["status"]) == ("not_sent", None)
    assert "certificate" in found["detail"]
    assert "SSL_CERT_FILE" in found["fix"]


@pytest.mark.parametrize("shape", ["amojo_v1", "amojo_v2"])
async def test_amojos_own_shapes_have_no_word_for_it(
    bridge: Bridge, backend: FarSide, shape: str
) -> None:
    found = await tried(bridge, backend.url, webhook_format=shape)
    assert (found["ok"], found["code"], bool(found["fix"])) == (False, None, True)
    assert backend.received == []


async def test_a_test_is_no_entry_and_opens_no_conversation(
    bridge: Bridge, backend: FarSide
) -> None:
    made = await bridge.add_messenger(backend)
    await bridge.call("POST", "/v1/webhook/test", key=made["api_key"])
    name = json.loads(backend.received[0].body)["data"]["messenger_id"]
    for path in (
        f"/v1/messages/{backend.received[0].header('webhook-id')}",
        f"/v1/messages/{name}",
    ):
        assert (await bridge.call("GET", path, key=made["api_key"])).status == 404
