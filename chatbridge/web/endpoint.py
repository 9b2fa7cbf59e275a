"""From a row of the route table to an aiohttp handler: authenticate, read, validate, call, answer."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Generic, TypeVar, cast

from aiohttp import web
from aiohttp.http import HttpProcessingError
from pydantic import BaseModel, ValidationError

from chatbridge import errors
from chatbridge.model import Messenger
from chatbridge.web.answers import Answer, json_answer
from chatbridge.web.services import SERVICES, Services

Body = TypeVar("Body")

LINES: Final = ("application/x-ndjson", "application/jsonl")
"""Names of newline-delimited JSON: the one that is documented, and another one that is used."""


class Access(Enum):
    """Who may call."""

    ADMIN = "the bearer of the admin token"
    MESSENGER = "the bearer of a messenger's API key"
    PUBLIC = "everybody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[Body]):
    """A request that was authenticated and read."""

    services: Services
    path: Mapping[str, str]
    body: Body
    query: Any
    caller: Messenger | None

    @property
    def messenger(self) -> Messenger:
        """Return the calling messenger, for endpoints whose access is MESSENGER."""
        if self.caller is None:
            raise errors.Unauthenticated
        return self.caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint(Generic[Body]):
    """One row of the route table."""

    method: str
    path: str
    run: Callable[[Call[Body]], Awaitable[BaseModel | Answer | web.StreamResponse | None]]
    summary: str
    tag: str
    access: Access
    body: type[Body] | None = None
    lines: type[BaseModel] | None = None
    """What stands in each line of a body that is newline-delimited JSON. `run` gets its bytes as they come."""
    stream: tuple[str, ...] = ()
    """Content types of a body that `run` reads from the request, piece by piece."""
    query: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    endless: str | None = None
    """Content type of an answer that `run` writes itself, to the request that it gets as its body."""
    status: int = 200
    refusals: tuple[type[errors.RequestRefused], ...] = ()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request that aiohttp read."""
        services = request.app[SERVICES]
        authorization = request.headers.get("Authorization", "")
        try:
            caller = authenticate(self.access, authorization, services)
        except errors.Unauthenticated:
            caller = await authenticate_late(self.access, authorization, services)
        if self.access is Access.ADMIN and services.store.shared:
            # Whoever manages several nodes reads and changes on any of them what was written on another a moment ago.
            await services.directory.catch_up()
            await services.webhooks.catch_up()
        call: Call[Any] = Call(
            services=services,
            path=_path(request),
            query=_query(self.query, request),
            body=await self._read(request, services),
            caller=caller,
        )
        if self.endless is not None:
            return cast("web.StreamResponse", await self.run(call))
        return (await self._run(call)).response()

    async def _read(self, request: web.Request, services: Services) -> Any:
        if self.lines is not None:
            return stream_lines(request, services)
        if self.stream or self.endless:
            return request
        return None if self.body is None else await _read_json(self.body, request, services)

    async def answer_plain(
        self, services: Services, authorization: str, content_type: str, body: bytes
    ) -> Answer:
        """Answer a request without parameters in its address."""
        try:
            caller = authenticate(self.access, authorization, services)
        except errors.Unauthenticated:
            caller = await authenticate_late(self.access, authorization, services)
        read = None if self.body is None else parse_json(self.body, content_type, body)
        call: Call[Any] = Call(services=services, path={}, query=None, body=read, caller=caller)
        return await self._run(call)

    async def _run(self, call: Call[Any]) -> Answer:
        answer: Any = await self.run(call)
        if isinstance(answer, Answer):
            return answer
        return (
            Answer(status=self.status)
            if answer is None
            else json_answer(answer, status=self.status)
        )


def authenticate(access: Access, authorization: str, services: Services) -> Messenger | None:
    """Return the calling messenger, None for other callers.

    Raises:
        Unauthenticated: the key is missing, or does not open this call.

    """
    if access is Access.PUBLIC:
        return None
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise errors.Unauthenticated
    if access is Access.ADMIN:
        if not hmac.compare_digest(_digest(token), _digest(services.admin_token)):
            raise errors.Unauthenticated
        return None
    messenger = services.directory.messenger_by_key(token.strip())
    if messenger is None:
        raise errors.Unauthenticated
    return messenger


async def authenticate_late(
    access: Access, authorization: str, services: Services
) -> Messenger | None:
    """Do as `authenticate`, for a caller it has refused: another node may have made the key a moment ago.

    Raises:
        Unauthenticated: the key is missing, or does not open this call.
        StoreUnavailable: the database is away, so nobody knows.

    """
    scheme, _, token = authorization.partition(" ")
    if access is not Access.MESSENGER or scheme.lower() != "bearer" or not token.strip():
        raise errors.Unauthenticated
    if not await services.directory.look_for(api_key=token.strip()):
        raise errors.Unauthenticated
    return authenticate(access, authorization, services)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.strip().encode(errors="surrogateescape")).digest()


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


async def _read_json(model: type[Any], request: web.Request, services: Services) -> Any:
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


def _query(model: type[BaseModel] | None, request: web.Request) -> Any:
    if model is None:
        return None
    try:
        return model.model_validate(dict(request.query))
    except ValidationError as error:
        fields = {f"?{pointer[1:]}": detail for pointer, detail in faults_of(error).items()}
        raise errors.InvalidFields(
            "Some parameters of the address are wrong.", fields=fields
        ) from None


def faults_of(error: ValidationError) -> dict[str, str]:
    """Return what is wrong with each member, by its JSON pointer."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    return {_pointer(fault["loc"]): fault["msg"].removeprefix("Value error, ") for fault in faults}


def _pointer(place: tuple[int | str, ...]) -> str:
    """Return a JSON pointer (RFC 6901); the empty one is the whole body."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in place)


_UNPRINTABLE: Final = "The address contains characters that no id has."


def _path(request: web.Request) -> Mapping[str, str]:
    if not all(part.isprintable() and len(part) <= 255 for part in request.match_info.values()):
        raise errors.NotFound(_UNPRINTABLE)
    return request.match_info
