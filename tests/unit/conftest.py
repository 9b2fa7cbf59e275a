"""Profiles of hypothesis: the same examples every time where CI decides, fresh ones at a developer's desk."""

import os

from hypothesis import settings

settings.register_profile("desk", max_examples=100, deadline=None)
settings.register_profile("ci", settings.get_profile("desk"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "desk")
