"""Memory that a layer frees is used again by the next one, and not handed back to the system in between.

Knows glibc's allocator. By default it maps large tensors anew or hands their pages back, and each fresh page costs a
fault: a few per cent of a forward pass on a CPU. Elsewhere nothing is changed.
"""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST = 32 << 20
"""Bytes from which glibc always maps; it takes no higher threshold."""
_NEVER = (1 << 31) - 1


def reuse_freed_memory() -> bool:
    """Set this for the whole process; call it early, once, from a program's start and never from a library.

    Returns:
        Whether the allocator took it.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is None:
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST)) and bool(mallopt(_TRIM_THRESHOLD, _NEVER))
