"""Where fetched data and converted models are kept between runs.

Knows one folder. Does not know what is in it.
"""

from __future__ import annotations

import os
from pathlib import Path

CACHE_VARIABLE = "ISOPHRASE_CACHE"


def cache_folder() -> Path:
    """The cache: `$ISOPHRASE_CACHE` where it is set, else the platform's cache folder of the user. It may not exist."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("isophrase", appauthor=False)
