"""Secrets are sent to hosts that come from outside: what is not exactly an account of amoCRM's is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbridge.errors import ForeignHost
from chatbridge.protocol.crm.hosts import ZONES, AccountHost, Addresses, parse_host, parse_issuer


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("romashka.amocrm.ru", AccountHost("romashka", "amocrm.ru")),
        ("Romashka.AmoCRM.ru", AccountHost("romashka", "amocrm.ru")),
        ("new-5d0c1b.amocrm.com", AccountHost("new-5d0c1b", "amocrm.com")),
        ("a.kommo.com", AccountHost("a", "kommo.com")),
        ("api-a.amocrm.ru", AccountHost("api-a", "amocrm.ru")),
    ],
)
def test_accounts_are_known_by_their_hosts(text: str, host: AccountHost) -> None:
    assert parse_host(text) == host
    assert str(host) == text.lower()


TRICKS = [
    "",
    "amocrm.ru",
    ".amocrm.ru",
    "www.amocrm.ru",
    "romashka.amocrm.ru.",
    "romashka.amocrm.ru:443",
    "romashka.amocrm.ru@evil.example",
    "evil@romashka.amocrm.ru",
    "romashka.amocrm.ru.evil.example",
    "romashka.evil.example#.amocrm.ru",
    "evil.example/.amocrm.ru",
    "evil.example\\.amocrm.ru",
    "evil.example%2f.amocrm.ru",
    "romashkaamocrm.ru",
    "a.b.amocrm.ru",
    "-romashka.amocrm.ru",
    "romashka-.amocrm.ru",
    "romashka.amocrm.ru\n",
    " romashka.amocrm.ru",
    "romashka.amocrm.ru\x00",
    "romashka.amocrm.de",
    "romash\u212aa.amocrm.ru",  # the sign of kelvin, which is a k in lower case
    "romashka\u3002amocrm.ru",
    "ромашка.amocrm.ru",
    "xn--80aa.amocrm.ru\u200b",
    "r" * 64 + ".amocrm.ru",
    "{zone}.amocrm.ru",
    "https://romashka.amocrm.ru",
]


@pytest.mark.parametrize("text", TRICKS)
def test_nothing_else_is_one(text: str) -> None:
    with pytest.raises(ForeignHost):
        parse_host(text)


@given(st.text(max_size=100))
def test_whatever_comes_is_a_host_of_a_zone_or_refused(text: str) -> None:
    try:
        host = parse_host(text)
    except ForeignHost:
        return
    assert host.zone in ZONES
    assert str(host) == text.lower()


def test_an_issuer_is_a_host_behind_https_and_nothing_more() -> None:
    assert parse_issuer("https://romashka.amocrm.ru") == AccountHost("romashka", "amocrm.ru")
    for text in ("romashka.amocrm.ru", "http://romashka.amocrm.ru", "https://romashka.amocrm.ru/"):
        with pytest.raises(ForeignHost):
            parse_issuer(text)


def test_addresses_follow_the_settings() -> None:
    host = AccountHost("romashka", "kommo.com")
    real = Addresses(address="https://{host}", consent="https://www.{zone}/oauth")
    assert real.base(host) == real.origin(host) == "https://romashka.kommo.com"
    assert real.consent_page("kommo.com") == "https://www.kommo.com/oauth"
    near = Addresses(address="http://127.0.0.1:8090/accounts/{subdomain}", consent="http://x/oauth")
    assert near.base(host) == "http://127.0.0.1:8090/accounts/romashka"
    assert near.origin(host) == "http://127.0.0.1:8090"
    assert near.consent_page("amocrm.ru") == "http://x/oauth"
