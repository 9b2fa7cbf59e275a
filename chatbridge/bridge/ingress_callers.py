"""Who makes a call of amojo: the messenger whose amojo identity the address names, if the signature proves it."""

from collections.abc import Mapping
from typing import NamedTuple

import structlog

from chatbridge.bridge.callbacks import NOBODYS_SECRET
from chatbridge.bridge.directory import Directory
from chatbridge.errors import SignatureMismatch
from chatbridge.model import Messenger
from chatbridge.protocol.amojo import signing

log = structlog.get_logger()


class SignedCall(NamedTuple):
    """A call as it came, and what its address allows."""

    name: str
    """The scope in the address, or the channel."""
    scoped: bool
    """Which of the two it is."""
    body_only: bool
    """See `signing.verify_request`."""
    method: str
    path: str
    """Without the query."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def channel_id(self) -> str:
        """Return the channel, which a scope begins with."""
        return self.name.partition("_")[0]


async def authenticate(directory: Directory, call: SignedCall, *, now: int) -> Messenger:
    """Return the messenger that makes a call.

    Raises:
        SignatureMismatch: unknown name or wrong signature; the caller is told neither which nor why.
        StoreUnavailable: the database is away, so nobody knows.

    """
    try:
        return _verified(directory, call, now=now)
    except SignatureMismatch as error:
        # Looked for whatever is wrong with it: the time must not tell either which channels exist.
        if await directory.look_for(amojo_channel=call.channel_id):
            return _verified(directory, call, now=now)
        known = directory.messenger_by_amojo(call.channel_id) is not None
        log.warning("ingress_refused", channel_known=known, reason=str(error))
        raise


def _verified(directory: Directory, call: SignedCall, *, now: int) -> Messenger:
    messenger = directory.messenger_by_amojo(call.channel_id)
    if messenger is not None:
        identity = messenger.amojo
        if call.name != (identity.scope_id if call.scoped else identity.channel_id):
            messenger = None
    signing.verify_request(
        messenger.amojo.secret if messenger else NOBODYS_SECRET,
        call.method,
        call.path,
        call.headers,
        call.body,
        now=now,
        body_only=call.body_only,
    )
    if messenger is None:
        raise SignatureMismatch("nobody has this name")
    return messenger
