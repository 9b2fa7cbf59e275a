"""Answers of amojo. Few are documented; those that are not are told apart by what is safe to do next."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbridge import errors
from chatbridge.errors import DeliveryError, Disposition
from chatbridge.protocol.amojo import replies
from chatbridge.protocol.amojo.replies import Sent
from chatbridge.protocol.http import Response
from tests.unit.factories import SCOPE_ID, make_response

AMO_ID = "bbbbbbbb-0000-4111-8222-cccccccccccc"
CHAT = "dddddddd-0000-4111-8222-eeeeeeeeeeee"

# --- accepted -----------------------------------------------------------------------------------

ERAS: dict[str, tuple[Any, Sent]] = {
    "until 2021": ({"new_message": {"msgid": AMO_ID}}, Sent(message_id=AMO_ID, conversation_id=None)),
    "December 2021": (
        {"new_message": {"msgid": AMO_ID, "ref_id": "m-1"}},
        Sent(message_id=AMO_ID, conversation_id=None),
    ),
    "now": (
        {
            "new_message": {
                "conversation_id": CHAT,
                "sender_id": "f0f0f0f0-0000-4111-8222-000000000001",
                "receiver_id": None,
                "msgid": AMO_ID,
                "ref_id": "m-1",
            }
        },
        Sent(message_id=AMO_ID, conversation_id=CHAT),
    ),
    "nothing": (b"", Sent(message_id=None, conversation_id=None)),
    "white space": (b" \r\n", Sent(message_id=None, conversation_id=None)),
    "an empty object": ({}, Sent(message_id=None, conversation_id=None)),
    "a list": (b"[]", Sent(message_id=None, conversation_id=None)),
    "ids of a wrong type": (
        {"new_message": {"msgid": 5, "conversation_id": ""}},
        Sent(message_id=None, conversation_id=None),
    ),
    "ids that no column takes": (
        {"new_message": {"msgid": "a" * 256, "conversation_id": "a\x00b"}},
        Sent(message_id=None, conversation_id=None),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "sent"), ERAS.values(), ids=ERAS)
def test_a_message_was_taken(body: Any, sent: Sent) -> None:
    assert replies.read_sent(make_response(200, body)) == sent


@pytest.mark.parametrize("body", [b'{"new_message":{"msgid":"bbbb', b"<html>", b"ok", b"\xff"])
def test_a_message_may_have_been_taken_where_the_answer_is_no_json(body: bytes) -> None:
    with pytest.raises(errors.OutcomeUnknown) as caught:
        replies.read_sent(make_response(200, body))
    assert caught.value.status == 200
    assert caught.value.disposition is Disposition.UNKNOWN


def test_connected() -> None:
    body = {"account_id": "a", "scope_id": SCOPE_ID, "is_time_window_disabled": False}
    assert replies.read_connected(make_response(200, body)) == SCOPE_ID


@pytest.mark.parametrize("body", [b"", {}, {"scope_id": 5}, {"scope_id": ""}, b"[]"])
def test_connected_without_a_scope_is_no_answer(body: Any) -> None:
    with pytest.raises(errors.FarSideDown, match="scope_id"):
        replies.read_connected(make_response(200, body))


@pytest.mark.parametrize("body", [b"", b"{}", b"anything at all"])
@pytest.mark.parametrize("status", [200, 204])
def test_done_whatever_the_body(status: int, body: bytes) -> None:
    replies.read_done(make_response(status, body))


# --- refused ------------------------------------------------------------------------------------


def known(status: int, far_code: str, words: str) -> dict[str, Any]:
    """Return amojo's error body."""
    return {"status": 0, "error_code": status, "error_type": far_code, "error_description": words}


