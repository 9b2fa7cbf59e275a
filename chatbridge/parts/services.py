"""What the web side works with, made of the parts."""

from functools import partial

from chatbridge import ids
from chatbridge.bridge.audit import Audit
from chatbridge.bridge.ingress import Ingress
from chatbridge.bridge.linking import Linking
from chatbridge.bridge.parking import Parking
from chatbridge.bridge.passwords import Passwords
from chatbridge.bridge.people import People
from chatbridge.bridge.rotation import Rotation
from chatbridge.bridge.sign_in import SignIn
from chatbridge.parts.assembly import Parts
from chatbridge.parts.delivery import wants
from chatbridge.web.services import Services


def services_of(parts: Parts) -> Services:
    """Return what the web side works with."""
    ground, media, messages, replies = parts.ground, parts.media, parts.messages, parts.replies
    settings, store, clock = ground.settings, ground.store, ground.clock
    directory, transport = ground.directory, ground.transport
    passwords, audit = Passwords(), Audit(store=store, clock=clock)
    look_up = partial(parts.courier.look_up, again=True)
    return Services(
        public_url=settings.public_url,
        default_base_url=settings.amojo.base_url,
        body_limit=settings.http.body_limit,
        body_timeout=settings.http.body_timeout,
        connectors=parts.connectors,
        refusal_of_url=ground.guard.refusal_of_url,
        clock=clock,
        store=store,
        directory=directory,
        intake=messages.intake,
        callbacks=replies.callbacks,
        sign_in=SignIn(
            store=store,
            clock=clock,
            passwords=passwords,
            audit=audit,
            admin_token=settings.admin_token.get_secret_value(),
        ),
        people=People(store=store, clock=clock, passwords=passwords, new_key=ids.new_workspace_key),
        audit=audit,
        integrations=parts.crm.integrations,
        consenting=parts.crm.consenting,
        authorizing=parts.crm.authorizing,
        accounts=parts.crm.accounts,
        linking=Linking(
            directory=directory,
            transport=transport,
            clock=clock,
            wants=partial(wants, parts.connectors),
        ),
        rotation=Rotation(
            directory=directory,
            clock=clock,
            new_secret=ids.new_webhook_secret,
            new_api_key=ids.new_api_key,
        ),
        webhooks=parts.webhooks,
        parking=Parking(store=store, clock=clock, look_up=look_up),
        marks=messages.marks,
        afterthoughts=messages.afterthoughts,
        typing=messages.typing,
        ingress=Ingress(
            store=store,
            clock=clock,
            directory=directory,
            transport=transport,
            intake=messages.intake,
            afterthoughts=messages.afterthoughts,
            marks=messages.marks,
            typing=messages.typing,
        ),
        feeds=parts.feeds,
        uploads=media.uploads,
        files=media.files,
        media_links=media.links,
        history=parts.history,
        importing=parts.importing,
        recovery=replies.recovery,
        heartbeat=replies.heartbeat,
        courier=parts.courier,
        metrics=ground.metrics,
        stopping=parts.stopping,
    )
