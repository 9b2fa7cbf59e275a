import pytest

from chatbridge.workers.record import Record

STILLBORN = None


@pytest.mark.parametrize(
    ("ends", "delay", "hopeless"),
    [
        ([0.0], 0.1, False),
        ([5.0, 5.0], 0.2, False),
        ([59.9] * 3, 0.5, False),
        ([1.0] * 4, 1.0, False),
        ([1.0] * 5, 2.0, False),
        ([1.0] * 6, 5.0, False),
        ([1.0] * 100, 5.0, False),
        ([3600.0], 0.1, False),
        ([1.0] * 6 + [60.0], 0.1, False),
        ([1.0] * 6 + [60.0, 1.0], 0.2, False),
        ([STILLBORN], 0.1, False),
        ([STILLBORN] * 2, 0.2, False),
        ([STILLBORN] * 3, 0.5, True),
        ([3600.0] + [STILLBORN] * 3, 1.0, True),
        ([STILLBORN, STILLBORN, 1.0, STILLBORN], 1.0, False),
    ],
)
def test_when_a_worker_is_started_again(
    *, ends: list[float | None], delay: float, hopeless: bool
) -> None:
    record = Record()
    for served in ends:
        record = record.after(served)
    assert (record.delay, record.hopeless) == (delay, hopeless)
