"""Answers of amojo, read tolerantly into values or into errors that say what to do next.

Known error body (captured from the live service): `{"status":0,"error_code":403,"error_type":
"ORIGIN_INVALID_SIGNATURE","error_description":"invalid signature"}`. Bodies of 400 answers and the answer to a repeated
`msgid` are published nowhere, and bodies may be empty, plain text or HTML.
"""

import re
from http import HTTPStatus
from typing import Any, Final

import orjson
from msgspec import Struct

from chatbridge import errors
from chatbridge.errors import DeliveryError
from chatbridge.protocol.http import Response
from chatbridge.protocol.retry_after import read_retry_after
from chatbridge.protocol.tame import identifier, members, text

_SHOWN: Final = 300
"""Characters of the far side's own words that are kept."""

_DUPLICATE: Final = re.compile(
    r"duplicat|repeated|(not|be) unique|already (been )?(exist|accept|receiv|process|sent|us|taken|known|regist)"
    r"|msgid[^.]{0,40} (exists|is known|is used|is taken)",
    re.IGNORECASE,
)
"""How a server may say that it knows this msgid: a guess, the real wording is not published. It is a narrow one, because
a refusal taken for a repeat ("chat does not exist") would lose the message."""

_BANNED: Final = 60.0
"""Seconds between calls while amoCRM answers with its page for blocked senders, which has no Retry-After."""

_SCOPE: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")
"""`{channel_id}_{account_id}`, two UUIDs. It becomes part of addresses."""

_BY_STATUS: Final[dict[int, type[DeliveryError]]] = {
    HTTPStatus.BAD_REQUEST: errors.Rejected,
    HTTPStatus.UNAUTHORIZED: errors.Misconfigured,
    HTTPStatus.FORBIDDEN: errors.Misconfigured,
    HTTPStatus.NOT_FOUND: errors.Misconfigured,
    HTTPStatus.METHOD_NOT_ALLOWED: errors.Misconfigured,
    HTTPStatus.REQUEST_TIMEOUT: errors.FarSideDown,
    HTTPStatus.CONFLICT: errors.Duplicate,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: errors.Rejected,
    HTTPStatus.UNPROCESSABLE_ENTITY: errors.Rejected,
    HTTPStatus.TOO_EARLY: errors.FarSideDown,
    HTTPStatus.TOO_MANY_REQUESTS: errors.Throttled,
}
_BY_CLASS: Final[dict[int, type[DeliveryError]]] = {
    1: errors.FarSideDown,
    3: errors.Misconfigured,
    4: errors.Rejected,
    5: errors.FarSideDown,
}

_ADVICE: Final[dict[str, str]] = {
    "ORIGIN_INVALID_SIGNATURE": "Check the channel's secret, its signing generation and this machine's clock.",
    "ORIGIN_NOT_REGISTERED": "Check the channel id, that base_url is the account's own zone, and that the account is connected.",
}
_ADVICE_BY_STATUS: Final[dict[int, str]] = {
    HTTPStatus.FORBIDDEN: "Check the channel's secret and that this account may use the channel.",
    HTTPStatus.NOT_FOUND: "Check the channel id and base_url.",
}


class Sent(Struct, frozen=True, kw_only=True, gc=False):
    """What amojo says of a message it took. Every member may be missing, as it was in 2017."""

    message_id: str | None
    """amoCRM's id of the message."""
    conversation_id: str | None
    """amoCRM's id of the conversation."""


def read_connected(response: Response) -> str:
    """Return the scope id.

    Raises:
        DeliveryError: amojo refused, or gave no scope id.

    """
    scope_id = read_object(response).get("scope_id")
    if not isinstance(scope_id, str) or not _SCOPE.fullmatch(scope_id):
        raise errors.FarSideDown(
            "amoCRM's answer to connect has no scope_id", status=response.status
        )
    return scope_id


def read_done(response: Response) -> None:
    """Return if the call succeeded, whatever the body.

    Raises:
        DeliveryError: amojo refused.

    """
    _check(response)


