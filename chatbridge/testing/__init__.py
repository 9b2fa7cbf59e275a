"""For those who write connectors: `chatbridge.testing.connector`. It needs pytest and pytest-asyncio; no server needs it."""

import pytest

pytest.register_assert_rewrite(
    *(
        f"chatbridge.testing.{name}"
        for name in ("ways_in", "ways_out", "failures", "lifetime", "shop", "crm")
    )
)
