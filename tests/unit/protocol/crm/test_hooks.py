"""The disconnect hook's published vector, and what comes to the redirect address."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbridge.errors import AuthorizationFault, AuthorizationRefused, SignatureMismatch
from chatbridge.protocol.crm import disconnect, redirect
from chatbridge.protocol.crm.hosts import AccountHost
from tests.unit.protocol.crm.samples import CLIENT, SECRET

SIGNATURE = "20bfd1abe86d77e735d34f445fe4bdda71e9d508b1f087180a122d979043fd5d"
HOOK = {"account_id": "30112233", "client_uuid": CLIENT, "signature": SIGNATURE}
BACK = {
    "code": "def50200aa",
    "referer": "romashka.amocrm.ru",
    "platform": "1",
    "client_id": CLIENT,
    "state": "s-1",
}


def test_the_published_hook_is_good_under_both_names_of_the_integration() -> None:
    assert disconnect.sign(SECRET, CLIENT, 30112233) == SIGNATURE
    disconnect.verify(disconnect.parse(HOOK), SECRET)
    old = {"account_id": "30112233", "client_id": CLIENT, "signature": SIGNATURE}
    disconnect.verify(disconnect.parse(old), SECRET)


@pytest.mark.parametrize(
    "changes",
    [
        {"signature": ""},
        {"signature": SIGNATURE.upper()},
        {"signature": SIGNATURE[:-1]},
        {"signature": "é"},
        {"account_id": "30112234"},
        {"account_id": "٣"},
        {"account_id": "-1"},
        {"account_id": "9" * 400},
        {"account_id": ""},
        {"client_uuid": ""},
        {"client_uuid": CLIENT.upper()},
    ],
)
def test_a_hook_that_is_changed_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(SignatureMismatch):
        disconnect.verify(disconnect.parse(HOOK | changes), SECRET)


def test_another_secret_does_not_fit() -> None:
    with pytest.raises(SignatureMismatch):
        disconnect.verify(disconnect.parse(HOOK), SECRET + "x")


def test_a_browser_comes_back_with_a_code() -> None:
    come = redirect.parse(urlencode(BACK))
    assert (come.code, come.client_id, come.state) == ("def50200aa", CLIENT, "s-1")
    assert come.host == AccountHost("romashka", "amocrm.ru")
    assert not come.from_widget


def test_amocrms_server_comes_without_a_state() -> None:
    query = {name: value for name, value in BACK.items() if name != "state"} | {"from_widget": "1"}
    come = redirect.parse(urlencode(query))
    assert (come.from_widget, come.state) == (True, None)


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("error=access_denied&state=s-1", AuthorizationFault.DENIED),
        ("", AuthorizationFault.INCOMPLETE),
        (urlencode(BACK | {"code": ""}), AuthorizationFault.INCOMPLETE),
        (urlencode(BACK) + "&code=other", AuthorizationFault.INCOMPLETE),
        (urlencode(BACK | {"client_id": "x" * 65}), AuthorizationFault.INCOMPLETE),
        (urlencode(BACK | {"referer": "evil.example"}), AuthorizationFault.HOST),
        (urlencode(BACK) + "&referer=other.amocrm.ru", AuthorizationFault.HOST),
        ("&".join(["a=1"] * 60), AuthorizationFault.INCOMPLETE),
    ],
)
def test_what_is_no_code_is_refused(query: str, fault: AuthorizationFault) -> None:
    with pytest.raises(AuthorizationRefused) as refused:
        redirect.parse(query)
    assert refused.value.fault is fault


@given(st.text(max_size=200))
def test_whatever_comes_is_read_or_refused(query: str) -> None:
    try:
        redirect.parse(query)
    except AuthorizationRefused:
        redirect.state_of(query)
