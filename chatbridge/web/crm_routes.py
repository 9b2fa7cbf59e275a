"""The rows of the route table about accounts of the CRM, and how they let us in."""

from typing import Any, Final

from chatbridge import errors
from chatbridge.model import Permission
from chatbridge.web import accounts, integrations
from chatbridge.web.crm_schemas import (
    AccountDraft,
    AuthorizationDraft,
    AuthorizationOut,
    CrmAccountOut,
    CrmAccountPage,
    IntegrationChange,
    IntegrationDraft,
    IntegrationOut,
    IntegrationPage,
    SecretsDraft,
)
from chatbridge.web.endpoint import Access, Endpoint
from chatbridge.web.schemas import PageQuery

ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = (
    Endpoint(
        method="POST", path="/v1/integrations", run=integrations.create_integration, summary="Keep an integration",
        tag="accounts", access=Access.MANAGER, needs=Permission.CONFIGURE, body=IntegrationDraft, answer=IntegrationOut,
        status=201, refusals=(errors.AlreadyExists, errors.NotFound),
    ),
    Endpoint(
        method="GET", path="/v1/integrations", run=integrations.list_integrations, summary="List integrations",
        tag="accounts", access=Access.MANAGER, query=PageQuery, answer=IntegrationPage,
    ),
    Endpoint(
        method="GET", path="/v1/integrations/{client_id}", run=integrations.get_integration, summary="Show an integration",
        tag="accounts", access=Access.MANAGER, answer=IntegrationOut, refusals=(errors.NotFound,),
    ),
    Endpoint(
        method="PATCH", path="/v1/integrations/{client_id}", run=integrations.change_integration,
        summary="Change an integration", tag="accounts", access=Access.MANAGER, needs=Permission.CONFIGURE,
        body=IntegrationChange, answer=IntegrationOut, refusals=(errors.NotFound,),
    ),
    Endpoint(
        method="DELETE", path="/v1/integrations/{client_id}", run=integrations.delete_integration,
        summary="Forget an integration", tag="accounts", access=Access.MANAGER, needs=Permission.CONFIGURE, status=204,
        refusals=(errors.NotFound, errors.IntegrationInUse),
    ),
    Endpoint(
        method="POST", path="/v1/authorizations", run=integrations.create_authorization,
        summary="Send somebody to amoCRM's consent page", tag="accounts", access=Access.MANAGER,
        needs=Permission.CONFIGURE, body=AuthorizationDraft, answer=AuthorizationOut, status=201,
        refusals=(errors.NotFound,),
    ),
    Endpoint(
        method="POST", path="/v1/accounts", run=accounts.create_account, summary="Connect an account by hand",
        tag="accounts", access=Access.MANAGER, needs=Permission.CONFIGURE, body=AccountDraft, answer=CrmAccountOut,
        status=201, refusals=(errors.NotFound, errors.AccountTaken, errors.CrmRefused, errors.CrmUnreachable),
    ),
    Endpoint(
        method="GET", path="/v1/accounts", run=accounts.list_accounts, summary="List accounts", tag="accounts",
        access=Access.MANAGER, query=PageQuery, answer=CrmAccountPage,
    ),
    Endpoint(
        method="GET", path="/v1/accounts/{account}", run=accounts.get_account, summary="Show an account",
        tag="accounts", access=Access.MANAGER, answer=CrmAccountOut, refusals=(errors.NotFound,),
    ),
    Endpoint(
        method="DELETE", path="/v1/accounts/{account}", run=accounts.delete_account, summary="Forget an account",
        tag="accounts", access=Access.MANAGER, needs=Permission.CONFIGURE, status=204, refusals=(errors.NotFound,),
    ),
    Endpoint(
        method="POST", path="/oauth/secrets", run=integrations.take_secrets,
        summary="Take the keys of an external integration from amoCRM", tag="accounts", access=Access.PUBLIC,
        body=SecretsDraft, status=204, refusals=(errors.AuthorizationRefused, errors.AlreadyExists),
    ),
)  # fmt: skip
