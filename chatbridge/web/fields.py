"""Kinds of fields that the bodies of our API are made of. Strict in: what is misspelt is an error, not lost."""

from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

import orjson
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must not contain control characters")
    return value


def _web_address(value: str) -> str:
    try:
        parts = urlsplit(value)
        port_is_number = parts.port is None or parts.port > 0
    except ValueError as error:
        raise ValueError("must be an http or https address") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or not port_is_number:
        raise ValueError("must be an http or https address")
    if parts.username is not None or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("must be an encoded address without a user name in it")
    return value


def _storable(value: dict[str, Any]) -> dict[str, Any]:
    try:
        size = len(orjson.dumps(value))
    except TypeError as error:
        raise ValueError(
            "must be plain JSON: not too deep, whole numbers within 64 bits"
        ) from error
    if size > 16_384:
        raise ValueError("must not be larger than 16 KiB")
    return value


_FIRST_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MOMENT = datetime(9000, 1, 1, tzinfo=UTC)


def _this_era(value: datetime) -> datetime:
    if not _FIRST_MOMENT <= value < _LAST_MOMENT:
        raise ValueError("must be a time after 1970")
    return value


Identifier = Annotated[
    str,
    Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$", examples=["m-1"]),
    AfterValidator(_printable),
]
AmojoId = Annotated[Identifier, Field(max_length=64)]
"""An id given by amoCRM, a UUID as a rule; the database keeps no longer one."""
Url = Annotated[
    str, Field(max_length=2048, json_schema_extra={"format": "uri"}), AfterValidator(_web_address)
]
Text = Annotated[str, Field(max_length=65_536)]
Short = Annotated[str, Field(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A name for people, on one line."""


FreeForm = Annotated[dict[str, Any], AfterValidator(_storable)]
Moment = Annotated[AwareDatetime, AfterValidator(_this_era)]


class In(BaseModel):
    """A body that callers send: unknown members are an error, so that a misspelt one is not lost."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Out(BaseModel):
    """A body that we answer."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)
