"""Bodies of requests: read whole or as they come, within limits, and as a model says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from aiohttp import web
from aiohttp.http import HttpProcessingError
from pydantic import ValidationError

from chatbridge import errors
from chatbridge.web.services import Services

LINES: Final = ("application/x-ndjson", "application/jsonl")
"""Names of newline-delimited JSON: the one that is documented, and another one that is used."""


async def read_body(request: web.Request, services: Services) -> bytes:
    """Return the body as it came, byte for byte.

    Raises:
        UnsupportedMediaType: it is compressed; the size limit would mean nothing.
        BodyTooLarge: it is beyond the limit.
        RequestTooSlow: it did not arrive in time.
        MalformedJson: it broke off before its end.

    """
    _check_encoding(request)
    too_large = errors.BodyTooLarge(f"The body is larger than {services.body_limit} bytes.")
    if (request.content_length or 0) > services.body_limit:
        raise too_large
    try:
        async with _arriving(services):
            return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise too_large from error


@asynccontextmanager
async def _arriving(services: Services) -> AsyncIterator[None]:
    """Say what it means if bytes of a body do not arrive.

    Raises:
        RequestTooSlow: they did not arrive in time.
        MalformedJson: the body broke off.

    """
    try:
        async with asyncio.timeout(services.body_timeout):
            yield
    except TimeoutError as error:
        raise errors.RequestTooSlow from error
    except (ConnectionError, HttpProcessingError, web.RequestPayloadError) as error:
        raise errors.MalformedJson("The body broke off before its end.") from error


def stream_lines(request: web.Request, services: Services) -> AsyncIterator[bytes]:
    """Return the body of newline-delimited JSON, of any size, as it comes.

    Raises:
        UnsupportedMediaType: it is something else, or compressed.
        RequestTooSlow: while it is read: nothing came for long.
        MalformedJson: while it is read: it broke off.

    """
    _check_encoding(request)
    if _media_type(request.headers.get("Content-Type", "")) not in LINES:
        raise errors.UnsupportedMediaType(f"Send the body as `{LINES[0]}`, not compressed.")
    return _stream(request, services)


async def _stream(request: web.Request, services: Services) -> AsyncIterator[bytes]:
    while not request.content.at_eof():
        async with _arriving(services):
            piece = await request.content.readany()
        yield piece


def _check_encoding(request: web.Request) -> None:
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise errors.UnsupportedMediaType


async def read_json(model: type[Any], request: web.Request, services: Services) -> Any:
    """Return a body as the model says; see `read_body` and `parse_json`."""
    _check_type(request.headers.get("Content-Type", ""))
    body = await read_body(request, services)
    return parse_json(model, request.headers.get("Content-Type", ""), body)


def _check_type(content_type: str) -> None:
    if _media_type(content_type) != "application/json":
        raise errors.UnsupportedMediaType


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def parse_json(model: type[Any], content_type: str, body: bytes) -> Any:
    """Return a body as the model says.

    Raises:
        UnsupportedMediaType: it does not say that it is JSON.
        MalformedJson: it is not JSON.
        InvalidFields: it is not what the model says.

    """
    _check_type(content_type)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        if faults[0]["type"] == "json_invalid":
            raise errors.MalformedJson(
                f"The body is not JSON: {faults[0]['ctx']['error']}."
            ) from None
        raise errors.InvalidFields(fields=faults_of(error)) from None


def faults_of(error: ValidationError) -> dict[str, str]:
    """Return what is wrong with each member, by its JSON pointer."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    return {_pointer(fault["loc"]): fault["msg"].removeprefix("Value error, ") for fault in faults}


def _pointer(place: tuple[int | str, ...]) -> str:
    """Return a JSON pointer (RFC 6901); the empty one is the whole body."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in place)
