"""Every route of the server, in one table."""

from collections.abc import Iterable
from typing import Any, Final

from aiohttp import web

from chatbridge import errors
from chatbridge.connectors.base import Connector
from chatbridge.connectors.capabilities import Capabilities
from chatbridge.model import Permission
from chatbridge.protocol.event_stream import CONTENT_TYPE
from chatbridge.web import (
    amojo,
    channels,
    connectors,
    crm_routes,
    events,
    health,
    history,
    imports,
    links,
    messages,
    messengers,
    oauth,
    parked,
    people,
    recoveries,
    rotation,
    webhooks,
)
from chatbridge.web.callback import take_callback
from chatbridge.web.docs import get_docs, get_openapi, static_files
from chatbridge.web.endpoint import Access, Endpoint
from chatbridge.web.event_schemas import EventsQuery
from chatbridge.web.history_schemas import HistoryPage, HistoryQuery
from chatbridge.web.import_schemas import ImportDetails, ImportOut, ImportPage, ImportQuery
from chatbridge.web.media import get_file, upload_file
from chatbridge.web.media_schemas import UploadOut, UploadQuery
from chatbridge.web.message_schemas import (
    EditDraft,
    EventTaken,
    MessageDraft,
    MessageOut,
    MessageTaken,
    ReactionDraft,
    StatusDraft,
    StatusTaken,
    TypingDraft,
)
from chatbridge.web.people_schemas import (
    AuditPage,
    AuditQuery,
    KeyCreated,
    KeyDraft,
    KeyPage,
    Me,
    SignInDraft,
    UserChange,
    UserCreated,
    UserDraft,
    UserOut,
    UserPage,
    WorkspaceChange,
    WorkspaceCreated,
    WorkspaceDraft,
    WorkspaceOut,
    WorkspacePage,
)
from chatbridge.web.schemas import (
    ChannelChange,
    ChannelDraft,
    ChannelOut,
    ChannelPage,
    ConnectorList,
    Health,
    LinkChange,
    LinkDraft,
    LinkOut,
    LinkPage,
    MessengerChange,
    MessengerCreated,
    MessengerDraft,
    MessengerOut,
    MessengerPage,
    PageQuery,
    ParkedPage,
    ParkedQuery,
    RecoveryDraft,
    RecoveryOut,
    RecoveryPage,
    RecoveryQuery,
    Released,
    ReleaseDraft,
)
from chatbridge.web.webhook_schemas import (
    ApiKeyRotated,
    Overlap,
    RecoverDraft,
    SecretRotated,
    TestedOut,
)

