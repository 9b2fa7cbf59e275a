"""The demo's keys: made at its first start, kept beside its database, so that a second start opens it again."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from chatbridge.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoKeys:
    """What the demo must remember between two starts."""

    secret_key: str
    admin_token: str
    messenger_id: str | None = None
    api_key: str | None = None
    webhook_secret: str | None = None
    website_id: str | None = None


def load_keys(file: Path) -> DemoKeys:
    """Return the kept keys; make and keep new ones at the first start.

    Raises:
        ConfigurationError: the file is broken.

    """
    if not file.exists():
        keys = DemoKeys(secret_key=secrets.token_urlsafe(32), admin_token=secrets.token_urlsafe(32))
        save_keys(file, keys)
        return keys
    try:
        return DemoKeys(**json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(
            f"{file} cannot be read. Remove it together with the database beside it to start the demo afresh."
        ) from error


def save_keys(file: Path, keys: DemoKeys) -> None:
    """Keep the keys, readable by their owner alone."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        json.dump(asdict(keys), out, indent=2)


def with_messenger(keys: DemoKeys, made: dict[str, str]) -> DemoKeys:
    """Return the keys with those of the messenger that was just made."""
    return replace(
        keys,
        messenger_id=made["id"],
        api_key=made["api_key"],
        webhook_secret=made["webhook_secret"],
    )
