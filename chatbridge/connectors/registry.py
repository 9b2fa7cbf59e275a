"""Finds the connectors that are installed: each is an entry point of the group `chatbridge.connectors`, named as its kind."""

from importlib.metadata import EntryPoint, entry_points
from typing import Final

import structlog

from chatbridge.connectors.base import Connector
from chatbridge.connectors.host import Host
from chatbridge.errors import ConfigurationError

log = structlog.get_logger()

GROUP: Final = "chatbridge.connectors"


def load_connectors(host: Host) -> dict[str, Connector]:
    """Return a connector for each kind. One that cannot be loaded is missing, and the log says why.

    Raises:
        ConfigurationError: two packages bring the same kind.

    """
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=GROUP):
        other = found.setdefault(entry.name, entry)
        if other.value != entry.value:
            raise ConfigurationError(
                f"Two connectors are installed for messengers of kind {entry.name!r}: {other.value} and"
                f" {entry.value}. Remove one of the packages."
            )
    made = ((kind, _load(found[kind], host)) for kind in sorted(found))
    return {kind: connector for kind, connector in made if connector is not None}


def _load(entry: EntryPoint, host: Host) -> Connector | None:
    try:
        connector = entry.load()(host)
        if not isinstance(connector, Connector) or connector.kind != entry.name:
            raise TypeError(f"it is no Connector of kind {entry.name!r}")  # noqa: TRY301
    except Exception:
        # Somebody else's code: messengers of other kinds go on without it.
        log.exception("connector_not_loaded", kind=entry.name, entry_point=entry.value)
        return None
    return connector
