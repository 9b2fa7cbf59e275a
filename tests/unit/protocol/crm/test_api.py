"""Calls of an account's API, and its answers: the account, its users, its sources, and every kind of refusal."""

import json

import pytest

from chatbridge import errors
from chatbridge.errors import DeliveryError
from chatbridge.protocol.crm import account, replies, sources
from chatbridge.protocol.crm.account import AccountDetails, CrmUser
from chatbridge.protocol.crm.hosts import AccountHost
from chatbridge.protocol.crm.sources import Source, SourceDraft
from chatbridge.protocol.http import Response
from tests.unit.protocol.crm.samples import PAGE, answer

BASE = "https://romashka.amocrm.ru"
VALIDATION = {
    "validation-errors": [
        {"request_id": "0", "errors": [{"code": "NotSupportedChoice", "path": "pipeline_id"}]}
    ],
    "title": "Bad Request",
    "status": 400,
    "detail": "Request validation failed",
}


def test_the_account_tells_who_it_is() -> None:
    request = account.get_account(BASE, "t")
    assert request.url == f"{BASE}/api/v4/account?with=amojo_id%2Cdatetime_settings"
    assert request.headers["Authorization"] == "Bearer t"
    body = {
        "id": 30112233,
        "name": "Romashka",
        "subdomain": "romashka",
        "current_user_id": 8101112,
        "amojo_id": "0f6f2a0e-3c0b-4b39-9d7c-6a1f7d5f8b10",
        "_embedded": {"datetime_settings": {"timezone": "Europe/Moscow"}},
    }
    assert account.read_account(answer(200, body)) == AccountDetails(
        account_id=30112233,
        subdomain="romashka",
        name="Romashka",
        amojo_id="0f6f2a0e-3c0b-4b39-9d7c-6a1f7d5f8b10",
        timezone="Europe/Moscow",
        user_id=8101112,
    )
    with pytest.raises(errors.FarSideDown):
        account.read_account(answer(200, {"id": "x"}))


def test_the_old_way_tells_the_id_at_amojo() -> None:
    assert account.get_account_of_old(BASE, "t").url.endswith(
        "/private/api/v2/json/accounts/current?amojo=Y"
    )
    body = {"response": {"account": {"id": "1", "amojo_id": "0f6f2a0e"}}}
    assert account.read_account_of_old(answer(200, body)) == "0f6f2a0e"
    assert account.read_account_of_old(answer(200, {})) is None


def test_an_account_that_calls_itself_otherwise_has_moved() -> None:
    host = AccountHost("romashka", "kommo.com")
    assert account.moved(host, "buket") == AccountHost("buket", "kommo.com")
    assert account.moved(host, "evil.example/") == host


def test_users_come_in_pages() -> None:
    assert account.get_users(BASE, "t", page=2).url.endswith("&limit=250&page=2")
    anna = {"id": 1, "name": "Anna", "amojo_id": "a", "rights": {"is_admin": True}}
    bob = {"id": 2, "name": "Bob", "rights": {"is_active": False}}
    page = {"_links": {"next": {"href": "…"}}, "_embedded": {"users": [anna, bob, {"id": "x"}, 5]}}
    users, more = account.read_users(answer(200, page))
    assert more
    assert users == [
        CrmUser(user_id=1, name="Anna", amojo_id="a", is_admin=True, is_active=True),
        CrmUser(user_id=2, name="Bob", amojo_id=None, is_admin=False, is_active=False),
    ]
    assert account.read_users(answer(204)) == ([], False)


def test_sources_are_made_and_listed() -> None:
    draft = SourceDraft(name="Shop", external_id="msgr_1", pipeline_id=701)
    request = sources.create_sources(BASE, "t", [draft])
    assert json.loads(request.body) == [
        {"name": "Shop", "external_id": "msgr_1", "pipeline_id": 701}
    ]
    made = {"id": 5, "name": "Shop", "external_id": "msgr_1", "pipeline_id": 701}
    assert sources.read_sources(answer(200, {"_embedded": {"sources": [made]}})) == [
        Source(id=5, name="Shop", external_id="msgr_1", pipeline_id=701, origin_code=None)
    ]
    assert sources.read_sources(answer(204)) == []


@pytest.mark.parametrize("external_id", ["", "x" * 37, "a b", "é", "a\n"])
def test_a_source_that_amocrm_would_refuse_is_not_sent(external_id: str) -> None:
    with pytest.raises(errors.Rejected):
        SourceDraft(name="Shop", external_id=external_id)


@pytest.mark.parametrize(
    ("response", "kind", "code"),
    [
        (answer(400, VALIDATION), errors.Rejected, "NotSupportedChoice"),
        (answer(401, {"detail": "no"}), errors.Misconfigured, None),
        (answer(402, {"detail": "no"}), errors.Misconfigured, None),
        (answer(403, {"detail": "no"}), errors.Misconfigured, None),
        (answer(403, PAGE, "text/html"), errors.Throttled, None),
        (answer(403, PAGE), errors.Throttled, None),
        (answer(404, {}), errors.Rejected, None),
        (answer(422, b"\xff\xfe"), errors.Rejected, None),
        (answer(429, PAGE, "text/html"), errors.Throttled, None),
        (answer(302), errors.Misconfigured, None),
        (answer(500, PAGE, "text/html"), errors.FarSideDown, None),
        (answer(504), errors.FarSideDown, None),
        (answer(200, b"<html>"), errors.OutcomeUnknown, None),
        (answer(200, [1]), errors.OutcomeUnknown, None),
    ],
)
def test_every_refusal_says_what_to_do(
    response: Response, kind: type[DeliveryError], code: str | None
) -> None:
    with pytest.raises(kind) as refused:
        replies.read_object(response)
    assert (refused.value.status, refused.value.far_code) == (response.status, code)


def test_how_long_to_wait_is_told_on() -> None:
    with pytest.raises(errors.Throttled) as refused:
        replies.check(answer(429, PAGE, "text/html", retry_after="7"))
    assert refused.value.retry_after == 7
