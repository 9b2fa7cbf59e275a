"""All addresses of the account side."""

from aiohttp import web

from chatbridge.sandbox.crm import (
    api,
    consent,
    control_accounts,
    control_integrations,
    oauth,
    sources,
    widgets,
)


def routes() -> list[web.RouteDef]:
    """What accounts answer, and the control API about them."""
    parts = (api, widgets, sources, oauth, consent, control_accounts, control_integrations)
    return [route for part in parts for route in part.routes()]
