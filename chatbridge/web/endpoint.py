"""From a row of the route table to an aiohttp handler: authenticate, read, validate, call, answer."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Generic, TypeVar, cast

from aiohttp import web
from pydantic import BaseModel, ValidationError

from chatbridge import errors
from chatbridge.bridge.view import View
from chatbridge.model import Messenger, Permission, Principal
from chatbridge.protocol.forwarded import address_of
from chatbridge.web.answers import Answer, json_answer
from chatbridge.web.bodies import faults_of, parse_json, read_json, stream_lines
from chatbridge.web.managers import COOKIE, manager_of
from chatbridge.web.services import SERVICES, Services

Body = TypeVar("Body")
_Otherwise = TypeVar("_Otherwise", str, None)

_IDS: Final = ("id", "scope_id", "channel_id")
"""Members by which the audit names what was made."""


class Access(Enum):
    """Who may call."""

    MANAGER = "the bearer of the admin token or of a workspace's key, or somebody who is signed in"
    MESSENGER = "the bearer of a messenger's API key"
    PUBLIC = "everybody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[Body]):
    """A request that was authenticated and read."""

    services: Services
    path: Mapping[str, str]
    body: Body
    query: Any
    caller: Messenger | Principal | None
    address: str = ""
    """Where the caller is."""
    cookie: str = ""
    """What the browser of somebody who is signed in shows."""

    @property
    def messenger(self) -> Messenger:
        """Return the calling messenger, for endpoints whose access is MESSENGER."""
        if not isinstance(self.caller, Messenger):
            raise errors.Unauthenticated
        return self.caller

    @property
    def principal(self) -> Principal:
        """Return who manages, for endpoints whose access is MANAGER."""
        if not isinstance(self.caller, Principal):
            raise errors.Unauthenticated
        return self.caller

    async def workspace(self, name: str | None, *, otherwise: _Otherwise) -> str | _Otherwise:
        """Return the workspace that a body names; without a name it is the caller's own, or for the server's operator `otherwise`.

        Raises:
            NotFound: there is none.

        """
        if name is None:
            return self.principal.workspace_id or otherwise
        return (await self.services.people.workspace(self.principal, name)).id

    @property
    def view(self) -> View:
        """Return what the one who manages sees."""
        return View(self.services.directory, self.principal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint(Generic[Body]):
    """One row of the route table."""

    method: str
    path: str
    run: Callable[[Call[Body]], Awaitable[BaseModel | Answer | web.StreamResponse | None]]
    summary: str
    tag: str
    access: Access
    needs: Permission = Permission.READ
    """Of whoever manages."""
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
        caller = await self._admit(request, services)
        call: Call[Any] = Call(
            services=services,
            path=_path(request),
            query=_query(self.query, request),
            caller=caller,
            body=await self._read(request, services),
            address=address_of(request.remote, request.headers.get("X-Forwarded-For")),
            cookie=request.cookies.get(COOKIE, ""),
        )
        if self.endless is not None:
            return cast("web.StreamResponse", await self.run(call))
        if self.access is Access.MANAGER and self.method != "GET":
            return (await self._audited(call)).response()
        return (await self._run(call)).response()

    async def _admit(
        self, request: web.Request, services: Services
    ) -> Messenger | Principal | None:
        """Return who calls, if they may."""
        if self.access is not Access.MANAGER:
            authorization = request.headers.get("Authorization", "")
            try:
                return authenticate(self.access, authorization, services)
            except errors.Unauthenticated:
                return await authenticate_late(self.access, authorization, services)
        principal = await manager_of(request, services)
        if not principal.may(self.needs):
            await self._note(services, principal, None, errors.Forbidden.code)
            raise errors.Forbidden
        if services.store.shared:
            # Whoever manages several nodes reads and changes on any of them what was written on another a moment ago.
            await services.directory.catch_up()
            await services.webhooks.catch_up()
        return principal

    async def _audited(self, call: Call[Any]) -> Answer:
        """Answer what changes something, and keep who did it."""
        named = "/".join(call.path.values()) or None
        try:
            answer: Any = await self.run(call)
        except errors.RequestRefused as error:
            await self._note(call.services, call.principal, named, error.code)
            raise
        made = next((str(getattr(answer, name)) for name in _IDS if hasattr(answer, name)), None)
        await self._note(call.services, call.principal, named or made, "done")
        return self._answer(answer)

    async def _note(
        self, services: Services, principal: Principal, subject: str | None, outcome: str
    ) -> None:
        action = self.run.__name__
        await services.audit.note(
            principal.workspace_id, principal.name, action, subject=subject, outcome=outcome
        )

    async def _read(self, request: web.Request, services: Services) -> Any:
        if self.lines is not None:
            return stream_lines(request, services)
        if self.stream or self.endless:
            return request
        return None if self.body is None else await read_json(self.body, request, services)

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
        return self._answer(await self.run(call))

    def _answer(self, answer: Any) -> Answer:
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


_UNPRINTABLE: Final = "The address contains characters that no id has."


def _path(request: web.Request) -> Mapping[str, str]:
    if not all(part.isprintable() and len(part) <= 255 for part in request.match_info.values()):
        raise errors.NotFound(_UNPRINTABLE)
    return request.match_info
