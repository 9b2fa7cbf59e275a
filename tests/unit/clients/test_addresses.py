"""Addresses that an attacker may write into a webhook or a link to reach what is behind our firewall."""

import socket

import pytest

from chatbridge.clients.addresses import AddressGuard
from chatbridge.errors import ConfigurationError
from chatbridge.web.schemas import MessengerDraft

GUARD = AddressGuard()

PRIVATE = [
    "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1", "127.255.255.255",
    "169.254.0.1", "169.254.169.254", "172.16.0.0", "172.31.255.255", "192.0.0.1", "192.0.0.255", "192.0.2.1", "192.88.99.1",
    "192.168.0.0", "192.168.255.255", "198.18.0.0", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255",
    "240.0.0.1", "255.255.255.255",
    "::", "::1", "fe80::1", "fe80::1%eth0", "febf::1", "fec0::1", "fc00::1", "fd12:3456:789a::1", "ff00::1", "ff02::1",
    "2001:db8::1", "3fff::1", "100::1", "5f00::1",
]  # fmt: skip
HIDDEN = {
    "mapped": "::ffff:127.0.0.1",
    "mapped in hex": "::ffff:a9fe:a9fe",
    "IPv4-compatible": "::127.0.0.1",
    "translated": "::ffff:0:10.0.0.1",
    "NAT64": "64:ff9b::10.0.0.1",
    "NAT64 of a local prefix": "64:ff9b:1::192.168.0.1",
    "NAT64 of a /48 prefix, a public address as bait": "64:ff9b:1:a00:0:100:808:808",
    "6to4": "2002:7f00:1::",
    "6to4 of the metadata service": "2002:a9fe:a9fe::1",
    "Teredo server": "2001:0:a00:1:0:0:f7f7:f7f7",
    "Teredo client": "2001:0:808:808:0:0:f5ff:fffe",
}
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1", "169.253.255.255",
    "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
    "223.255.255.255", "2606:4700:4700::1111", "2a00:1450:4010::8", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_refused(address: str) -> None:
    assert "CHATBRIDGE_NETWORK__ALLOW" in str(GUARD.refusal(address))


@pytest.mark.parametrize("address", HIDDEN.values(), ids=HIDDEN)
def test_private_addresses_inside_others_are_refused(address: str) -> None:
    assert GUARD.refusal(address) is not None


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_pass(address: str) -> None:
    assert GUARD.refusal(address) is None


# Spellings that no parser of addresses knows, but the resolver does: what it makes of them is what is dialled.
SPELLINGS = {
    "decimal": "2130706433",
    "octal": "0177.0.0.1",
    "hex": "0x7f.0.0.1",
    "hex at once": "0x7f000001",
    "short": "127.1",
    "shorter": "0",
    "octal metadata": "0251.0376.0251.0376",
    "decimal metadata": "2852039166",
}


@pytest.mark.parametrize("host", SPELLINGS.values(), ids=SPELLINGS)
def test_odd_spellings_are_refused_as_what_they_stand_for(host: str) -> None:
    dialled = {str(info[4][0]) for info in socket.getaddrinfo(host, 80, type=socket.SOCK_STREAM)}
    assert dialled
    assert all(GUARD.refusal(address) for address in dialled)


# --- links --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/hook",
        "http://10.0.0.1:8080/hook",
        "https://[::1]/hook",
        "https://[::ffff:169.254.169.254]/",
        "https://user@192.168.0.1/",
    ],
)
def test_a_link_to_a_private_address_is_refused_at_once(url: str) -> None:
    assert GUARD.refusal_of_url(url) is not None


@pytest.mark.parametrize(
    "url",
    ["https://backend.example.org/hook", "https://8.8.8.8/", "http://localhost/", "https://["],
)
def test_a_link_whose_name_tells_nothing_is_left_to_the_dial(url: str) -> None:
    assert GUARD.refusal_of_url(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://user@example.org/",
        "https://user:secret@example.org/",
        "https://1２7.0.0.1/",  # noqa: RUF001 - a full-width digit, which IDNA turns into a plain one
        "http://127。0。0。1/",  # dots that IDNA takes for dots
        "ftp://example.org/",
        "file:///etc/passwd",
        "gopher://example.org/",
        "//example.org/",
        "example.org",
        "https://",
        "https://:443/",
        "https://example.org:0/",
        "https://example.org:99999/",
        "https://example.org/a b",
        "https://example.org/\n",
        "https://[::1",
        "",
    ],
)
def test_a_link_that_could_be_read_in_two_ways_is_none(url: str) -> None:
    with pytest.raises(ValueError, match="webhook_url"):
        MessengerDraft(name="Shop", kind="backend", webhook_url=url)


# --- what the operator of the server allows -----------------------------------------------------

ALLOWING = AddressGuard.allowing(
    ["10.1.0.0/16", "192.168.7.7", "fd00::/8", "[::1]", "CRM.internal."]
)


@pytest.mark.parametrize("address", ["10.1.2.3", "192.168.7.7", "fd12::1", "::1", "8.8.8.8"])
def test_allowed_addresses_pass(address: str) -> None:
    assert ALLOWING.refusal(address) is None


@pytest.mark.parametrize("address", ["10.2.0.1", "192.168.7.8", "fc00::1", "::ffff:10.1.2.3"])
def test_their_neighbours_do_not(address: str) -> None:
    assert ALLOWING.refusal(address) is not None


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("crm.internal", True),
        ("CRM.INTERNAL.", True),
        ("a.crm.internal", False),
        ("internal", False),
        ("", False),
    ],
)
def test_a_host_is_allowed_by_its_whole_name(host: str, allowed: bool) -> None:  # noqa: FBT001 - a row
    assert ALLOWING.allows_host(host) is allowed


def test_an_allowed_host_passes_as_a_link() -> None:
    guard = AddressGuard.allowing(["127.0.0.1"])
    assert guard.refusal_of_url("http://127.0.0.1:9000/hook") is None


@pytest.mark.parametrize(
    "entry", ["", "http://crm.internal", "crm.internal/x", "a b", "me@host", "host:80"]
)
def test_an_entry_that_is_neither_network_nor_host_is_refused(entry: str) -> None:
    with pytest.raises(ConfigurationError, match="neither a network"):
        AddressGuard.allowing([entry])
