"""Identifiers: their types, how new ones are made, and the fingerprints that deduplicate.

Ids that come from outside (conversation, message, amojo ids) stay the text they were given as.
"""

import base64
import hashlib
import re
import secrets
import uuid
from functools import lru_cache
from typing import Final

API_KEY_PREFIX: Final = "cbk_"
WORKSPACE_KEY_PREFIX: Final = "cbw_"
SESSION_PREFIX: Final = "cbs_"
WEBHOOK_SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - a prefix, not a secret
_DELIVERY_PREFIX: Final = "msg_"
_DELIVERY_ID: Final = re.compile(rf"{_DELIVERY_PREFIX}[0-9a-f]{{32}}")


def new_uuid() -> str:
    """Return a random UUID in lower case."""
    return str(uuid.uuid4())


def new_media_id() -> bytes:
    """Return 16 random bytes for a file."""
    return secrets.token_bytes(16)


def new_messenger_id() -> str:
    """Return an id for a messenger, such as `msgr_5f0c…`."""
    return f"msgr_{secrets.token_hex(12)}"


def new_account_id() -> str:
    """Return an id for an account of the CRM, such as `acc_5f0c…`."""
    return f"acc_{secrets.token_hex(12)}"


def new_state() -> str:
    """Return what comes back with a code, and nobody can guess: 256 random bits."""
    return secrets.token_urlsafe(32)


def new_api_key() -> str:
    """Return a messenger's API key: 256 random bits behind a prefix that secret scanners can find."""
    return API_KEY_PREFIX + secrets.token_urlsafe(32)


def new_webhook_secret() -> str:
    """Return a Standard Webhooks secret: `whsec_` and 32 random bytes in base64."""
    return WEBHOOK_SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def new_amojo_secret() -> str:
    """Return a secret shaped as amojo's own: 40 lower-case hex characters."""
    return secrets.token_hex(20)


def delivery_id(key: bytes) -> str:
    """Return the id under which an entry of the journal goes to a messenger, the same over all attempts."""
    return f"{_DELIVERY_PREFIX}{key.hex()}"


def delivered_key(name: str) -> bytes | None:
    """Return the key of the entry that went to a messenger under this id, None if no entry did."""
    if _DELIVERY_ID.fullmatch(name) is None:
        return None
    return bytes.fromhex(name.removeprefix(_DELIVERY_PREFIX))


def secret_hash(secret: str) -> bytes:
    """Return what is stored of a text that nobody can guess, to know it again. A plain SHA-256 is enough for that."""
    # What is asked for comes from headers and addresses, whose bytes need not be UTF-8.
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()


def api_key_hash(api_key: str) -> bytes:
    """Return what is stored of an API key."""
    return secret_hash(api_key)


def fingerprint(*parts: str | bytes) -> bytes:
    """Return 16 bytes that stand for these parts in their order.

    Each part is measured, so that `("ab", "c")` and `("a", "bc")` differ.
    """
    return hashlib.blake2b(measured(*parts), digest_size=16).digest()


def fingerprint_within(begin: tuple[str, ...], part: str) -> bytes:
    """Return `fingerprint(*begin, part)`, faster where many parts begin alike."""
    made = _begun(begin).copy()
    made.update(measured(part))
    return made.digest()


@lru_cache(maxsize=1024)
def _begun(parts: tuple[str, ...]) -> "hashlib.blake2b":
    return hashlib.blake2b(measured(*parts), digest_size=16)


def measured(*parts: str | bytes) -> bytes:
    """Return these parts, each behind its length: what fingerprints are made over."""
    said = b""
    for part in parts:
        data = part.encode(errors="surrogatepass") if isinstance(part, str) else part
        said += len(data).to_bytes(8, "big") + data
    return said


def new_workspace_id() -> str:
    """Return an id for a workspace, such as `ws_5f0c…`."""
    return f"ws_{secrets.token_hex(12)}"


def new_user_id() -> str:
    """Return an id for somebody of a workspace, such as `usr_5f0c…`."""
    return f"usr_{secrets.token_hex(12)}"


def new_key_id() -> str:
    """Return an id for a workspace's key, such as `key_5f0c…`."""
    return f"key_{secrets.token_hex(12)}"


def new_workspace_key() -> str:
    """Return a key that manages a workspace: 256 random bits behind a prefix that secret scanners can find."""
    return WORKSPACE_KEY_PREFIX + secrets.token_urlsafe(32)


def new_session_token() -> str:
    """Return what a browser shows while somebody is signed in."""
    return SESSION_PREFIX + secrets.token_urlsafe(32)


def new_password() -> str:
    """Return a password for somebody who was given none: 120 random bits."""
    return secrets.token_urlsafe(15)
