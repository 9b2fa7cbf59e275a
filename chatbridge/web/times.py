"""Times between our microseconds and the API's ISO 8601."""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def to_datetime(at: int) -> datetime:
    """Return microseconds as a UTC time."""
    return _EPOCH + timedelta(microseconds=at)


def from_datetime(moment: datetime) -> int:
    """Return an aware time as microseconds."""
    return (moment - _EPOCH) // timedelta(microseconds=1)