_AMOJO: Final = (errors.FarSideRefused, errors.FarSideUnreachable)

ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    Endpoint(
        method="POST", path="/v1/workspaces", run=people.create_workspace, summary="Make a workspace", tag="workspaces",
        access=Access.MANAGER, needs=Permission.SERVER, body=WorkspaceDraft, answer=WorkspaceCreated, status=201,
        refusals=(errors.AlreadyExists,),
    ),
    Endpoint(
        method="GET", path="/v1/workspaces", run=people.list_workspaces, summary="List workspaces", tag="workspaces",
        access=Access.MANAGER, query=PageQuery, answer=WorkspacePage,
    ),
    Endpoint(
        method="GET", path="/v1/workspaces/{workspace_id}", run=people.get_workspace, summary="Show a workspace",
        tag="workspaces", access=Access.MANAGER, answer=WorkspaceOut, refusals=(errors.NotFound,),
    ),
    Endpoint(
        method="PATCH", path="/v1/workspaces/{workspace_id}", run=people.change_workspace, summary="Rename a workspace",
        tag="workspaces", access=Access.MANAGER, needs=Permission.PEOPLE, body=WorkspaceChange, answer=WorkspaceOut,
        refusals=(errors.NotFound,),
    ),
    Endpoint(
        method="POST", path="/v1/users", run=people.create_user, summary="Invite somebody", tag="people",
        access=Access.MANAGER, needs=Permission.PEOPLE, body=UserDraft, answer=UserCreated, status=201,
        refusals=(errors.AlreadyExists, errors.NotFound),
    ),
    Endpoint(
        method="GET", path="/v1/users", run=people.list_users, summary="List people", tag="people",
        access=Access.MANAGER, query=PageQuery, answer=UserPage,
    ),
    Endpoint(
        method="GET", path="/v1/users/{user_id}", run=people.get_user, summary="Show somebody", tag="people",
        access=Access.MANAGER, answer=UserOut, refusals=(errors.NotFound,),
    ),
    Endpoint(
        method="PATCH", path="/v1/users/{user_id}", run=people.change_user, summary="Change somebody", tag="people",
        access=Access.MANAGER, body=UserChange, answer=UserOut, refusals=(errors.NotFound, errors.LastOwner),
    ),
    Endpoint(
        method="POST", path="/v1/keys", run=people.create_key, summary="Make a workspace's key", tag="people",
        access=Access.MANAGER, needs=Permission.PEOPLE, body=KeyDraft, answer=KeyCreated, status=201,
        refusals=(errors.NotFound,),
    ),
    Endpoint(
        method="GET", path="/v1/keys", run=people.list_keys, summary="List keys", tag="people",
        access=Access.MANAGER, query=PageQuery, answer=KeyPage,
    ),
    Endpoint(
        method="DELETE", path="/v1/keys/{key_id}", run=people.delete_key, summary="Withdraw a key", tag="people",
        access=Access.MANAGER, needs=Permission.PEOPLE, status=204, refusals=(errors.NotFound,),
    ),
    Endpoint(
        method="POST", path="/v1/sessions", run=people.create_session, summary="Sign in", tag="people",
        access=Access.PUBLIC, body=SignInDraft, answer=UserOut, status=201,
        refusals=(errors.LoginWrong, errors.TooMany),
    ),
    Endpoint(
        method="DELETE", path="/v1/sessions", run=people.delete_session, summary="Sign out", tag="people",
        access=Access.MANAGER, status=204,
    ),
    Endpoint(
        method="GET", path="/v1/me", run=people.get_me, summary="Show who calls", tag="people",
        access=Access.MANAGER, answer=Me,
    ),
    Endpoint(
        method="GET", path="/v1/audit", run=people.list_audit, summary="List what was done and refused", tag="people",
        access=Access.MANAGER, needs=Permission.PEOPLE, query=AuditQuery, answer=AuditPage,
    ),
    Endpoint(
        method="POST", path="/v1/channels", run=channels.create_channel, summary="Register a channel", tag="channels",
        access=Access.MANAGER, needs=Permission.CONFIGURE, body=ChannelDraft, answer=ChannelOut, status=201, refusals=(errors.AlreadyExists, errors.NotFound),
    ),
    Endpoint(
        method="GET", path="/v1/channels", run=channels.list_channels, summary="List channels", tag="channels",
        access=Access.MANAGER, query=PageQuery, answer=ChannelPage,
    ),
    Endpoint(
        method="GET", path="/v1/channels/{channel_id}", run=channels.get_channel, summary="Show a channel",
        tag="channels", access=Access.MANAGER, answer=ChannelOut, refusals=(errors.NotFound,),
    ),
    Endpoint(
        method="PATCH", path="/v1/channels/{channel_id}", run=channels.change_channel, summary="Change a channel",
        tag="channels", access=Access.MANAGER, needs=Permission.CONFIGURE, body=ChannelChange, answer=ChannelOut,
        refusals=(errors.NotFound, errors.AlreadyExists),
    ),
    Endpoint(
        method="GET", path="/v1/connectors", run=connectors.list_connectors, summary="List kinds of messengers",
        tag="messengers", access=Access.MANAGER, answer=ConnectorList,
    ),
    Endpoint(
        method="POST", path="/v1/messengers", run=messengers.create_messenger, summary="Make a messenger",
        tag="messengers", access=Access.MANAGER, needs=Permission.CONFIGURE, body=MessengerDraft, answer=MessengerCreated, status=201,
        refusals=(errors.KindUnavailable, errors.FarSideUnreachable, errors.NotFound),
    ),
    Endpoint(
        method="GET", path="/v1/messengers", run=messengers.list_messengers, summary="List messengers",
        tag="messengers", access=Access.MANAGER, query=PageQuery, answer=MessengerPage,
    ),
    Endpoint(
        method="GET", path="/v1/messengers/{messenger_id}", run=messengers.get_messenger, summary="Show a messenger",
        tag="messengers", access=Access.MANAGER, answer=MessengerOut, refusals=(errors.NotFound,),
    ),
    Endpoint(
        method="PATCH", path="/v1/messengers/{messenger_id}", run=messengers.change_messenger,
        summary="Change a messenger", tag="messengers", access=Access.MANAGER, needs=Permission.CONFIGURE, body=MessengerChange,
        answer=MessengerOut, refusals=(errors.NotFound, errors.KindUnavailable, errors.FarSideUnreachable),
    ),
    Endpoint(
        method="POST", path="/v1/messengers/{messenger_id}/webhook-secret", run=rotation.rotate_webhook_secret,
        summary="Replace the secret of webhooks", tag="messengers", access=Access.MANAGER, needs=Permission.CONFIGURE, body=Overlap,
        answer=SecretRotated, status=201, refusals=(errors.NotFound, errors.RotationUnderWay),
    ),
    Endpoint(
        method="POST", path="/v1/messengers/{messenger_id}/api-key", run=rotation.rotate_api_key,
        summary="Replace the API key", tag="messengers", access=Access.MANAGER, needs=Permission.CONFIGURE, body=Overlap, answer=ApiKeyRotated,
        status=201, refusals=(errors.NotFound, errors.RotationUnderWay),
    ),
    Endpoint(
        method="POST", path="/v1/messengers/{messenger_id}/webhook/resume", run=webhooks.resume_messenger,
        summary="Send to a paused webhook again", tag="messengers", access=Access.MANAGER, needs=Permission.OPERATE, status=204,
        refusals=(errors.NotFound,),
    ),
    Endpoint(
        method="POST", path="/v1/messengers/{messenger_id}/recover", run=webhooks.recover_messenger,
        summary="Deliver again what was given up since then", tag="messengers", access=Access.MANAGER, needs=Permission.OPERATE,
        body=RecoverDraft, answer=Released, refusals=(errors.NotFound,),
    ),
    Endpoint(
        method="POST", path="/v1/messengers/{messenger_id}/test", run=webhooks.test_messenger,
        summary="Send a test event", tag="messengers", access=Access.MANAGER, needs=Permission.OPERATE, answer=TestedOut, refusals=(errors.NotFound, errors.KindUnavailable),
    ),
    Endpoint(
        method="POST", path="/v1/links", run=links.create_link, summary="Connect an account", tag="links",
        access=Access.MANAGER, needs=Permission.CONFIGURE, body=LinkDraft, answer=LinkOut, status=201,
        refusals=(errors.NotFound, errors.AlreadyExists, *_AMOJO),
    ),
    Endpoint(
        method="GET", path="/v1/links", run=links.list_links, summary="List links", tag="links",
        access=Access.MANAGER, query=PageQuery, answer=LinkPage,
    ),
    Endpoint(
        method="GET", path="/v1/links/{scope_id}", run=links.get_link, summary="Show a link", tag="links",
        access=Access.MANAGER, answer=LinkOut, refusals=(errors.NotFound,),
    ),
    Endpoint(
        method="PATCH", path="/v1/links/{scope_id}", run=links.change_link, summary="Move or rename a link",
        tag="links", access=Access.MANAGER, needs=Permission.CONFIGURE, body=LinkChange, answer=LinkOut, refusals=(errors.NotFound, *_AMOJO),
    ),
    Endpoint(
        method="DELETE", path="/v1/links/{scope_id}", run=links.delete_link, summary="Disconnect an account",
        tag="links", access=Access.MANAGER, needs=Permission.CONFIGURE, status=204, refusals=(errors.NotFound, *_AMOJO),
    ),
    *crm_routes.ENDPOINTS,
    Endpoint(
        method="GET", path="/v1/parked", run=parked.list_parked, summary="List what could not be delivered",
        tag="parked", access=Access.MANAGER, query=ParkedQuery, answer=ParkedPage,
    ),
    Endpoint(
        method="POST", path="/v1/parked/release", run=parked.release_parked, summary="Deliver parked messages again",
        tag="parked", access=Access.MANAGER, needs=Permission.OPERATE, body=ReleaseDraft, answer=Released,
    ),
    Endpoint(
        method="GET", path="/v1/recoveries", run=recoveries.list_recoveries,
        summary="List what was missed, and what was found of it", tag="recoveries", access=Access.MANAGER,
        query=RecoveryQuery, answer=RecoveryPage,
    ),
    Endpoint(
        method="POST", path="/v1/recoveries", run=recoveries.create_recovery, summary="Look for lost replies",
        tag="recoveries", access=Access.MANAGER, needs=Permission.OPERATE, body=RecoveryDraft, answer=RecoveryOut, status=202,
        refusals=(errors.NotFound,),
    ),
    Endpoint(
        method="POST", path="/v1/messages", run=messages.create_message, summary="Send a client's message",
        tag="messages", access=Access.MESSENGER, body=MessageDraft, answer=MessageTaken, status=202,
        refusals=(errors.IdReused, errors.NotLinked, errors.LinkAmbiguous),
    ),
    Endpoint(
        method="GET", path="/v1/messages/{message_id}", run=messages.get_message,
        summary="Show where a message stands", tag="messages", access=Access.MESSENGER, answer=MessageOut,
        refusals=(errors.NotFound,),
    ),
    Endpoint(
        method="PATCH", path="/v1/messages/{message_id}", run=messages.edit_message, summary="Edit a client's message",
        tag="messages", access=Access.MESSENGER, body=EditDraft, answer=EventTaken, status=202,
        refusals=(errors.NotFound, errors.NotEditable, errors.IdReused),
    ),
    Endpoint(
        method="POST", path="/v1/messages/{message_id}/status", run=messages.set_status,
        summary="Say what became of an operator's message", tag="messages", access=Access.MESSENGER, body=StatusDraft,
        answer=StatusTaken, refusals=(errors.NotFound,),
    ),
    Endpoint(
        method="POST", path="/v1/messages/{message_id}/reactions", run=messages.add_reaction,
        summary="React to a message", tag="messages", access=Access.MESSENGER, body=ReactionDraft, answer=EventTaken,
        status=202, refusals=(errors.NotFound, errors.IdReused),
    ),
    Endpoint(
        method="POST", path="/v1/conversations/{conversation_id}/typing", run=messages.note_typing,
        summary="Say that a client types", tag="messages", access=Access.MESSENGER, body=TypingDraft, status=202,
        refusals=(errors.NotFound, errors.NotLinked, errors.LinkAmbiguous),
    ),
    Endpoint(
        method="POST", path="/v1/media", run=upload_file, summary="Upload a file", tag="media",
        access=Access.MESSENGER, stream=("application/octet-stream", "multipart/form-data"), query=UploadQuery,
        answer=UploadOut, status=201, refusals=(errors.BodyTooLarge, errors.RequestTooSlow, errors.UnsupportedMediaType),
    ),
    Endpoint(
        method="GET", path="/v1/conversations/{conversation_id}/messages", run=history.list_messages,
        summary="Show what was said in a conversation", tag="messages", access=Access.MESSENGER, query=HistoryQuery,
        answer=HistoryPage, refusals=(errors.NotFound, errors.LinkAmbiguous, errors.HistoryNotReady),
    ),
    Endpoint(
        method="GET", path="/v1/capabilities", run=messengers.get_capabilities,
        summary="Show what this messenger can take", tag="messages", access=Access.MESSENGER, answer=Capabilities,
    ),
    Endpoint(
        method="GET", path="/v1/events", run=events.stream_events, summary="Read events as they come", tag="events",
        access=Access.MESSENGER, query=EventsQuery, endless=CONTENT_TYPE,
    ),
    Endpoint(
        method="POST", path="/v1/webhook/recover", run=webhooks.recover, summary="Get again what was given up since then",
        tag="messages", access=Access.MESSENGER, body=RecoverDraft, answer=Released,
    ),
    Endpoint(
        method="POST", path="/v1/webhook/test", run=webhooks.test, summary="Get a test event", tag="messages",
        access=Access.MESSENGER, answer=TestedOut, refusals=(errors.KindUnavailable,),
    ),
    Endpoint(
        method="POST", path="/v1/imports", run=imports.create_import, summary="Import history", tag="imports",
        access=Access.MESSENGER, lines=MessageDraft, query=ImportQuery, answer=ImportOut, status=202,
        refusals=(errors.NotLinked, errors.ImportClosed),
    ),
    Endpoint(
        method="GET", path="/v1/imports", run=imports.list_imports, summary="List imports", tag="imports",
        access=Access.MESSENGER, query=PageQuery, answer=ImportPage,
    ),
    Endpoint(
        method="GET", path="/v1/imports/{import_id}", run=imports.get_import,
        summary="Show how far an import has come", tag="imports", access=Access.MESSENGER, answer=ImportDetails,
        refusals=(errors.NotFound,),
    ),
    Endpoint(
        method="DELETE", path="/v1/imports/{import_id}", run=imports.cancel_import,
        summary="Drop what is not imported yet", tag="imports", access=Access.MESSENGER, status=204,
        refusals=(errors.NotFound,),
    ),
    Endpoint(
        method="GET", path="/healthz", run=health.get_health, summary="Is the process alive?", tag="operation",
        access=Access.PUBLIC, answer=Health,
    ),
)  # fmt: skip
"""What openapi.json describes."""


def add_routes(app: web.Application, installed: Iterable[Connector]) -> None:
    """Add every route to the application, those of connectors as well."""
    app.router.add_routes(
        [web.route(endpoint.method, endpoint.path, endpoint.handle) for endpoint in ENDPOINTS]
    )
    app.router.add_routes(
        [
            web.post("/location/{scope_id}", take_callback),
            web.get("/media/{signed}", get_file),
            web.get("/oauth/redirect", oauth.Redirects().take, allow_head=False),
            web.get("/oauth/disconnect", oauth.disconnect, allow_head=False),
            *amojo.routes(),
            web.get("/readyz", health.get_readiness, allow_head=False),
            web.get("/metrics", health.get_metrics, allow_head=False),
            web.get("/openapi.json", get_openapi, allow_head=False),
            web.get("/docs", get_docs, allow_head=False),
            *static_files(),
            *(route for connector in installed for route in connector.routes()),
        ]
    )