def read_noted(response: Response) -> None:
    """Return if amojo took a status, a reaction or the like, which concerns a message it may not know.

    Raises:
        DeliveryError: amojo refused. Not to know the message is final: what follows must not wait for it.

    """
    if response.status == HTTPStatus.NOT_FOUND:
        far_code, words = _far_words(response)
        raise errors.Rejected(
            f"amoCRM knows no such message: {words or far_code or 'no explanation'}",
            status=response.status,
            far_code=far_code,
        )
    _check(response)


def read_sent(response: Response) -> Sent:
    """Return amojo's ids of a published message.

    Raises:
        DeliveryError: amojo refused, or answered 2xx with something that is not its own.

    """
    answer = members(read_object(response), "new_message")
    return Sent(
        message_id=identifier(answer.get("msgid")),
        conversation_id=identifier(answer.get("conversation_id")),
    )


def read_whole(response: Response) -> bytes:
    """Return the body of an answer that is passed on as it is, empty if it has none.

    Raises:
        DeliveryError: amojo refused, or the answer is not a whole one.

    """
    _check(response)
    try:
        if response.body.strip():
            orjson.loads(response.body)
    except orjson.JSONDecodeError as error:
        raise errors.FarSideDown(
            "amoCRM's answer is not JSON, or longer than this server reads: ask for less with `limit`",
            status=response.status,
        ) from error
    return response.body


def read_object(response: Response) -> dict[str, Any]:
    """Return what amojo answered, an empty object if that is nothing or something else.

    Raises:
        DeliveryError: amojo refused, or answered 2xx with something that is not JSON.

    """
    _check(response)
    if not response.body.strip():
        return {}
    try:
        value = orjson.loads(response.body)
    except orjson.JSONDecodeError as error:
        raise errors.OutcomeUnknown(
            "amoCRM answered with something that is not JSON: is base_url really amojo?",
            status=response.status,
        ) from error
    return value if isinstance(value, dict) else {}


def _check(response: Response) -> None:
    status = response.status
    if status // 100 == 2:
        return
    retry_after = read_retry_after(response.headers.get("retry-after"))
    kind = _kind_of(response, asked_to_wait=retry_after is not None)
    if status == HTTPStatus.FORBIDDEN and kind is errors.Throttled:
        # Who goes on knocking stays banned.
        retry_after = max(retry_after or 0, _BANNED)
    far_code, words = _far_words(response)
    advice = _ADVICE.get(far_code or "") or _ADVICE_BY_STATUS.get(status, "")
    if kind is not errors.Misconfigured:
        advice = ""
    sentence = f"amoCRM answered HTTP {status}: {words or far_code or 'no explanation'}. {advice}"
    raise kind(sentence.strip(), status=status, far_code=far_code, retry_after=retry_after)


def _kind_of(response: Response, *, asked_to_wait: bool) -> type[DeliveryError]:
    status = response.status
    if status == HTTPStatus.FORBIDDEN and _is_html(response):
        # The page that blocked senders get instead of an answer.
        return errors.Throttled
    if status == HTTPStatus.SERVICE_UNAVAILABLE and asked_to_wait:
        return errors.Throttled
    kind = _BY_STATUS.get(status) or _BY_CLASS.get(status // 100, errors.FarSideDown)
    if kind is errors.Rejected and _DUPLICATE.search(
        _shown(response.body.decode(errors="replace"))
    ):
        return errors.Duplicate
    return kind


def _far_words(response: Response) -> tuple[str | None, str]:
    """Return the far side's error type and its description, both possibly missing."""
    if _is_html(response):
        return None, "an HTML page instead of an answer"
    try:
        value = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return None, _shown(response.body[:_SHOWN].decode(errors="replace"))
    answer = members(value)
    words = text(answer.get("error_description")) or text(answer.get("detail")) or ""
    return identifier(answer.get("error_type")), _shown(words)


def _shown(words: str) -> str:
    """Return the start of the far side's words without control characters: the database takes no NUL."""
    return "".join(mark if mark.isprintable() else " " for mark in words[:_SHOWN]).strip()


def _is_html(response: Response) -> bool:
    start = response.body[:64].lstrip().lower()
    return start.startswith((b"<!doctype", b"<html")) or "text/html" in response.headers.get(
        "content-type", ""
    )
