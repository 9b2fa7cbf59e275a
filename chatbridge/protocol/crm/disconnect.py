"""The hook by which amoCRM tells that an account has disabled an integration ("step-by-step"): a GET with three parameters."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from chatbridge.errors import SignatureMismatch

_MOST: Final = 2**53


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnect:
    """What the hook says; nothing of it is proved before `verify`."""

    client_id: str
    account_id: int
    signature: str = field(repr=False)


def parse(query: Mapping[str, str]) -> Disconnect:
    """Return what the parameters of an address say. An older page calls the integration `client_id`.

    Raises:
        SignatureMismatch: some of them are missing or cannot be.

    """
    client_id = query.get("client_uuid") or query.get("client_id") or ""
    account, signature = query.get("account_id", ""), query.get("signature", "")
    is_number = account.isascii() and account.isdigit() and len(account) < 16
    if not client_id or not is_number or not signature or int(account) >= _MOST:
        raise SignatureMismatch("the hook has no account, no integration or no signature")
    return Disconnect(client_id=client_id, account_id=int(account), signature=signature)


def sign(secret: str, client_id: str, account_id: int) -> str:
    """Return the signature: HMAC-SHA256 over `client|account`, in hex; so since 25 January 2024."""
    words = f"{client_id}|{account_id}".encode()
    return hmac.new(secret.encode(), words, hashlib.sha256).hexdigest()


def verify(hook: Disconnect, secret: str) -> None:
    """Return if the hook was signed with the integration's secret; compared in constant time.

    Raises:
        SignatureMismatch: it was not.

    """
    wanted = sign(secret, hook.client_id, hook.account_id).encode()
    if not hmac.compare_digest(wanted, hook.signature.encode(errors="surrogatepass")):
        raise SignatureMismatch("the hook is not signed with this integration's secret")
