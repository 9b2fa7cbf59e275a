"""Signatures of amojo: requests of both generations, and callbacks.

Current generation ("Chats API reference" and "How to start", published vectors B1-B7): HMAC-SHA1 over five lines
METHOD, Content-MD5, Content-Type, Date, path; key is the channel secret as ASCII text, not its hex decoding.
Legacy generation ("Online chats" of 2017) and every callback: HMAC-SHA1 over the body alone.
All digests are lower-case hex; so is Content-MD5, unlike RFC 1864.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache
from typing import Final

from chatbridge.errors import SignatureMismatch
from chatbridge.model import Signing

CONTENT_TYPE: Final = "application/json"
"""The only type amojo accepts; a charset behind it changes the signed text."""

MAX_AGE_SECONDS: Final = 900
"""A signature is valid for 15 minutes from its Date ("How to start"). For the future nothing is documented; the same."""

_HEX_SHA1: Final = re.compile(r"[0-9a-f]{40}")


def format_date(now: int) -> str:
    """Return `now` (microseconds) as `Tue, 14 Jan 2025 09:30:00 +0000`.

    Always UTC and spelled +0000: the one form that is documented and used by every working client.
    """
    return _date_of(now // 1_000_000)


@lru_cache(maxsize=4)
def _date_of(seconds: int) -> str:
    return format_datetime(datetime.fromtimestamp(seconds, UTC))


def content_md5(body: bytes) -> str:
    """Return the lower-case hex MD5 of the body as sent; that of an empty body for GET."""
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def string_to_sign(method: str, md5: str, content_type: str, date: str, path: str) -> str:
    """Return the five lines that are signed. `path` has neither scheme, host nor query."""
    return "\n".join((method.upper(), md5, content_type, date, path))


def sign_text(secret: str, text: str) -> str:
    """Return the signature of a string to sign."""
    # A header may hold bytes that are not UTF-8, which arrive as lone surrogates: such a text has a signature, a wrong one.
    return sign_body(secret, text.encode(errors="surrogatepass"))


def sign_body(secret: str, body: bytes) -> str:
    """Return the signature over a body alone: legacy requests, and every callback."""
    signature = _keyed(secret).copy()
    signature.update(body)
    return signature.hexdigest()


@lru_cache(maxsize=1024)
def _keyed(secret: str) -> hmac.HMAC:
    """Return an HMAC that knows its key and nothing yet; to begin one anew costs most of a short signature."""
    return hmac.new(secret.encode(), digestmod="sha1")


def request_headers(
    secret: str,
    method: str,
    path: str,
    body: bytes,
    *,
    now: int,
    signing: Signing = Signing.CURRENT,
) -> dict[str, str]:
    """Return the headers that make amojo accept this request for the next 15 minutes."""
    if signing is Signing.LEGACY:
        return {"Content-Type": CONTENT_TYPE, "X-Signature": sign_body(secret, body)}
    date, md5 = format_date(now), content_md5(body)
    text = string_to_sign(method, md5, CONTENT_TYPE, date, path)
    return {
        "Date": date,
        "Content-Type": CONTENT_TYPE,
        "Content-MD5": md5,
        "X-Signature": sign_text(secret, text),
    }


def callback_matches(secret: str, body: bytes, signature: str) -> bool:
    """Return, in constant time, whether a callback's `X-Signature` was made with this secret over this body.

    amoCRM's documentation signs the body; live callbacks end with a newline that is not signed, so both the body
    without it and the body as it came are tried.
    """
    if not _HEX_SHA1.fullmatch(signature):
        return False
    trimmed = body.rstrip(b"\r\n")
    matches = hmac.compare_digest(sign_body(secret, trimmed), signature)
    if not matches and len(trimmed) < len(body):
        matches = hmac.compare_digest(sign_body(secret, body), signature)
    return matches


def verify_request(
    secret: str,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: int,
    body_only: bool,
) -> None:
    """Check a signed amojo request, whichever generation its headers show.

    Args:
        secret: the channel secret.
        method: the HTTP method.
        path: the path without query.
        headers: with lower-case names.
        body: the body as received.
        now: microseconds.
        body_only: whether the call takes the legacy generation, as connect, disconnect and send do ("How to start": methods
            made since autumn 2019 do not).

    Raises:
        SignatureMismatch: with a sentence that names the header at fault.

    """
    signature = headers.get("x-signature", "")
    if not _HEX_SHA1.fullmatch(signature):
        raise SignatureMismatch("X-Signature must be 40 lower-case hex characters")
    if body_only and "date" not in headers and "content-md5" not in headers:
        expected = sign_body(secret, body)
    else:
        expected = _expected_current(secret, method, path, headers, body, now=now)
    if not hmac.compare_digest(expected, signature):
        raise SignatureMismatch("X-Signature was not made with this secret over this request")


def _expected_current(
    secret: str, method: str, path: str, headers: Mapping[str, str], body: bytes, *, now: int
) -> str:
    md5, date = headers.get("content-md5", ""), headers.get("date", "")
    if md5 != content_md5(body):
        raise SignatureMismatch("Content-MD5 is not the lower-case hex MD5 of the body as received")
    if headers.get("content-type") != CONTENT_TYPE:
        raise SignatureMismatch(f"Content-Type must be exactly {CONTENT_TYPE}")
    if abs(now // 1_000_000 - parse_date(date)) > MAX_AGE_SECONDS:
        raise SignatureMismatch("Date is more than 15 minutes away from now")
    return sign_text(secret, string_to_sign(method, md5, CONTENT_TYPE, date, path))


def parse_date(date: str) -> int:
    """Return the seconds since 1970 of an RFC 2822 date with any offset.

    Raises:
        SignatureMismatch: it is not such a date.

    """
    try:
        parsed = parsedate_to_datetime(date)
        return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp())
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise SignatureMismatch("Date is not an RFC 2822 date") from error
