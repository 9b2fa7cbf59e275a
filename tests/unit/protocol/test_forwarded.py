import pytest

from chatbridge.protocol.forwarded import address_of


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.5", None, "203.0.113.5"),
        ("8.8.8.8", "1.2.3.4", "8.8.8.8"),
        ("10.0.0.2", None, "10.0.0.2"),
        ("10.0.0.2", "1.2.3.4", "1.2.3.4"),
        ("127.0.0.1", "9.9.9.9, 1.2.3.4", "1.2.3.4"),
        ("::1", "2001:db8::1", "2001:db8::1"),
        ("10.0.0.2", "9.9.9.9, ", "10.0.0.2"),
        ("10.0.0.2", "x" * 1000, "x" * 64),
        ("", "1.2.3.4", ""),
        (None, "1.2.3.4", ""),
    ],
)
def test_the_address_of_a_caller(peer: str | None, forwarded: str | None, address: str) -> None:
    assert address_of(peer, forwarded) == address
