"""Endpoints that replace keys of messengers."""

from chatbridge.web.endpoint import Call
from chatbridge.web.times import to_datetime
from chatbridge.web.webhook_schemas import ApiKeyRotated, Overlap, SecretRotated


async def rotate_webhook_secret(call: Call[Overlap]) -> SecretRotated:
    """Replace the secret with which webhooks are signed, and show the new one, this once."""
    messenger = call.view.messenger(call.path["messenger_id"])
    made = await call.services.rotation.webhook_secret(messenger, call.body.overlap_hours)
    return SecretRotated(webhook_secret=made.new, old_until=to_datetime(made.old_until))


async def rotate_api_key(call: Call[Overlap]) -> ApiKeyRotated:
    """Replace the API key, and show the new one, this once."""
    messenger = call.view.messenger(call.path["messenger_id"])
    made = await call.services.rotation.api_key(messenger, call.body.overlap_hours)
    return ApiKeyRotated(api_key=made.new, old_until=to_datetime(made.old_until))
