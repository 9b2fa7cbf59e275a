import orjson
import pytest

from chatbridge.model import HookVersion, Signing
from chatbridge.protocol.amojo import calls, signing
from chatbridge.protocol.http import Request
from tests.unit.factories import ACCOUNT_ID, CHANNEL_ID, NOW, SCOPE_ID, make_channel, make_message

BASE = "https://amojo.amocrm.ru"


def every_call(kind: Signing) -> list[Request]:
    channel = make_channel(signing=kind)
    return [
        calls.connect(channel, ACCOUNT_ID, title="Shop", now=NOW),
        calls.disconnect(channel, ACCOUNT_ID, now=NOW),
        calls.send_message(channel, SCOPE_ID, make_message(), now=NOW),
    ]


def test_methods_and_addresses() -> None:
    asked = [(request.method, request.url) for request in every_call(Signing.CURRENT)]
    assert asked == [
        ("POST", f"{BASE}/v2/origin/custom/{CHANNEL_ID}/connect"),
        ("DELETE", f"{BASE}/v2/origin/custom/{CHANNEL_ID}/disconnect"),
        ("POST", f"{BASE}/v2/origin/custom/{SCOPE_ID}"),
    ]


@pytest.mark.parametrize("kind", Signing)
def test_the_bytes_that_are_signed_are_the_bytes_that_are_sent(kind: Signing) -> None:
    for request in every_call(kind):
        headers = {name.lower(): value for name, value in request.headers.items()}
        assert ("date" in headers) is (kind is Signing.CURRENT)
        signing.verify_request(
            make_channel().secret,
            request.method,
            request.url.removeprefix(BASE),
            headers,
            request.body,
            now=NOW,
            body_only=kind is Signing.LEGACY,
        )


@pytest.mark.parametrize(
    ("signing_", "hooks", "body"),
    [
        (Signing.LEGACY, HookVersion.V1, {"account_id": ACCOUNT_ID}),
        (
            Signing.LEGACY,
            HookVersion.V2,
            {"account_id": ACCOUNT_ID, "title": "Shop", "hook_api_version": "v2"},
        ),
        (
            Signing.CURRENT,
            HookVersion.V1,
            {"account_id": ACCOUNT_ID, "title": "Shop", "hook_api_version": "v1"},
        ),
    ],
)
def test_connect_as_its_generation_knows_it(
    signing_: Signing, hooks: HookVersion, body: dict[str, str]
) -> None:
    channel = make_channel(signing=signing_, hook_version=hooks)
    request = calls.connect(channel, ACCOUNT_ID, title="Shop", now=NOW)
    assert orjson.loads(request.body) == body
