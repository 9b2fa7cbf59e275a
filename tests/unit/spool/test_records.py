"""Records of the spool: what was written is read, and what a crash or a disk has spoilt is never taken for a record."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbridge.spool.records import Spooled, decode, encode

records = st.builds(
    Spooled,
    scope_id=st.text(max_size=40).filter(lambda name: "\ud800" not in name),
    arrived_at=st.integers(0, 2**63),
    body=st.binary(max_size=200),
)
TWO = [Spooled("scope-1", 1, b'{"a":1}'), Spooled("scope-2", 2, b"")]


@given(st.lists(records, max_size=5))
def test_what_was_written_is_read(written: list[Spooled]) -> None:
    data = b"".join(map(encode, written))
    assert decode(data) == (written, len(data))


@given(st.lists(records, min_size=1, max_size=4), st.data())
def test_a_torn_tail_costs_nothing_but_itself(written: list[Spooled], data: st.DataObject) -> None:
    whole, last = b"".join(map(encode, written[:-1])), encode(written[-1])
    torn = whole + last[: data.draw(st.integers(0, len(last) - 1))]
    assert decode(torn) == (written[:-1], len(whole))


@given(st.binary(max_size=300))
def test_any_bytes_can_be_read(data: bytes) -> None:
    read, size = decode(data)
    assert b"".join(map(encode, read)) == data[:size]


@pytest.mark.parametrize("at", range(len(encode(TWO[0]))))
def test_one_changed_byte_is_noticed(at: int) -> None:
    data = bytearray(b"".join(map(encode, TWO)))
    data[at] ^= 0x40
    assert decode(bytes(data)).records == []
