"""`/v2/origin/custom/…`: this server in the place of amojo, for integrations that were written against it."""

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from aiohttp import web

from chatbridge import errors
from chatbridge.bridge.ingress_callers import SignedCall, authenticate
from chatbridge.model import Messenger
from chatbridge.protocol.amojo import ingress, ingress_answers
from chatbridge.protocol.amojo import ingress_wire as wire
from chatbridge.protocol.amojo.ingress_answers import ErrorType
from chatbridge.protocol.tame import identifier
from chatbridge.web.answers import Answer
from chatbridge.web.bodies import read_body
from chatbridge.web.services import SERVICES, Services

_BASE: Final = "/v2/origin/custom"
_JSON: Final = "application/json"
_HISTORY: Final = 50
"""Messages of a page of history, at most ("Chats API reference", history)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A call whose signature was right. Nothing of its body was read yet."""

    services: Services
    messenger: Messenger
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of amojo. `body_only`: it takes the signature of the legacy generation too."""

    method: str
    path: str
    run: Callable[[Asked], Awaitable[Answer]]
    body_only: bool = False

    async def handle(self, request: web.Request) -> web.Response:
        """Answer a request that aiohttp read: verify the bytes, then read them."""
        services = request.app[SERVICES]
        try:
            body = await read_body(request, services)
            call = self._signed(request, body)
            messenger = await authenticate(services.directory, call, now=services.clock.wall())
            asked = Asked(
                services=services,
                messenger=messenger,
                path=request.match_info,
                query=request.query,
                body=body,
            )
            answer = await self.run(asked)
        except errors.ChatbridgeError as error:
            answer = _refused(error)
        return answer.response()

    def _signed(self, request: web.Request, body: bytes) -> SignedCall:
        path = request.match_info
        return SignedCall(
            name=path.get("scope_id") or path["channel_id"],
            scoped="scope_id" in path,
            body_only=self.body_only,
            method=request.method,
            path=request.raw_path.partition("?")[0],
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
        )


# --- calls --------------------------------------------------------------------------------------


async def connect(asked: Asked) -> Answer:
    """Choose the version of callbacks; say that the account is connected."""
    wanted = wire.decode(wire.Connect, asked.body)
    await asked.services.ingress.connect(asked.messenger, wanted)
    messenger = asked.messenger
    return _json(ingress_answers.connected(wanted, messenger.amojo.scope_id, title=messenger.name))


async def disconnect(asked: Asked) -> Answer:
    """Say that the account is disconnected. The link to amoCRM belongs to whoever runs this server, and stays."""
    account_id = wire.decode(wire.Disconnect, asked.body).account_id
    asked.services.ingress.check_account(asked.messenger, account_id)
    return Answer()


async def send(asked: Asked) -> Answer:
    """Take a message, or new content of one."""
    event = ingress.read_event(asked.body, now=asked.services.clock.now())
    use = asked.services.ingress
    if isinstance(event, ingress.Edited):
        return _json(ingress_answers.sent(await use.edit(asked.messenger, event)))
    return _json(ingress_answers.sent(await use.send(asked.messenger, event)))


async def report(asked: Asked) -> Answer:
    """Take what became of an operator's message."""
    message_id = asked.path["msgid"]
    reported = ingress.read_delivery(asked.body, message_id)
    await asked.services.ingress.report(asked.messenger, message_id, reported)
    return Answer()


async def note_typing(asked: Asked) -> Answer:
    """Tell amoCRM that a client types."""
    typing = wire.decode(wire.Typing, asked.body)
    await asked.services.ingress.note_typing(asked.messenger, typing)
    return Answer(status=204)


async def react(asked: Asked) -> Answer:
    """Take a reaction, or its end."""
    await asked.services.ingress.react(asked.messenger, wire.decode(wire.React, asked.body))
    return Answer()


async def create_chat(asked: Asked) -> Answer:
    """Let amoCRM make a chat. Its answer is passed on."""
    wire.decode(wire.CreateChat, asked.body)
    return _json(await asked.services.ingress.create_chat(asked.messenger, asked.body))


