"""Settings: environment, then a TOML file, then the packaged defaults, which are their reference.

`Settings` is frozen and typed; everybody gets the part they need as an argument.
"""

import os
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from chatbridge.errors import ConfigurationError

PREFIX: Final = "CHATBRIDGE_"
DEFAULTS: Final = Path(__file__).with_name("config.default.toml")
_SHORTEST_SECRET: Final = 12
_FOREIGN: Final = ("CHATBRIDGE_TEST_",)
"""Names under our prefix that are not settings: they tell the tests where things are."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Http(_Part):
    """Where the server listens, and its patience."""

    host: str
    port: int = Field(ge=0, le=65535)
    body_limit: int = Field(gt=0)
    body_timeout: float = Field(gt=0)
    drain_delay: float = Field(ge=0)
    shutdown_grace: float = Field(ge=0)


class StoreSettings(_Part):
    """Where the database is."""

    url: str
    synchronous: Literal["full", "normal"]
    connections: int = Field(ge=4, le=1000)

    @property
    def serves_one(self) -> bool:
        """Return whether it can be used by one process only."""
        return self.url.startswith("sqlite")


def _split(value: object) -> object:
    if isinstance(value, str):
        return [part for item in value.strip("[]").split(",") if (part := item.strip(" \"'"))]
    return value


def _checked_proxy(value: SecretStr) -> SecretStr:
    address = value.get_secret_value()
    if address and not _is_proxy(address):
        raise ValueError(
            "must be the address of an HTTP proxy, such as http://user:password@proxy:3128 (encoded: %40 for an @ in"
            " the password), or empty"
        )
    return value


def _is_proxy(address: str) -> bool:
    try:
        parts = urlsplit(address)
        has_port = parts.port != 0
    except ValueError:  # whose text may show the password
        return False
    more = parts.path.strip("/") or parts.query or parts.fragment
    encoded = address.isascii() and address.isprintable() and " " not in address
    return parts.scheme == "http" and bool(parts.hostname) and has_port and encoded and not more


class Network(_Part):
    """Where outgoing requests may go, how, and how long they may take."""

    allow: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
    connect_timeout: float = Field(gt=0)
    total_timeout: float = Field(gt=0)
    connections: int = Field(ge=1)
    connections_per_host: int = Field(ge=1)
    transport: Literal["thin", "session"]
    proxy: Annotated[SecretStr, AfterValidator(_checked_proxy)]


class Amojo(_Part):
    """The chat service."""

    base_url: str


def _pattern(*names: str) -> Callable[[str], str]:
    """Return a check of an address with these names in braces, none of which need be there."""

    def check(value: str) -> str:
        try:
            filled = value.format(**dict.fromkeys(names, "x"))
        except (KeyError, ValueError, IndexError) as error:
            known = " and ".join(f"{{{name}}}" for name in names)
            raise ValueError(f"may have {known} in it, and no other braces") from error
        if not _is_web_address(filled):
            raise ValueError("must be an http(s) address")
        return value.rstrip("/")

    return check


class Crm(_Part):
    """The accounts of amoCRM and Kommo."""

    address: Annotated[str, AfterValidator(_pattern("host", "subdomain", "zone"))]
    consent: Annotated[str, AfterValidator(_pattern("zone"))]


class Delivery(_Part):
    """Bounds of the delivery engine."""

    window: int = Field(ge=100)
    window_bytes: int = Field(ge=1_048_576)
    at_once: int = Field(ge=1)
    at_once_each: int = Field(ge=1)
    pause_after_hours: float = Field(gt=0)


class Media(_Part):
    """Files that travel with messages."""

    url: str = Field(min_length=1)
    options: dict[str, SecretStr]
    max_bytes: int = Field(ge=1)
    retention_days: int = Field(ge=1, le=36_500)


class Feed(_Part):
    """Events that wait until messengers fetch them."""

    retention_days: int = Field(ge=1, le=36_500)


class Recovery(_Part):
    """How replies are found whose callbacks were lost."""

    days: int = Field(ge=1, le=365)
    tolerance: float = Field(ge=0)
    tolerance_shared: float = Field(ge=0)
    calls_per_second: float = Field(gt=0)


class Spool(_Part):
    """Where callbacks are kept while the database is away."""

    folder: Path
    max_bytes: int = Field(ge=0)


class Log(_Part):
    """How the log looks."""

    format: Literal["json", "console"]
    level: Literal["debug", "info", "warning", "error"]


class Sandbox(_Part):
    """The amoCRM of one's own."""

    host: str
    port: int = Field(ge=0, le=65535)
    hook_url: str


