"""One thread: for small models, threads that wait for each other cost more than they give. No deadlines: CI is busy."""

from __future__ import annotations

import os

from hypothesis import settings

from tests.report.browser import axe, browser

os.environ.setdefault("OMP_NUM_THREADS", "1")
settings.register_profile("isophrase", deadline=None)
settings.load_profile("isophrase")

__all__ = ["axe", "browser"]
