"""The chat API under /v2/origin/custom: who may call, in which order it is checked, what is logged."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import orjson
from aiohttp import web

from chatbridge.sandbox import calls, messages
from chatbridge.sandbox.accepted import Accepted
from chatbridge.sandbox.parts import SANDBOX, Sandbox
from chatbridge.sandbox.refusals import Refusal, bad_request, bad_signature, not_found
from chatbridge.sandbox.signatures import SignatureError, SignedRequest, verify

BODY_BYTES = 5 * 2**20
BODY_DEADLINE_S = 15.0
BASE = "/v2/origin/custom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One method of amojo. `body_only`: it also takes the old signature (page "chat-start")."""

    method: str
    path: str
    answer: Callable[[Accepted], web.Response]
    body_only: bool = False


CALLS = (
    Call(method="POST", path="/{channel}/connect", answer=calls.connect, body_only=True),
    Call(method="DELETE", path="/{channel}/disconnect", answer=calls.disconnect, body_only=True),
    Call(method="POST", path="/{scope}/chats", answer=calls.create_chat),
    Call(method="POST", path="/{scope}", answer=messages.send, body_only=True),
    Call(method="POST", path="/{scope}/typing", answer=calls.typing),
    Call(method="POST", path="/{scope}/react", answer=calls.react),
    Call(method="POST", path="/{scope}/{msgid}/delivery_status", answer=calls.delivery_status),
    Call(method="GET", path="/{scope}/chats/{chat}/history", answer=calls.history),
)


def routes() -> list[web.RouteDef]:
    """All calls; every other path or method below /v2 is an empty 404."""
    defined = [web.route(call.method, BASE + call.path, _endpoint(call)) for call in CALLS]
    return [*defined, web.route("*", "/v2/{rest:.*}", _endpoint(None))]


def _endpoint(call: Call | None) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def endpoint(request: web.Request) -> web.Response:
        sandbox = request.app[SANDBOX]
        at, body, error = sandbox.now(), b"", None
        try:
            body = await _read(request)
            response, error = await _answer(sandbox, request, call, body)
        except Refusal as refusal:
            response, error = refusal.response(), str(refusal)
        sandbox.journal.add(
            kind="call",
            at=at,
            method=request.method,
            path=request.raw_path,
            status=response.status,
            error=error,
            scope_id=request.match_info.get("scope"),
            body=body,
        )
        return response

    return endpoint


async def _read(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(BODY_DEADLINE_S):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise Refusal(413, "ORIGIN_BAD_REQUEST", "the body is larger than 5 MB") from None
    except TimeoutError:
        raise Refusal(408, "ORIGIN_BAD_REQUEST", "the body did not arrive in time") from None
    except (web.RequestPayloadError, ConnectionResetError):
        raise bad_request("the body is not complete") from None


async def _answer(
    sandbox: Sandbox, request: web.Request, call: Call | None, body: bytes
) -> tuple[web.Response, str | None]:
    """Return the answer, and what the developer should know about it."""
    if call is None:
        return web.Response(status=404), "no such path and method"
    path = request.match_info
    channel_id = path.get("channel") or path["scope"].partition("_")[0]
    channel = sandbox.state.channels.get(channel_id)
    if channel is None:
        raise not_found("no such channel")
    try:
        signed = _signed(request, body)
        verify(signed, channel.secret, now=sandbox.now(), body_only=call.body_only)
    except SignatureError as error:
        raise bad_signature(str(error)) from None
    accepted = Accepted(sandbox=sandbox, channel=channel, path=path, query=request.query, body=body)
    if "scope" in path:
        _ = accepted.connection  # not connected: 404
    fault = sandbox.faults.take(lambda: _conversation(accepted))
    instead = sandbox.faults.instead(fault)
    note = None if fault == "none" else f"fault: {fault}"
    if instead is not None:
        return instead, note
    return await sandbox.faults.afterwards(fault, request, call.answer(accepted)), note


def _signed(request: web.Request, body: bytes) -> SignedRequest:
    def header(name: str) -> bytes | None:
        value = request.headers.get(name)
        return None if value is None else value.encode(errors="surrogateescape")

    path, _, query = request.raw_path.encode(errors="surrogateescape").partition(b"?")
    return SignedRequest(
        method=request.method.encode(),
        path=path,
        query=query,
        host=header("Host") or b"",
        body=body,
        date=header("Date"),
        content_md5=header("Content-MD5"),
        content_type=header("Content-Type"),
        signature=header("X-Signature"),
    )


def _conversation(accepted: Accepted) -> str | None:
    """The other side's conversation_id that a request is about, for faults aimed at one."""
    state, path = accepted.sandbox.state, accepted.path
    message = state.messages.get(path.get("msgid", ""))
    chat = state.chats.get(message.chat_id if message is not None else path.get("chat", ""))
    if chat is not None:
        return chat.client_id
    try:
        body = orjson.loads(accepted.body)
    except orjson.JSONDecodeError:
        return None
    body = body.get("payload", body) if isinstance(body, dict) else {}
    return body.get("conversation_id") if isinstance(body, dict) else None
