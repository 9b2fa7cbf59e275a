"""Bad input of every kind gets a clear answer, never a 500, and the server goes on."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.acceptance.bridge import ADMIN_TOKEN, Bridge, Shop, draft, eventually
from tests.acceptance.conftest import OwnBridge
from tests.acceptance.wire import exchange, head, message_head, padded, post_message
from tests.fakes import Answer, FarSide
from tests.plain_amojo import PlainAmojo, sign_body

MEBIBYTE = 1_048_576

before_any_database = pytest.mark.parametrize("shared_process", ["sqlite"], indirect=True)
"""For what is refused before a database is asked: with which one is all the same."""


@pytest.fixture
async def shop(bridge: Bridge, plain: PlainAmojo) -> AsyncIterator[Shop]:
    """After whatever the test did, a good message is still taken and arrives."""
    shop = await bridge.open_shop(plain)
    yield shop
    await bridge.take(shop, "good", "after")
    await bridge.wait_for_state(shop, "good", "delivered")
    assert (await plain.arrived(shop.account))["after"] == ["good"]


def without(*path: str) -> dict[str, Any]:
    """A message that lacks a member."""
    whole = draft("m-1")
    inner: Any = whole
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return whole


def with_(value: object, *path: str) -> dict[str, Any]:
    """A message with a member of another value."""
    whole = draft("m-1")
    inner: Any = whole
    for name in path[:-1]:
        inner = inner.setdefault(name, {})
    inner[path[-1]] = value
    return whole


MEDIA = {"type": "file", "media_url": "https://a.example/x"}
WRONG_FIELDS: list[tuple[object, str]] = [
    (without("id"), "/id"),
    (without("conversation_id"), "/conversation_id"),
    (without("sender"), "/sender"),
    (without("sender", "id"), "/sender/id"),
    (without("message"), "/message"),
    (without("message", "type"), "/message/type"),
    (without("message", "text"), "/message"),
    ({}, "/id"),
    ([], ""),
    (None, ""),
    ("text", ""),
    (1, ""),
    ([draft("m-1")], ""),
    (with_("", "id"), "/id"),
    (with_("x" * 256, "id"), "/id"),
    (with_("a\x00b", "id"), "/id"),
    (with_("a\nb", "id"), "/id"),
    (with_("a\u202eb", "id"), "/id"),
    (with_(7, "id"), "/id"),
    (with_(None, "id"), "/id"),
    (with_({"$ne": 1}, "id"), "/id"),
    (with_("y" * 256, "conversation_id"), "/conversation_id"),
    (with_("\x00", "conversation_id"), "/conversation_id"),
    (with_("nobody knows it", "nonsense"), "/nonsense"),
    (with_("x", "sender", "nmae"), "/sender/nmae"),
    (with_("x" * 256, "sender", "name"), "/sender/name"),
    (with_("1" * 65, "sender", "phone"), "/sender/phone"),
    (with_("javascript:alert(1)", "sender", "avatar_url"), "/sender/avatar_url"),
    (with_("carrier pigeon", "message", "type"), "/message/type"),
    (with_("x" * 65_537, "message", "text"), "/message/text"),
    (with_(["a"], "message", "text"), "/message/text"),
    (with_({"type": "picture"}, "message"), "/message"),
    (with_({"type": "location"}, "message"), "/message"),
    (with_({"type": "contact"}, "message"), "/message"),
    (with_({"type": "location", "location": {"lat": 91, "lon": 0}}, "message"), "/message/location/lat"),
    (with_({"type": "location", "location": {"lat": "1", "lon": 0}}, "message"), "/message/location/lat"),
    (with_(MEDIA | {"media_url": "ftp://a/b"}, "message"), "/message/media_url"),
    (with_(MEDIA | {"media_url": "/relative"}, "message"), "/message/media_url"),
    (with_(MEDIA | {"media_url": "http://"}, "message"), "/message/media_url"),
    (with_(MEDIA | {"media_url": "http://a:99999/"}, "message"), "/message/media_url"),
    (with_(MEDIA | {"media_url": "http://[::1/"}, "message"), "/message/media_url"),
    (with_(MEDIA | {"media_url": "https://u:p@a.example/"}, "message"), "/message/media_url"),
    (with_(MEDIA | {"media_url": "https://a.example/" + "x" * 2048}, "message"), "/message/media_url"),
    (with_(MEDIA | {"file_size": -1}, "message"), "/message/file_size"),
    (with_(MEDIA | {"file_size": 1.5}, "message"), "/message/file_size"),
    (with_(MEDIA | {"file_size": "12"}, "message"), "/message/file_size"),
    (with_(MEDIA | {"file_size": True}, "message"), "/message/file_size"),
    (with_(MEDIA | {"file_size": 2**63}, "message"), "/message/file_size"),
    (with_(MEDIA | {"file_size": 2**64 + 1}, "message"), "/message/file_size"),
    (with_(MEDIA | {"file_size": 10**400}, "message"), "/message/file_size"),
    (with_(MEDIA | {"duration": 2**31}, "message"), "/message/duration"),
    (with_("yes", "silent"), "/silent"),
    (with_("yesterday", "sent_at"), "/sent_at"),
    (with_("2026-11-20T12:00:00", "sent_at"), "/sent_at"),
    (with_("1969-12-31T23:59:59Z", "sent_at"), "/sent_at"),
    (with_("0001-01-01T00:00:00+14:00", "sent_at"), "/sent_at"),
    (with_("9999-12-31T23:59:59-12:00", "sent_at"), "/sent_at"),
    (with_(1e300, "sent_at"), "/sent_at"),
    (with_(2**63, "sent_at"), "/sent_at"),
]  # fmt: skip


@before_any_database
@pytest.mark.parametrize(("value", "pointer"), WRONG_FIELDS)
async def test_wrong_fields_are_named(
    bridge: Bridge, shop: Shop, value: object, pointer: str
) -> None:
    reply = await post_message(bridge, shop, json.dumps(value).encode())
    problem = reply.problem()
    assert (reply.status, problem["code"]) == (422, "invalid_fields")
    assert pointer in {fault["pointer"] for fault in problem["errors"]}
    assert all(fault["detail"] for fault in problem["errors"])


TEXT = json.dumps(draft("m-1")).encode()
NO_JSON = {
    "empty": b"",
    "white space": b" \n ",
    "half": TEXT[:-1],
    "two": TEXT + TEXT,
    "comment": b"/* */" + TEXT,
    "single quotes": b"{'id': 1}",
    "a bare word": b"hello",
    "byte order mark": b"\xef\xbb\xbf" + TEXT,
    "UTF-16": TEXT.decode().encode("utf-16"),
    "Latin-1": TEXT.replace(b"Anna", "Zoë".encode("latin-1")),
    "overlong UTF-8": TEXT.replace(b"Anna", b"\xc0\xaf"),
    "raw surrogate": TEXT.replace(b"Anna", b"\xed\xa0\x80"),
    "escaped lone surrogate": TEXT.replace(b"Anna", rb"\ud800"),
    "reversed surrogates": TEXT.replace(b"Anna", rb"\udc00\ud800"),
    "raw NUL in a text": TEXT.replace(b"Anna", b"An\x00na"),
    "raw newline in a text": TEXT.replace(b"Anna", b"An\nna"),
    "zeros": b"\x00" * 100,
    "deep list": b"[" * 10_000,
    "deep closed list": b"[" * 10_000 + b"]" * 10_000,
    "deep object": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "deep member": TEXT[:-1] + b', "x": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "XML": b"<message/>",
    "a form": b"id=1&text=2",
}  # fmt: skip


@before_any_database
@pytest.mark.parametrize("body", NO_JSON.values(), ids=NO_JSON.keys())
async def test_what_is_not_json_is_called_so(bridge: Bridge, shop: Shop, body: bytes) -> None:
    reply = await post_message(bridge, shop, body)
    assert (reply.status, reply.problem()["code"]) == (400, "malformed_json")


@before_any_database
@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-0.0e999999"])
async def test_numbers_that_are_none_are_refused(bridge: Bridge, shop: Shop, number: bytes) -> None:
    body = json.dumps(with_({"type": "location", "location": {"lat": 77, "lon": 0}}, "message"))
    reply = await post_message(bridge, shop, body.encode().replace(b"77", number))
    if number.startswith(b"-0"):
        assert reply.status == 202, "it is zero, spelled oddly"
    else:
        assert reply.status in {400, 422}
        reply.problem()


async def test_of_a_doubled_member_the_last_counts(
    bridge: Bridge, shop: Shop, plain: PlainAmojo
) -> None:
    body = TEXT.replace(b'"text": "text of m-1"', b'"text": "first", "text": "last"')
    assert (await post_message(bridge, shop, body)).status == 202
    await bridge.wait_for_state(shop, "m-1", "delivered")
    assert plain.taken[0].payload["message"]["text"] == "last"


async def test_nul_and_every_other_character_in_a_text_arrive(
    bridge: Bridge, shop: Shop, plain: PlainAmojo
) -> None:
    text = "".join(map(chr, range(0x250))) + "\u2028\u202e\ufeff\uffff\U0010ffff"
    await bridge.take(shop, "m-1", message={"type": "text", "text": text})
    await bridge.wait_for_state(shop, "m-1", "delivered")
    assert plain.taken[0].payload["message"]["text"] == text


@before_any_database
@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "multipart/form-data", "application/x-www-form-urlencoded", "application/jsonp", ";;", "a/b/c", ""],
)  # fmt: skip
async def test_another_content_type_is_refused(
    bridge: Bridge, shop: Shop, content_type: str
) -> None:
    reply = await post_message(bridge, shop, TEXT, ("Content-Type", content_type))
    assert (reply.status, reply.problem()["code"]) == (415, "unsupported_media_type")


@before_any_database
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "GZIP", "gzip, gzip"])
async def test_a_compressed_body_is_refused(bridge: Bridge, shop: Shop, encoding: str) -> None:
    reply = await post_message(bridge, shop, gzip.compress(TEXT), ("Content-Encoding", encoding))
    assert (reply.status, reply.problem()["code"]) == (415, "unsupported_media_type")


async def test_a_body_of_exactly_one_mebibyte_is_taken(bridge: Bridge, shop: Shop) -> None:
    assert (await post_message(bridge, shop, padded(draft("m-1"), MEBIBYTE))).status == 202


async def test_one_byte_more_is_refused(bridge: Bridge, shop: Shop) -> None:
    reply = await post_message(bridge, shop, padded(draft("m-1"), MEBIBYTE + 1))
    problem = reply.problem()
    assert (reply.status, problem["code"]) == (413, "body_too_large")
    assert str(MEBIBYTE) in problem["detail"]


async def test_a_huge_announced_body_is_refused_before_it_is_sent(
    bridge: Bridge, shop: Shop
) -> None:
    reply = await exchange(bridge, message_head(shop, length=10**15))
    assert reply is not None
    assert (reply.status, reply.problem()["code"]) == (413, "body_too_large")


async def test_an_endless_chunked_body_is_cut(bridge: Bridge, shop: Shop) -> None:
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    start = message_head(shop, ("Transfer-Encoding", "chunked"))
    reply = await exchange(bridge, start, *[chunk] * 200)
    assert reply is not None
    assert (reply.status, reply.problem()["code"]) == (413, "body_too_large")


async def test_a_chunked_body_is_a_body(bridge: Bridge, shop: Shop) -> None:
    pieces = [b"%x\r\n%b\r\n" % (1, bytes([byte])) for byte in TEXT]
    start = message_head(shop, ("Transfer-Encoding", "chunked"))
    reply = await exchange(bridge, start, *pieces, b"0\r\n\r\n")
    assert reply is not None
    assert reply.status == 202


BROKEN = {
    "a chunk size that is none": (("Transfer-Encoding", "chunked"), b"5\r\nhello\r\nZZ\r\n\r\n"),
    "a chunk without its end": (("Transfer-Encoding", "chunked"), b"5\r\nhelloXX5\r\n"),
    "a negative length": (("Content-Length", "-5"), b"hello"),
    "a length that is none": (("Content-Length", "five"), b"hello"),
    "a huge length": (("Content-Length", "9" * 40), b"hello"),
    "chunked and a length": (("Transfer-Encoding", "chunked"), b"0\r\n\r\n"),
    "an unknown transfer coding": (("Transfer-Encoding", "gzip, identity"), b"hello"),
    "an expectation nobody has": (("Expect", "a miracle"), b""),
}


@before_any_database
@pytest.mark.parametrize(("header", "rest"), BROKEN.values(), ids=BROKEN.keys())
async def test_broken_framing_is_the_callers_fault(
    bridge: Bridge, shop: Shop, header: tuple[str, str], rest: bytes
) -> None:
    reply = await exchange(bridge, message_head(shop, header) + rest, end=True)
    assert reply is None or 400 <= reply.status < 500


@before_any_database
@pytest.mark.parametrize("rest", [b"ZZ\r\n\r\n", b"5\r\nhelloXX", b"5\r\nhel"])
async def test_a_body_that_breaks_off_is_the_callers_fault(
    bridge: Bridge, shop: Shop, rest: bytes
) -> None:
    """The server is waiting for the body already."""
    continued = [("Transfer-Encoding", "chunked"), ("Expect", "100-continue")]
    reader, writer = await asyncio.open_connection("127.0.0.1", bridge.process.port)
    writer.write(message_head(shop, *continued))
    assert b"100 Continue" in await reader.readuntil(b"\r\n\r\n")
    writer.write(rest)
    writer.write_eof()
    said = await reader.read()
    assert said == b"" or said.startswith(b"HTTP/1.1 400 ")
    writer.close()


@before_any_database
@pytest.mark.parametrize(
    "said",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100,
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GE\x00T / HTTP/1.1\r\n\r\n",
        b"BREW / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nA B: c\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\r\n" * 1000,
        b"POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 52\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
    ids=["TLS", "no address", "version", "NUL", "unknown method", "bad header", "long header", "long address", "newlines", "two lengths"],
)  # fmt: skip
async def test_what_is_not_http_is_the_callers_fault(
    bridge: Bridge, shop: Shop, said: bytes
) -> None:
    del shop
    reply = await exchange(bridge, said, end=True)
    if reply is not None:
        assert 400 <= reply.status < 500
        assert reply.problem()["code"] in {"malformed_request", "method_not_allowed", "not_found"}
        assert "X-Request-Id" in reply.headers


@pytest.mark.parametrize("sent", [0, 1, 20, len(TEXT) - 1])
async def test_a_caller_who_leaves_in_the_middle_does_no_harm(
    bridge: Bridge, shop: Shop, sent: int
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", bridge.process.port)
    writer.write(message_head(shop, length=len(TEXT)) + TEXT[:sent])
    await writer.drain()
    writer.transport.abort()
    reply = await bridge.call("GET", "/v1/messages/m-1", key=shop.key)
    assert reply.status == 404


async def test_a_body_that_does_not_come_is_not_waited_for(
    own_bridge: OwnBridge, plain: PlainAmojo
) -> None:
    bridge = own_bridge(HTTP__BODY_TIMEOUT="0.2")
    shop = await bridge.open_shop(plain)
    reply = await exchange(bridge, message_head(shop, length=100), b"{")
    assert reply is not None
    assert (reply.status, reply.problem()["code"]) == (408, "request_too_slow")
    await bridge.take(shop, "good")


WRONG_KEYS: list[bytes] = [
    b"",
    b"Authorization: ",
    b"Authorization: Bearer",
    b"Authorization: Bearer ",
    b"Authorization: Bearer wrong",
    b"Authorization: Basic YTpi",
    b"Authorization: Bearer \xff\xfe\xed\xa0\x80",
    "Authorization: Bearer кл\u044eч".encode(),
    b"Authorization: Bearer " + b"x" * 5000,
    b"Authorization: \x80",
]  # fmt: skip


@pytest.mark.parametrize("header", WRONG_KEYS)
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/channels"])
async def test_a_wrong_key_is_refused(bridge: Bridge, shop: Shop, header: bytes, path: str) -> None:
    del shop
    headers = [header] if header else []
    request = head("POST", path, *headers, ("Content-Type", "application/json"), length=len(TEXT))
    reply = await exchange(bridge, request, TEXT)
    assert reply is not None
    assert (reply.status, reply.problem()["code"]) == (401, "unauthenticated")
    assert reply.headers["WWW-Authenticate"] == "Bearer"


async def test_each_key_opens_its_own_calls_only(bridge: Bridge, shop: Shop) -> None:
    assert (await bridge.send(shop, "m-0")).status == 202
    for method, path, key in (
        ("POST", "/v1/messages", ADMIN_TOKEN),
        ("GET", "/v1/messages/m-0", ADMIN_TOKEN),
        ("GET", "/v1/channels", shop.key),
        ("POST", "/v1/parked/release", shop.key),
        ("GET", "/v1/links", shop.messenger["webhook_secret"]),
        ("GET", "/v1/links", shop.key.upper()),
    ):
        value = {} if method == "POST" else None
        assert (await bridge.call(method, path, value, key=key)).problem()[
            "code"
        ] == "unauthenticated"


@pytest.mark.parametrize(
    ("method", "path", "refusal"),
    [
        ("GET", "/nothing", (404, "not_found")),
        ("GET", "/v1", (404, "not_found")),
        ("GET", "/v1/messages/", (404, "not_found")),
        ("GET", "/v1/messages/unknown", (404, "not_found")),
        ("GET", "/v1/messages/%00", (404, "not_found")),
        ("GET", "/v1/messages/%ED%A0%80", (404, "not_found")),
        ("GET", "/v1/messages/%FF", (404, "not_found")),
        ("GET", "/v1/messages/" + "x" * 256, (404, "not_found")),
        ("GET", "/static/../app.py", (404, "not_found")),
        ("GET", "/static/%2e%2e/%2e%2e/config.py", (404, "not_found")),
        ("GET", "/static/..%2f..%2fconfig.py", (404, "not_found")),
        ("DELETE", "/v1/messages/x", (405, "method_not_allowed")),
        ("PUT", "/v1/messages", (405, "method_not_allowed")),
        ("PATCH", "/v1/messages", (405, "method_not_allowed")),
        ("GET", "/location/x", (405, "method_not_allowed")),
    ],
)
async def test_what_is_not_there_is_called_so(
    bridge: Bridge, shop: Shop, method: str, path: str, refusal: tuple[int, str]
) -> None:
    reply = await exchange(bridge, head(method, path, ("Authorization", f"Bearer {shop.key}")))
    assert reply is not None
    assert (reply.status, reply.problem()["code"]) == refusal
    assert ("Allow" in reply.headers) == (reply.status == 405)


async def test_a_head_request_is_answered(bridge: Bridge) -> None:
    assert (await bridge.call("HEAD", "/v1/messages")).status == 405


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "limit=x", "limit=9999999999999999999", "after=unknown", "nonsense=1", "after=%00",
     "after=%ED%A0%80", "after=%FF", "limit=", "limit=1e3"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/v1/channels", "/v1/messengers", "/v1/links", "/v1/parked"])
async def test_a_wrong_page_is_named(bridge: Bridge, path: str, query: str) -> None:
    reply = await bridge.call("GET", f"{path}?{query}")
    problem = reply.problem()
    assert (reply.status, problem["code"]) == (422, "invalid_fields")
    assert problem["errors"][0]["pointer"].startswith(f"?{query.partition('=')[0]}")


@pytest.mark.parametrize(
    ("path", "value", "pointer"),
    [
        ("/v1/channels", {"code": "c", "channel_id": "x" * 65, "secret": "s" * 40}, "/channel_id"),
        ("/v1/channels", {"code": "c", "channel_id": "x", "secret": "s" * 7}, "/secret"),
        ("/v1/channels", {"code": "c", "channel_id": "x", "secret": "s" * 40, "bot_id": "b" * 65}, "/bot_id"),
        ("/v1/channels", {"code": "c", "channel_id": "x", "secret": "s" * 40, "title": "a\0b"}, "/title"),
        ("/v1/channels", {"code": "c", "channel_id": "x", "secret": "s" * 40, "signing": "new"}, "/signing"),
        ("/v1/channels", {"code": "c", "channel_id": "x", "secret": "s" * 40, "base_url": "http://10.0.0.1"}, "/base_url"),
        ("/v1/channels", {"code": "c", "channel_id": "x", "secret": "s" * 40, "base_url": "http://a.example/?x"}, "/base_url"),
        ("/v1/messengers", {"name": "a\0b", "kind": "backend"}, "/name"),
        ("/v1/messengers", {"name": "", "kind": "backend"}, "/name"),
        ("/v1/messengers", {"name": "a", "kind": "backend", "webhook_url": "http://192.168.1.1/"}, "/webhook_url"),
        ("/v1/messengers", {"name": "a", "kind": "backend", "webhook_url": "file:///etc/passwd"}, "/webhook_url"),
        ("/v1/messengers", {"name": "a", "kind": "backend", "webhook_format": "xml"}, "/webhook_format"),
        ("/v1/messengers", {"name": "a", "kind": "backend", "settings": {"n": 2**64}}, "/settings"),
        ("/v1/messengers", {"name": "a", "kind": "backend", "settings": {"n": "x" * 20_000}}, "/settings"),
        ("/v1/messengers", {"name": "a", "kind": "backend", "settings": []}, "/settings"),
        ("/v1/links", {"channel": "c", "account_id": "a" * 256, "messenger": "m"}, "/account_id"),
        ("/v1/links", {"channel": "c", "account_id": "a\0", "messenger": "m"}, "/account_id"),
        ("/v1/parked/release", {"ids": []}, "/ids"),
        ("/v1/parked/release", {"ids": [0]}, "/ids/0"),
        ("/v1/parked/release", {"ids": [2**63]}, "/ids/0"),
        ("/v1/parked/release", {"ids": [1] * 501}, "/ids"),
    ],
)  # fmt: skip
async def test_wrong_fields_of_the_management_api_are_named(
    bridge: Bridge, path: str, value: dict[str, Any], pointer: str
) -> None:
    reply = await bridge.call("POST", path, value)
    problem = reply.problem()
    assert (reply.status, problem["code"]) == (422, "invalid_fields")
    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]


async def test_no_connector_of_the_kind(bridge: Bridge) -> None:
    reply = await bridge.call("POST", "/v1/messengers", {"name": "a", "kind": "pigeon"})
    assert (reply.status, reply.problem()["code"]) == (422, "kind_unavailable")


async def test_settings_come_back_as_they_were_stored(bridge: Bridge) -> None:
    settings = {"capabilities": {"max_bytes": 2**63 - 1, "types": ["text"], "buttons": False}}
    made = await bridge.add_messenger(settings=settings)
    assert made["settings"] == settings
    draft = {"name": "a", "kind": "backend", "settings": {"capabilites": {}}}
    reply = await bridge.call("POST", "/v1/messengers", draft)
    assert (reply.status, reply.problem()["code"]) == (422, "invalid_fields")
    assert [fault["pointer"] for fault in reply.problem()["errors"]] == ["/settings/capabilites"]
    deep: Any = 1
    for _ in range(300):
        deep = [deep]
    reply = await bridge.call(
        "POST", "/v1/messengers", {"name": "a", "kind": "backend", "settings": {"d": deep}}
    )
    assert (reply.status, reply.problem()["code"]) == (400, "malformed_json")


async def test_taken_names_are_refused(bridge: Bridge, plain: PlainAmojo, shop: Shop) -> None:
    other = await plain.open_account(bridge.hook_url)
    made = await bridge.add_channel(other, plain.url)
    draft = {"code": shop.account.code, "channel_id": other.channel_id, "secret": "s" * 40}
    for value in (draft, draft | {"channel_id": "another"}, draft | {"code": "another"}):
        reply = await bridge.call("POST", "/v1/channels", value)
        assert (reply.status, reply.problem()["code"]) == (409, "already_exists")
    reply = await bridge.call(
        "PATCH", f"/v1/channels/{made['channel_id']}", {"code": shop.account.code}
    )
    assert (reply.status, reply.problem()["code"]) == (409, "already_exists")


async def test_a_message_that_belongs_nowhere(bridge: Bridge, shop: Shop) -> None:
    unlinked = await bridge.add_messenger()
    reply = await bridge.call("POST", "/v1/messages", draft("m-1"), key=unlinked["api_key"])
    assert (reply.status, reply.problem()["code"]) == (409, "not_linked")
    reply = await bridge.send(shop, "m-1", scope_id="another")
    assert (reply.status, reply.problem()["code"]) == (409, "not_linked")


SIGNED_NONSENSE = {
    "empty": b"",
    "not JSON": b"{",
    "a list": b"[]",
    "a number": b"1",
    "invalid UTF-8": b'{"a": "\xff"}',
    "deep": b"[" * 10_000,
    "NUL": b"\x00",
    "no message": b'{"account_id": "a", "message": {}}',
    "a message without an id": b'{"message": {"conversation": {"id": "x"}, "message": {"type": "text"}}}',
    "an id with NUL": b'{"message": {"conversation": {"id": "x"}, "message": {"id": "\\u0000", "type": "text"}}}',
    "an unknown type": b'{"message": {"conversation": {"id": "x"}, "message": {"id": "y", "type": "smell"}}}',
    "half of v1": b'{"conversation_id": "", "type": "text"}',
}


@pytest.mark.parametrize("body", SIGNED_NONSENSE.values(), ids=SIGNED_NONSENSE.keys())
async def test_signed_nonsense_is_kept_and_called_so(
    bridge: Bridge, shop: Shop, plain: PlainAmojo, body: bytes
) -> None:
    headers = {"X-Signature": sign_body(shop.account.secret, body)}
    reply = await bridge.call(
        "POST", f"/location/{shop.scope_id}", key=None, data=body, headers=headers
    )
    assert (reply.status, reply.problem()["code"]) == (400, "unreadable_payload")
    assert plain.refusals == []


DEEP = json.loads("[" * 400 + "]" * 400)
ODD_CALLBACKS: dict[str, dict[str, Any]] = {
    "deep markup": {"markup": {"a": DEEP}},
    "wrong types everywhere": {"text": 5, "media": [], "file_size": "x", "thumbnail": {}},
    "numbers beyond everything": {"file_size": 10**30, "media_duration": -5},
    "NUL in texts": {"text": "a\0b", "file_name": "\0", "sticker_id": "\0"},
    "a large number in markup": {"markup": {"n": 2**64 - 1}},
    "a larger number in markup": {"markup": {"n": 2**70}},
}


@pytest.mark.parametrize("message", ODD_CALLBACKS.values(), ids=ODD_CALLBACKS.keys())
async def test_an_odd_callback_with_an_id_and_a_type_still_arrives(
    bridge: Bridge, shop: Shop, plain: PlainAmojo, backend: FarSide, message: dict[str, Any]
) -> None:
    """amoCRM sends each once: what can be relayed of it must be."""
    await point_to(bridge, shop, backend)
    payload = json.loads(plain.callback_body(shop.account, "c-1", "hello", amojo_id="a-1"))
    payload["message"]["message"] |= message
    assert await plain.send_callback(shop.account, json.dumps(payload).encode()) == 200
    await bridge.wait_for_state(shop, "a-1", "delivered")
    (received,) = backend.received
    assert json.loads(received.body)["data"]["id"] == "a-1"


ODD_TIMES = [
    {name: value}
    for name in ("msec_timestamp", "timestamp")
    for value in (-1, 0, 2**53 - 1, 2**53, 2**63, 1e300, "now", None, 9 * 10**13)
]


@pytest.mark.parametrize("time", ODD_TIMES, ids=str)
async def test_an_odd_time_does_not_stop_a_reply(
    bridge: Bridge, shop: Shop, plain: PlainAmojo, backend: FarSide, time: dict[str, object]
) -> None:
    await point_to(bridge, shop, backend)
    payload = json.loads(plain.callback_body(shop.account, "c-1", "hello", amojo_id="a-1"))
    del payload["message"]["msec_timestamp"], payload["message"]["timestamp"]
    payload["message"] |= time
    assert await plain.send_callback(shop.account, json.dumps(payload).encode()) == 200
    await bridge.wait_for_state(shop, "a-1", "delivered")


async def point_to(bridge: Bridge, shop: Shop, backend: FarSide) -> None:
    """Let the messenger's webhooks go to this backend."""
    change = {"webhook_url": backend.url}
    reply = await bridge.call("PATCH", f"/v1/messengers/{shop.messenger['id']}", change)
    assert reply.status == 200


