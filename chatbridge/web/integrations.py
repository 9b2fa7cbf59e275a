"""Endpoints of integrations, and of authorizations that begin with them."""

from typing import Any

from chatbridge.errors import AlreadyExists, AuthorizationRefused
from chatbridge.model import Integration, IntegrationKind
from chatbridge.protocol.crm.oauth import External
from chatbridge.web.crm_schemas import (
    AuthorizationDraft,
    AuthorizationOut,
    IntegrationChange,
    IntegrationDraft,
    IntegrationOut,
    IntegrationPage,
    SecretsDraft,
)
from chatbridge.web.endpoint import Call
from chatbridge.web.pages import cut_page
from chatbridge.web.times import to_datetime


async def create_integration(call: Call[IntegrationDraft]) -> IntegrationOut:
    """Keep an integration."""
    services, draft, now = call.services, call.body, call.services.clock.now()
    integration = Integration(
        client_id=draft.client_id,
        workspace_id=await call.workspace(draft.workspace, otherwise=None),
        kind=IntegrationKind(draft.kind),
        name=draft.name,
        secret=draft.secret,
        redirect_uri=draft.redirect_uri or services.redirect_uri,
        zone=draft.zone,
        created_at=now,
        updated_at=now,
    )
    return _out(await services.integrations.add(integration))


async def list_integrations(call: Call[None]) -> IntegrationPage:
    """List integrations."""
    found = await call.services.integrations.list_(call.principal)
    page, following = cut_page(found, lambda each: each.client_id, call.query)
    return IntegrationPage(items=[_out(each) for each in page], next=following)


async def get_integration(call: Call[None]) -> IntegrationOut:
    """Show an integration."""
    integrations = call.services.integrations
    return _out(await integrations.integration(call.principal, call.path["client_id"]))


async def change_integration(call: Call[IntegrationChange]) -> IntegrationOut:
    """Change an integration."""
    integrations = call.services.integrations
    integration = await integrations.own(call.principal, call.path["client_id"])
    changes: dict[str, Any] = call.body.model_dump(exclude_none=True)
    return _out(await integrations.change(integration, changes))


async def delete_integration(call: Call[None]) -> None:
    """Forget an integration."""
    integrations = call.services.integrations
    await integrations.remove(await integrations.own(call.principal, call.path["client_id"]))


async def create_authorization(call: Call[AuthorizationDraft]) -> AuthorizationOut:
    """Begin an authorization."""
    services, draft = call.services, call.body
    workspace_id = await call.workspace(draft.workspace, otherwise=None)
    if draft.external is None:
        integrations = services.integrations
        integration = await integrations.integration(call.principal, draft.client_id or "")
        begun = await services.consenting.begin(
            integration,
            workspace_id=workspace_id or integration.workspace_id,
            mode=draft.mode,
            origin=draft.origin,
        )
    else:
        external = External(
            name=draft.external.name,
            description=draft.external.description,
            redirect_uri=services.redirect_uri,
            secrets_uri=f"{services.public_url.rstrip('/')}/oauth/secrets",
            logo=draft.external.logo,
        )
        begun = await services.consenting.begin_external(
            external,
            zone=draft.external.zone,
            workspace_id=workspace_id,
            mode=draft.mode,
            origin=draft.origin,
        )
    return AuthorizationOut(url=begun.url, expires_at=to_datetime(begun.expires_at))


async def take_secrets(call: Call[SecretsDraft]) -> None:
    """Take the keys of an external integration from amoCRM."""
    services, draft = call.services, call.body
    try:
        await services.consenting.take_secrets(
            draft.client_id,
            draft.client_secret,
            draft.state,
            redirect_uri=services.redirect_uri,
        )
    except (AlreadyExists, AuthorizationRefused) as error:
        await services.audit.note(
            None, "amocrm", "take_secrets", subject=draft.client_id, outcome=error.code
        )
        raise


def _out(integration: Integration) -> IntegrationOut:
    return IntegrationOut(
        client_id=integration.client_id,
        workspace=integration.workspace_id,
        kind=integration.kind,
        name=integration.name,
        zone=integration.zone,
        redirect_uri=integration.redirect_uri,
        created_at=to_datetime(integration.created_at),
        updated_at=to_datetime(integration.updated_at),
    )
