"""What the benchmarks' tests need: a C compiler."""

import os
import shutil

import pytest


@pytest.fixture(scope="session")
def compiler() -> str:
    """The C compiler. Without one: a failure in CI, a skip with its reason elsewhere."""
    found = shutil.which("cc")
    if found is None:
        reason = "the benchmarks need a C compiler: apt-get install gcc libc6-dev"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    return found
