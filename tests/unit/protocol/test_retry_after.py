import pytest

from chatbridge.protocol.retry_after import read_retry_after


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("1", 1),
        (" 30 ", 30),
        ("3600", 3600),
        ("999999999", 999_999_999),
        ("9999999999", None),
        ("-1", None),
        ("1.5", None),
        ("garbage", None),
        ("Tue, 14 Jan 2025 09:30:00 GMT", None),
        ("", None),
        (None, None),
    ],
)
def test_only_seconds_are_read(value: str | None, seconds: float | None) -> None:
    assert read_retry_after(value) == seconds
