"""Why a signature does not match: the known mistakes, tried one by one.

For people who write an amojo client. Each row is a mistake seen in public clients.
"""

import binascii
import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from chatbridge.protocol.amojo.signing import (
    CONTENT_TYPE,
    content_md5,
    sign_body,
    sign_text,
    string_to_sign,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedParts:
    """What took part in a request's signature. `target` is the path with its query, if any."""

    secret: str
    method: str
    target: str
    host: str
    date: str
    body: bytes

    @property
    def path(self) -> str:
        """Return the target without its query."""
        return self.target.partition("?")[0]

    def text(
        self,
        *,
        path: str | None = None,
        body: bytes | None = None,
        content_type: str = CONTENT_TYPE,
    ) -> str:
        """Return the string to sign, with one part changed."""
        md5 = content_md5(self.body if body is None else body)
        return string_to_sign(self.method, md5, content_type, self.date, path or self.path)


def _hex_key(parts: SignedParts) -> str:
    try:
        key = bytes.fromhex(parts.secret)
    except ValueError:
        return ""
    return hmac.digest(key, parts.text().encode(), "sha1").hex()


def _wrong_order(parts: SignedParts) -> str:
    md5 = content_md5(parts.body)
    lines = (parts.method.upper(), CONTENT_TYPE, md5, parts.date, parts.path)
    return sign_text(parts.secret, "\n".join(lines))


def _base64_md5(parts: SignedParts) -> str:
    digest = hashlib.md5(parts.body, usedforsecurity=False).digest()
    md5 = binascii.b2a_base64(digest, newline=False).decode()
    return sign_text(
        parts.secret, string_to_sign(parts.method, md5, CONTENT_TYPE, parts.date, parts.path)
    )


_Variant = Callable[[SignedParts], str]

MISTAKES: Final[tuple[tuple[str, _Variant], ...]] = (
    ("the key was hex-decoded; use the secret as text", _hex_key),
    ("only the body was signed (the legacy scheme)", lambda p: sign_body(p.secret, p.body)),
    ("the lines are in another order; it is method, MD5, type, date, path", _wrong_order),
    (
        "the query belongs to the signed path; leave it out",
        lambda p: sign_text(p.secret, p.text(path=p.target)),
    ),
    (
        "the whole address was signed instead of the path",
        lambda p: sign_text(p.secret, p.text(path=f"https://{p.host}{p.path}")),
    ),
    ("a newline follows the path", lambda p: sign_text(p.secret, p.text() + "\n")),
    ("Content-MD5 is base64; amojo wants hex", _base64_md5),
    (
        "a charset stands behind the content type",
        lambda p: sign_text(p.secret, p.text(content_type="application/json; charset=utf-8")),
    ),
    (
        "the signed body had no trailing newline, the sent one has",
        lambda p: sign_text(p.secret, p.text(body=p.body.rstrip(b"\r\n"))),
    ),
    (
        "a trailing newline was signed but not sent",
        lambda p: sign_text(p.secret, p.text(body=p.body + b"\n")),
    ),
)


def find_mistakes(parts: SignedParts, signature: str) -> Iterator[str]:
    """Yield a sentence for each known mistake that produces exactly this signature."""
    lowered, right = signature.strip().lower(), sign_text(parts.secret, parts.text())
    if lowered == right:
        if signature != right:
            yield "the digest is right but must be lower-case hex without spaces"
        return
    for sentence, variant in MISTAKES:
        made = variant(parts)
        if made and made == lowered:
            yield sentence
