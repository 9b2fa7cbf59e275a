import base64
import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbridge import ids

PARTS = st.lists(st.text(st.characters(exclude_categories=())) | st.binary()).map(tuple)


def spelled(parts: tuple[str | bytes, ...]) -> tuple[bytes, ...]:
    return tuple(
        part.encode(errors="surrogatepass") if isinstance(part, str) else part for part in parts
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("ab", "c"), ("a", "bc")),
        (("a", ""), ("a",)),
        ((), ("",)),
        (("a", "b"), ("b", "a")),
        (("a\x00b",), ("a", "b")),
    ],
)
def test_parts_cannot_run_together(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert ids.fingerprint(*one) != ids.fingerprint(*other)


@given(PARTS, PARTS)
def test_fingerprints_are_equal_where_the_parts_are(
    one: tuple[str | bytes, ...], other: tuple[str | bytes, ...]
) -> None:
    assert len(ids.fingerprint(*one)) == 16
    assert (ids.fingerprint(*one) == ids.fingerprint(*other)) is (spelled(one) == spelled(other))


def test_a_fingerprint_never_changes() -> None:
    """It is stored: another one would let every known message in again."""
    made = ids.fingerprint("msgr_1", "TO_AMOJO", "message", "m-1").hex()
    assert made == "0dafd7ad470f9f81de9b98204d137893"


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (ids.new_uuid, r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
        (ids.new_messenger_id, r"msgr_[0-9a-f]{24}"),
        (ids.new_api_key, r"cbk_[A-Za-z0-9_-]{43}"),
        (ids.new_webhook_secret, r"whsec_[A-Za-z0-9+/]{43}="),
        (ids.new_amojo_secret, r"[0-9a-f]{40}"),
    ],
)
def test_new_ids_have_their_shape_and_differ(make: type[str], shape: str) -> None:
    one, other = make(), make()
    assert re.fullmatch(shape, one)
    assert one != other


def test_a_uuid_is_random_and_a_webhook_secret_holds_32_bytes() -> None:
    assert uuid.UUID(ids.new_uuid()).version == 4
    assert len(base64.b64decode(ids.new_webhook_secret().removeprefix("whsec_"))) == 32


@pytest.mark.parametrize("key", ["", "cbk_é", "cbk_\udcff"])
def test_any_text_can_be_asked_for_as_a_key(key: str) -> None:
    """A header may hold bytes that are not UTF-8."""
    assert len(ids.api_key_hash(key)) == 32


def test_a_delivery_names_its_entry() -> None:
    key = bytes(range(16))
    assert ids.delivery_id(key) == "msg_000102030405060708090a0b0c0d0e0f"
    assert ids.delivered_key(ids.delivery_id(key)) == key
    for other in ("", "msg_", "msg_one", f"{ids.delivery_id(key)}0", "typ_0001", "MSG_" + "0" * 32):
        assert ids.delivered_key(other) is None
