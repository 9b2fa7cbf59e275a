"""Both generations of amojo signatures, and the hooks' one. Pure: bytes, secret and time come in.

Current requests sign method, Content-MD5, Content-Type, Date and path (page "chat-start"); old
requests and all hooks sign the raw body. Everywhere: HMAC-SHA1, the secret's text as key, hex.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

VALID_FOR_S = 900  # "chat-start": 15 minutes; that it also bounds the future is assumed
CONTENT_TYPE = b"application/json"

_MONTHS = (
    b"Jan",
    b"Feb",
    b"Mar",
    b"Apr",
    b"May",
    b"Jun",
    b"Jul",
    b"Aug",
    b"Sep",
    b"Oct",
    b"Nov",
    b"Dec",
)
# RFC 2822 as clients known to work spell it. `-0000`, `+03:00` and ISO dates have no such client.
_DATE = re.compile(
    rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) (" + b"|".join(_MONTHS) + rb") (\d{4}) "
    rb"(\d\d):(\d\d):(\d\d) (?:GMT|(?!-0000)([+-])(\d\d)(\d\d))"
)


class SignatureError(Exception):
    """A request's signature was refused; the text is the reason, for the developer's log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """The signed parts of a request as received. A missing header is `None`."""

    method: bytes
    path: bytes  # without host and query
    query: bytes
    host: bytes
    body: bytes
    date: bytes | None
    content_md5: bytes | None
    content_type: bytes | None
    signature: bytes | None


def sign_body(secret: str, body: bytes) -> str:
    """Signature of a hook, and of a request of the old generation."""
    return _hmac(secret.encode(), body)


def sign_request(secret: str, request: SignedRequest) -> str:
    """Signature of a request of the current generation, from its headers as they stand."""
    return _hmac(secret.encode(), _signed_lines(request, request.path))


def parse_date(text: bytes) -> float | None:
    """Seconds since the epoch, or `None` for a spelling that no known working client uses."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = match.groups()
    try:
        offset = timedelta(hours=int(zone_hours or 0), minutes=int(zone_minutes or 0))
        zone = timezone(-offset if sign == b"-" else offset) if offset else UTC
        moment = datetime(  # noqa: DTZ001 - the zone is set one line below; ruff cannot see it
            int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second)
        ).replace(tzinfo=zone)
        return moment.timestamp()
    except (ValueError, OverflowError):
        return None


def verify(request: SignedRequest, secret: str, *, now: float, body_only: bool) -> None:
    """Check a request. `body_only`: the method also takes the old generation. Raises SignatureError."""
    if request.signature is None:
        raise SignatureError("X-Signature is missing")
    if request.date is None and request.content_md5 is None:
        if not body_only:
            raise SignatureError(
                "this method needs Date and Content-MD5; body-only signing is older"
            )
        if not _same(sign_body(secret, request.body), request.signature):
            raise SignatureError(
                "X-Signature is not the HMAC-SHA1 of the body with the channel's secret"
            )
        return
    _check_headers(request, now)
    if not _same(sign_request(secret, request), request.signature):
        raise SignatureError(_likely_mistake(request, secret))


def _check_headers(request: SignedRequest, now: float) -> None:
    if request.date is None:
        raise SignatureError("Date is missing")
    if request.content_md5 is None:
        raise SignatureError("Content-MD5 is missing")
    if request.content_type != CONTENT_TYPE:
        raise SignatureError("Content-Type must be exactly application/json")
    if not _same(_md5(request.body), request.content_md5):
        raise SignatureError("Content-MD5 is not the lower-case hex MD5 of the body received")
    moment = parse_date(request.date)
    if moment is None:
        raise SignatureError("Date is not of the form 'Tue, 14 Jan 2025 09:30:00 +0000'")
    if abs(now - moment) > VALID_FOR_S:
        raise SignatureError(f"Date is {abs(now - moment):.0f} s away from now, 900 s are allowed")


def _likely_mistake(request: SignedRequest, secret: str) -> str:
    """Name the well-known mistake that gives exactly this signature, if one does."""
    key, lines = secret.encode(), _signed_lines(request, request.path)
    method, md5, content_type, date, path = lines.split(b"\n", 4)
    reordered = b"\n".join((method, content_type, md5, date, path))
    mistakes = [
        ("the signature covers the body only", _hmac(key, request.body)),
        ("a line feed follows the path in the signed text", _hmac(key, lines + b"\n")),
        ("Content-Type stands before Content-MD5 in the signed text", _hmac(key, reordered)),
        ("the query is part of the signed path", _hmac(key, lines + b"?" + request.query)),
    ]
    for scheme in (b"http://", b"https://"):
        whole = _signed_lines(request, scheme + request.host + request.path)
        mistakes.append(("the whole address was signed instead of the path", _hmac(key, whole)))
    if re.fullmatch(r"(?:[0-9a-f]{2})+", secret):
        decoded = _hmac(bytes.fromhex(secret), lines)
        mistakes.append(("the secret was hex-decoded; its text is the key", decoded))
    for sentence, signature in mistakes:
        if _same(signature, request.signature or b""):
            return f"X-Signature does not match: {sentence}"
    return "X-Signature does not match (wrong secret, or the headers or path sent are not those signed)"


def _signed_lines(request: SignedRequest, path: bytes) -> bytes:
    headers = (request.content_md5, request.content_type, request.date)
    return b"\n".join((request.method.upper(), *(value or b"" for value in headers), path))


def _hmac(key: bytes, message: bytes) -> str:
    return hmac.new(key, message, hashlib.sha1).hexdigest()


def _md5(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def _same(expected: str, received: bytes) -> bool:
    return hmac.compare_digest(expected.encode(), received)
