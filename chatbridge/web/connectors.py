"""Kinds of messengers, and what may be set up about one of each."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, get_args

from pydantic import SecretStr, ValidationError

from chatbridge.connectors.base import Connector, MessengerSettings
from chatbridge.errors import InvalidFields, KindUnavailable
from chatbridge.model import Messenger
from chatbridge.web.bodies import faults_of
from chatbridge.web.endpoint import Call
from chatbridge.web.schemas import ConnectorList, ConnectorOut
from chatbridge.web.services import Services

_MASK: Final = "**********"
"""Stands for a secret. Whoever sends it back means the secret as it is."""


class Read(NamedTuple):
    """Settings as they are stored."""

    settings: dict[str, Any]
    secrets: dict[str, str]


async def list_connectors(call: Call[None]) -> ConnectorList:
    """List the kinds of messengers that this server knows."""
    connectors = call.services.connectors
    return ConnectorList(
        items=[
            ConnectorOut(kind=kind, settings_schema=connectors[kind].settings.model_json_schema())
            for kind in sorted(connectors)
        ]
    )


def connector_of(kind: str, services: Services) -> Connector:
    """Return the connector for messengers of a kind.

    Raises:
        KindUnavailable: there is none.

    """
    connector = services.connectors.get(kind)
    if connector is None:
        kinds = ", ".join(sorted(services.connectors))
        raise KindUnavailable(
            f"This server has no connector of kind {kind!r}. It has: {kinds}."
        ) from None
    return connector


def read_settings(connector: Connector, given: Mapping[str, Any], known: Mapping[str, str]) -> Read:
    """Return settings as they are stored; `known` secrets stay where none is given.

    Raises:
        InvalidFields: the connector has no such setting, or not with such a value.

    """
    secret = secret_names(connector.settings)
    said = {name: value for name, value in given.items() if name not in secret or value != _MASK}
    kept = {name: value for name, value in known.items() if name not in said}
    try:
        settings = connector.settings.model_validate(said | kept)
    except ValidationError as error:
        fields = {f"/settings{place}": fault for place, fault in faults_of(error).items()}
        raise InvalidFields(fields=fields) from None
    secrets = {name: getattr(settings, name) for name in secret}
    return Read(
        settings=settings.model_dump(mode="json", exclude_unset=True, exclude=secret),
        secrets={
            name: value.get_secret_value() for name, value in secrets.items() if value is not None
        },
    )


def shown_settings(messenger: Messenger) -> dict[str, Any]:
    """Return the settings of a messenger as they are shown: secrets behind a mask."""
    return messenger.settings | dict.fromkeys(messenger.secrets, _MASK)


def secret_names(settings: type[MessengerSettings]) -> set[str]:
    """Return which settings are secret."""
    return {
        name
        for name, field in settings.model_fields.items()
        if SecretStr in (field.annotation, *get_args(field.annotation))
    }
