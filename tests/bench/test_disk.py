"""The slow disk."""

import pytest

from bench import disk

pytestmark = pytest.mark.usefixtures("compiler")


def test_a_sync_of_the_slow_disk_takes_its_five_milliseconds() -> None:
    assert disk.slow_sync_ms() >= 5