class Settings(BaseSettings):
    """Every setting; `config.default.toml` explains each."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", frozen=True, extra="forbid"
    )

    public_url: str
    secret_key: SecretStr
    admin_token: SecretStr
    http: Http
    store: StoreSettings
    network: Network
    amojo: Amojo
    crm: Crm
    delivery: Delivery
    media: Media
    feed: Feed
    recovery: Recovery
    spool: Spool
    log: Log
    sandbox: Sandbox

    @property
    def secret_keys(self) -> list[str]:
        """Return the keys for secrets at rest, newest first."""
        return [
            key for item in self.secret_key.get_secret_value().split(",") if (key := item.strip())
        ]

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over what `load` read from files."""
        del dotenv_settings, file_secret_settings
        defaults = InitSettingsSource(settings_cls, _read(DEFAULTS))
        return (env_settings, init_settings, defaults)


def load(file: Path | None = None) -> Settings:
    """Return the settings of this process.

    Raises:
        ConfigurationError: a name is unknown or a value is wrong; the sentence names it.

    """
    _refuse_unknown_names()
    try:
        return Settings(**(_read(file) if file else {}))
    except ValidationError as error:
        raise ConfigurationError(_sentence(error)) from None
    except SettingsError as error:
        # A whole part given as one variable that is not JSON. The cause would show the value.
        raise ConfigurationError(
            f"{PREFIX}…: {error}. Set its members one by one, such as {PREFIX}HTTP__PORT."
        ) from None


def problems(settings: Settings) -> list[str]:
    """Return a sentence for everything that keeps a server with these settings from being started."""
    found = []
    if not _is_web_address(settings.public_url):
        found.append(
            "CHATBRIDGE_PUBLIC_URL must be the http(s) address under which amoCRM reaches this server."
        )
    if not settings.secret_keys:
        found.append(f"CHATBRIDGE_SECRET_KEY is missing. {_ADVICE}")
    found += [
        f"CHATBRIDGE_SECRET_KEY {fault} {_ADVICE}"
        for key in settings.secret_keys
        if (fault := _weakness(key))
    ]
    token = settings.admin_token.get_secret_value()
    if fault := _weakness(token):
        found.append(f"CHATBRIDGE_ADMIN_TOKEN {fault} {_ADVICE}")
    return found


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


_ADVICE: Final = "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
_EXAMPLES: Final = ("changeme", "change-me", "example")


def _weakness(secret: str) -> str | None:
    if not secret:
        return "is missing."
    if len(secret) < _SHORTEST_SECRET:
        return f"is shorter than {_SHORTEST_SECRET} characters."
    if len(set(secret)) < 5 or any(example in secret.lower() for example in _EXAMPLES):
        return "looks like an example value."
    return None


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"The settings file {file} cannot be read: {error.strerror}."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The settings file {file} is not TOML: {error}.") from error


def _refuse_unknown_names() -> None:
    for name in os.environ:
        if not name.startswith(PREFIX) or name.startswith(_FOREIGN):
            continue
        top = name.removeprefix(PREFIX).partition("__")[0].lower()
        if top not in Settings.model_fields:
            raise ConfigurationError(
                f"{name} is not a setting. See chatbridge/config.default.toml."
            )


def _sentence(error: ValidationError) -> str:
    faults = []
    for fault in error.errors(include_url=False, include_input=False):
        name = PREFIX + "__".join(str(part) for part in fault["loc"]).upper()
        words = "is not a setting" if fault["type"] == "extra_forbidden" else fault["msg"]
        faults.append(f"{name}: {words}")
    return "; ".join(faults) + ". See chatbridge/config.default.toml."
