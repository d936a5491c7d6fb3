"""Whether a model fits into this machine's memory, asked before it is loaded.

Knows free memory and the size of a weight. An impossible load would otherwise end in the kernel killing the process
without a word.
"""

from __future__ import annotations

from pathlib import Path

from isophrase.errors import ModelError
from isophrase.models.folders import ModelFolder
from isophrase.types import ModelSpec

_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


def check_memory(folder: ModelFolder, spec: ModelSpec) -> None:
    """Refuse a model whose weights alone exceed the free memory.

    Raises:
        ModelError: They do.
    """
    free = free_memory()
    needed = folder.elements * BYTES[spec.dtype]
    if free is not None and needed > free:
        smaller = ", or dtype: bfloat16" if spec.dtype == "float32" else ""
        raise ModelError(
            f"{needed / 1e9:.1f} GB of free memory for {folder.path.name} in {spec.dtype}", got=f"{free / 1e9:.1f} GB",
            remedy=f"close other programs, use a smaller model{smaller}",
        )  # fmt: skip


def free_memory() -> int | None:
    """Bytes that this process can still take, swap included, within its container's limit; None where unknown."""
    values = _meminfo()
    if not values:
        return None
    free = values.get("MemAvailable", 0) + values.get("SwapFree", 0)
    limit = _container_room()
    return free if limit is None else min(free, limit)


def total_memory() -> int | None:
    """Bytes of memory that this process may use at most; None where unknown."""
    total = _meminfo().get("MemTotal")
    limit = _number(_CGROUP / "memory.max")
    return total if total is None or limit is None else min(total, limit)


def _meminfo() -> dict[str, int]:
    if not _MEMINFO.is_file():
        return {}
    values = {}
    for line in _MEMINFO.read_text().splitlines():
        name, _, rest = line.partition(":")
        values[name] = int(rest.split()[0]) * 1024
    return values


def _container_room() -> int | None:
    """What the container's limit leaves; files that the kernel keeps in memory and can drop count as free."""
    limit, used = _number(_CGROUP / "memory.max"), _number(_CGROUP / "memory.current")
    if limit is None or used is None:
        return None
    statistics = (_CGROUP / "memory.stat").read_text().split()
    droppable = dict(zip(statistics[::2], statistics[1::2], strict=False)).get("inactive_file", "0")
    return max(0, limit - used + int(droppable))


def _number(path: Path) -> int | None:
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None
