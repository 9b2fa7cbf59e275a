"""Answers of an account's API, read into values or into errors that say what to do next ("error-codes").

403 and 429 come as HTML from the server before the API, where callers are blocked; 204 stands for an empty list.
"""

from http import HTTPStatus
from typing import Any, Final

import orjson

from chatbridge import errors
from chatbridge.errors import DeliveryError
from chatbridge.protocol.http import Response
from chatbridge.protocol.retry_after import read_retry_after
from chatbridge.protocol.tame import identifier, members, text

_SHOWN: Final = 300
"""Characters of amoCRM's own words that are kept."""

_BY_STATUS: Final[dict[int, type[DeliveryError]]] = {
    HTTPStatus.UNAUTHORIZED: errors.Misconfigured,
    HTTPStatus.PAYMENT_REQUIRED: errors.Misconfigured,
    HTTPStatus.FORBIDDEN: errors.Misconfigured,
    HTTPStatus.TOO_MANY_REQUESTS: errors.Throttled,
    HTTPStatus.REQUEST_TIMEOUT: errors.FarSideDown,
}
_BY_CLASS: Final[dict[int, type[DeliveryError]]] = {
    3: errors.Misconfigured,
    4: errors.Rejected,
}
_ADVICE: Final[dict[int, str]] = {
    HTTPStatus.PAYMENT_REQUIRED: "The account is not paid.",
    HTTPStatus.FORBIDDEN: "The integration, or whoever signed in, may not do this in the account.",
}


def read_object(response: Response) -> dict[str, Any]:
    """Return the object that the API answered, an empty one for an empty list.

    Raises:
        DeliveryError: it refused, or answered 2xx with something that is not its own.

    """
    check(response)
    if response.status == HTTPStatus.NO_CONTENT:
        return {}
    value = _json(response)
    if not isinstance(value, dict):
        raise errors.OutcomeUnknown(
            "the account answered with something that is not its API's: is crm.address right?",
            status=response.status,
        )
    return value


def check(response: Response) -> None:
    """Return if the call succeeded.

    Raises:
        DeliveryError: it did not.

    """
    status = response.status
    if status // 100 == 2:
        return
    kind = kind_of(response)
    code, words = far_words(response)
    sentence = f"the account answered HTTP {status}: {words or code or 'no explanation'}. {_ADVICE.get(status, '')}"
    raise kind(
        sentence.strip(),
        status=status,
        far_code=code,
        retry_after=read_retry_after(response.headers.get("retry-after")),
    )


def kind_of(response: Response) -> type[DeliveryError]:
    """Return which error an answer that is no success means."""
    if response.status == HTTPStatus.FORBIDDEN and _is_html(response):
        return errors.Throttled
    return _BY_STATUS.get(response.status) or _BY_CLASS.get(
        response.status // 100, errors.FarSideDown
    )


def far_words(response: Response) -> tuple[str | None, str]:
    """Return the code of the first validation error, and what the API says in words; both may be missing."""
    if _is_html(response):
        return None, "an HTML page instead of an answer"
    answer = members(_json(response))
    words = text(answer.get("hint")) or text(answer.get("detail")) or text(answer.get("title"))
    return _first_code(answer), _shown(words or "")


def _first_code(answer: dict[str, Any]) -> str | None:
    items = answer.get("validation-errors")
    for item in items if isinstance(items, list) else ():
        listed = members(item).get("errors")
        for error in listed if isinstance(listed, list) else (listed,):
            if code := identifier(members(error).get("code")):
                return code
    return None


def _json(response: Response) -> object:
    try:
        value: object = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return None
    return value


def _shown(words: str) -> str:
    """Return the start of amoCRM's words without control characters: the database takes no NUL."""
    return "".join(mark if mark.isprintable() else " " for mark in words[:_SHOWN]).strip()


def _is_html(response: Response) -> bool:
    start = response.body[:64].lstrip().lower()
    return start.startswith((b"<!doctype", b"<html")) or "text/html" in response.headers.get(
        "content-type", ""
    )
