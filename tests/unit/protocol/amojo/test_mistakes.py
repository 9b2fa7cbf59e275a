"""The negative vectors: what wrong implementations send, and the sentence each of them is told."""

import base64
import hashlib
from dataclasses import replace

import pytest

from chatbridge.protocol.amojo.mistakes import MISTAKES, SignedParts, find_mistakes
from chatbridge.protocol.amojo.signing import sign_text, string_to_sign
from tests.unit.factories import VECTORS

N1 = next(row for row in VECTORS["requests_current"] if row["id"] == "N1")
PARTS = SignedParts(
    secret=N1["secret"],
    method=N1["method"],
    target=N1["path"],
    host="amojo.amocrm.ru",
    date=N1["date"],
    body=N1["body"].encode(),
)


def signed(*, md5: str = N1["content_md5"], content_type: str = N1["content_type"]) -> str:
    text = string_to_sign(PARTS.method, md5, content_type, PARTS.date, PARTS.path)
    return sign_text(PARTS.secret, text)


def md5(body: bytes) -> str:
    return hashlib.md5(body).hexdigest()


BASE64_MD5 = base64.b64encode(hashlib.md5(PARTS.body).digest()).decode()
FOUND = {
    # computed for N1 by another program
    "16a1b40705991fa67849ee925d3e86b5539997c0": "the key was hex-decoded",
    "fc91a04c6e0a1d5a9ed6abffde0fc0f0cf957815": "the lines are in another order",
    "025a40bdb0f46da915dee74af4ffba41cde84ad3": "only the body was signed",
    "3edd691c4a13c657566c6f000f2af776f5c402a5": "the whole address was signed",
    "47aadc339c7ea279154469881b43281aa16bb2e9": "a newline follows the path",
    # spelled out here
    signed(md5=BASE64_MD5): "Content-MD5 is base64",
    signed(content_type="application/json; charset=utf-8"): "a charset stands behind",
    signed(md5=md5(PARTS.body + b"\n")): "a trailing newline was signed but not sent",
    N1["signature"].upper(): "must be lower-case hex",
    f" {N1['signature']}": "must be lower-case hex",
}


@pytest.mark.parametrize(("signature", "words"), FOUND.items(), ids=FOUND.values())
def test_each_mistake_is_named(signature: str, words: str) -> None:
    (sentence,) = find_mistakes(PARTS, signature)
    assert words in sentence


def test_a_signed_query_is_named() -> None:
    parts = replace(PARTS, target=PARTS.target + "?limit=50&offset=0")
    text = string_to_sign(
        parts.method, N1["content_md5"], "application/json", parts.date, parts.target
    )
    (sentence,) = find_mistakes(parts, sign_text(parts.secret, text))
    assert "the query belongs to the signed path" in sentence


def test_a_newline_that_was_sent_but_not_signed_is_named() -> None:
    parts = replace(PARTS, body=PARTS.body + b"\r\n")
    (sentence,) = find_mistakes(parts, N1["signature"])
    assert "the sent one has" in sentence


def test_every_mistake_has_its_case() -> None:
    told = [*FOUND.values(), "the query belongs", "the sent one has"]
    for sentence, _ in MISTAKES:
        assert any(words in sentence for words in told), sentence


@pytest.mark.parametrize("signature", ["0" * 40, "", "é", "\udcff"])
def test_an_unknown_mistake_is_not_guessed(signature: str) -> None:
    assert list(find_mistakes(PARTS, signature)) == []


def test_a_secret_that_is_not_hex_cannot_have_been_decoded() -> None:
    parts = replace(PARTS, secret="no hex at all")
    assert list(find_mistakes(parts, "0" * 40)) == []


def test_a_right_signature_is_no_mistake() -> None:
    """Where a variant changes nothing (no query, no newline) it must not accuse a request that is right."""
    assert list(find_mistakes(PARTS, N1["signature"])) == []
