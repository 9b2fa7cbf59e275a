"""The vectors are of two kinds: B… were printed by amoCRM's documentation, N… and H… were computed from its rules."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbridge.errors import SignatureMismatch
from chatbridge.model import Signing
from chatbridge.protocol.amojo import signing
from tests.unit.factories import NOW, SECOND, SECRET, VECTORS

CURRENT = {row["id"]: row for row in VECTORS["requests_current"]}
BODY_ONLY = {row["id"]: row for row in VECTORS["body_only"]}
OURS = [row for row in CURRENT.values() if row["date"].endswith("+0000")]
"""Rows whose Date is spelled as we spell it."""

Row = dict[str, Any]


def names(rows: list[Row]) -> list[str]:
    return [row["id"] for row in rows]


def headers_of(row: Row, **changes: str) -> dict[str, str]:
    headers = {
        "date": row["date"],
        "content-type": row["content_type"],
        "content-md5": row["content_md5"],
        "x-signature": row["signature"],
    }
    return headers | {name.replace("_", "-"): value for name, value in changes.items()}


def verify(row: Row, *, now: int | None = None, **changes: Any) -> None:
    given = {
        "secret": row["secret"],
        "method": row["method"],
        "path": row["path"],
        "headers": headers_of(row),
        "body": row["body"].encode(),
    } | changes
    now = signing.parse_date(row["date"]) * SECOND if now is None else now
    signing.verify_request(**given, now=now, body_only=False)


# --- making -------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", OURS, ids=names(OURS))
def test_our_headers_are_those_of_the_vector(row: Row) -> None:
    now = signing.parse_date(row["date"]) * SECOND + 999_999
    made = signing.request_headers(
        row["secret"], row["method"], row["path"], row["body"].encode(), now=now
    )
    assert made == {
        "Date": row["date"],
        "Content-Type": "application/json",
        "Content-MD5": row["content_md5"],
        "X-Signature": row["signature"],
    }


@pytest.mark.parametrize("row", CURRENT.values(), ids=CURRENT)
def test_the_signature_covers_the_date_letter_by_letter(row: Row) -> None:
    text = signing.string_to_sign(
        row["method"].lower(), row["content_md5"], row["content_type"], row["date"], row["path"]
    )
    assert signing.sign_text(row["secret"], text) == row["signature"]


@pytest.mark.parametrize("row", BODY_ONLY.values(), ids=BODY_ONLY)
def test_the_legacy_generation_signs_the_body_alone(row: Row) -> None:
    body = row["body"].encode()
    made = signing.request_headers(
        row["secret"], "POST", "/any", body, now=NOW, signing=Signing.LEGACY
    )
    assert made == {"Content-Type": "application/json", "X-Signature": row["signature"]}


def test_the_date_is_english_utc_and_spelled_with_an_offset() -> None:
    assert signing.format_date(NOW + 999_999) == "Tue, 14 Jan 2025 09:30:00 +0000"


# --- checking requests --------------------------------------------------------------------------


@pytest.mark.parametrize("row", CURRENT.values(), ids=CURRENT)
def test_every_published_request_is_accepted(row: Row) -> None:
    verify(row)


def test_a_body_only_request_is_accepted_where_the_call_takes_it() -> None:
    row = BODY_ONLY["L2"]
    headers = {"content-type": "application/json", "x-signature": row["signature"]}
    request = (row["secret"], "POST", "/", headers, row["body"].encode())
    signing.verify_request(*request, now=NOW, body_only=True)
    with pytest.raises(SignatureMismatch):
        signing.verify_request(*request, now=NOW, body_only=False)


N1 = CURRENT["N1"]
MUTATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "another secret": ({"secret": "f" * 40}, "X-Signature was not made"),
    "another method": ({"method": "DELETE"}, "X-Signature was not made"),
    "another path": ({"path": N1["path"] + "/"}, "X-Signature was not made"),
    "a query in the path": ({"path": N1["path"] + "?a=1"}, "X-Signature was not made"),
    "another body": ({"body": b"{}"}, "Content-MD5"),
    "a newline behind the body": ({"body": N1["body"].encode() + b"\n"}, "Content-MD5"),
    "MD5 in upper case": (
        {"headers": headers_of(N1, content_md5=N1["content_md5"].upper())},
        "Content-MD5",
    ),
    "a charset": (
        {"headers": headers_of(N1, content_type="application/json; charset=utf-8")},
        "Content-Type",
    ),
    "the same moment spelled GMT": (
        {"headers": headers_of(N1, date="Tue, 14 Jan 2025 09:30:00 GMT")},
        "X-Signature was not made",
    ),
    "a date that is none": ({"headers": headers_of(N1, date="yesterday")}, "RFC 2822"),
    "an ISO date": ({"headers": headers_of(N1, date="2025-01-14T09:30:00Z")}, "RFC 2822"),
    "another signature": (
        {"headers": headers_of(N1, x_signature="0" * 40)},
        "X-Signature was not made",
    ),
    "a signature in upper case": (
        {"headers": headers_of(N1, x_signature=N1["signature"].upper())},
        "40 lower-case hex",
    ),
    "a signature cut short": (
        {"headers": headers_of(N1, x_signature=N1["signature"][:-1])},
        "40 lower-case hex",
    ),
    "an empty signature": ({"headers": headers_of(N1, x_signature="")}, "40 lower-case hex"),
    "no headers": ({"headers": {}}, "40 lower-case hex"),
}


@pytest.mark.parametrize(("changes", "words"), MUTATIONS.values(), ids=MUTATIONS)
def test_a_request_with_one_part_changed_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(SignatureMismatch, match=words):
        verify(N1, now=NOW, **changes)


@pytest.mark.parametrize("missing", ["date", "content-md5", "content-type", "x-signature"])
def test_all_four_headers_are_needed(missing: str) -> None:
    headers = headers_of(N1)
    del headers[missing]
    with pytest.raises(SignatureMismatch):
        verify(N1, now=NOW, headers=headers)


@pytest.mark.parametrize("edge", [-900, 0, 900])
def test_a_date_within_fifteen_minutes_is_accepted(edge: int) -> None:
    verify(N1, now=NOW + edge * SECOND)


@pytest.mark.parametrize("beyond", [-901, 901])
def test_a_date_beyond_fifteen_minutes_is_refused(beyond: int) -> None:
    with pytest.raises(SignatureMismatch, match="15 minutes"):
        verify(N1, now=NOW + beyond * SECOND)


@pytest.mark.parametrize(
    "date",
    [
        "Tue, 14 Jan 2025 09:30:00 +0000",  # documented, and what we send
        "Tue, 14 Jan 2025 09:30:00 GMT",  # JavaScript's toUTCString, seen to work
        "Tue, 14 Jan 2025 12:30:00 +0300",  # PHP's RFC2822 outside of UTC, seen to work
        "Tue, 14 Jan 2025 04:30:00 -0500",
        "Tue, 14 Jan 2025 09:30:00 -0000",  # Python's formatdate()
        "Tue, 14 Jan 2025 9:30:00 +0000",
    ],
)
def test_every_spelling_of_a_date_means_the_same_moment(date: str) -> None:
    assert signing.parse_date(date) == NOW // SECOND


# --- checking callbacks -------------------------------------------------------------------------


@pytest.mark.parametrize("row", BODY_ONLY.values(), ids=BODY_ONLY)
@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_callback_matches_with_a_newline_that_was_not_signed(row: Row, ending: str) -> None:
    body = (row["body"] + ending).encode()
    assert signing.callback_matches(row["secret"], body, row["signature"])


def test_a_callback_matches_with_a_newline_that_was_signed() -> None:
    row = BODY_ONLY["H1"]
    body = (row["body"] + "\n").encode()
    assert signing.callback_matches(row["secret"], body, row["signature_with_trailing_newline"])


H1 = BODY_ONLY["H1"]


@pytest.mark.parametrize(
    ("secret", "body", "signature"),
    [
        ("f" * 40, H1["body"], H1["signature"]),
        (H1["secret"], H1["body"] + " ", H1["signature"]),
        (H1["secret"], " " + H1["body"], H1["signature"]),
        (H1["secret"], H1["body"], H1["signature_with_trailing_newline"]),
        (H1["secret"], H1["body"], H1["signature"].upper()),
        (H1["secret"], H1["body"], H1["signature"] + "\n"),
        (H1["secret"], H1["body"], ""),
    ],
)
def test_a_callback_with_one_part_changed_does_not_match(
    secret: str, body: str, signature: str
) -> None:
    assert not signing.callback_matches(secret, body.encode(), signature)


# --- whatever may come --------------------------------------------------------------------------

HEX = st.text("0123456789abcdef", min_size=40, max_size=40)
# aiohttp gives bytes of a header that are not UTF-8 as lone surrogates.
ANY_TEXT = st.text(st.characters(exclude_categories=())) | st.just("\udcff")
DATES = st.sampled_from([row["date"] for row in CURRENT.values()])
HEADERS = st.fixed_dictionaries(
    {"x-signature": HEX | ANY_TEXT},
    optional={
        "date": DATES | ANY_TEXT | st.builds("{} ({})".format, DATES, ANY_TEXT),
        "content-md5": st.just(signing.content_md5(b"")) | ANY_TEXT,
        "content-type": st.just("application/json") | ANY_TEXT,
    },
)


@given(
    method=ANY_TEXT,
    path=ANY_TEXT,
    headers=HEADERS,
    body=st.just(b"") | st.binary(),
    body_only=st.booleans(),
)
def test_whatever_a_request_holds_it_is_refused_and_nothing_else(
    method: str, path: str, headers: dict[str, str], body: bytes, *, body_only: bool
) -> None:
    with pytest.raises(SignatureMismatch):
        signing.verify_request(SECRET, method, path, headers, body, now=NOW, body_only=body_only)


SECRETS = st.text("0123456789abcdef", min_size=40, max_size=40)
PATHS = st.from_regex(r"/v2/origin/custom/[a-z0-9_/-]{1,80}", fullmatch=True)
MOMENTS = st.integers(0, 4_000_000_000 * SECOND)


@given(
    secret=SECRETS,
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    path=PATHS,
    body=st.binary(),
    now=MOMENTS,
    late=st.integers(-900, 900),
    kind=st.sampled_from(Signing),
)
def test_what_is_signed_verifies_and_changed_it_does_not(
    *, secret: str, method: str, path: str, body: bytes, now: int, late: int, kind: Signing
) -> None:
    made = signing.request_headers(secret, method, path, body, now=now, signing=kind)
    headers = {name.lower(): value for name, value in made.items()}
    # The Date has whole seconds.
    at, body_only = now // SECOND * SECOND + late * SECOND, kind is Signing.LEGACY
    signing.verify_request(secret, method, path, headers, body, now=at, body_only=body_only)
    wrong: list[tuple[Any, ...]] = [
        (secret[1:] + ("1" if secret[0] != "1" else "2"), method, path, headers, body),
        (secret, method, path, headers, body + b" "),
        (secret, method, path, headers | {"x-signature": "0" * 40}, body),
    ]
    if kind is Signing.CURRENT:
        wrong += [
            (secret, "PUT", path, headers, body),
            (secret, method, path + "/", headers, body),
            (secret, method, path, headers | {"date": signing.format_date(now + SECOND)}, body),
        ]
    for request in wrong:
        with pytest.raises(SignatureMismatch):
            signing.verify_request(*request, now=at, body_only=body_only)


@given(body=st.binary(), signature=HEX | ANY_TEXT)
def test_whatever_a_callback_holds_it_does_not_match(body: bytes, signature: str) -> None:
    assert signing.callback_matches(SECRET, body, signature) is False


@given(date=ANY_TEXT | st.from_regex(r"\w{3}, \d+ Jan \d+ \d+:\d+:\d+ [+-]\d+"))
def test_whatever_a_date_is_it_is_read_or_refused(date: str) -> None:
    try:
        assert isinstance(signing.parse_date(date), int)
    except SignatureMismatch as error:
        assert "RFC 2822" in str(error)  # noqa: PT017 - both ends are right