ODD_ANSWERS = {
    "NUL in an id": Answer(body=json.dumps({"new_message": {"msgid": "a\0b"}}).encode()),
    "a long id": Answer(body=json.dumps({"new_message": {"msgid": "x" * 5000}}).encode()),
    "a long conversation": Answer(
        body=json.dumps({"new_message": {"msgid": "x", "conversation_id": "y" * 5000}}).encode()
    ),
    "NUL in a conversation": Answer(
        body=json.dumps({"new_message": {"msgid": "x", "conversation_id": "\0"}}).encode()
    ),
    "nothing": Answer(),
    "an empty object": Answer(body=b"{}"),
    "a list": Answer(body=b"[]"),
    "wrong types": Answer(body=json.dumps({"new_message": {"msgid": 5}}).encode()),
}


@pytest.mark.parametrize("answer", ODD_ANSWERS.values(), ids=ODD_ANSWERS.keys())
async def test_an_odd_answer_of_amojo_is_a_delivery(
    bridge: Bridge, shop: Shop, plain: PlainAmojo, answer: Answer
) -> None:
    plain.far_side.script.append(answer)
    await bridge.take(shop, "m-1")
    await bridge.wait_for_state(shop, "m-1", "delivered")


ODD_REFUSALS = {
    "NUL in the words": Answer(status=400, body=b'{"error_description": "a\\u0000b"}'),
    "raw NUL": Answer(status=400, body=b"a\x00b"),
    "long words": Answer(status=400, body=b"x" * 500_000),
    "not UTF-8": Answer(status=400, body=b"\xff\xfe\xed\xa0\x80"),
    "long type": Answer(status=400, body=json.dumps({"error_type": "x" * 60_000}).encode()),
}


