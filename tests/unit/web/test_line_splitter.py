from hypothesis import given
from hypothesis import strategies as st

from chatbridge.web.line_splitter import LineSplitter, RawLine


def split(*pieces: bytes, limit: int = 5) -> list[RawLine]:
    splitter = LineSplitter(limit=limit)
    lines = [line for piece in pieces for line in splitter.feed(piece)]
    return [*lines, *splitter.end()]


def test_lines_are_numbered_and_empty_ones_passed_over() -> None:
    said = b"one\n\n  \r\ntwo\r\nthree"
    assert split(said) == [(1, b"one"), (4, b"two\r"), (5, b"three")]
    assert split(b"one\n") == [(1, b"one")]
    assert split() == []


def test_a_line_that_is_too_long_is_named_and_takes_no_other_with_it() -> None:
    assert split(b"12345\n123456\n1\n") == [(1, b"12345"), (2, None), (3, b"1")]
    assert split(b"123", b"456789", b"0", b"\n12") == [(1, None), (2, b"12")]
    assert split(b"1234567") == [(1, None)]


@given(st.lists(st.binary(max_size=20)))
def test_it_makes_no_difference_how_the_bytes_are_cut(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    lines = split(*pieces)
    assert lines == split(whole)
    wanted = [
        (number, said if len(said) <= 5 else None)
        for number, said in enumerate(whole.split(b"\n"), start=1)
        if said.strip() or len(said) > 5
    ]
    assert lines == wanted
