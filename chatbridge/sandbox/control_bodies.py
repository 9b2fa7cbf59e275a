"""Bodies of the control API. Strict, and a misspelt member is an error."""

import asyncio
from typing import Annotated, Any, Literal, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from chatbridge.sandbox.wire import Contact, Id, Kind, Location, Text, Url, Whole

Uuid = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
HookUrl = Annotated[
    str, StringConstraints(pattern=r"^https?://[^/\s]+/\S*:scope_id", max_length=2_000)
]
Subdomain = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
Zone = Literal["amocrm.ru", "amocrm.com", "kommo.com"]
Number = Annotated[int, Field(gt=0, le=2**31)]
Secret = Annotated[str, StringConstraints(pattern=r"^[!-~]{8,128}$")]

BODY_DEADLINE_S = 15.0

AnyBody = TypeVar("AnyBody", bound=BaseModel)


class ControlError(Exception):
    """The control API refuses; becomes `{"error": {"code", "message"}}`."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def response(self) -> web.Response:
        """As JSON."""
        error = {"code": self.code, "message": self.message}
        return web.json_response({"error": error}, status=self.status)


class ControlBody(BaseModel):
    """Base of all bodies."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)


class NewUser(ControlBody):
    """A user of an account."""

    id: Uuid | None = None
    name: Text
    user_id: Number | None = None
    is_admin: bool = False


class NewAccount(ControlBody):
    """An account; the same id again replaces it. Without a subdomain it gets one made of its number."""

    amojo_id: Uuid | None = None
    id: Number | None = None
    name: Text
    subdomain: Subdomain | None = None
    zone: Zone = "amocrm.ru"
    users: tuple[NewUser, ...] = ()


class NewChannel(ControlBody):
    """A channel; the same id again changes what is given. `hook_url` serves both hook versions."""

    code: Text | None = None
    channel_id: Uuid | None = None
    secret: Secret | None = None
    hook_url: HookUrl | None = None
    hook_url_v1: HookUrl | None = None
    hook_url_v2: HookUrl | None = None
    title: Text | None = None
    bot_id: Uuid | None = None
    allowed_accounts: tuple[Uuid, ...] | None = None


class OperatorContent(ControlBody):
    """What an operator writes. `markup` and those after it go into the hook as they are."""

    type: Kind
    text: Text = ""
    media: Url = ""
    thumbnail: Url = ""
    file_name: Text = ""
    file_size: Whole = 0
    media_duration: Whole | None = None
    sticker_id: Text | None = None
    location: Location | None = None
    contact: Contact | None = None
    media_group_id: Text | None = None
    reply_to: Id | None = None  # id of a message of the chat
    forward: Id | None = None  # id of a message of any chat of the connection
    markup: dict[str, Any] | None = None
    template: dict[str, Any] | None = None
    forwards: dict[str, Any] | None = None
    post: dict[str, Any] | None = None


class OperatorMessage(ControlBody):
    """An operator writes into a chat."""

    user_id: Id | None = None
    message: OperatorContent


class WriteFirst(OperatorMessage):
    """An operator begins a chat by phone."""

    scope_id: Id
    phone: Annotated[str, StringConstraints(pattern=r"^\+?[0-9 ()-]{3,30}$")]
    name: Text = ""
    source: Annotated[str, StringConstraints(min_length=1, max_length=40)] | None = None


class OperatorTyping(ControlBody):
    """An operator types."""

    user_id: Id | None = None


class OperatorReaction(ControlBody):
    """An operator reacts."""

    type: Annotated[str, StringConstraints(pattern=r"^(react|unreact)$")]
    emoji: Annotated[str, Field(max_length=64)] = ""
    user_id: Id | None = None


async def read_json(request: web.Request, model: type[AnyBody]) -> AnyBody:
    """Parse a body. Raises ControlError 400 with a sentence that names the member, TimeoutError."""
    async with asyncio.timeout(BODY_DEADLINE_S):
        body = await request.read()
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
        path = ".".join(str(part) for part in problem["loc"]) or "body"
        raise ControlError(400, "bad_request", f"{path}: {problem['msg']}") from None
