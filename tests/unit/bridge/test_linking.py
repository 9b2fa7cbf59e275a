"""What the caller is told where amojo did not do what was asked."""

import pytest

from chatbridge import errors
from chatbridge.bridge.linking import refusal
from chatbridge.errors import DeliveryError, FarSideRefused, FarSideUnreachable, RequestRefused


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.Rejected("no", status=400), FarSideRefused),
        (errors.Misconfigured("no", status=403, far_code="X"), FarSideRefused),
        (errors.Throttled("no", status=429), FarSideRefused),
        (errors.Duplicate("no", status=409), FarSideRefused),
        (errors.FarSideDown("no", status=500), FarSideUnreachable),
        (errors.OutcomeUnknown("no", status=200), FarSideUnreachable),
        (errors.OutcomeUnknown("no"), FarSideUnreachable),
        (errors.NotSent("no"), FarSideUnreachable),
        (errors.Misconfigured("a forbidden address"), FarSideUnreachable),
    ],
)
def test_refused_or_unreachable(error: DeliveryError, kind: type[RequestRefused]) -> None:
    told = refusal(error)
    assert (type(told), str(told)) == (kind, str(error))
    given = {"status": error.status, "code": error.far_code, "detail": str(error)}
    assert told.far == {name: value for name, value in given.items() if value is not None}
