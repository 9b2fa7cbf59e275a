import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbridge.sandbox.signatures import (
    SignatureError,
    SignedRequest,
    parse_date,
    sign_body,
    sign_request,
    verify,
)

VECTORS = json.loads((Path(__file__).parent.parent / "vectors/amojo-signatures.json").read_text())
CURRENT = {row["id"]: row for row in VECTORS["requests_current"]}
BODY_ONLY = {row["id"]: row for row in VECTORS["body_only"]}
HALF_PAST_NINE = 1736847000.0  # Tue, 14 Jan 2025 09:30:00 +0000


def request(row: dict[str, Any]) -> SignedRequest:
    return SignedRequest(
        method=row["method"].encode(),
        path=row["path"].encode(),
        query=b"limit=50&offset=0",
        host=b"amojo.amocrm.ru",
        body=row["body"].encode(),
        date=row["date"].encode(),
        content_md5=row["content_md5"].encode(),
        content_type=row["content_type"].encode(),
        signature=row["signature"].encode(),
    )


def body_only(body: bytes, signature: str) -> SignedRequest:
    row = CURRENT["N1"] | {"signature": signature}
    return replace(request(row), body=body, date=None, content_md5=None)


def moment(row: dict[str, Any]) -> float:
    seconds = parse_date(row["date"].encode())
    assert seconds is not None
    return seconds


@pytest.mark.parametrize("row", CURRENT.values(), ids=CURRENT)
def test_every_vector_of_the_current_generation_is_accepted(row: dict[str, Any]) -> None:
    assert sign_request(row["secret"], request(row)) == row["signature"]
    verify(request(row), row["secret"], now=moment(row), body_only=False)


@pytest.mark.parametrize("row", BODY_ONLY.values(), ids=BODY_ONLY)
def test_every_vector_that_signs_the_body_is_accepted(row: dict[str, Any]) -> None:
    body = row["body"].encode()
    assert sign_body(row["secret"], body) == row["signature"]
    if "signature_with_trailing_newline" in row:
        assert sign_body(row["secret"], body + b"\n") == row["signature_with_trailing_newline"]
    signed = body_only(body, row["signature"])
    verify(signed, row["secret"], now=0, body_only=True)
    with pytest.raises(SignatureError, match="needs Date and Content-MD5"):
        verify(signed, row["secret"], now=0, body_only=False)


@pytest.mark.parametrize(
    ("signature", "mistake"),
    [
        ("16a1b40705991fa67849ee925d3e86b5539997c0", "hex-decoded"),
        ("fc91a04c6e0a1d5a9ed6abffde0fc0f0cf957815", "Content-Type stands before"),
        ("025a40bdb0f46da915dee74af4ffba41cde84ad3", "covers the body only"),
        ("3edd691c4a13c657566c6f000f2af776f5c402a5", "the whole address"),
        ("47aadc339c7ea279154469881b43281aa16bb2e9", "a line feed follows"),
    ],
)
def test_wellknown_mistakes_are_refused_and_named(signature: str, mistake: str) -> None:
    row = CURRENT["N1"] | {"signature": signature}
    with pytest.raises(SignatureError, match=mistake):
        verify(request(row), row["secret"], now=HALF_PAST_NINE, body_only=True)


def test_the_vector_of_body_only_connect_is_valid_without_date_and_md5() -> None:
    row = CURRENT["N1"]
    signed = body_only(row["body"].encode(), "025a40bdb0f46da915dee74af4ffba41cde84ad3")
    verify(signed, row["secret"], now=0, body_only=True)


def test_a_signed_query_and_a_signed_address_are_named() -> None:
    row = CURRENT["N10"]
    signed = request(row)
    query = sign_request(row["secret"], replace(signed, path=signed.path + b"?" + signed.query))
    address = b"https://amojo.amocrm.ru" + signed.path
    whole = sign_request(row["secret"], replace(signed, path=address))
    for signature, mistake in ((query, "the query"), (whole, "the whole address")):
        wrong = replace(signed, signature=signature.encode())
        with pytest.raises(SignatureError, match=mistake):
            verify(wrong, row["secret"], now=HALF_PAST_NINE, body_only=False)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"signature": None}, "X-Signature is missing"),
        ({"signature": b"00"}, "does not match"),
        ({"signature": CURRENT["N4"]["signature"].upper().encode()}, "does not match"),
        ({"signature": "ü".encode()}, "does not match"),
        ({"date": None}, "Date is missing"),
        ({"content_md5": None}, "Content-MD5 is missing"),
        ({"content_md5": CURRENT["N4"]["content_md5"].upper().encode()}, "Content-MD5"),
        ({"content_type": b"application/json; charset=utf-8"}, "Content-Type"),
        ({"content_type": None}, "Content-Type"),
        ({"body": CURRENT["N4"]["body"].encode() + b"\n"}, "Content-MD5"),
        ({"method": b"PUT"}, "does not match"),
        ({"path": b"/v2/origin/custom/other"}, "does not match"),
        ({"date": b"2025-01-14T09:30:00Z"}, "of the form"),
        ({"date": b"Tue, 14 Jan 2025 09:30:00 -0000"}, "of the form"),
        ({"date": b"Tue, 14 Jan 2025 12:30:00 +03:00"}, "of the form"),
        ({"date": b"Tue, 14 Jan 2025 09:30:01 +0000"}, "does not match"),
    ],
)
def test_a_changed_part_is_refused(change: dict[str, Any], reason: str) -> None:
    row = CURRENT["N4"]
    with pytest.raises(SignatureError, match=reason):
        verify(replace(request(row), **change), row["secret"], now=HALF_PAST_NINE, body_only=True)


@pytest.mark.parametrize(
    ("drift", "accepted"), [(900, True), (-900, True), (901, False), (-901, False)]
)
def test_a_signature_holds_for_fifteen_minutes(drift: int, *, accepted: bool) -> None:
    row, now = CURRENT["N4"], HALF_PAST_NINE + drift
    if accepted:
        verify(request(row), row["secret"], now=now, body_only=True)
        return
    with pytest.raises(SignatureError, match="901 s away"):
        verify(request(row), row["secret"], now=now, body_only=True)


def test_dates_of_all_working_clients_name_the_same_moment() -> None:
    for text in (
        b"Tue, 14 Jan 2025 09:30:00 +0000",
        b"Tue, 14 Jan 2025 09:30:00 GMT",
        b"Tue, 14 Jan 2025 12:30:00 +0300",
        b"Tue, 14 Jan 2025 05:00:00 -0430",
    ):
        assert parse_date(text) == HALF_PAST_NINE


@given(
    st.binary()
    | st.from_regex(rb"Tue, \d\d (Jan|Feb) \d{4} \d\d:\d\d:\d\d [+-]\d{4}", fullmatch=True)
)
def test_any_date_gives_seconds_or_nothing(text: bytes) -> None:
    assert parse_date(text) is None or isinstance(parse_date(text), float)


@given(
    st.builds(
        SignedRequest,
        method=st.binary(),
        path=st.binary(),
        query=st.binary(),
        host=st.binary(),
        body=st.binary(),
        date=st.none() | st.binary() | st.just(b"Tue, 14 Jan 2025 09:30:00 GMT"),
        content_md5=st.none() | st.binary(),
        content_type=st.none() | st.binary() | st.just(b"application/json"),
        signature=st.none() | st.binary(),
    ),
    st.booleans(),
)
def test_any_bytes_are_refused_with_a_reason(signed: SignedRequest, old: bool) -> None:  # noqa: FBT001
    with pytest.raises(SignatureError):
        verify(signed, "secret", now=HALF_PAST_NINE, body_only=old)