FORGED = known(403, "ORIGIN_INVALID_SIGNATURE", "invalid signature")
STRANGER = known(404, "ORIGIN_NOT_REGISTERED", "NOT_FOUND")
REFUSALS: dict[str, tuple[Response, type[DeliveryError], str | None, str]] = {
    # answer -> error, far code, words of the sentence
    "400": (make_response(400, {"detail": "type: required"}), errors.Rejected, None, "type: required"),
    "400 in amojo's form": (
        make_response(400, known(400, "ORIGIN_BAD_REQUEST", "payload.message.type: required")),
        errors.Rejected, "ORIGIN_BAD_REQUEST", "payload.message.type: required",
    ),
    "400 without a word": (make_response(400), errors.Rejected, None, "no explanation"),
    "401": (make_response(401), errors.Misconfigured, None, "HTTP 401"),
    "403 with amojo's body": (
        make_response(403, FORGED), errors.Misconfigured, "ORIGIN_INVALID_SIGNATURE", "this machine's clock",
    ),
    "403 empty": (make_response(403), errors.Misconfigured, None, "Check the channel's secret"),
    "403 as a page": (
        make_response(403, b"\n<!DOCTYPE html><html>banned</html>"), errors.Throttled, None, "HTML page",
    ),
    "403 named a page": (
        make_response(403, b"banned", content_type="text/html; charset=utf-8"), errors.Throttled, None, "HTML page",
    ),
    "404 with amojo's body": (
        make_response(404, STRANGER), errors.Misconfigured, "ORIGIN_NOT_REGISTERED", "base_url is the account's own zone",
    ),
    "404 empty": (make_response(404), errors.Misconfigured, None, "Check the channel id and base_url"),
    "405": (make_response(405), errors.Misconfigured, None, "HTTP 405"),
    "408": (make_response(408), errors.FarSideDown, None, "HTTP 408"),
    "409": (make_response(409), errors.Duplicate, None, "HTTP 409"),
    "413": (make_response(413), errors.Rejected, None, "HTTP 413"),
    "418": (make_response(418), errors.Rejected, None, "HTTP 418"),
    "422": (make_response(422, b"no such thing"), errors.Rejected, None, "no such thing"),
    "425": (make_response(425), errors.FarSideDown, None, "HTTP 425"),
    "429": (make_response(429), errors.Throttled, None, "HTTP 429"),
    "a redirect": (make_response(302, location="https://elsewhere"), errors.Misconfigured, None, "HTTP 302"),
    "500": (make_response(500, b"<html>Internal</html>"), errors.FarSideDown, None, "HTTP 500"),
    "502": (make_response(502), errors.FarSideDown, None, "HTTP 502"),
    "503": (make_response(503), errors.FarSideDown, None, "HTTP 503"),
    "a status that does not exist": (make_response(999), errors.FarSideDown, None, "HTTP 999"),
}  # fmt: skip
READERS = [replies.read_sent, replies.read_done, replies.read_connected]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(("response", "kind", "far_code", "words"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_says_what_to_do(
    response: Response, kind: type[DeliveryError], far_code: str | None, words: str, read: Any
) -> None:
    with pytest.raises(DeliveryError) as caught:
        read(response)
    error = caught.value
    assert (type(error), error.status, error.far_code) == (kind, response.status, far_code)
    assert words in str(error)
    assert error.retry_after == (60 if "HTML page" in words else None)


@pytest.mark.parametrize(
    ("status", "value", "kind", "seconds"),
    [
        (429, "1", errors.Throttled, 1),
        (429, "30", errors.Throttled, 30),
        (429, "3600", errors.Throttled, 3600),
        (429, "garbage", errors.Throttled, None),
        (429, "Tue, 14 Jan 2025 09:30:00 GMT", errors.Throttled, None),
        (503, "30", errors.Throttled, 30),
        (503, "garbage", errors.FarSideDown, None),
        (500, "30", errors.FarSideDown, 30),
    ],
)
def test_retry_after_is_kept(
    status: int, value: str, kind: type[DeliveryError], seconds: float | None
) -> None:
    with pytest.raises(DeliveryError) as caught:
        replies.read_sent(make_response(status, retry_after=value))
    assert (type(caught.value), caught.value.retry_after) == (kind, seconds)


@pytest.mark.parametrize(
    "words",
    [
        "payload.msgid: a message with msgid m-1 already exists",
        "Duplicate msgid",
        "DUPLICATED_MESSAGE",
        "msgid is not unique",
        "msgid must be unique",
        "message was already accepted",
        "the message is repeated",
    ],
)
@pytest.mark.parametrize("body", ["{}", '{"error_description":"{}"}'])
def test_a_repeated_message_is_known_by_its_words(words: str, body: str) -> None:
    """The real wording is published nowhere."""
    response = make_response(400, body.replace("{}", words).encode())
    with pytest.raises(errors.Duplicate):
        replies.read_sent(response)


@pytest.mark.parametrize(
    "words",
    [
        "conversation does not exist",
        "payload.sender: user doesn't exist",
        "nonexistent source",
        "the user is already blocked",
        "sender: user not found",
    ],
)
def test_a_refusal_is_not_taken_for_a_repeat(words: str) -> None:
    """A message taken for delivered that was not is lost; one parked for nothing can be released."""
    with pytest.raises(errors.Rejected):
        replies.read_sent(make_response(400, {"error_description": words}))


@pytest.mark.parametrize(
    "body", [b"\x1f\x8b\x08\x00\x00binary", orjson.dumps(known(400, "X", "a\x00b\nc"))]
)
def test_the_far_sides_words_are_printable(body: bytes) -> None:
    """They are stored, and PostgreSQL takes no NUL in a text."""
    with pytest.raises(errors.Rejected) as caught:
        replies.read_sent(make_response(400, body))
    assert str(caught.value).isprintable()


def test_the_far_sides_words_are_cut() -> None:
    with pytest.raises(errors.Rejected) as caught:
        replies.read_sent(make_response(400, b"a" * 10_000))
    assert len(str(caught.value)) < 400


# --- whatever may come --------------------------------------------------------------------------

BODIES = st.binary() | st.recursive(
    st.none() | st.integers(0, 5) | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["new_message", "msgid", "scope_id", "error_type", "detail"]), inner
        )
    ),
).map(orjson.dumps)


@pytest.mark.parametrize("read", READERS)
@given(
    status=st.integers(100, 999) | st.sampled_from([200, 204, 400, 403, 503]),
    body=BODIES,
    headers=st.dictionaries(st.sampled_from(["retry-after", "content-type"]), st.text()),
)
def test_whatever_is_answered_it_is_a_value_or_a_delivery_error(
    read: Any, status: int, body: bytes, headers: dict[str, str]
) -> None:
    try:
        read(Response(status=status, headers=headers, body=body))
    except DeliveryError as error:
        assert error.status == status  # noqa: PT017 - both ends are right
        assert str(error).isprintable()  # noqa: PT017
    else:
        assert 200 <= status < 300