async def list_history(asked: Asked) -> Answer:
    """Let amoCRM list messages of a chat. Its answer is passed on."""
    offset, limit = _whole(asked, "offset", 0), _whole(asked, "limit", _HISTORY)
    if limit > _HISTORY:
        raise errors.UnreadablePayload(f"limit: at most {_HISTORY}")
    chat_id = identifier(asked.path["chat_id"])
    if chat_id is None:
        raise errors.NotFound
    found = await asked.services.ingress.history(
        asked.messenger, chat_id, offset=offset, limit=limit
    )
    return _json(found) if found else Answer(status=204)


async def find_nothing(_: web.Request) -> web.Response:
    """Answer a path or method that amojo does not have: 404 without a body."""
    return web.Response(status=404)


_CALLS: Final = (
    Call(method="POST", path="/{channel_id}/connect", run=connect, body_only=True),
    Call(method="DELETE", path="/{channel_id}/disconnect", run=disconnect, body_only=True),
    # One of amoCRM's own samples has POST, and so do clients.
    Call(method="POST", path="/{channel_id}/disconnect", run=disconnect, body_only=True),
    Call(method="POST", path="/{scope_id}", run=send, body_only=True),
    Call(method="POST", path="/{scope_id}/{msgid}/delivery_status", run=report),
    Call(method="POST", path="/{scope_id}/typing", run=note_typing),
    Call(method="POST", path="/{scope_id}/react", run=react),
    Call(method="POST", path="/{scope_id}/chats", run=create_chat),
    Call(method="GET", path="/{scope_id}/chats/{chat_id}/history", run=list_history),
)


def routes() -> list[web.RouteDef]:
    """Return every call, and behind them all that amojo does not have."""
    calls = [web.route(call.method, _BASE + call.path, call.handle) for call in _CALLS]
    return [*calls, web.route("*", "/v2/{rest:.*}", find_nothing)]


# --- answers ------------------------------------------------------------------------------------


def _json(body: bytes) -> Answer:
    return Answer(body=body, content_type=_JSON)


def _whole(asked: Asked, name: str, default: int) -> int:
    text = asked.query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise errors.UnreadablePayload(f"{name}: must be a whole number")
    return int(text)


_KINDS: Final[dict[type[errors.ChatbridgeError], tuple[int, ErrorType, str | None]]] = {
    errors.SignatureMismatch: (403, ErrorType.INVALID_SIGNATURE, "invalid signature"),
    errors.NotFound: (404, ErrorType.NOT_REGISTERED, "NOT_FOUND"),
    errors.NotLinked: (404, ErrorType.NOT_REGISTERED, None),
    errors.LinkAmbiguous: (
        400,
        ErrorType.BAD_REQUEST,
        "This messenger has several links. No call of amojo says which is meant: give each account its own messenger.",
    ),
    errors.IdReused: (400, ErrorType.BAD_REQUEST, None),
    errors.NotEditable: (400, ErrorType.BAD_REQUEST, None),
    errors.UnreadablePayload: (400, ErrorType.BAD_REQUEST, None),
    errors.StoreUnavailable: (
        503,
        ErrorType.UNAVAILABLE,
        "Nothing was stored. Send it again in a moment.",
    ),
    errors.Rejected: (400, ErrorType.BAD_REQUEST, None),
    errors.Duplicate: (400, ErrorType.BAD_REQUEST, None),
    errors.Throttled: (429, ErrorType.THROTTLED, None),
}
"""Status, word, and the sentence if it is not the error's own. Published are 403 and 404."""


def _refused(error: errors.ChatbridgeError) -> Answer:
    """Return an error in amojo's own form."""
    known = _KINDS.get(type(error))
    if known is not None:
        status, kind, words = known
    elif isinstance(error, errors.RequestRefused):
        status, kind, words = error.http_status, ErrorType.BAD_REQUEST, None
    else:
        # amoCRM was asked on the caller's behalf, and did not answer.
        status, kind, words = HTTPStatus.BAD_GATEWAY, ErrorType.UNAVAILABLE, None
    return Answer(
        status=status,
        body=ingress_answers.refused(status, kind, words or str(error)),
        content_type=_JSON,
        headers=_retry_after(error),
    )


def _retry_after(error: errors.ChatbridgeError) -> dict[str, str]:
    if isinstance(error, errors.StoreUnavailable):
        return {"Retry-After": "1"}
    if isinstance(error, errors.Throttled) and error.retry_after is not None:
        return {"Retry-After": str(math.ceil(error.retry_after))}
    return {}
