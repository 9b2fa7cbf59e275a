"""What a caller of our API did wrong, or what cannot be done for it."""

from collections.abc import Mapping
from typing import ClassVar

from chatbridge.errors.base import ChatbridgeError


class RequestRefused(ChatbridgeError):
    """A request of our own API that is not carried out.

    Args:
        detail: a sentence for this occurrence; the class's docstring when left out.
        fields: JSON pointer of each wrong field, with what is wrong about it.
        far: what the far side answered, for calls made on behalf of the caller.

    """

    http_status: ClassVar[int] = 400
    title: ClassVar[str]

    def __init__(
        self,
        detail: str = "",
        *,
        fields: Mapping[str, str] | None = None,
        far: Mapping[str, str | int] | None = None,
    ) -> None:
        """Keep the sentence, the wrong fields and the far side's answer."""
        super().__init__(detail or (self.__doc__ or "").partition("\n")[0])
        self.fields = dict(fields or {})
        self.far = dict(far or {})


class MalformedRequest(RequestRefused):
    """This is not HTTP/1.1. Nothing of it was read; the connection is closed."""

    code, http_status, title = "malformed_request", 400, "The request is not HTTP/1.1"


class MalformedJson(RequestRefused):
    """The body is not JSON. Send UTF-8 JSON with `Content-Type: application/json`."""

    code, http_status, title = "malformed_json", 400, "The body is not JSON"


class InvalidFields(RequestRefused):
    """Some fields are missing or wrong; `errors` names each of them."""

    code, http_status, title = "invalid_fields", 422, "Some fields are missing or wrong"


class UnsupportedMediaType(RequestRefused):
    """Send the body as `application/json`, not compressed."""

    code, http_status, title = "unsupported_media_type", 415, "The body must be plain JSON"


class BodyTooLarge(RequestRefused):
    """The body is larger than this server takes. Send media as links, not inside the message."""

    code, http_status, title = "body_too_large", 413, "The body is too large"


class RequestTooSlow(RequestRefused):
    """The body did not arrive in time. Send it again."""

    code, http_status, title = "request_too_slow", 408, "The body did not arrive in time"


class Unauthenticated(RequestRefused):
    """Send `Authorization: Bearer …` with a valid key for this call."""

    code, http_status, title = "unauthenticated", 401, "The key is missing or wrong"


class LoginWrong(RequestRefused):
    """The login or the password is wrong."""

    code, http_status, title = "login_wrong", 401, "Login or password is wrong"


class Forbidden(RequestRefused):
    """Your role does not allow this. Ask an owner or an admin of the workspace."""

    code, http_status, title = "forbidden", 403, "Your role does not allow this"


class LastOwner(RequestRefused):
    """A workspace needs an owner who can sign in. Make somebody else an owner first."""

    code, http_status, title = "last_owner", 409, "The workspace would be left without an owner"


class AccountNotProven(RequestRefused):
    """Nothing proves that this account of amoCRM is yours. Connect it with the widget, or by a connection link."""

    code, http_status, title = "account_not_proven", 403, "The account is not proven to be yours"


class CallbackRefused(RequestRefused):
    """The address or the signature of this callback is wrong. Check the channel's hook address and secret."""

    code, http_status, title = "callback_refused", 401, "The callback is not known here"


class OriginRefused(RequestRefused):
    """This page is not on one of the chat's sites. Add its origin to `settings.sites` of the messenger."""

    code, http_status, title = "origin_refused", 403, "The chat is not for this site"


class TooMany(RequestRefused):
    """This is too much at once. Try again in a while."""

    code, http_status, title = "too_many", 429, "Too many at once"


class Full(RequestRefused):
    """This server takes no more connections at the moment. Try again."""

    code, http_status, title = "full", 503, "The server is full"


class NotFound(RequestRefused):
    """There is nothing here under this address for this key."""

    code, http_status, title = "not_found", 404, "Not found"


class MethodNotAllowed(RequestRefused):
    """This address does not take this method."""

    code, http_status, title = "method_not_allowed", 405, "Method not allowed"


class AlreadyExists(RequestRefused):
    """There is one of these already. Change it with PATCH."""

    code, http_status, title = "already_exists", 409, "It exists already"


class IdReused(RequestRefused):
    """This message id was used before with another body. Give every message its own id."""

    code, http_status, title = "id_reused", 409, "The id belongs to another message"


class ImportClosed(RequestRefused):
    """The upload of this import is complete, or it was cancelled. Give another id to import more."""

    code, http_status, title = "import_closed", 409, "The import takes no more lines"


class NotEditable(RequestRefused):
    """This message was written by an operator. Clients' messages can be edited, no others."""

    code, http_status, title = "not_editable", 409, "The message cannot be edited"


class RotationUnderWay(RequestRefused):
    """The key before this one is still valid. Wait until it is not, or end it now with `overlap_hours` 0."""

    code, http_status, title = "rotation_under_way", 409, "The key was replaced a moment ago"


class LinkAmbiguous(RequestRefused):
    """This messenger has several links. Say in `scope_id` which of them the message is for."""

    code, http_status, title = "link_ambiguous", 409, "Which account is it for?"


class NotLinked(RequestRefused):
    """This messenger is not linked to an amoCRM account yet. Create the link with POST /v1/links."""

    code, http_status, title = "not_linked", 409, "The messenger is not linked"


class KindUnavailable(RequestRefused):
    """This server has no connector for messengers of this kind."""

    code, http_status, title = "kind_unavailable", 422, "No such kind of messenger here"


class HistoryNotReady(RequestRefused):
    """This server is still going through messages of an older release. Try again in a minute."""

    code, http_status, title = "history_not_ready", 503, "The history is being prepared"


class FarSideRefused(RequestRefused):
    """amoCRM refused the call; `amojo` holds its own code and text."""

    code, http_status, title = "amojo_refused", 502, "amoCRM refused the call"


class FarSideUnreachable(RequestRefused):
    """amoCRM could not be reached or gave no usable answer. Try again; check `base_url` if it stays so."""

    code, http_status, title = "amojo_unreachable", 502, "amoCRM could not be reached"
