"""Tests that make sense for some connectors only."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from chatbridge.testing.far_side import Abilities, Failure

_Test = TypeVar("_Test", bound=Callable[..., Any])
_MARK: Final = "_needs"


def needs(*wanted: str | Failure) -> Callable[[_Test], _Test]:
    """Make a test one of stand-ins that have these abilities, by name, and can fail in these ways."""

    def mark(test: _Test) -> _Test:
        setattr(test, _MARK, wanted)
        return test

    return mark


def is_wanted(test: object, can: Abilities) -> bool:
    """Return whether a test makes sense for a stand-in."""
    return all(
        one in can.failures if isinstance(one, Failure) else getattr(can, one)
        for one in getattr(test, _MARK, ())
    )
