"""Codes and refresh tokens become pairs, by hand: no network."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from yarl import URL

from chatbridge import errors
from chatbridge.errors import DeliveryError, GrantFault, GrantRefused
from chatbridge.model import TokenPair
from chatbridge.protocol.crm import oauth
from chatbridge.protocol.crm.hosts import AccountHost, Addresses
from chatbridge.protocol.crm.oauth import External, Keys, Refreshed
from chatbridge.protocol.http import Request, Response
from tests.unit.protocol.crm.samples import CLIENT, PAGE, SECOND, SECRET, answer, signed

REDIRECT = "https://bridge.example.org/oauth/redirect"
KEYS = Keys(client_id=CLIENT, secret=SECRET, redirect_uri=REDIRECT)
ADDRESSES = Addresses(address="https://{host}", consent="https://www.{zone}/oauth")
HERE, THERE = AccountHost("romashka", "amocrm.ru"), AccountHost("buket", "amocrm.ru")
NOW = 1_790_000_000 * SECOND
ACCESS = signed({"api_domain": "api-a.amocrm.ru", "exp": 1_790_086_400})
OLD = TokenPair(access="a", refresh="r-1", expires_at=0, api_domain="api-a.amocrm.ru")
PAIR = {
    "token_type": "Bearer",
    "expires_in": 86_400,
    "server_time": 1_790_000_000,
    "access_token": ACCESS,
    "refresh_token": "r-2",
}
NEW = TokenPair(
    access=ACCESS, refresh="r-2", expires_at=NOW + 86_400 * SECOND, api_domain="api-a.amocrm.ru"
)
MOVED = {"id": 1, "subdomain": "buket", "domain": "buket.amocrm.ru", "top_level_domain": "ru"}


def refusal(hint: str, status: int = 400) -> Response:
    return answer(status, {"hint": hint, "title": "x", "status": status, "detail": "y"})


def refreshed(
    answers: Sequence[Response], tokens: TokenPair = OLD
) -> tuple[list[Request], Refreshed]:
    """The calls that a refresh makes, given these answers, and what it brought."""
    flow = oauth.refreshing(ADDRESSES, KEYS, tokens, HERE, asked_at=NOW)
    calls = [next(flow)]
    for given in answers:
        try:
            calls.append(flow.send(given))
        except StopIteration as end:
            assert len(calls) == len(answers)
            return calls, end.value
    raise AssertionError("it wants another answer")


def test_a_code_is_exchanged_where_the_account_is() -> None:
    request = oauth.exchange("https://romashka.amocrm.ru", KEYS, "def502")
    assert (request.method, request.url) == (
        "POST",
        "https://romashka.amocrm.ru/oauth2/access_token",
    )
    assert json.loads(request.body) == {
        "client_id": CLIENT,
        "client_secret": SECRET,
        "grant_type": "authorization_code",
        "code": "def502",
        "redirect_uri": REDIRECT,
    }
    assert oauth.read_tokens(answer(200, PAIR), asked_at=NOW) == NEW
    assert SECRET not in repr(KEYS)
    assert "r-2" not in repr(NEW)


def test_a_refresh_is_one_call() -> None:
    calls, brought = refreshed([answer(200, PAIR)])
    assert [json.loads(call.body)["refresh_token"] for call in calls] == ["r-1"]
    assert brought == Refreshed(NEW, HERE)


@pytest.mark.parametrize("status", [401, 404])
def test_an_account_that_was_renamed_is_found(status: int) -> None:
    gone = refusal("x", status) if status == 401 else answer(404, PAGE, "text/html")
    calls, brought = refreshed([gone, answer(200, MOVED), answer(200, PAIR)])
    assert [call.url for call in calls] == [
        "https://romashka.amocrm.ru/oauth2/access_token",
        "https://api-a.amocrm.ru/oauth2/account/current/subdomain",
        "https://buket.amocrm.ru/oauth2/access_token",
    ]
    assert calls[1].headers["X-Refresh-Token"] == "r-1"
    assert brought == Refreshed(NEW, THERE)


@pytest.mark.parametrize(
    "told", [answer(401, {}), answer(404, {}), answer(200, {"domain": "evil.example"})]
)
def test_a_token_that_is_dead_everywhere_is_refused(told: Response) -> None:
    with pytest.raises(GrantRefused) as refused:
        refreshed([refusal("Token has been revoked", 401), told])
    assert refused.value.fault is GrantFault.REVOKED


def test_nothing_is_final_while_the_account_cannot_be_looked_for() -> None:
    with pytest.raises(errors.FarSideDown):
        refreshed([refusal("Token has been revoked", 401), answer(503, PAGE, "text/html")])


def test_without_an_api_domain_nobody_is_asked() -> None:
    blind = TokenPair(access="a", refresh="r-1", expires_at=0)
    with pytest.raises(GrantRefused):
        refreshed([refusal("Token has been revoked", 401)], blind)


@pytest.mark.parametrize(
    ("hint", "fault"),
    [
        ("Authorization code has expired", GrantFault.CODE_EXPIRED),
        ("Authorization code has been revoked", GrantFault.CODE_USED),
        ("Cannot decrypt the authorization code", GrantFault.CODE_FOREIGN),
        ("Check the `client_id` parameter", GrantFault.KEYS),
        ("Check the `client_secret` parameter", GrantFault.KEYS),
        ("Redirect URI is not associated with client", GrantFault.REDIRECT),
        ("Token has been revoked", GrantFault.REVOKED),
        ("Invalid refresh token", GrantFault.REVOKED),
        ("Invalid account", GrantFault.GONE),
        ("Something new", GrantFault.OTHER),
        ("", GrantFault.OTHER),
    ],
)
@pytest.mark.parametrize("status", [400, 401])
def test_each_hint_has_its_meaning(hint: str, fault: GrantFault, status: int) -> None:
    with pytest.raises(GrantRefused) as refused:
        oauth.read_tokens(refusal(hint, status), asked_at=NOW)
    assert (refused.value.fault, refused.value.status) == (fault, status)


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (answer(429, PAGE, "text/html"), errors.Throttled),
        (answer(403, PAGE, "text/html"), errors.Throttled),
        (answer(502, PAGE, "text/html"), errors.FarSideDown),
        (answer(200, b"not json"), errors.OutcomeUnknown),
        (answer(200, {}), errors.OutcomeUnknown),
        (answer(200, PAIR | {"refresh_token": None}), errors.OutcomeUnknown),
        (answer(200, PAIR | {"expires_in": -1}), errors.OutcomeUnknown),
        (answer(200, [PAIR]), errors.OutcomeUnknown),
    ],
)
def test_what_is_no_answer_can_be_asked_again(
    response: Response, kind: type[DeliveryError]
) -> None:
    with pytest.raises(kind):
        oauth.read_tokens(response, asked_at=NOW)


@pytest.mark.parametrize(
    ("token", "api_domain"),
    [
        (signed({"api_domain": "api-b.kommo.com"}), "api-b.kommo.com"),
        (signed({"api_domain": "evil.example"}), None),
        (signed({"api_domain": 5}), None),
        (signed(b"\xff"), None),
        ("opaque", None),
        ("a.b.c", None),
    ],
)
def test_a_token_is_opaque_but_for_where_the_account_is_asked(
    token: str, api_domain: str | None
) -> None:
    pair: dict[str, Any] = PAIR | {"access_token": token}
    assert oauth.read_tokens(answer(200, pair), asked_at=NOW).api_domain == api_domain


def test_a_long_lived_token_says_itself_when_it_ends() -> None:
    assert oauth.long_lived(ACCESS, otherwise=7).expires_at == 1_790_086_400 * SECOND
    assert oauth.long_lived("opaque", otherwise=7) == TokenPair(
        access="opaque", refresh=None, expires_at=7
    )


def test_people_are_sent_to_the_consent_page() -> None:
    url = URL(
        oauth.consent("https://www.amocrm.ru/oauth", client_id=CLIENT, state="s&1", mode="popup")
    )
    assert url.with_query(None) == URL("https://www.amocrm.ru/oauth")
    assert dict(url.query) == {"client_id": CLIENT, "state": "s&1", "mode": "popup"}


def test_an_external_integration_describes_itself_there() -> None:
    external = External(
        name="Bridge",
        description="Chats & more",
        redirect_uri=REDIRECT,
        secrets_uri="https://bridge.example.org/oauth/secrets",
        logo="https://bridge.example.org/logo.png",
    )
    page = "https://www.kommo.com/oauth"
    url = URL(oauth.external_consent(page, external, state="s", mode="popup", origin=""))
    assert url.query["description"] == "Chats & more"
    assert url.query["redirect_uri"] == REDIRECT
    assert url.query.getall("scopes[]") == ["crm", "notifications"]