@pytest.mark.parametrize("answer", ODD_REFUSALS.values(), ids=ODD_REFUSALS.keys())
async def test_an_odd_refusal_of_amojo_is_parked_with_it(
    bridge: Bridge, shop: Shop, plain: PlainAmojo, answer: Answer
) -> None:
    plain.far_side.script.append(answer)
    await bridge.take(shop, "m-1")

    async def parked() -> list[dict[str, Any]]:
        reply = await bridge.call("GET", f"/v1/parked?scope_id={shop.scope_id}")
        return list(reply.json["items"])

    (row,) = await eventually(parked, "the message is parked")
    assert row["code"] == "rejected"
    assert len(row["detail"]) < 1000


ODD_SCOPES = ["", 5, None, "x" * 5000, "a\0b", "a/b?c#d", "..", "ю", "a b"]


@pytest.mark.parametrize("scope", ODD_SCOPES)
async def test_an_odd_scope_of_amojo_links_nothing(
    bridge: Bridge, plain: PlainAmojo, scope: object
) -> None:
    account = await plain.open_account(bridge.hook_url)
    await bridge.add_channel(account, plain.url)
    messenger = await bridge.add_messenger()
    plain.far_side.script.append(Answer(body=json.dumps({"scope_id": scope}).encode()))
    link = {"channel": account.code, "account_id": account.account_id, "messenger": messenger["id"]}
    reply = await bridge.call("POST", "/v1/links", link)
    assert (reply.status, reply.problem()["code"]) == (502, "amojo_unreachable")
    assert (await bridge.call("POST", "/v1/links", link)).status == 201
