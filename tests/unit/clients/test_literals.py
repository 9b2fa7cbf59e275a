"""Targets that a proxy may not be asked for, and the setting that names the proxy."""

import pytest

from chatbridge import config
from chatbridge.clients.addresses import AddressGuard
from chatbridge.clients.outgoing import Proxy
from chatbridge.errors import ConfigurationError

REFUSED = [
    "127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "0", "127.0.0.1.", "localhost", "LOCALHOST.", "a.localhost",
    "10.0.0.1", "169.254.169.254", "2852039166", "::1", "::", "fd00::1", "fe80::1%eth0", "::ffff:10.0.0.1",
]  # fmt: skip
PASSED = [
    "8.8.8.8",
    "134744072",
    "2606:4700::1111",
    "example.org",
    "localhost.example.org",
    "x",
    "",
]


@pytest.mark.parametrize("host", REFUSED)
def test_what_says_that_it_is_private_is_refused(host: str) -> None:
    assert "CHATBRIDGE_NETWORK__ALLOW" in str(AddressGuard().refusal_of_literal(host))


@pytest.mark.parametrize("host", PASSED)
def test_what_says_nothing_of_the_kind_passes(host: str) -> None:
    assert AddressGuard().refusal_of_literal(host) is None


@pytest.mark.parametrize("host", ["127.1", "localhost", "LOCALHOST.", "crm.internal"])
def test_what_is_allowed_passes(host: str) -> None:
    guard = AddressGuard.allowing(["127.0.0.0/8", "crm.internal"])
    assert guard.refusal_of_literal(host) is None


# --- the setting --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["", "http://proxy:3128", "http://us%40er:p%3Aw@10.0.0.1:3128/"]
)
def test_the_address_of_a_proxy_is_taken(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATBRIDGE_NETWORK__PROXY", address)
    assert config.load().network.proxy.get_secret_value() == address


@pytest.mark.parametrize(
    "address",
    [
        "https://secret@proxy:3128", "socks5://secret@proxy", "secret@proxy:3128", "http://secret@", "http://secret@proxy:0",
        "http://secret@proxy:99999", "http://secret@proxy/path", "http://secret@proxy?x", "http://secret ü@proxy", "http://[secret",
        "http://secret@proxy#x", "http://secret%0a@pro xy", "http://me:secret",
    ],
)  # fmt: skip
def test_what_is_no_http_proxy_is_refused_by_the_name_of_the_setting(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHATBRIDGE_NETWORK__PROXY", address)
    with pytest.raises(ConfigurationError, match="CHATBRIDGE_NETWORK__PROXY") as refused:
        config.load()
    assert "secret" not in str(refused.value)


def test_a_password_of_the_proxy_is_not_shown() -> None:
    proxy = Proxy.at("http://me:se%40cret@proxy:3128")
    assert proxy is not None
    assert "cret" not in repr(proxy)
    assert proxy.url.authority == "proxy:3128"
    assert proxy.headers == {"Proxy-Authorization": "Basic bWU6c2VAY3JldA=="}


@pytest.mark.parametrize(
    ("name", "value"),
    [("TRANSPORT", "fast"), ("CONNECTIONS", "0"), ("CONNECTIONS_PER_HOST", "-1")],
)
def test_other_values_of_the_transport_are_refused(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"CHATBRIDGE_NETWORK__{name}", value)
    with pytest.raises(ConfigurationError, match=f"CHATBRIDGE_NETWORK__{name}"):
        config.load()
