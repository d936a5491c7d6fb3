"""One thread: for small models, threads that wait for each other cost more than they give."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
